"""The simulated carrier as a process of its own."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable
from dataclasses import dataclass

from .control import Control
from .loop import new_event_loop
from .options import SmscOptions
from .smsc import Smsc

Report = Callable[[str, dict[str, object]], None]
"""Called with an event's name and fields: `listening`, with `verbose` every PDU's, at the end `summary`."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Where and how to serve, on `standby` further ports, too.
    `control_port` None means no control port, port 0 any free one.
    """

    host: str = "127.0.0.1"
    port: int = 2775
    control_port: int | None = None
    seed: int = 0
    verbose: bool = False
    standby: int = 0


def serve(options: SmscOptions, serving: Serving, report: Report) -> None:
    """Serve until SIGTERM, SIGINT or the control command quit. Raises OSError when a port is taken."""
    # A message in waiting is a handful of objects that no cycle holds: the collector would only walk
    # hundreds of thousands of them again and again.
    gc.set_threshold(100_000, 50, 100)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(options, serving, report))


async def _serve(options: SmscOptions, serving: Serving, report: Report) -> None:
    smsc = Smsc(options, serving.seed, report if serving.verbose else None)
    control = Control(smsc)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, control.quit.set)
    control_port = None if serving.control_port is None else await control.start(serving.control_port)
    try:
        port = await smsc.start(serving.host, serving.port, serving.standby)
        where = {"host": serving.host, "port": port, "control_port": control_port}
        report("listening", {**where, "ports": list(smsc.ports)})
        await control.quit.wait()
        summary = smsc.stats()
        await smsc.stop()
    finally:
        await control.stop()
    report("summary", summary)
