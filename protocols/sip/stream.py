"""Cutting the byte stream of TCP or TLS into messages (RFC 3261 §18.3, RFC 5626 §3.5.1)."""

import re
from typing import Final, Literal, NamedTuple

from protocols.sip.errors import MessageError
from protocols.sip.message import (
    DEFAULT_LIMITS,
    END_OF_HEAD,
    Limits,
    Message,
    content_length,
    cut,
    length_despite,
    parse_head,
    refusal,
)

PONG: Final = b"\r\n"

_FEEDS: Final = re.compile(rb"\n+")


class KeepAlive(NamedTuple):
    """Line ends between messages (RFC 5626 §4.4.1): one is a "pong"; a second straight behind it makes both a
    "ping", which wants a pong. So a ping is told as pong and ping, however the octets are cut.
    """

    kind: Literal["ping", "pong"]


class StreamReader:
    """Collects messages; holds no more than ``limits.message`` octets of an unfinished one.

    ``failed`` says why, as soon as it is unknown where the next message begins: the connection must close.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self.failed: str | None = None
        self._limits = limits
        self._pending = bytearray()
        self._searched = 0
        self._message: Message | MessageError | None = None
        self._awaited = 0
        self._half_ping = False
        self._found: list[Message | MessageError | KeepAlive] = []

    def receive(self, data: bytes) -> None:
        if self.failed is None:
            self._pending += data
            while self._step():
                pass

    def messages(self) -> list[Message | MessageError | KeepAlive]:
        """What has come since the last time, in order."""
        found, self._found = self._found, []
        return found

    def _step(self) -> bool:
        """Whether something was taken off the pending octets."""
        if self._message is not None:
            return self._body(self._message)
        if self._pending.startswith((b"\r", b"\n")):
            return self._line_end()
        return self._head()

    def _line_end(self) -> bool:
        if feeds := _FEEDS.match(self._pending):
            size = feeds.end()
            del feeds  # what it matched cannot shrink while it is there
            del self._pending[:size]
            return True
        if len(self._pending) == 1:
            return False
        if not self._pending.startswith(b"\r\n"):
            return self._fail(MessageError("a carriage return stands alone"))
        del self._pending[:2]
        self._found.append(KeepAlive("ping" if self._half_ping else "pong"))
        self._half_ping = not self._half_ping
        return True

    def _head(self) -> bool:
        pending = self._pending
        end = END_OF_HEAD.search(pending, self._searched)
        if end is None or end.end() > self._limits.message:
            if len(pending) > self._limits.message:
                return self._fail(MessageError("the message is larger than allowed", 513))
            self._searched = max(0, len(pending) - 2)
            return False
        size = end.end()
        head, _ = cut(bytes(pending[:size]))
        del pending[:size]
        self._half_ping = False
        self._searched = 0
        return self._begin(head, size)

    def _begin(self, head: bytes, size: int) -> bool:
        """A head whose length of body is known is framed, though nothing else in it may be right."""
        message: Message | MessageError
        try:
            message = parse_head(head, self._limits)
            length = content_length(message)
        except MessageError as error:
            message, length = error, length_despite(head)
        if length is None:
            return self._fail(_refused(message, "Content-Length is missing", 400))
        if length > self._limits.body or size + length > self._limits.message:
            return self._fail(_refused(message, "the message is larger than allowed", 513))
        self._message, self._awaited = message, length
        return True

    def _body(self, message: Message | MessageError) -> bool:
        if len(self._pending) < self._awaited:
            return False
        if not isinstance(message, MessageError):
            message.body = bytes(self._pending[: self._awaited])
        del self._pending[: self._awaited]
        self._found.append(message)
        self._message = None
        return True

    def _fail(self, error: MessageError) -> bool:
        self._found.append(error)
        self.failed = error.reason
        self._pending.clear()
        return False


def _refused(message: Message | MessageError, reason: str, status: int) -> MessageError:
    return message if isinstance(message, MessageError) else refusal(reason, message, status)
