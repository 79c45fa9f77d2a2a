"""The control port of the simulated callee: commands by which other processes look and steer."""

from __future__ import annotations

import base64
from collections.abc import Callable

from connector.simulator.control_port import ControlError, ControlPort, Reply, RequestError, ask

from .callee import Callee
from .line import Line
from .presses import KEYS

__all__ = ["COMMANDS", "Control", "ControlError", "ask"]


class Control(ControlPort):
    """Serves the commands of COMMANDS on a loopback port."""

    def __init__(self, callee: Callee) -> None:
        super().__init__()
        self._callee = callee

    def _stats(self) -> Reply:
        return self._callee.stats()

    def _calls(self, number: object = None) -> Reply:
        """Records of calls, to one dialled number or to all, the oldest first."""
        calls = self._callee.records.calls
        return [call.as_json() for call in calls if number is None or call.to == str(number).lstrip("+")]

    def _recording(self, call: object) -> Reply:
        """What a call that is over heard: a WAV file in base64."""
        wav = self._callee.records.wav(call) if isinstance(call, int) else None
        if wav is None:
            raise RequestError("call: expected the id of a call that is over and was recorded")
        return {"call": call, "wav": base64.b64encode(wav).decode()}

    def _set(self, options: object) -> Reply:
        """Changes options of the server, from the next call on."""
        self._callee.set(_object("options", options))
        return self._callee.options.as_json()

    def _number(self, number: object, options: object) -> Reply:
        """Gives one dialled number options of its own; an empty object takes them back."""
        if not isinstance(number, str) or not number.lstrip("+").isdecimal():
            raise RequestError("number: expected digits such as +447700900001")
        return self._callee.number(number, _object("options", options))

    def _press(self, call: object, keys: object) -> None:
        if not isinstance(keys, str) or not keys or not set(keys) <= KEYS:
            raise RequestError(f"keys: expected some of {''.join(sorted(KEYS))}")
        self._line(call).press(keys)
        self._callee.flush()

    def _hang_up(self, call: object) -> None:
        self._line(call).hang_up()
        self._callee.flush()

    def _hold(self, call: object, on: object = True) -> None:
        """Puts the caller on hold by re-INVITE, or takes the call up again."""
        self._line(call).hold(bool(on))
        self._callee.flush()

    def _line(self, call: object) -> Line:
        line = self._callee.line(call) if isinstance(call, int) else None
        if line is None:
            raise RequestError("call: expected the id of a call that lasts")
        return line

    def _reset(self) -> None:
        self._callee.records.reset()

    def _quit(self) -> None:
        self.quit.set()


COMMANDS: dict[str, Callable[..., Reply]] = {
    "stats": Control._stats,
    "calls": Control._calls,
    "recording": Control._recording,
    "set": Control._set,
    "number": Control._number,
    "press": Control._press,
    "hang_up": Control._hang_up,
    "hold": Control._hold,
    "reset": Control._reset,
    "quit": Control._quit,
}
Control.commands = COMMANDS


def _object(name: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise RequestError(f"{name}: expected an object of option names and values")
    return value
