"""What lies in the state folder beside the journal: the lock of its daemon, and keys that are made there."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
from pathlib import Path

from connector.config.privacy import Privacy, key_octets
from connector.sealing import KEY_OCTETS, Key, Seal, SealError, is_sealed

__all__ = ["StateInUse", "digest_key", "give_back", "lock", "own_key", "seal_of"]

_OWN_KEY = "seal.key"
_OWN_KEY_ID = "state-folder"
_DIGEST_KEY = "digest.key"


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


def own_key(folder: Path) -> Path:
    """Where the folder's own key to its texts is, or would be."""
    return folder / _OWN_KEY


def give_back(folder: Path) -> None:
    """What root has made there becomes the folder's owner's: their daemon could not read it."""
    if os.geteuid() != 0:
        return
    owner = folder.stat()
    for path in folder.rglob("*"):
        found = path.lstat()
        alone = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
        if found.st_uid == 0 and (alone or stat.S_ISDIR(found.st_mode)):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def seal_of(folder: Path, privacy: Privacy | None = None) -> Seal:
    """What the texts in this state folder are sealed with: the keys of [privacy], and behind them the one of
    the folder itself, which is made where there is no other. Raises OSError, and SealError for what is no
    key.
    """
    given = privacy.keys if privacy is not None else ()
    keys = [_key(key.id, Path(key.path), Path(key.path).read_bytes()) for key in given]
    path = own_key(folder)
    own = _read(path)
    if own is None and not keys:
        own = secrets.token_bytes(KEY_OCTETS)
        _write(path, own)
    if own is not None:
        keys.append(_key(_OWN_KEY_ID, path, own))
    return Seal(keys)


def _key(id: str, path: Path, content: bytes) -> Key:
    try:
        return Key(id, key_octets(content))
    except ValueError as error:
        raise SealError(id, f"{path} {error}") from None


def digest_key(folder: Path, seal: Seal) -> bytes:
    """Tells repetitions; made at the first start. It lies sealed: whoever has it can try which code a digest
    was made of. Raises SealError.
    """
    path = folder / _DIGEST_KEY
    context = _DIGEST_KEY.encode()
    held = _read(path) or b""
    if len(held) == KEY_OCTETS:  # of a version that did not seal it
        key = held
    elif is_sealed(held):
        try:
            key = seal.open_octets(held, context)
        except SealError as error:
            raise SealError(error.key_id, f"{path}: {error}") from None
        if seal.is_current(held):
            return key
    else:
        key = secrets.token_bytes(KEY_OCTETS)
    _write(path, seal.seal_octets(key, context))
    return key


def _read(path: Path) -> bytes | None:
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def _write(path: Path, content: bytes) -> None:
    # Whole or not at all: with half a key after a crash every repetition would look like a conflict.
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
