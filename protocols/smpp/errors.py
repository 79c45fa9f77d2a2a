"""Whose fault it is.

SmppError
├── LocalProtocolError      we did wrong: nothing was sent, nothing changed
└── RemoteProtocolError     the peer did wrong: never raised out of a session, always an event
    ├── PduError            one PDU cannot be read; the connection goes on
    └── FrameError          the stream has lost its frames; the connection cannot go on
"""


class SmppError(Exception):
    """Every error of this package."""


class LocalProtocolError(SmppError):
    """We asked for something SMPP does not allow: ``field`` says what, ``expected`` what would be right."""

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: {expected}")
        self.field = field
        self.expected = expected


class RemoteProtocolError(SmppError):
    """The peer broke the protocol."""


class PduError(RemoteProtocolError):
    """A PDU whose frame is whole but whose content is not.

    ``status`` is the command_status to answer with, ``field`` the first parameter that could not be read
    ("" when the PDU as a whole is at fault).
    """

    def __init__(self, status: int, command_id: int, sequence: int, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.status = status
        self.command_id = command_id
        self.sequence = sequence
        self.field = field
        self.reason = reason


class FrameError(RemoteProtocolError):
    """A command_length outside the bounds: where the next PDU starts is unknown from here on."""

    def __init__(self, length: int, command_id: int, sequence: int, reason: str) -> None:
        super().__init__(reason)
        self.length = length
        self.command_id = command_id
        self.sequence = sequence
        self.reason = reason
