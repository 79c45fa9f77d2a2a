"""Texts sealed with AES-256-GCM before they touch a disk.

Each `Seal` draws 128 random bits at its birth. They and the key make a key of its own (HKDF, RFC 5869), under
which the nonce is a plain counter: no pair of key and nonce comes twice, also when an old copy of the state
folder is put back. What was sealed tells the id of its key, so keys can be changed one after the other.
"""

from __future__ import annotations

import os
import secrets
from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import count
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

__all__ = ["KEY_OCTETS", "Key", "Seal", "SealError", "is_sealed"]

KEY_OCTETS: Final = 32

_MAGIC: Final = b"s1:"
"""Begins what is sealed. JSON begins with another character, and so does a MessagePack notification."""

_SALT_OCTETS: Final = 16
_COUNTER_OCTETS: Final = 8
_HEAD_OCTETS: Final = _SALT_OCTETS + _COUNTER_OCTETS
_MOST_SALTS: Final = 256  # one a start


_forks: Final = [0]
"""How many forks lie between this process and the one that read this module."""


def _forked() -> None:
    _forks[0] += 1


os.register_at_fork(after_in_child=_forked)


class SealError(Exception):
    """Something sealed cannot be opened. `key_id` is that of the key it was sealed with, "" if unreadable."""

    def __init__(self, key_id: str, message: str) -> None:
        super().__init__(message)
        self.key_id = key_id


class Key(NamedTuple):
    """`id`: printable ASCII without ":", at most 64. `octets`: 32 of them, uniformly random."""

    id: str
    octets: bytes

    def __repr__(self) -> str:
        return f"Key({self.id!r})"  # not its octets


class Seal:
    """Seals with the first of `keys`, opens with any of them. For any number of threads.

    A value is bound to its `context`, which is not stored: whoever opens it must know it.
    """

    def __init__(self, keys: Sequence[Key], *, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        """`random` gives that many unpredictable octets. Raises ValueError for keys that are none."""
        if not keys:
            raise ValueError("a seal needs a key")
        for key in keys:
            if len(key.octets) != KEY_OCTETS:
                raise ValueError(f"key {key.id!r} has {len(key.octets)} octets, expected {KEY_OCTETS}")
            if not (key.id.isascii() and key.id.isprintable() and 1 <= len(key.id) <= 64) or ":" in key.id:
                raise ValueError(f"{key.id!r} is no id of a key")
        self._keys = {key.id: key.octets for key in reversed(keys)}  # the first of an id counts
        self.key_id = keys[0].id
        self.key_ids = frozenset(self._keys)
        self._random = random
        self._cipher = lru_cache(_MOST_SALTS)(self._cipher_of)
        self._begin()

    def _begin(self) -> None:
        self._forks = _forks[0]
        self._salt = self._random(_SALT_OCTETS)
        self._counter = count()
        self._encrypt = self._cipher_of(self.key_id, self._salt).encrypt
        self._prefix = _MAGIC + self.key_id.encode() + b":"
        self._text_prefix = self._prefix.decode()

    def _cipher_of(self, key_id: str, salt: bytes) -> AESGCM:
        derived = HKDFExpand(SHA256(), KEY_OCTETS, b"carrier-connector seal 1" + salt)
        return AESGCM(derived.derive(self._keys[key_id]))

    def seal_octets(self, plain: bytes, context: bytes) -> bytes:
        """`plain` sealed, for a column of octets."""
        return self._prefix + self._sealed(plain, context)

    def seal(self, plain: bytes, context: bytes) -> str:
        """`plain` sealed, as ASCII."""
        return self._text_prefix + b2a_base64(self._sealed(plain, context), newline=False).decode("ascii")

    def _sealed(self, plain: bytes, context: bytes) -> bytes:
        if self._forks != _forks[0]:  # its twin counts on as well
            self._begin()
        number = next(self._counter)
        sealed = self._encrypt(number.to_bytes(12, "big"), plain, context)
        return self._salt + number.to_bytes(_COUNTER_OCTETS, "big") + sealed

    def open_octets(self, sealed: bytes, context: bytes) -> bytes:
        """What `seal_octets` was given. Raises SealError."""
        key_id, rest = self._split(sealed)
        return self._open(key_id, rest, context)

    def open(self, sealed: str, context: bytes) -> bytes:
        """What `seal` was given. Raises SealError, which names the key and nothing of what was sealed."""
        key_id, rest = self._split(sealed.encode("ascii", "replace"))
        try:
            octets = b64decode(rest, validate=True)
        except ValueError:
            raise SealError(key_id, f"what key {key_id!r} has sealed is damaged") from None
        return self._open(key_id, octets, context)

    def is_current(self, sealed: str | bytes) -> bool:
        """It was sealed with the first key."""
        begin = self._prefix if isinstance(sealed, bytes) else self._text_prefix
        return sealed.startswith(begin)  # type: ignore[arg-type]

    def _split(self, sealed: bytes) -> tuple[str, bytes]:
        magic, found, rest = sealed.partition(b":")
        key_id, also, rest = rest.partition(b":")
        if magic + found != _MAGIC or not also:
            raise SealError("", "this was never sealed, or is damaged")
        return key_id.decode("ascii", "replace"), rest

    def _open(self, key_id: str, octets: bytes, context: bytes) -> bytes:
        if key_id not in self._keys:
            raise SealError(key_id, f"key {key_id!r} is needed to open it, and is not there")
        salt, number = octets[:_SALT_OCTETS], octets[_SALT_OCTETS:_HEAD_OCTETS]
        try:
            return self._cipher(key_id, salt).decrypt(b"\0\0\0\0" + number, octets[_HEAD_OCTETS:], context)
        except (InvalidTag, ValueError):
            raise SealError(
                key_id, f"key {key_id!r} does not open it: it is another key of this id, or it is damaged"
            ) from None

    def __repr__(self) -> str:
        return f"Seal({self.key_id!r})"


def is_sealed(value: str | bytes) -> bool:
    """Whether it comes from a `Seal`, not whether it can be opened."""
    if isinstance(value, bytes):
        return value.startswith(_MAGIC)
    return value.startswith(_MAGIC.decode())
