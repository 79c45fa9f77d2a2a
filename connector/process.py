"""The process of one lane: its event loop and its signals."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import resource
import signal
import sys
from typing import Any

from connector.config import Config
from connector.daemon import Daemon
from connector.log import event as log_event

__all__ = ["run"]

_log = logging.getLogger(__name__)


def run(config: Config) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    factory = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    os.umask(0o077)  # the journal holds numbers
    # A core file would hold codes. Under systemd LimitCORE= sees to that, and a filter may forbid the call.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The writer thread must get the GIL back soon after each statement, also while the loop is busy.
    sys.setswitchinterval(0.001)
    gc.set_threshold(50_000, 50, 50)
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(_main(config))


async def _main(config: Config) -> int:
    daemon = Daemon(config)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_loop_error)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    again = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, again.set)
    await daemon.start()
    gc.freeze()
    reloads = asyncio.create_task(_reload(daemon, again), name="reload")
    await stop.wait()
    reloads.cancel()
    await asyncio.gather(reloads, return_exceptions=True)
    await daemon.stop()
    return 0


async def _reload(daemon: Daemon, again: asyncio.Event) -> None:
    while await again.wait():
        again.clear()
        try:
            await daemon.reload()
        except Exception as error:
            log_event(_log, "unexpected error", level=logging.ERROR, error=error)


def _loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    log_event(_log, context["message"], level=logging.ERROR, error=context.get("exception"))
