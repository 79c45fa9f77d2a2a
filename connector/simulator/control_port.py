"""A control port: one JSON object a line in, one out, so that other processes can look and steer."""

from __future__ import annotations

import asyncio
import inspect
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .options import OptionError

Reply = object

_LINE_LIMIT = 65_536


class RequestError(ValueError):
    """A request that cannot be understood; the text says what is expected."""


class ControlPort:
    """Serves the methods of `commands` on a loopback port; a subclass has them.

    A request is `{"command": NAME, ...arguments}`; the reply `{"ok": true, "result": ...}` or
    `{"ok": false, "error": TEXT}`. A command that ends the server sets `quit`.
    """

    commands: Mapping[str, Callable[..., Reply]] = {}
    refusals: tuple[type[Exception], ...] = (RequestError, OptionError)
    """Errors of a command whose text is the reply."""

    def __init__(self) -> None:
        self.quit = asyncio.Event()
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

    async def answer(self, line: bytes) -> dict[str, object]:
        """The reply to one request line."""
        try:
            result = self._execute(line)
            if isinstance(result, Awaitable):
                result = await result
        except self.refusals as error:
            return {"ok": False, "error": str(error)}
        except OSError as error:
            return {"ok": False, "error": f"cannot connect or listen: {error}"}
        return {"ok": True, "result": result}

    def _execute(self, line: bytes) -> Reply:
        try:
            request = json.loads(line)
        except ValueError:
            request = None
        if not isinstance(request, dict):
            raise RequestError('expected a JSON object such as {"command": "stats"}')
        name = request.pop("command", None)
        if not isinstance(name, str) or name not in self.commands:
            raise RequestError(f"command: expected one of {', '.join(self.commands)}")
        command = self.commands[name]
        try:
            call = inspect.signature(command).bind(self, **request)
        except TypeError as error:
            raise RequestError(f"{name}: {error}") from None
        return command(*call.args, **call.kwargs)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self.answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # gone, or a line over the limit: nothing to answer to
        finally:
            self._writers.discard(writer)
            writer.close()


class ControlError(Exception):
    """The simulated server refused a command; the text is its reply."""


def ask(port: int, command: str, /, timeout_s: float = 10.0, **arguments: Any) -> Any:
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
