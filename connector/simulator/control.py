"""The control port of the simulated carrier: commands by which other processes look and steer."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from . import mobile
from .attacks import ATTACKS
from .control_port import ControlError, ControlPort, Reply, RequestError, ask
from .smsc import Smsc

__all__ = ["COMMANDS", "Control", "ControlError", "RequestError", "ask"]

_ATTACKS_AT_ONCE = 100_000


class Control(ControlPort):
    """Serves the commands of COMMANDS on a loopback port."""

    refusals = (*ControlPort.refusals, mobile.MobileError)

    def __init__(self, smsc: Smsc) -> None:
        super().__init__()
        self._smsc = smsc

    def _stats(self) -> Reply:
        return self._smsc.stats()

    def _handsets(self, number: object = None) -> Reply:
        handsets = self._smsc.handsets
        return [
            received.as_json() for received in (handsets if number is None else handsets.inbox(str(number)))
        ]

    def _messages(self, number: object = None) -> Reply:
        """What was accepted for one number or for all, also what never arrives."""
        messages = self._smsc.messages()
        return [one for one in messages if number is None or one["to"] == f"+{str(number).lstrip('+')}"]

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
    "messages": Control._messages,
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
Control.commands = COMMANDS


def _part_numbers(name: str, value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(isinstance(number, int) for number in value):
        raise RequestError(f"{name}: expected a list of part numbers such as [1, 2]")
    return tuple(value)
