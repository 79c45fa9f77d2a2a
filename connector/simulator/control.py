"""The control port: one JSON object a line in, one out, so that other processes can look and steer."""

from __future__ import annotations

import asyncio
import inspect
import json
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from . import mobile
from .attacks import ATTACKS
from .options import OptionError
from .smsc import Smsc

Reply = object


class RequestError(ValueError):
    """A request that cannot be understood; the text says what is expected."""


_LINE_LIMIT = 65_536
_ATTACKS_AT_ONCE = 100_000


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

    async def answer(self, line: bytes) -> dict[str, object]:
        """The reply to one request line."""
        try:
            result = self._execute(line)
            if isinstance(result, Awaitable):
                result = await result
        except (RequestError, OptionError, mobile.MobileError) as error:
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
                writer.write(json.dumps(await self.answer(line)).encode() + b"\n")
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

    def _attack(self, names: object, times: object = 1) -> None:
        """Sends keys of ATTACKS on every connection, bound or not."""
        wanted = names.split(",") if isinstance(names, str) else names
        if not isinstance(wanted, list) or not all(name in ATTACKS for name in wanted):
            raise RequestError(f"names: expected some of {', '.join(ATTACKS)}")
        if not isinstance(times, int) or not 1 <= times <= _ATTACKS_AT_ONCE:
            raise RequestError(f"times: expected a whole number from 1 to {_ATTACKS_AT_ONCE}")
        self._smsc.attack(wanted, times)

    def _mo(self, **message: Any) -> Reply:
        """A handset sends a message; `from`, `to`, `text` and what else `mobile.Sent` takes."""
        account = str(message.pop("account", ""))
        message["sender"] = message.pop("from", None)
        unknown = [name for name in message if name not in mobile.Sent.__dataclass_fields__]
        if unknown or not all(isinstance(message.get(name), str) for name in ("sender", "to", "text")):
            names = ", ".join(mobile.Sent.__dataclass_fields__).replace("sender", "from")
            raise RequestError(f"mo: expected the texts from, to and text, and any of {names}, account")
        for name in ("missing", "duplicate"):
            message[name] = _part_numbers(name, message.get(name, []))
        return {"pdus": self._smsc.mobile_originated(mobile.Sent(**message), account)}

    def _alert(self, to: object, **handset: Any) -> Reply:
        """A handset can be reached again: `from` names it, `to` the ESME's address."""
        if set(handset) != {"from"} or not isinstance(to, str) or not isinstance(handset["from"], str):
            raise RequestError("alert: expected the texts from and to")
        return {"pdus": self._smsc.alert(handset["from"], to)}

    async def _listen(self, port: object = None, on: object = True, cut: object = True) -> Reply:
        """Opens or closes one of the carrier's ports; without one only tells which of them listen."""
        ports = self._smsc.ports
        if port is not None:
            if not isinstance(port, int) or port not in ports:
                raise RequestError(f"port: expected one of {', '.join(map(str, ports))}")
            await self._smsc.listen(port, bool(on), bool(cut))
        return [{"port": port, "listens": listens} for port, listens in self._smsc.ports.items()]

    def _outbind(self, host: object, port: object) -> Coroutine[Any, Any, None]:
        """Connects to an ESME and asks it to bind."""
        if not isinstance(host, str) or not isinstance(port, int):
            raise RequestError("outbind: expected host as a text and port as a whole number")
        return self._smsc.outbind(host, port)

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
    "mo": Control._mo,
    "alert": Control._alert,
    "listen": Control._listen,
    "outbind": Control._outbind,
    "attack": Control._attack,
    "quit": Control._quit,
}


def _part_numbers(name: str, value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(isinstance(number, int) for number in value):
        raise RequestError(f"{name}: expected a list of part numbers such as [1, 2]")
    return tuple(value)


class ControlError(Exception):
    """The simulated carrier refused a command; the text is its reply."""


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
