"""What the daemon and a speech worker say to each other: MessagePack behind a length of four octets.

The daemon writes `Settings` once and then one `Speak` at a time; the worker answers with `Hello` once and
then with `Spoken` or `Refused`. No repr shows what is spoken.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Final

import msgspec

from connector.segments import Segment

from .names import Pace

__all__ = [
    "LARGEST", "Hello", "Refused", "Reply", "Settings", "Speak", "Spoken", "decode_reply", "encode",
    "length_of", "read",
]  # fmt: skip

LARGEST: Final = 2_000_000
"""Octets of one frame: two minutes of speech in both laws are under it."""

PREFIX: Final = 4


class Settings(msgspec.Struct, frozen=True, tag=True):
    """The worker's first message; `recordings` and `models` are absolute folders or empty."""

    engine: str
    recordings: str = ""
    models: str = ""


class Speak(msgspec.Struct, frozen=True, tag=True):
    """Say `segments` in the language `lang` (BCP 47).

    recording  the name in a manifest whose file is used in place of the engine: a phrase's, or a digit
    """

    id: int
    lang: str
    segments: tuple[Segment, ...]
    pace: Pace = "normal"
    recording: str = ""

    def __repr__(self) -> str:
        return f"Speak({self.id}, {self.lang}, {len(self.segments)} segments, {self.pace})"


class Hello(msgspec.Struct, frozen=True, tag=True):
    """What a worker can do, or why it cannot.

    engine      name and version, as part of every prompt's key
    recordings  by language and pace the names that are recorded, each with the digest of its file
    problem     empty when the worker works; it ends otherwise
    """

    engine: str = ""
    recordings: dict[str, dict[Pace, dict[str, str]]] = {}
    problem: str = ""


class Spoken(msgspec.Struct, frozen=True, tag=True):
    """One prompt, in both laws of G.711."""

    id: int
    pcmu: bytes
    pcma: bytes

    def __repr__(self) -> str:
        return f"Spoken({self.id}, {len(self.pcmu)} samples)"


class Refused(msgspec.Struct, frozen=True, tag=True):
    """It could not be said; `problem` names nothing of it."""

    id: int
    problem: str


Request = Settings | Speak
Reply = Hello | Spoken | Refused

_ENCODER = msgspec.msgpack.Encoder()
_REPLIES: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
_REQUESTS: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_LENGTH = struct.Struct("!I")


def encode(message: Request | Reply) -> bytes:
    body = _ENCODER.encode(message)
    return _LENGTH.pack(len(body)) + body


def length_of(prefix: bytes) -> int:
    """Of the message behind `prefix`; ValueError when it is over LARGEST."""
    (length,) = _LENGTH.unpack(prefix)
    if length > LARGEST:
        raise ValueError(f"a frame of {length} octets; at most {LARGEST} are expected")
    return int(length)


def decode_reply(body: bytes) -> Reply:
    return _REPLIES.decode(body)


def read(stream: BinaryIO) -> Request | None:
    """The next request, waiting for it; None when the daemon is gone."""
    prefix = stream.read(PREFIX)
    if len(prefix) < PREFIX:
        return None
    length = length_of(prefix)
    body = stream.read(length)
    return _REQUESTS.decode(body) if len(body) == length else None
