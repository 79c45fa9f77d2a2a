"""What lies in the state folder beside the journal: the lock of its daemon, and the key of the digests."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from pathlib import Path

__all__ = ["StateInUse", "digest_key", "lock"]

_KEY_OCTETS = 32


class StateInUse(Exception):
    """Another daemon has this state folder."""


def lock(folder: Path) -> int:
    """The descriptor that holds the lock until it is closed. Raises StateInUse."""
    path = folder / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StateInUse(f"{folder}: another daemon uses this state folder") from None
    return descriptor


def digest_key(folder: Path) -> bytes:
    """Read, or made at the first start."""
    path = folder / "digest.key"
    with contextlib.suppress(FileNotFoundError):
        if len(key := path.read_bytes()) == _KEY_OCTETS:
            return key
    # Whole or not at all: with half a key after a crash every repetition would look like a conflict.
    key = secrets.token_bytes(_KEY_OCTETS)
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    return key
