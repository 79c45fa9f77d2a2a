"""One clock of 20 ms for the media of every call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

FRAME_S = 0.02
_LATE_S = 1.0

Tick = Callable[[float], None]


class Pace:
    """Calls each tick once every 20 ms with the time; runs only while there is one."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ticks: set[Tick] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def add(self, tick: Tick) -> None:
        self._ticks.add(tick)
        if self._timer is None:
            self._due = self._loop.time()
            self._run()

    def remove(self, tick: Tick) -> None:
        """Whether or not it is there."""
        self._ticks.discard(tick)

    def stop(self) -> None:
        self._ticks.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        if not self._ticks:
            self._timer = None
            return
        now = self._loop.time()
        for tick in list(self._ticks):
            tick(now)
        self._due += FRAME_S
        if now - self._due > _LATE_S:  # the machine slept: nobody wants a second of sound at once
            self._due = now
        self._timer = self._loop.call_at(self._due, self._run)
