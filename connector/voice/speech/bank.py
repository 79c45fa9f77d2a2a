"""Digits and fixed phrases on disk, so that a restart renders nothing again.

A file's name is a keyed digest: it tells nothing of what is said. Files are replaced whole and carry a digest
of their content; one that is damaged is rendered again, so nothing needs to be synced. Messages and codes
never come here: they belong to one person and one call.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex

from connector.voice.audio import Audio

__all__ = ["Bank", "key_of"]

_SUFFIX = ".prompt"
_UNFINISHED = ".new"
_MAGIC = b"CCP1"
_HEADER = struct.Struct("!4s16sI")


def key_of(*, content: str, lang: str, pace: str, engine: str) -> str:
    """A file's name without its suffix; `engine` holds name, version and the version of the processing.

    `content` is the text, or the digest of a recording.
    """
    hashed = blake2b(digest_size=20, person=b"prompt bank")
    for part in (engine, lang, pace, content):
        octets = part.encode()
        hashed.update(len(octets).to_bytes(4, "big") + octets)
    return hashed.hexdigest()


class Bank:
    """A folder of prompts, at most `limit` octets of them; the least recently used go first, `pinned` ones
    never.

    Blocking, but short: one file of some ten kilobytes at a time.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._pinned: set[str] = set()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def pin(self, keys: Iterable[str]) -> None:
        """These stay, whatever the limit."""
        self._pinned.update(keys)

    def get(self, key: str) -> Audio | None:
        """None when there is none, or when its file is damaged."""
        path = self._path(key)
        try:
            octets = path.read_bytes()
        except OSError:
            return None
        audio = _unpacked(octets)
        if audio is None:
            path.unlink(missing_ok=True)
            return None
        os.utime(path)
        return audio

    def put(self, key: str, audio: Audio) -> None:
        """Raises OSError when the disk takes it not; nothing half-written is ever read."""
        path = self._path(key)
        unfinished = path.with_suffix(f".{token_hex(4)}{_UNFINISHED}")
        try:
            unfinished.write_bytes(_packed(audio))
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise

    def trim(self, before: float) -> None:
        """Down to the limit; unfinished files of before the time `before` (Unix, seconds) are of a dead
        process.
        """
        files: list[tuple[float, int, Path]] = []
        for path in self._folder.iterdir():
            status = path.stat()
            if path.name.endswith(_UNFINISHED) and status.st_mtime < before:
                path.unlink(missing_ok=True)
            elif path.suffix == _SUFFIX:
                files.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._limit:
                return
            if path.stem not in self._pinned:
                path.unlink(missing_ok=True)
                total -= size

    def _path(self, key: str) -> Path:
        return self._folder / (key + _SUFFIX)


def _packed(audio: Audio) -> bytes:
    body = audio.pcmu + audio.pcma
    return _HEADER.pack(_MAGIC, blake2b(body, digest_size=16).digest(), len(audio.pcmu)) + body


def _unpacked(octets: bytes) -> Audio | None:
    if len(octets) < _HEADER.size:
        return None
    magic, digest, samples = _HEADER.unpack_from(octets)
    body = octets[_HEADER.size :]
    if magic != _MAGIC or len(body) != 2 * samples or blake2b(body, digest_size=16).digest() != digest:
        return None
    return Audio(body[:samples], body[samples:])
