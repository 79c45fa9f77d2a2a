"""Whose fault it is.

RtpError
├── LocalProtocolError      we did wrong: nothing was encoded
└── PacketError             a datagram of the peer that is not what it should be; the stream goes on
"""


class RtpError(Exception):
    """Every error of this package."""


class LocalProtocolError(RtpError):
    """We asked for something RTP does not allow: ``field`` says what, ``expected`` what would be right."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: {expected}")
        self.field = field
        self.expected = expected


class PacketError(RtpError):
    """A datagram that cannot be read; the text says why, and nothing of its content."""
