"""Whose fault it is.

SipError
├── LocalProtocolError      we did wrong: nothing was sent, nothing changed
└── RemoteProtocolError     the peer did wrong: what a value, a header or a message of it cannot be
    ├── MessageError        a message that cannot be read, with the status that answers it
    └── SdpError            a session description that cannot be read, or agreed to

None of them carries a number, a secret or a text of a message: they name the field and what is wrong there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from protocols.sip.message import Request


class SipError(Exception):
    """Every error of this package."""


class LocalProtocolError(SipError):
    """We asked for something SIP does not allow: ``field`` says what, ``expected`` what would be right."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: {expected}")
        self.field = field
        self.expected = expected


class RemoteProtocolError(SipError):
    """The peer broke the protocol: ``reason`` says how."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MessageError(RemoteProtocolError):
    """``status`` is what a UAS answers (RFC 4475). ``partial`` is the request to answer it to; None where
    nothing may be answered: a response, an ACK, a request without a readable Via. Only its Via is sure to be
    readable: ``message.response_to`` makes the answer of what is there.
    """

    def __init__(self, reason: str, status: int = 400, partial: Request | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.partial = partial


class SdpError(RemoteProtocolError):
    """An offer is answered by 488; after an answer the call is ended."""
