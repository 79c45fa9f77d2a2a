"""Breakers on evidence as it comes: none opens while nothing changes, at any rate; outages open them soon."""

from __future__ import annotations

from heapq import heappop, heappush
from random import Random

import pytest

from connector.config.routing import JobClass, RoutingSettings
from connector.routing.arrival import Cell
from connector.routing.errand import Errand, FailureKind, Flight
from connector.routing.router import Router

CELLS = (Cell("DE", "one"), Cell("DE", "two"), Cell("IN", "three"))
ROUTES = ("north", "east")
OUTAGES = ("", "silent", "half", "slow", "refused", "fake")


class Traffic:
    """`rate` jobs a second that go to the routes in turn, in virtual time: 3 s to the handset in the middle,
    3 in 100 are lost, 1 in 100 is refused, 8 in 10 of those that come are used. Of a rate
    above 100 only so many are driven, in bursts as dense as it is: breakers judge still fewer.
    """

    def __init__(self, rate: float, seed: int) -> None:
        self.rng = Random(f"{seed} traffic")
        self.rate = rate
        self.router = Router(RoutingSettings(), {"default": JobClass()}, 1.0, Random(seed), 0.0)
        self.now = 0.0
        self.heap: list[tuple[float, int, str, Errand, Flight]] = []
        self.count = self.told = 0
        self.ticked_at = 0.0

    def run(self, until: float, outage: str = "") -> float | None:
        """When a breaker opened; None: none did."""
        gap_s, rest_s = 1.0 / self.rate, 0.0
        if self.rate > 100.0:
            rest_s = 100.0 * (1.0 / 100.0 - gap_s)  # after each hundred
        while self.now < until:
            self.now += gap_s + (rest_s if self.count % 100 == 0 else 0.0)
            self.pass_to(self.now)
            if any(change.state == "open" for change in self.router.breaker_changes()):
                return self.now
            self.send(outage if self.count % 2 == 0 else "")
        return None

    def send(self, outage: str) -> None:
        now, rng, count = self.now, self.rng, self.count
        self.count += 1
        cell = CELLS[count % len(CELLS)]
        if outage == "one country":
            outage = "silent" if cell.country == "IN" else ""
        job = Errand(cell, "default", now, now + 30.0)
        flight = Flight(ROUTES[count % 2], "sms", 0, 1, now, 1.0)
        self.router.left(job, flight, now)
        if outage == "refused" or rng.random() < 0.01:
            self.at(now + 0.05, "refused", job, flight)
            return
        self.at(now + 30.0, "closed", job, flight)
        if (outage == "silent" or (outage == "half" and rng.random() < 0.5)) or rng.random() < 0.03:
            return
        told_at = now + rng.lognormvariate(1.1, 0.6) * (10.0 if outage == "slow" else 1.0)
        self.at(told_at, "told", job, flight)
        if outage != "fake" and rng.random() < 0.8:
            self.at(told_at + rng.lognormvariate(1.8, 0.5), "used", job, flight)

    def at(self, time: float, what: str, job: Errand, flight: Flight) -> None:
        self.told += 1
        heappush(self.heap, (time, self.told, what, job, flight))

    def pass_to(self, now: float) -> None:
        router = self.router
        while self.heap and self.heap[0][0] <= now:
            at, _, what, job, flight = heappop(self.heap)
            if what == "told":
                router.arrived(job, flight, at)
            elif what == "refused":
                router.failed(job, flight, at, FailureKind.REFUSED)
            elif what == "used":
                router.feedback(job, True, at)
            else:
                router.closed(job, at)
        if now - self.ticked_at >= 0.25:
            self.ticked_at = now
            router.tick(now)


@pytest.mark.parametrize(("rate", "seed"), [(50.0, 1), (50.0, 2), (1_000.0, 3), (1_000.0, 4), (13_000.0, 5)])
def test_none_opens_while_nothing_changes(rate: float, seed: int) -> None:
    assert Traffic(rate, seed).run(600.0) is None


@pytest.mark.parametrize("rate", [5.0, 13_000.0])
@pytest.mark.parametrize("outage", OUTAGES[1:])
def test_an_outage_opens_the_breaker_of_its_route(rate: float, outage: str) -> None:
    traffic = Traffic(rate, 5)
    assert traffic.run(100.0) is None
    opened = traffic.run(200.0, outage)
    assert opened is not None
    latest_s = {"refused": 1.5, "fake": 25.0}.get(outage, 12.0) + 20.0 / min(rate / 2.0, 20.0)
    assert opened < 100.0 + latest_s
    rows = {row["route"]: row for row in traffic.router.routes(opened, cells=False)}
    assert (rows["north"]["breaker"], rows["east"]["breaker"]) == ("open", "closed")
    words = {"refused": "submits refused", "fake": "receipts, but"}.get(outage, "no receipts in time")
    assert rows["north"]["breaker_reason"].startswith(words)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_silent_in_a_country_that_is_left_out_is_not_held_against_the_others(seed: int) -> None:
    traffic = Traffic(10.0, seed)
    model = traffic.router.model
    assert traffic.run(200.0) is None
    usual = model.curve("north", "sms", CELLS[0], traffic.now).p(20.0)
    assert traffic.run(300.0, "one country") is not None
    while traffic.heap:  # what is under way; nothing more leaves that could tell otherwise
        traffic.now += 0.25
        traffic.pass_to(traffic.now)
    rows = {row["route"]: row for row in traffic.router.routes(traffic.now, cells=False)}
    assert rows["north"]["breaker"] == "closed"
    assert model.curve("north", "sms", CELLS[0], traffic.now).p(20.0) > usual - 0.05
