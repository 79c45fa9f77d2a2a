"""What stands between a choice and the wire: token buckets, paces, a trunk's lines, and their queues."""

from __future__ import annotations

import math
from bisect import insort
from collections import deque

from benchmarks.routing.job import Job
from benchmarks.routing.truth import Limits, Truth
from benchmarks.routing.world import Trunk
from connector.carriers.throttle import Pace, TokenBucket

__all__ = ["Desk"]

_HOPE_S = 0.5  # a call that should have ended


class Desk:
    """Waits and queues of every route.

    clairvoyant: by what the carriers take, not by what they were seen to take.
    """

    def __init__(self, truth: Truth, clairvoyant: bool) -> None:
        world = truth.world
        self._truth = truth
        self._clairvoyant = clairvoyant
        self._first_trunk = truth.first_trunk
        self.prices = [way.price for way in world.ways]
        self.queues: list[deque[tuple[Job, bool]]] = [deque() for _ in world.ways]
        rates = [carrier.tps for carrier in world.carriers] + [trunk.cps for trunk in world.trunks]
        self._buckets = [TokenBucket(rate, 0.0) for rate in rates]
        self._paces = [Pace(carrier.tps) for carrier in world.carriers]
        self._taken: list[TokenBucket | None] = [None] * len(world.carriers)
        self._trunks = world.trunks
        self._lines: list[list[float]] = [[] for _ in world.trunks]  # when the calls will have ended, about
        self._limits = truth.limits
        self.turn = -1  # the route whose first in the queue chooses: nothing is before it

    def moved(self, now: float) -> None:
        """The truth has changed."""
        for number, (limits, carrier) in enumerate(
            zip(self._truth.limits, self._truth.world.carriers, strict=True)
        ):
            taken = self._taken[number]
            if limits.tps >= carrier.tps:
                self._taken[number] = None
            elif taken is None or taken.rate != limits.tps:
                self._taken[number] = TokenBucket(limits.tps, now)
        self._limits = self._truth.limits

    def wait(self, route: int, now: float) -> float:
        """Seconds until an attempt could leave there, behind those that wait already; inf: not at all."""
        if route >= self._first_trunk:
            return self._line_wait(route, now)
        limits = self._limits[route]
        if not limits.up or (self._clairvoyant and limits.refuses):
            return math.inf
        bucket = self._buckets[route]
        at = bucket.next_at(now)
        rate = bucket.rate
        if self._clairvoyant:
            taken = self._taken[route]
            if taken is not None:
                at, rate = max(at, taken.next_at(now)), taken.rate
        else:
            pace = self._paces[route]
            if not pace.free:
                at, rate = max(at, pace.next_at(now)), min(rate, pace.rate)
        queue = self.queues[route]
        if queue and self.turn != route:
            return at - now + len(queue) / rate
        return at - now if at > now else 0.0

    def slot_at(self, route: int, now: float) -> float:
        """When the first of the queue can leave."""
        self.turn, turn = route, self.turn
        wait = self.wait(route, now)
        self.turn = turn
        return now + wait

    def leave(self, route: int, now: float) -> bool:
        """An attempt leaves. False: the carrier will answer that it is too fast."""
        self._buckets[route].spend(1, now)
        if route >= self._first_trunk:
            trunk = self._trunk(route)
            hold = trunk.setup_s + trunk.ring_s + trunk.heard_s
            insort(self._lines[route - self._first_trunk], now + hold)
            return True
        if not self._clairvoyant:
            pace = self._paces[route]
            pace.sent(1, now)
            pace.take(now)
        taken = self._taken[route]
        return taken is None or taken.take(now)

    def slow(self, route: int, now: float, left_at: float) -> None:
        """The carrier has answered that it is too fast."""
        self._paces[route].slow(now, left_at)

    def hung_up(self, route: int) -> None:
        """A call of the trunk has ended."""
        self._lines[route - self._first_trunk].pop(0)

    def limits(self, route: int) -> Limits:
        return self._limits[route]

    def _trunk(self, route: int) -> Trunk:
        return self._trunks[route - self._first_trunk]

    def _line_wait(self, route: int, now: float) -> float:
        lines, capacity = self._lines[route - self._first_trunk], self._trunk(route).capacity
        before = 0 if self.turn == route else len(self.queues[route])
        over = len(lines) + before - capacity
        if over < 0:
            wait = self._buckets[route].next_at(now) - now
            return (wait if wait > 0 else 0.0) + before / self._buckets[route].rate
        if over >= len(lines):
            return math.inf
        return max(_HOPE_S, lines[over] - now)
