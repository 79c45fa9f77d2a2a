"""The three messages of MessagePack-RPC, and their octets.

MessagePack-RPC specification: request ``[0, msgid, method, params]``, response
``[1, msgid, error, result]``, notification ``[2, method, params]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

REQUEST: Final = 0
RESPONSE: Final = 1
NOTIFICATION: Final = 2

# The specification has msgid as a 32-bit unsigned integer.
MAX_MSGID: Final = 0xFFFF_FFFF


class Request(msgspec.Struct, frozen=True, gc=False):
    """A call that wants an answer; ``params`` are positional."""

    msgid: int
    method: str
    params: list[Any]


class Response(msgspec.Struct, frozen=True, gc=False):
    """The answer to the request with the same ``msgid``; ``error`` is None when it succeeded."""

    msgid: int
    error: Any
    result: Any


class Notification(msgspec.Struct, frozen=True, gc=False):
    """A call that wants no answer; ``params`` are positional."""

    method: str
    params: list[Any]


Message = Request | Response | Notification


class Fault(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The ``error`` of a response: a stable ``code`` for programs, a ``message`` for people.

    ``position``: (start, end) of what is wrong, in characters of the value that ``field`` names; of the
    rendered text where that is ``text`` or ``template``. ``guard``: the one that refused.
    """

    code: str
    message: str
    field: str | None = None
    hint: str | None = None
    retry_after_s: float | None = None
    position: tuple[int, int] | None = None
    guard: str | None = None


_encode = msgspec.msgpack.Encoder().encode


def encode_request(msgid: int, method: str, params: Sequence[Any]) -> bytes:
    """Octets of a request; Structs among the ``params`` become maps."""
    return _encode((REQUEST, msgid, method, params))


def encode_response(msgid: int, result: Any) -> bytes:
    """Octets of a successful response."""
    return _encode((RESPONSE, msgid, None, result))


def encode_error(msgid: int, fault: Fault) -> bytes:
    """Octets of a failed response."""
    return _encode((RESPONSE, msgid, fault, None))


def encode_notification(method: str, params: Sequence[Any]) -> bytes:
    """Octets of a notification."""
    return _encode((NOTIFICATION, method, params))
