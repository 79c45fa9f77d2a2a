"""One bind kept as full as the carrier lets it, and after its first refusal asked when the next may fit."""

from __future__ import annotations

import math
from collections.abc import Callable

from connector.probe.trial import Flow
from connector.probe.wire import Bind, Slot

__all__ = ["Lane"]

_FIRST_INTERVAL_S = 0.01
_SHORTEST_S, _LONGEST_S = 0.001, 0.5
_SLOWER = 1.15
_WAIT, _STEP = 0.85, 0.05
"""After a success nothing is asked for this much of the usual gap, then again after each such part of it."""

_SOONER, _NEW = 0.6, 0.3


class Lane:
    """`send` writes what may leave now; `next_at` is when to call it again at the latest."""

    def __init__(self, bind: Bind, request: Flow, now: Callable[[], float]) -> None:
        self.slots: list[Slot] = []
        self.refused = 0
        self.taken_after_refusal = 0
        self.next_at = math.inf
        self._bind = bind
        self._request = request
        self._now = now
        self._open: list[Slot] = []
        self._taken = 0
        self._interval_s = _FIRST_INTERVAL_S
        self._gap_s: float | None = None
        self._success_at: float | None = None
        self._refused_since = 0

    @property
    def alive(self) -> bool:
        return self._bind.alive

    def taken(self) -> int:
        """How many messages have been accepted, by the answers there are."""
        still_open = []
        for slot in self._open:
            if slot.answer is None:
                still_open.append(slot)
            elif slot.answer.status:
                self._on_refusal()
            else:
                self._taken += 1
                if self.refused:
                    self._on_success(slot.sent_at)
        self._open = still_open
        return self._taken

    def send(self) -> None:
        """All the window has room for before the first refusal, one at its time after it."""
        room = min(self._request.window - len(self._open), self._request.limit - self._taken)
        now = self._now()
        if self.refused:
            room = min(room, 1) if now >= self.next_at else 0
        for _ in range(room):
            slot = self._bind.submit(self._request.make(len(self.slots)))
            self.slots.append(slot)
            self._open.append(slot)
        if room > 0:
            self._bind.flush()
        if self.refused and room > 0:
            self.next_at = now + self._interval_s

    def _on_refusal(self) -> None:
        if not self.refused:
            self.next_at = self._now()
        self.refused += 1
        self._refused_since += 1
        if self._gap_s is None:
            self._interval_s = min(_LONGEST_S, self._interval_s * _SLOWER)
        else:
            self._interval_s = max(_SHORTEST_S, self._gap_s * _STEP)

    def _on_success(self, sent_at: float) -> None:
        """The gap between two successes is what the carrier's rate leaves, if one was refused in between."""
        self.taken_after_refusal += 1
        if self._success_at is not None:
            gap = sent_at - self._success_at
            if self._gap_s is None:
                self._gap_s = gap
            elif self._refused_since:
                self._gap_s += _NEW * (gap - self._gap_s)
            else:
                self._gap_s *= _SOONER
        self._success_at = sent_at
        self._refused_since = 0
        if self._gap_s is not None:
            self.next_at = max(self.next_at, sent_at + self._gap_s * _WAIT)
            self._interval_s = max(_SHORTEST_S, self._gap_s * _STEP)
