"""The router as the dispatcher asks it: first routes, follow-ups, evidence, restarts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import inf
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config.routing import JobClass, RoutingSettings
from connector.routing.arrival import Cell
from connector.routing.errand import Errand, FailureKind, Flight, Offer
from connector.routing.router import Router

CELL = Cell("DE", "one")
NORTH = Offer("north", "sms", 10, 0.0, 1.0)
EAST = Offer("east", "sms", 10, 0.0, 1.0)
BOTH = (NORTH, EAST)


def new(seed: int = 1, **job_class: float) -> Router:
    return Router(RoutingSettings(), {"default": JobClass(**job_class)}, 1.0, Random(seed), 0.0)


def errand(now: float = 0.0, left_s: float = 30.0) -> Errand:
    return Errand(CELL, "default", now, now + left_s)


def decision(record: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(record)
    return found


def teach(
    router: Router, route: str, *, arrives: float, until: float, rng: Random, passed_s: float = 3.0
) -> None:
    """Two jobs a second by one route alone, until then."""
    now = until - 300.0
    waiting: list[tuple[float, Errand, Flight, bool]] = []
    while now < until:
        job = errand(now)
        flight = Flight(route, "sms", 0, 1, now, 1.0)
        router.left(job, flight, now)
        waiting.append((now + rng.uniform(0.5, 1.5) * passed_s, job, flight, rng.random() < arrives))
        for entry in [entry for entry in waiting if entry[0] <= now]:
            waiting.remove(entry)
            if entry[3]:
                router.arrived(entry[1], entry[2], entry[0])
                router.closed(entry[1], entry[0])
        router.tick(now)
        now += 0.5


# The first route


def test_the_only_offer_is_taken_and_recorded_once() -> None:
    router = new()
    first = router.choose(errand(), (NORTH,), 0.0)
    assert first is not None
    assert decision(first.decision) == {"rule": "only_candidate", "chosen": "north", "candidates": ["north"]}
    assert router.choose(errand(), (NORTH,), 0.0) is first


def test_nothing_is_chosen_that_cannot_leave_in_time() -> None:
    router = new()
    assert router.choose(errand(), (), 0.0) is None
    assert router.choose(errand(), (NORTH._replace(wait_s=30.0),), 0.0) is None
    assert router.choose(errand(), (NORTH._replace(wait_s=inf), EAST._replace(wait_s=31.0)), 0.0) is None
    late = router.choose(errand(), (NORTH._replace(wait_s=29.0),), 0.0)
    assert late is not None
    assert late.wait_s == 29.0


def test_equal_routes_go_by_price_then_priority_then_order() -> None:
    cheap = EAST._replace(price=0.9)
    choice = new().choose(errand(), (NORTH, cheap), 0.0)
    assert choice is not None
    assert choice.route == "east"
    for offers, chosen in [((NORTH, EAST), "north"), ((EAST, NORTH), "east")]:
        choice = new().choose(errand(), offers, 0.0)
        assert choice is not None
        assert choice.route == chosen
        assert decision(choice.decision)["rule"] == "best_utility"


def test_a_small_difference_in_the_chance_is_not_given_away_for_a_smaller_one_in_the_price() -> None:
    sooner, cheaper = NORTH._replace(wait_s=1.0), EAST._replace(wait_s=1.05, price=0.99)
    choice = new().choose(errand(left_s=12.0), (sooner, cheaper), 0.0)
    assert choice is not None
    found = decision(choice.decision)
    north, east = found["offers"]
    assert choice.route == "north"
    assert 0.0 < north["utility"] - east["utility"] < 0.05


def test_priorities_are_strict_while_the_first_has_room() -> None:
    second = EAST._replace(priority=20, price=0.1)
    choice = new().choose(errand(), (NORTH, second), 0.0)
    assert choice is not None
    found = decision(choice.decision)
    assert (found["rule"], found["chosen"], found["candidates"]) == ("priority", "north", ["north"])
    assert found["offers"][1] == {"route": "east", "reason": "another priority"}
    choice = new().choose(errand(), (NORTH._replace(wait_s=5.0), second), 0.0)
    assert choice is not None
    assert choice.route == "east"


def test_the_route_that_arrives_wins_over_the_cheaper_one() -> None:
    router = new()
    rng = Random(3)
    teach(router, "north", arrives=0.5, until=300.0, rng=rng)
    teach(router, "east", arrives=0.97, until=301.0, rng=rng)
    choice = router.choose(errand(302.0), (NORTH._replace(price=0.5), EAST), 302.0)
    assert choice is not None
    found = decision(choice.decision)
    assert found["chosen"] == "east"
    rows = {row["route"]: row for row in found["offers"]}
    assert rows["east"]["p"] > rows["north"]["p"] + 0.2
    assert rows["east"]["utility"] == pytest.approx(40 * rows["east"]["p"] - 1.0, abs=0.01)


def test_a_plan_is_told_with_the_choice() -> None:
    choice = new().choose(errand(), (NORTH,), 0.0, then=BOTH)
    assert choice is not None
    plan = decision(choice.decision)["plan"]
    assert 2.0 < plan["at_s"] < 28.0


def test_later_steps_are_recorded_with_what_started_them() -> None:
    for rule in ("after", "on_failure", "at_once"):
        choice = new().choose(errand(), BOTH, 0.0, step=1, rule=rule)
        assert choice is not None
        found = decision(choice.decision)
        assert (found["rule"], found["step"]) == (rule, 1)


OFFERS = st.lists(
    st.builds(
        Offer,
        st.sampled_from(["a", "b", "c", "d"]),
        st.just("sms"),
        st.integers(1, 3),
        st.one_of(st.just(0.0), st.floats(0.0, 60.0), st.just(inf)),
        st.floats(0.01, 5.0),
    ),
    max_size=4,
    unique_by=lambda offer: offer.route,
)


@settings(deadline=None)
@given(OFFERS, OFFERS, st.floats(0.1, 60.0), st.integers(0, 5))
def test_no_choice_waits_beyond_the_deadline(
    offers: Sequence[Offer], then: Sequence[Offer], left_s: float, seed: int
) -> None:
    choice = new(seed).choose(errand(5.0, left_s), offers, 5.0, then=then)
    usable = {offer.route: offer for offer in offers if offer.wait_s < left_s}
    if choice is None:
        assert not usable
        return
    assert choice.route in usable
    assert choice.wait_s == usable[choice.route].wait_s
    lowest = min(offer.priority for offer in usable.values())
    tier = [route for route, offer in usable.items() if offer.priority == lowest and offer.wait_s <= 0.0]
    assert not tier or choice.route in tier


# The follow-up


def sent(router: Router, route: str, now: float, left_s: float = 30.0) -> tuple[Errand, Flight]:
    job = errand(now, left_s)
    flight = Flight(route, "sms", 0, 1, now, 1.0)
    router.left(job, flight, now)
    router.accepted(job, flight, now)
    return job, flight


@settings(deadline=None, max_examples=60)
@given(OFFERS, st.floats(0.5, 60.0), st.floats(0.0, 1.2), st.floats(0.0, 100.0), st.floats(0.0, 3.0))
def test_no_follow_up_is_planned_after_the_deadline(
    offers: Sequence[Offer], left_s: float, part: float, value: float, annoyance: float
) -> None:
    router = new(value=value, annoyance=annoyance)
    job, _ = sent(router, "a", 10.0, left_s)
    now = 10.0 + part * left_s
    found = router.follow_up(job, offers, now)
    if found is not None:
        wait_s = next(offer.wait_s for offer in offers if offer.route == found.route)
        assert now <= found.at
        assert found.at + wait_s < job.deadline_at


def test_worth_more_is_followed_sooner_and_worth_nothing_never() -> None:
    instants = []
    for value in (5.0, 10.0, 40.0, 200.0):
        router = new(value=value)
        job, _ = sent(router, "north", 0.0)
        found = router.follow_up(job, BOTH, 0.0)
        instants.append(found.at if found else inf)
    assert instants == sorted(instants, reverse=True)
    assert instants[-1] < instants[0]
    router = new(value=0.0)
    assert router.follow_up(sent(router, "north", 0.0)[0], BOTH, 0.0) is None


def test_a_receipt_ends_the_plan_and_a_failure_brings_it_forward() -> None:
    router = new()
    job, flight = sent(router, "north", 0.0)
    planned = router.follow_up(job, BOTH, 1.0)
    assert planned is not None
    assert planned.at > 2.0
    router.failed(job, flight, 2.0, FailureKind.ROUTE)
    at_once = router.follow_up(job, BOTH, 2.0)
    assert at_once is not None
    assert at_once.at == 2.0
    found = decision(at_once.decision)
    assert found["rule"] == "follow_up"
    job, flight = sent(router, "north", 10.0)
    router.arrived(job, flight, 12.0)
    assert router.follow_up(job, BOTH, 12.0) is None


def test_an_absent_handset_is_not_followed() -> None:
    router = new()
    job, flight = sent(router, "north", 0.0)
    router.failed(job, flight, 2.0, FailureKind.HANDSET)
    assert router.follow_up(job, BOTH, 2.0) is None


def test_the_record_tells_what_was_silent() -> None:
    router = new()
    job, _ = sent(router, "north", 0.0)
    now = 0.0
    while (found := router.follow_up(job, (EAST,), now)) is not None and found.at > now:
        now = found.at
    assert found is not None
    silent = decision(found.decision)["silent"]
    assert silent["route"] == "north"
    assert silent["s"] == pytest.approx(now, abs=0.01)
    assert 0.0 < silent["p"] < silent["p_alternative"] <= 1.0
    choice = router.choose(job, (EAST,), now, step=1, rule="follow_up")
    assert choice is not None
    assert decision(choice.decision) == {**decision(found.decision), "step": 1}


def test_budgets_forbid_follow_ups_and_nothing_else() -> None:
    router = new(extra_sends=0.1)
    for i in range(20):
        job, _ = sent(router, "north", float(i))
        if router.follow_up(job, BOTH, i + 20.0):
            second = Flight("east", "sms", 1, 2, i + 20.0, 1.0)
            router.left(job, second, i + 20.0)
    row = router.classes(40.0)[0]
    assert 0.1 <= row["extra_sends"] <= 0.15
    assert row["extra_sends_limit"] == 0.1
    assert router.choose(errand(40.0), BOTH, 40.0) is not None


def test_a_refused_submit_is_no_extra_send() -> None:
    router = new()
    job = errand()
    for number, route in enumerate(("north", "east"), 1):
        flight = Flight(route, "sms", 0, number, 0.0, 1.0)
        router.left(job, flight, 0.0)
        if route == "north":
            router.failed(job, flight, 0.1, FailureKind.REFUSED)
    assert (job.sends, job.spent) == (1, 1.0)
    assert router.classes(0.0)[0]["extra_sends"] == 0.0


# Watching


def test_those_in_line_are_told_at_the_planned_instant() -> None:
    router = new()
    for i in range(10):
        job, _ = sent(router, "north", i * 0.1)
        router.watch(job, i, "both", lambda now: BOTH, i * 0.1)
    planned = router.follow_up(sent(router, "north", 1.0)[0], BOTH, 1.0)
    assert planned is not None
    told: dict[int, float] = {}
    now = 1.0
    while len(told) < 10:
        now += 0.25
        router.tick(now)
        told.update(dict.fromkeys(router.due(now), now))
        assert now < 40.0
    assert [*told] == [*range(10)]
    # Silence of all ten is evidence too: it brings the instant forward.
    assert all(2.0 < told[i] - i * 0.1 < planned.at for i in told)


def test_those_that_are_closed_are_not_told() -> None:
    router = new()
    job, flight = sent(router, "north", 0.0)
    router.watch(job, "x", "both", lambda now: BOTH, 0.0)
    router.arrived(job, flight, 2.0)
    router.closed(job, 2.0)
    assert router.due(29.0) == []
    assert job.watched is None


def test_nothing_is_sent_twice_at_once_where_nothing_is_known() -> None:
    router = new()
    job = errand(left_s=8.0)
    flight = Flight("north", "sms", 0, 1, 0.0, 1.0)
    router.left(job, flight, 0.0)
    router.watch(job, "x", "east", lambda now: (EAST,), 0.0)
    at = router.next_due()
    assert at is not None
    assert 2.0 <= at <= 4.0


# Outages


def silence(router: Router, now: float, seconds: float) -> float | None:
    """Two jobs a second by north of which nothing is heard; when its breaker opens."""
    until = now + seconds
    while now < until:
        sent(router, "north", now)
        router.tick(now)
        if any(row["breaker"] != "closed" for row in router.routes(now)):
            return now
        now += 0.5
    return None


def test_a_silent_route_is_left_out_tried_and_taken_back() -> None:
    rng = Random(11)
    router = new()
    teach(router, "north", arrives=0.96, until=300.0, rng=rng)
    teach(router, "east", arrives=0.9, until=300.5, rng=rng)
    opened = silence(router, 301.0, 60.0)
    assert opened is not None
    assert opened < 325.0
    row = next(row for row in router.routes(opened) if row["route"] == "north")
    assert row["breaker_reason"].startswith("no receipts")
    choice = router.choose(errand(opened), BOTH, opened, then=BOTH)
    assert choice is not None
    assert choice.route == "east"
    assert "breaker open" in decision(choice.decision)["offers"][1]["reason"]
    trials, now = 0, opened
    while any(row["breaker"] != "closed" for row in router.routes(now)):
        now += 0.5
        router.tick(now)
        job = errand(now)
        choice = router.choose(job, BOTH, now, then=BOTH)
        assert choice is not None
        flight = Flight(choice.route, "sms", 0, 1, now, 1.0)
        router.left(job, flight, now, trial=choice.trial)
        if choice.trial:
            trials += 1
            assert decision(choice.decision)["rule"] == "trial"
            router.arrived(job, flight, now + 0.4)
        assert now < opened + 60.0
    assert 2 <= trials <= 12
    assert router.model.curve("north", "sms", CELL, now).p(30.0) > 0.8


def test_a_route_is_used_when_all_are_left_out() -> None:
    router = new()
    teach(router, "north", arrives=0.96, until=300.0, rng=Random(2))
    opened = silence(router, 301.0, 60.0)
    assert opened is not None
    choice = router.choose(errand(opened), (NORTH,), opened, then=(NORTH,))
    assert choice is not None
    assert choice.route == "north"


def test_throttling_is_shown_and_is_no_evidence_of_arrival() -> None:
    router = new()
    for i in range(20):
        job, flight = errand(i * 0.1), Flight("north", "sms", 0, 1, i * 0.1, 1.0)
        router.left(job, flight, i * 0.1)
        if i % 4 == 0:
            router.throttled("north", i * 0.1)
            router.failed(job, flight, i * 0.1, FailureKind.THROTTLED)
    router.tick(2.0)
    row = next(row for row in router.routes(2.0) if row["route"] == "north")
    assert row["throttled"] == pytest.approx(0.25)
    assert row["flights"] <= 15.5
    assert row["breaker"] == "closed"


# State


def test_a_restart_goes_on_and_garbage_is_refused() -> None:
    router = new()
    teach(router, "north", arrives=0.96, until=300.0, rng=Random(2))
    opened = silence(router, 301.0, 60.0)
    assert opened is not None
    state = router.dump(opened)
    after = new()
    after.restore(state, opened)
    assert [row["breaker"] for row in after.routes(opened)] == [
        row["breaker"] for row in router.routes(opened)
    ]
    assert after.classes(opened) == router.classes(opened)
    for garbage in (b"", b"\x00", state[:-3], b"\x96\x02\xc4\x00\x90\x90\x90\x80"):
        with pytest.raises(ValueError, match="learned"):
            new().restore(garbage, 0.0)


def test_a_preview_changes_nothing() -> None:
    router = new()
    teach(router, "north", arrives=0.96, until=300.0, rng=Random(2))
    before = router.dump(300.0)
    shown = router.preview(CELL, "default", 30.0, BOTH, 300.0, then=BOTH)
    assert shown is not None
    assert {row["route"] for row in shown["offers"]} == {"north", "east"}
    assert router.preview(CELL, "default", 30.0, (), 300.0) is None
    assert router.dump(300.0) == before


def test_many_jobs_cost_little_memory_in_the_sample() -> None:
    router = new()
    tracked = sum(sent(router, "north", i / 10_000)[1].watch is not None for i in range(20_000))
    assert 400 <= tracked <= 600
