"""When a route is left out, and how it comes back."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from connector.routing.breaker import THRESHOLD, Breakers, Kind

MISS, HIT = 1.95, -1.2
"""log ratios of a route on which 90 % arrive, against an outage in which 27 % do."""


def feed(breakers: Breakers, ratio: float, now: float, *, trial: bool = False, country: str = "DE") -> None:
    if trial:
        breakers.tried_out("north", country, Kind.RECEIPTS, ratio, now)
    else:
        breakers.observe("north", country, (Kind.RECEIPTS, 2), ratio, now, now)


def test_it_opens_within_a_few_misses() -> None:
    breakers = Breakers()
    for i in range(6):
        feed(breakers, MISS, float(i))
        assert breakers.find("north", "DE") is None
    feed(breakers, MISS, 6.0)
    breaker = breakers.find("north", "DE")
    assert breaker is not None
    assert breaker.state == "open"
    assert breaker.reason(10.0) == "breaker open for 4 s: no receipts in time"
    assert breakers.find("east", "DE") is None


def test_it_is_rarely_opened_by_chance() -> None:
    alarms = 0
    for seed in range(20):
        rng, breakers = random.Random(seed), Breakers()
        for i in range(5_000):
            feed(breakers, HIT if rng.random() < 0.9 else MISS, float(i))
        alarms += bool(breakers.open)
    assert alarms <= 1


@pytest.mark.parametrize(("arrives", "most"), [(0.0, 7), (0.3, 25), (0.45, 60)])
def test_an_outage_opens_it_soon(arrives: float, most: int) -> None:
    opened = []
    for seed in range(50):
        rng, breakers, count = random.Random(seed), Breakers(), 0
        while not breakers.open:
            feed(breakers, HIT if rng.random() < arrives else MISS, float(count))
            count += 1
            assert count < 500, f"seed {seed}"
        opened.append(count)
    assert sorted(opened)[45] <= most


def test_one_country_alone_is_left_out() -> None:
    breakers = Breakers()
    now = 0.0
    while not breakers.open:
        feed(breakers, MISS, now, country="IN")
        for _ in range(4):
            feed(breakers, HIT, now, country="DE")
        now += 1.0
    assert breakers.find("north", "IN") is not None
    assert breakers.find("north", "DE") is None


def opened(now: float) -> Breakers:
    breakers = Breakers()
    while not breakers.open:
        feed(breakers, MISS, now, country="")
    return breakers


def test_trials_are_paced_and_slower_while_they_fail() -> None:
    breakers = opened(0.0)
    now, times = 0.0, []
    while now < 120.0:
        breaker = breakers.find("north", "")
        assert breaker is not None
        if breaker.trial_due(now):
            times.append(now)
            breakers.trial_left("north", "", now)
            breakers.trial_failed("north", "")
            assert breaker.state == "half_open"
        now += 0.5
    gaps = [b - a for a, b in pairwise(times)]
    assert gaps == sorted(gaps)
    assert 3.0 <= gaps[0] < 4.0
    assert 10.0 < gaps[-1] <= 12.5


def test_good_trials_close_it_and_jobs_that_left_before_do_not() -> None:
    breakers = opened(0.0)
    for _ in range(20):
        feed(breakers, HIT, 1.0, country="")
    assert breakers.open
    version = breakers.version
    for _ in range(2):
        feed(breakers, HIT, 2.0, trial=True, country="")
    assert breakers.open
    feed(breakers, MISS, 2.0, trial=True, country="")
    feed(breakers, HIT, 3.0, trial=True, country="")
    assert breakers.open
    for _ in range(2):
        feed(breakers, HIT, 4.0, trial=True, country="")
    assert not breakers.open
    assert breakers.version == version + 1
    assert breakers.find("north", "") is None


def test_countries_come_back_with_their_route() -> None:
    breakers = opened(0.0)
    for _ in range(8):
        feed(breakers, MISS, 5.0, country="IN")
    assert breakers.open.keys() == {("north", ""), ("north", "IN")}
    for _ in range(3):
        feed(breakers, HIT, 9.0, trial=True, country="DE")
    assert not breakers.open


def test_receipts_do_not_close_what_conversions_opened() -> None:
    breakers = Breakers()
    while not breakers.open:
        breakers.observe("north", "DE", (Kind.CONVERSIONS, 0), 1.5, 0.0, 0.0)
    for _ in range(10):
        feed(breakers, HIT, 5.0, trial=True)
    breaker = breakers.find("north", "DE")
    assert breaker is not None
    assert "nobody used the code" in breaker.reason(1.0)
    for _ in range(3):
        breakers.tried_out("north", "DE", Kind.CONVERSIONS, -1.6, 6.0)
    assert not breakers.open


def test_a_restart_goes_on() -> None:
    before = opened(10.0)
    feed(before, THRESHOLD / 2, 10.0, country="IN")
    after = Breakers()
    after.restore(before.dump(), 20.0)  # type: ignore[arg-type]
    assert after.dump() == before.dump()
    breaker = after.find("north", "IN")
    assert breaker is not None
    assert breaker.reason(20.0) == "breaker open for 10 s: no receipts in time"
    for garbage in (
        [["north"]],
        [["north", "", [1]]],
        [["north", "", [[["no kind", 0, 1.0]], 0.0, "no receipts in time", 0.0]]],
    ):
        with pytest.raises((ValueError, TypeError)):
            Breakers().restore(garbage, 0.0)


def test_each_question_has_a_sum_of_its_own() -> None:
    breakers = Breakers()
    for age in range(7):
        for _ in range(6):
            breakers.observe("north", "DE", (Kind.RECEIPTS, age), MISS, 0.0, 0.0)
            breakers.observe("north", "DE", (Kind.REFUSALS, age), MISS, 0.0, 0.0)
    assert not breakers.open
    breakers.observe("north", "DE", (Kind.REFUSALS, 3), MISS, 0.0, 0.0)
    assert breakers.open["north", ""].reason(1.0) == "breaker open for 1 s: submits refused"


def test_what_left_before_it_closed_does_not_open_it_again() -> None:
    breakers = opened(0.0)
    for _ in range(3):
        feed(breakers, HIT, 9.0, trial=True, country="")
    assert not breakers.open
    for _ in range(20):
        breakers.observe("north", "", (Kind.RECEIPTS, 5), MISS, 8.9, 12.0)
    assert not breakers.open
    for _ in range(7):
        breakers.observe("north", "", (Kind.RECEIPTS, 5), MISS, 9.0, 20.0)
    assert breakers.open


def test_changes_are_told_once_and_in_words() -> None:
    breakers = opened(0.0)
    breakers.trial_left("north", "", 3.0)
    breakers.trial_left("north", "", 6.0)
    for _ in range(3):
        feed(breakers, HIT, 9.0, trial=True, country="")
    assert breakers.changes() == [
        ("north", "", "open", "breaker open for 0 s: no receipts in time"),
        ("north", "", "half_open", "breaker open for 3 s: no receipts in time"),
        ("north", "", "closed", ""),
    ]
    assert breakers.changes() == []


def test_nothing_is_kept_of_routes_that_work() -> None:
    breakers = Breakers()
    for i in range(100):
        feed(breakers, MISS, 0.0, country=f"{i}")
        for _ in range(3):
            feed(breakers, HIT, 0.0, country=f"{i}")
    assert breakers.dump() == []
