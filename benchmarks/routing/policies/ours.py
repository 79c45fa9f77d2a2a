"""The daemon's own choice: `connector.routing` through the calls that the daemon makes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from random import Random

from benchmarks.routing.job import Flight, Job
from benchmarks.routing.policies.base import Policy, Scene
from connector.config.routing import JobClass, RoutingSettings
from connector.routing import errand as routing
from connector.routing.errand import Cell, Errand, FailureKind, Offer
from connector.routing.router import Router

__all__ = ["Ours"]

_CLASS = "default"
_PRIORITY = 10
_MOST_COST = 1e6


class Ours(Policy):
    """One journey: any SMS carrier first, then any carrier or trunk when a miss is foreseen."""

    name = "ours"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        world = scene.world
        utility = world.utility
        klass = JobClass(
            value=utility.value, annoyance=utility.annoyance, extra_sends=utility.extra_sends, cost=_MOST_COST
        )
        self.router = Router(
            RoutingSettings(), {_CLASS: klass}, world.mean_price, Random(f"{scene.seed} ours"), 0.0
        )
        ways = world.ways
        self._names = [way.name for way in ways]
        self._number = {name: number for number, name in enumerate(self._names)}
        self._channel = ["sms"] * len(world.carriers) + ["voice"] * len(world.trunks)
        self._free = [
            Offer(way.name, channel, _PRIORITY, 0.0, way.price)
            for way, channel in zip(ways, self._channel, strict=True)
        ]
        self._cells = [Cell(network.country, network.name) for network in world.networks]
        self._number_of_attempt = world.users.code_per_attempt
        self._trial = False
        self._first = len(world.carriers) or len(ways)
        self._all = range(len(ways))

    # The journey

    def choose(self, job: Job, now: float) -> int:
        errand = job.mark
        if errand is None:
            errand = job.mark = Errand(self._cells[job.network], _CLASS, job.accepted_at, job.deadline_at)
        offers = self._offers(self._all, now, job.refused)
        choice = self.router.choose(errand, offers[: self._first], now, then=offers)
        if choice is None:
            return -1
        self._trial = choice.trial
        return self._number[choice.route]

    def plan(self, job: Job, now: float) -> float:
        """The router's wheel says when: `tick` asks it."""
        errand = job.mark
        self.router.unwatch(errand)
        group = job.refused
        self.router.watch(errand, job, group, self._offers_of(group), now)
        return math.inf

    def follow(self, job: Job, now: float) -> int:
        plan = self.router.follow_up(job.mark, self._offers(self._all, now, job.refused), now)
        if plan is not None and plan.at <= now:
            self._trial = False
            return self._number[plan.route]
        return -1

    def tick(self, now: float) -> Iterable[Job]:
        self.router.tick(now)
        return self.router.due(now)

    # Evidence

    def left(self, job: Job, flight: Flight, now: float) -> None:
        route = flight.route
        flown = flight.mark = routing.Flight(
            self._names[route], self._channel[route], min(flight.number, 2) - 1, flight.number, now,
            self._free[route].price,
        )  # fmt: skip
        self.router.left(job.mark, flown, now, trial=self._trial)

    def turned_away(self, job: Job, flight: Flight, now: float, throttled: bool) -> None:
        kind = FailureKind.REFUSED
        if throttled:
            self.router.throttled(self._names[flight.route], now)
            kind = FailureKind.THROTTLED
        job.mark.flights.remove(flight.mark)
        self.router.failed(job.mark, flight.mark, now, kind)

    def accepted(self, job: Job, flight: Flight, now: float) -> None:
        self.router.accepted(job.mark, flight.mark, now)

    def receipt(self, job: Job, flight: Flight, now: float) -> None:
        self.router.arrived(job.mark, flight.mark, now)

    def failed(self, job: Job, flight: Flight, now: float, everywhere: bool) -> None:
        kind = FailureKind.HANDSET if everywhere or flight.route in self.trunks else FailureKind.ROUTE
        self.router.failed(job.mark, flight.mark, now, kind)

    def converted(self, job: Job, number: int, now: float) -> None:
        self.router.feedback(job.mark, True, now, number if self._number_of_attempt else None)

    def closed(self, job: Job, now: float) -> None:
        if job.mark is not None:
            self.router.unwatch(job.mark)
            self.router.closed(job.mark, now)

    # Offers

    def _offers(self, routes: Iterable[int], now: float, refused: tuple[int, ...]) -> list[Offer]:
        wait, free = self.desk.wait, self._free
        offers = []
        for route in routes:
            wait_s = wait(route, now)
            if route in refused:
                offers.append(free[route]._replace(wait_s=math.inf, reason="refused"))
            elif wait_s > 0.0:
                reason = "no bind" if wait_s == math.inf else ""
                offers.append(free[route]._replace(wait_s=wait_s, reason=reason))
            else:
                offers.append(free[route])
        return offers

    def _offers_of(self, refused: tuple[int, ...]) -> Callable[[float], Sequence[Offer]]:
        return lambda now: self._offers(self._all, now, refused)
