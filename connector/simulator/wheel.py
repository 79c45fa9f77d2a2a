"""Everything that is due later, in slots of one millisecond behind a single loop timer."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Any

TICKS_PER_S = 1000


class Wheel:
    """Calls things at their time, all of one millisecond together, then `after_tick` once.

    A timer of the loop per message would cost more than the message: hundreds of thousands of receipts
    may be outstanding here, and only as many heap entries as there are different milliseconds.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, after_tick: Callable[[], None]) -> None:
        self._loop = loop
        self._after_tick = after_tick
        self._slots: dict[int, list[tuple[Callable[[Any], object], Any]]] = {}
        self._ticks: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0

    def push(self, due: float, call: Callable[[Any], object], argument: object) -> None:
        """Call `call(argument)` at `due` (loop time, seconds) or up to a millisecond after it."""
        tick = int(due * TICKS_PER_S) + 1
        slot = self._slots.get(tick)
        if slot is not None:
            slot.append((call, argument))
            return
        self._slots[tick] = [(call, argument)]
        heapq.heappush(self._ticks, tick)
        if self._timer is None or tick < self._armed_for:
            self._arm(tick)

    def push_in(self, delay_s: float, call: Callable[[Any], object], argument: object) -> None:
        """Call `call(argument)` after `delay_s` seconds."""
        self.push(self._loop.time() + delay_s, call, argument)

    def stop(self) -> None:
        """Forget everything that is due."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._slots.clear()
        self._ticks.clear()

    def __len__(self) -> int:
        return sum(map(len, self._slots.values()))

    def _arm(self, tick: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed_for = tick
        self._timer = self._loop.call_at(tick / TICKS_PER_S, self._fire)

    def _fire(self) -> None:
        self._timer = None
        # A loop timer may be early by its clock's resolution; half a tick of grace avoids a second wake-up.
        now = self._loop.time() * TICKS_PER_S + 0.5
        while self._ticks and self._ticks[0] <= now:
            for call, argument in self._slots.pop(heapq.heappop(self._ticks)):
                call(argument)
        self._after_tick()
        if self._ticks and self._timer is None:
            self._arm(self._ticks[0])
