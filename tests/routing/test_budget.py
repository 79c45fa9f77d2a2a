"""Extra sends and cost of a class over ten minutes that slide."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from connector.routing.budget import Budget


def test_extra_sends_keep_to_the_average() -> None:
    budget = Budget(extra_sends=0.5, cost=100.0, now=0.0)
    sent = 0
    for i in range(200):
        budget.job(1.0, i * 0.1)
        if budget.allows(1.0, i * 0.1):
            budget.extra(1.0, i * 0.1)
            sent += 1
    assert 100 <= sent <= 103
    extra, cost = budget.averages(20.0)
    assert extra == sent / 200
    assert cost == (200 + sent) / 200


def test_a_first_extra_send_need_not_wait_for_many_jobs() -> None:
    budget = Budget(extra_sends=0.5, cost=5.0, now=0.0)
    budget.job(1.0, 0.0)
    assert budget.allows(1.0, 0.0)
    assert not Budget(extra_sends=0.0, cost=5.0, now=0.0).allows(1.0, 0.0)


def test_cost_is_limited_as_well() -> None:
    budget = Budget(extra_sends=10.0, cost=2.0, now=0.0)
    for _ in range(10):
        budget.job(1.0, 0.0)
    assert budget.allows(20.0, 0.0)
    assert not budget.allows(20.1, 0.0)


def test_after_ten_minutes_all_is_forgotten() -> None:
    budget = Budget(extra_sends=0.5, cost=5.0, now=0.0)
    budget.job(1.0, 1.0)
    for _ in range(3):
        budget.extra(1.0, 1.0)
    assert not budget.allows(1.0, 599.0)
    assert budget.allows(1.0, 616.0)
    assert budget.averages(616.0) == (0.0, 0.0)


@given(st.lists(st.tuples(st.floats(0.0, 100.0), st.booleans(), st.floats(0.0, 3.0)), max_size=60))
def test_counts_are_those_of_the_last_ten_minutes(events: list[tuple[float, bool, float]]) -> None:
    budget = Budget(extra_sends=1.0, cost=1.0, now=0.0)
    now, kept = 0.0, deque[tuple[float, bool, float]]()
    for pause_s, extra, price in events:
        now += pause_s
        (budget.extra if extra else budget.job)(price, now)
        kept.append((now, extra, price))
    jobs, extras, spent = budget.dump(now)
    # A slice goes as a whole: the edge of the window is fifteen seconds wide.
    surely = [event for event in kept if event[0] > now - 585.0]
    perhaps = [event for event in kept if event[0] > now - 615.0]
    assert sum(not extra for _, extra, _ in surely) <= jobs <= sum(not extra for _, extra, _ in perhaps)
    assert sum(extra for _, extra, _ in surely) <= extras <= sum(extra for _, extra, _ in perhaps)
    assert spent <= sum(price for _, _, price in perhaps) + 1e-6


def test_a_restart_goes_on() -> None:
    before = Budget(extra_sends=0.5, cost=5.0, now=0.0)
    for _ in range(10):
        before.job(1.0, 0.0)
        before.extra(2.0, 0.0)
    after = Budget(extra_sends=0.5, cost=5.0, now=100.0)
    after.restore(before.dump(0.0))
    assert after.averages(100.0) == (1.0, 3.0)
    assert not after.allows(1.0, 100.0)
