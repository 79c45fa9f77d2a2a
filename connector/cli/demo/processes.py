"""The processes of the demo: each started, awaited until it serves, and stopped whatever happens."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connector.simulator.control_port import ControlError, ask

__all__ = ["Broken", "SimulatedCallee", "SimulatedCarrier", "running"]

_START_S = 20.0
_STOP_S = 10.0
_LAST_LINES = 5


class Broken(Exception):
    """The demo cannot go on; the text says why."""


@contextmanager
def running(name: str, arguments: list[str], log: Path) -> Iterator[subprocess.Popen[str]]:
    """`connector ARGUMENTS` as a process of its own; its stderr goes to `log`. Ends with SIGTERM.

    In a session of its own: Ctrl-C is for the demo, which then stops everything in order.
    """
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "connector", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )
    try:
        yield process
    except Broken as error:
        if process.poll() is not None:
            ended = f"{name} ended with code {process.returncode}: {_last_lines(log)}"
            raise Broken(f"{error}\n{ended}") from None
        raise
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-_LAST_LINES:])


class SimulatedCarrier:
    """A running `connector simulate smsc`; `serving` starts it."""

    def __init__(self, name: str, pid: int, port: int, control_port: int) -> None:
        self.name = name
        self.pid = pid
        self.port = port
        self._control_port = control_port

    @classmethod
    @contextmanager
    def serving(cls, name: str, options: list[str], log: Path) -> Iterator[SimulatedCarrier]:
        """Listens on a free port, with a control port."""
        arguments = ["simulate", "smsc", "--port", "0", "--control-port", "0", "--json", *options]
        with running(f"the simulated carrier {name}", arguments, log) as process:
            listening = json.loads(_first_line(process))
            yield cls(name, process.pid, listening["port"], listening["control_port"])

    def go_away(self) -> None:
        """Unbind everybody and take nobody back."""
        self._ask("set", options={"bind_status": 0x08})
        self._ask("unbind")

    def come_back(self) -> None:
        self._ask("set", options={"bind_status": 0})

    def handsets(self) -> list[dict[str, Any]]:
        """What its handsets received: `{to, sender, text, parts, at, message_ids}` each."""
        received: list[dict[str, Any]] = self._ask("handsets")
        return received

    def _ask(self, command: str, **arguments: Any) -> Any:
        try:
            return ask(self._control_port, command, **arguments)
        except OSError as error:
            raise Broken(f"the simulated carrier {self.name} does not answer: {error}") from None


class SimulatedCallee:
    """A running `connector simulate callee`; `serving` starts it."""

    def __init__(self, port: int, control_port: int) -> None:
        self.port = port
        self._control_port = control_port

    @classmethod
    @contextmanager
    def serving(cls, options: list[str], recordings: Path, log: Path) -> Iterator[SimulatedCallee]:
        """Listens on a free port, with a control port; its recordings become files."""
        arguments = ["simulate", "callee", "--listen", "127.0.0.1:0", "--control-port", "0", "--json"]
        arguments += ["--recordings", str(recordings), *options]
        with running("the simulated callee", arguments, log) as process:
            listening = json.loads(_first_line(process))
            yield cls(listening["port"], listening["control_port"])

    def number(self, number: str, options: dict[str, object]) -> None:
        """How the telephone of this number behaves."""
        self._ask("number", number=number, options=options)

    def calls(self) -> list[dict[str, Any]]:
        """The records of all calls (`connector.simulator.callee.records.CallRecord`), the oldest first."""
        calls: list[dict[str, Any]] = self._ask("calls")
        return calls

    def _ask(self, command: str, **arguments: Any) -> Any:
        try:
            return ask(self._control_port, command, **arguments)
        except (OSError, ControlError) as error:
            raise Broken(f"the simulated callee does not do as told: {error}") from None


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], _START_S)
    line = process.stdout.readline() if ready else ""
    if not line:
        if ready:
            process.wait(_STOP_S)
        raise Broken("a simulated server did not start")
    return line
