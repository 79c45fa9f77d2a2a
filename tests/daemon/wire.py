"""A bare connection to the job socket: any octets out, every message in."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Any

from protocols.rpc.framing import Reader
from protocols.rpc.limits import Limits
from protocols.rpc.messages import Message, Notification, Response, encode_request

PATIENCE_S = 10.0


class Wire:
    """Blocking. Messages are read when they are asked for and not before."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(PATIENCE_S)
        self._socket.connect(path)
        self._reader = Reader(Limits(frame=1 << 24, array=1 << 16, string=1 << 20))
        self._messages: list[Message] = []
        self._msgid = 0

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, octets: bytes) -> None:
        self._socket.sendall(octets)

    def ask(self, *calls: tuple[str, Any]) -> list[Response]:
        """Requests in one write; their responses in the order of the requests."""
        first = self._msgid + 1
        self._msgid += len(calls)
        frames = [encode_request(first + n, method, (param,)) for n, (method, param) in enumerate(calls)]
        self.send(b"".join(frames))
        found: dict[int, Response] = {}
        while len(found) < len(calls):
            message = self.read()
            assert message is not None, "the daemon closed the connection"
            if isinstance(message, Response):
                found[message.msgid] = message
        return [found[first + n] for n in range(len(calls))]

    def refused(self, method: str, param: Any) -> dict[str, Any]:
        """The error of one call."""
        (response,) = self.ask((method, param))
        assert response.error is not None, response
        error: dict[str, Any] = response.error
        return error

    def result(self, method: str, param: Any) -> Any:
        (response,) = self.ask((method, param))
        assert response.error is None, response
        return response.result

    def read(self) -> Message | None:
        """The next message; None when the daemon has closed the connection."""
        while not self._messages:
            try:
                data = self._socket.recv(65_536)
            except ConnectionResetError:
                return None  # closed while octets of ours were on the way
            if not data:
                return None
            self._messages += self._reader.feed(data)
        return self._messages.pop(0)

    def farewell(self) -> dict[str, Any]:
        """The error notification that ends the connection; fails where it stays open."""
        message = self.read()
        assert isinstance(message, Notification), message
        assert message.method == "error"
        assert self.read() is None
        reason: dict[str, Any] = message.params[0]
        return reason
