"""One application's connection: frames in, answers and events out, in bounded memory."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, Protocol

from connector.config import Application
from connector.errors import ConnectorError
from protocols.rpc.errors import FrameError
from protocols.rpc.framing import Reader
from protocols.rpc.limits import Limits
from protocols.rpc.messages import (
    Fault,
    Notification,
    Request,
    encode_error,
    encode_notification,
    encode_response,
)

__all__ = ["Connection", "Owner", "fault", "peer_uid"]

_PEERCRED = struct.Struct("3i")
_HIGH_WATER = 1 << 20
_MAX_LOOKUPS = 64


class Owner(Protocol):
    """What the connection asks of the server."""

    def opened(self, connection: Connection) -> None: ...
    def closed(self, connection: Connection) -> None: ...
    def call(self, connection: Connection, request: Request, now: float) -> None: ...
    def resumed(self, connection: Connection) -> None: ...


class Connection(asyncio.Protocol):
    """Reads stop while the application does not read: it cannot make us hold its answers.

    application  by SO_PEERCRED, None until known
    app          its row in the journal
    position     the last event sent, None without a subscription
    """

    def __init__(self, owner: Owner, limits: Limits, now: Any) -> None:
        self.application: Application | None = None
        self.app = 0
        self.position: int | None = None
        self.pulling = False
        self.paused = False
        self._owner = owner
        self._reader = Reader(limits)
        self._now = now
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._lookups = 0
        self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        assert self._transport is not None
        self._transport.set_write_buffer_limits(high=_HIGH_WATER)
        self._owner.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._owner.closed(self)

    @property
    def open(self) -> bool:
        return self._transport is not None

    @property
    def uid(self) -> int:
        assert self._transport is not None
        return peer_uid(self._transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        now = self._now()
        broken: FrameError | None = None
        try:
            messages = self._reader.feed(data)
        except FrameError as error:
            messages, broken = error.messages, error
        for message in messages:
            if type(message) is Request:
                self._owner.call(self, message, now)
            elif type(message) is Notification:
                # A call that wants no answer: the same methods, errors are dropped (MessagePack-RPC).
                self._owner.call(self, Request(-1, message.method, message.params), now)
        if broken is not None:
            self.end(Fault(broken.code, broken.message))
        self.flush()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self.paused = True
        self._read_or_wait()

    def resume_writing(self) -> None:
        self.paused = False
        self._read_or_wait()
        self._owner.resumed(self)

    def begin(self) -> None:
        """A call was taken that a look into the journal will answer."""
        self._lookups += 1
        self._read_or_wait()

    def done(self) -> None:
        """It was answered."""
        self._lookups -= 1
        self._read_or_wait()

    def _read_or_wait(self) -> None:
        wait = self.paused or self._lookups > _MAX_LOOKUPS
        if self._transport is not None and wait is not self._waiting:
            self._waiting = wait
            if wait:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def reply(self, msgid: int, result: Any) -> None:
        """Answer; leaves with the next `flush`."""
        if msgid >= 0:
            self._out.append(encode_response(msgid, result))

    def refuse(self, msgid: int, error: ConnectorError) -> None:
        if msgid >= 0:
            self._out.append(encode_error(msgid, fault(error)))

    def push(self, frames: bytes) -> None:
        """Frames that are encoded already."""
        self._out.append(frames)

    def end(self, reason: Fault) -> None:
        """Say why and close; nothing else is touched."""
        self._out.append(encode_notification("error", [reason]))
        self.flush()
        if self._transport is not None:
            self._transport.close()

    def flush(self) -> None:
        if self._out:
            data = b"".join(self._out)
            self._out.clear()
            if self._transport is not None:
                self._transport.write(data)


def fault(error: ConnectorError) -> Fault:
    """The error as it leaves on the socket."""
    return Fault(
        error.code, error.message, error.field, error.hint, error.retry_after_s, error.position, error.guard
    )  # fmt: skip


def peer_uid(connection: socket.socket) -> int:
    """The uid that called connect() (unix(7) SO_PEERCRED)."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEERCRED.size)
    _, uid, _ = _PEERCRED.unpack(credentials)
    return int(uid)
