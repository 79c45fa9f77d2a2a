"""Rules of the field that learn which carrier is best, and know neither price nor follow-up."""

from __future__ import annotations

import math
from collections import deque
from random import Random

from benchmarks.routing.job import Flight, Job
from benchmarks.routing.policies.base import Scene
from benchmarks.routing.policies.static import Static

__all__ = ["LowestDelay", "Thompson", "Ucb"]

_HALF_LIFE_S = 600.0
_EXPLORES = 0.05
_RECENT = 0.02  # weight of the newest delay


class LowestDelay(Static):
    """The carrier whose receipts came soonest of late in this network; one in twenty by another."""

    name = "lowest_delay"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._random = Random(f"{scene.seed} lowest_delay")
        self._delay: dict[tuple[int, int], float] = {}

    def choose(self, job: Job, now: float) -> int:
        usable = self.usable(job, now)
        if not usable:
            return -1
        if self._random.random() < _EXPLORES:
            return self._random.choice(usable)
        return min(usable, key=lambda route: self._delay.get((route, job.network), 0.0))

    def receipt(self, job: Job, flight: Flight, now: float) -> None:
        cell, passed = (flight.route, job.network), now - flight.left_at
        known = self._delay.get(cell)
        self._delay[cell] = passed if known is None else known + _RECENT * (passed - known)


class _Counting(Static):
    """Counts, for each carrier and network, receipts in time and receipts that were not, with forgetting."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.random = Random(f"{scene.seed} {self.name}")
        self._counts: dict[tuple[int, int], list[float]] = {}
        self._open: deque[tuple[float, Flight, int, float]] = deque()

    def count(self, route: int, network: int, now: float) -> tuple[float, float]:
        """(in time, not in time), forgotten with a half-life of ten minutes."""
        found = self._counts.get((route, network))
        if found is None:
            found = self._counts[route, network] = [0.0, 0.0, now]
        elif now > found[2]:
            kept = 0.5 ** ((now - found[2]) / _HALF_LIFE_S)
            found[0] *= kept
            found[1] *= kept
            found[2] = now
        return found[0], found[1]

    def left(self, job: Job, flight: Flight, now: float) -> None:
        self._open.append((job.deadline_at, flight, job.network, job.deadline_at))

    def turned_away(self, job: Job, flight: Flight, now: float, throttled: bool) -> None:
        flight.state = "failed"

    def tick(self, now: float) -> tuple[()]:
        while self._open and self._open[0][0] <= now:
            _, flight, network, deadline_at = self._open.popleft()
            self.count(flight.route, network, now)
            in_time = flight.state == "arrived" and flight.told_at <= deadline_at
            self._counts[flight.route, network][0 if in_time else 1] += 1.0
        return ()


class Ucb(_Counting):
    """UCB1 on "receipt in time", with forgetting."""

    name = "ucb"

    def choose(self, job: Job, now: float) -> int:
        usable = self.usable(job, now)
        if not usable:
            return -1
        counts = [self.count(route, job.network, now) for route in usable]
        total = math.log(1.0 + sum(map(sum, counts)))

        def bound(place: int) -> float:
            good, bad = counts[place]
            tried = good + bad
            return good / tried + math.sqrt(2.0 * total / tried) if tried > 0.0 else math.inf

        return usable[max(range(len(usable)), key=bound)]


class Thompson(_Counting):
    """Thompson sampling on "receipt in time", with forgetting."""

    name = "thompson"

    def choose(self, job: Job, now: float) -> int:
        usable = self.usable(job, now)
        draws = [
            self.random.betavariate(1.0 + good, 1.0 + bad)
            for good, bad in (self.count(route, job.network, now) for route in usable)
        ]
        return usable[draws.index(max(draws))] if usable else -1
