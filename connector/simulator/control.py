"""The control port: one JSON object a line in, one out, so that other processes can look and steer."""

from __future__ import annotations

import asyncio
import inspect
import json
import socket
from collections.abc import Callable
from typing import Any

from .options import OptionError
from .smsc import Smsc

Reply = object


class RequestError(ValueError):
    """A request that cannot be understood; the text says what is expected."""


_LINE_LIMIT = 65_536


class Control:
    """Serves the commands of COMMANDS on a loopback port.

    A request is `{"command": NAME, ...arguments}`; the reply `{"ok": true, "result": ...}` or
    `{"ok": false, "error": TEXT}`. `quit` sets `quit`.
    """

    def __init__(self, smsc: Smsc) -> None:
        self.quit = asyncio.Event()
        self._smsc = smsc
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1; the port, chosen by the system when 0 was asked for. Raises OSError."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=_LINE_LIMIT)
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    async def stop(self) -> None:
        """Close the port and every connection to it."""
        if self._server is None:
            return
        self._server.close()
        for writer in list(self._writers):
            writer.close()
        await self._server.wait_closed()

    def answer(self, line: bytes) -> dict[str, object]:
        """The reply to one request line."""
        try:
            return {"ok": True, "result": self._execute(line)}
        except (RequestError, OptionError) as error:
            return {"ok": False, "error": str(error)}

    def _execute(self, line: bytes) -> Reply:
        try:
            request = json.loads(line)
        except ValueError:
            request = None
        if not isinstance(request, dict):
            raise RequestError('expected a JSON object such as {"command": "stats"}')
        name = request.pop("command", None)
        if not isinstance(name, str) or name not in COMMANDS:
            raise RequestError(f"command: expected one of {', '.join(COMMANDS)}")
        command = COMMANDS[name]
        try:
            call = inspect.signature(command).bind(self, **request)
        except TypeError as error:
            raise RequestError(f"{name}: {error}") from None
        return command(*call.args, **call.kwargs)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self.answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # gone, or a line over the limit: nothing to answer to
        finally:
            self._writers.discard(writer)
            writer.close()

    def _stats(self) -> Reply:
        return self._smsc.stats()

    def _handsets(self, number: object = None) -> Reply:
        handsets = self._smsc.handsets
        return [
            received.as_json() for received in (handsets if number is None else handsets.inbox(str(number)))
        ]

    def _submissions(self) -> Reply:
        """Totals, and the first 1000 submits accepted more than once."""
        repeated = [
            {"to": to, "short_message": content.hex(), "count": count}
            for (to, content, count), _ in zip(self._smsc.submissions.repeated(), range(1000), strict=False)
        ]
        return {**self._smsc.submissions.as_json(), "repeats": repeated}

    def _latencies(self) -> Reply:
        return self._smsc.records.latencies.as_json()

    def _set(self, options: object) -> Reply:
        if not isinstance(options, dict):
            raise RequestError("options: expected an object of option names and values")
        self._smsc.set(options)
        return self._smsc.options.as_json()

    def _reset(self) -> None:
        self._smsc.reset()

    def _cut(self) -> None:
        self._smsc.cut()

    def _unbind(self) -> None:
        self._smsc.unbind()

    def _quit(self) -> None:
        self.quit.set()


COMMANDS: dict[str, Callable[..., Reply]] = {
    "stats": Control._stats,
    "handsets": Control._handsets,
    "submissions": Control._submissions,
    "latencies": Control._latencies,
    "set": Control._set,
    "reset": Control._reset,
    "cut": Control._cut,
    "unbind": Control._unbind,
    "quit": Control._quit,
}


class ControlError(Exception):
    """The simulated carrier refused a command; the text is its reply."""


def ask(port: int, command: str, timeout_s: float = 10.0, **arguments: Any) -> Any:
    """Send one command to a control port and return its result.

    Blocks; meant for benchmarks and tests in another process. Raises ControlError and OSError.
    """
    with socket.create_connection(("127.0.0.1", port), timeout_s) as connection:
        connection.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
        with connection.makefile("rb") as replies:
            line = replies.readline()
    if not line:
        raise ControlError(f"{command}: the connection was closed without a reply")
    reply = json.loads(line)
    if not reply["ok"]:
        raise ControlError(reply["error"])
    return reply["result"]
