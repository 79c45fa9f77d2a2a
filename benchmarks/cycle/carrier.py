"""The simulated carrier in a process of its own, as every measured product sees it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.processes import Process, wait_until
from connector.simulator.control import ask

__all__ = ["SYSTEM_ID", "SimulatedCarrier"]

SYSTEM_ID = "bench"


class SimulatedCarrier(Process):
    """`connector simulate smsc --fast` on free ports, ready when constructed.

    port  SMPP, on 127.0.0.1
    """

    def __init__(self, folder: Path, options: Mapping[str, str], seed: int) -> None:
        arguments = [sys.executable, "-m", "connector", "simulate", "smsc", "--fast", "--json", "--port", "0"]
        arguments += ["--control-port", "0", "--seed", str(seed)]
        for name, value in options.items():
            arguments += [f"--{name.replace('_', '-')}", value]
        super().__init__(arguments, folder / "carrier.log")
        self.name = "simulated carrier"
        try:
            wait_until(self._listens, "the simulated carrier listens", self)
            listening = json.loads(self.log.read_text().splitlines()[-1])
        except BaseException:
            self.stop()
            raise
        self.port: int = listening["port"]
        self._control: int = listening["control_port"]

    def _listens(self) -> bool:
        output = self.log.read_bytes()
        return b'"listening"' in output and output.endswith(b"\n")

    def ask(self, command: str, **arguments: Any) -> Any:
        """One command of its control port."""
        return ask(self._control, command, **arguments)

    def set(self, **options: str) -> None:
        self.ask("set", options=options)

    def bound(self) -> bool:
        """Whether somebody is bound to it."""
        return bool(self.ask("stats")["binds"])
