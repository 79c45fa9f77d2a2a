"""Cutting a stream into SIP messages: any chunks give the same, and nothing is held that was not allowed."""

from protocols.sip.errors import MessageError
from protocols.sip.message import Limits
from protocols.sip.stream import KeepAlive, StreamReader

LIMITS = Limits(message=250, header=150, body=50)


def _read(stream: bytes, size: int) -> tuple[list[object], str | None]:
    reader = StreamReader(LIMITS)
    found: list[object] = []
    for at in range(0, len(stream), size):
        reader.receive(stream[at : at + size])
        assert len(reader._pending) <= LIMITS.message
        for each in reader.messages():
            if isinstance(each, KeepAlive):
                found.append(each)
            elif isinstance(each, MessageError):
                found.append((each.status, each.reason))
            else:
                found.append(each.encode())
    return found, reader.failed


def one_input(data: bytes) -> None:
    """The first octet says how long the chunks are, the rest is the stream."""
    size, stream = data[0] % 40 + 1 if data else 1, data[1:]
    whole = _read(stream, max(1, len(stream)))
    assert _read(stream, size) == whole
    assert _read(stream, 1) == whole
