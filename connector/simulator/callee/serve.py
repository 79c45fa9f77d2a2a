"""The simulated callee as a process of its own."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from connector.simulator.loop import new_event_loop

from .callee import Callee
from .control import Control
from .options import CalleeOptions

Report = Callable[[str, dict[str, object]], None]
"""Called with an event's name and fields: `listening`, a `call` when it is over, at the end `summary`;
with `verbose` everything between."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Where and how to serve. `control_port` None means no control port, port 0 any free one; recordings
    become files of the folder `recordings`, if there is one.
    """

    host: str = "127.0.0.1"
    port: int = 5060
    control_port: int | None = None
    seed: int = 0
    verbose: bool = False
    recordings: Path | None = None


def serve(options: CalleeOptions, serving: Serving, report: Report) -> None:
    """Serve until SIGTERM, SIGINT or the control command quit. Raises OSError when a port is taken."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(options, serving, report))


async def _serve(options: CalleeOptions, serving: Serving, report: Report) -> None:
    def trace(event: str, fields: dict[str, object]) -> None:
        if serving.verbose or event == "call":
            report(event, fields)

    callee = Callee(options, serving.seed, trace, serving.recordings)
    control = Control(callee)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, control.quit.set)
    control_port = None if serving.control_port is None else await control.start(serving.control_port)
    try:
        port = await callee.start(serving.host, serving.port)
        report("listening", {"host": serving.host, "port": port, "control_port": control_port})
        await control.quit.wait()
        await callee.stop()
        summary = callee.stats()
    finally:
        await control.stop()
    report("summary", summary)
