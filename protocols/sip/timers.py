"""The times of RFC 3261 §17 (its table 4), and one heap for all that wait."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import msgspec

from protocols.sip.errors import LocalProtocolError


class Timers(msgspec.Struct, frozen=True):
    """Seconds: ``t1`` the round trip assumed, ``t2`` the longest pause between retransmissions, ``t4`` how
    long a datagram may stay in the network. ``timer_c`` bounds the time between provisional answers (§16.6).
    """

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0
    timer_c: float = 180.0

    @property
    def patience(self) -> float:
        """64*T1: how long a transaction goes on without an answer (timers B, F, H, J, L, M)."""
        return 64 * self.t1

    def check(self) -> None:
        """LocalProtocolError for times that make no transaction."""
        if not 0 < self.t1 <= self.t2:
            raise LocalProtocolError("t1", "more than 0 and at most t2")
        if self.t4 < 0 or self.timer_c <= 0:
            raise LocalProtocolError("t4 and timer_c", "not below 0")


class Alarm:
    """One thing to do at a time; ``cancel`` makes it never happen."""

    __slots__ = ("argument", "at", "call", "order", "owner")

    def __init__(self, owner: Clock, at: float, order: int, call: Callable[..., None], argument: Any) -> None:
        self.owner = owner
        self.at = at
        self.order = order
        self.call: Callable[..., None] | None = call
        self.argument = argument

    def cancel(self) -> None:
        if self.call is not None:
            self.call = None
            self.argument = None
            self.owner.cancelled()


class Clock:
    """All alarms of a user agent in one heap.

    Cancelled ones are left where they are until they are due, or until they are half of the heap: so the
    heap is never more than twice as long as what is really waited for.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Alarm]] = []
        self._order = 0
        self._dead = 0

    def __len__(self) -> int:
        return len(self._heap) - self._dead

    def at(self, at: float, call: Callable[..., None], argument: Any) -> Alarm:
        """``call(argument, now)`` when ``at`` has come; what was set first comes first."""
        self._order += 1
        alarm = Alarm(self, at, self._order, call, argument)
        heapq.heappush(self._heap, (at, self._order, alarm))
        return alarm

    def cancelled(self) -> None:
        """An alarm says that it will never ring."""
        self._dead += 1
        if self._dead > 64 and self._dead * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].call is not None]
            heapq.heapify(self._heap)
            self._dead = 0

    def next(self) -> float | None:
        heap = self._heap
        while heap and heap[0][2].call is None:
            heapq.heappop(heap)
            self._dead -= 1
        return heap[0][0] if heap else None

    def ring(self, now: float) -> None:
        """Do all that is due. An alarm that is set meanwhile for ``now`` or earlier rings too."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            alarm = heapq.heappop(heap)[2]
            call = alarm.call
            if call is None:
                self._dead -= 1
            else:
                alarm.call = None
                call(alarm.argument, now)
            heap = self._heap
