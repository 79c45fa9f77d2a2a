"""The planned instant against brute force over the formula itself."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.routing.utility import Alternative, Leg, outlook, plan


class Exponential:
    """Arrives at `rate` a second, `ever` at all, where the handset is reached; each arrival has a receipt."""

    def __init__(self, rate: float, ever: float, unreachable: float = 0.0) -> None:
        self.rate = rate
        self.ever = ever
        self.unreachable = unreachable

    def p(self, t_s: float) -> float:
        return (1.0 - self.unreachable) * self.ever * (1.0 - math.exp(-self.rate * max(t_s, 0.0)))

    def silence(self, s: float) -> float:
        return 1.0 - self.p(s)

    def p_given_silence(self, t_s: float, silent_s: float) -> float:
        return max(0.0, self.p(t_s) - self.p(silent_s)) / self.silence(silent_s)


def brute_force(
    flights: list[tuple[Exponential, float]],
    others: list[Alternative],
    now: float,
    deadline: float,
    value: float,
) -> tuple[float, str, float]:
    """(instant, route, gain), the formula written out over all handsets: reached ones and the others."""
    u = flights[0][0].unreachable

    def all_silent(until: float, reached: bool) -> float:
        if not reached:
            return 1.0
        return math.prod(1.0 - curve.p(until - left) / (1.0 - u) for curve, left in flights)

    heard_nothing = u * all_silent(now, False) + (1.0 - u) * all_silent(now, True)
    best = (math.inf, "", 0.0)
    steps = 4000
    for i in range(steps):
        at = now + (deadline - now) * i / steps
        still = (u * all_silent(at, False) + (1.0 - u) * all_silent(at, True)) / heard_nothing
        missed = (1.0 - u) * all_silent(deadline, True) / heard_nothing
        for other in others:
            p = other.curve.p(deadline - at - other.wait_s) / (1.0 - u)
            gain = value * missed * p - other.cost * still
            if gain > best[2]:
                best = (at, other.route, gain)
    return best


CURVES = st.builds(
    Exponential,
    st.floats(0.05, 1.0),
    st.floats(0.3, 1.0),
    st.just(0.01),
)


@settings(deadline=None, max_examples=60)
@given(
    first=CURVES,
    second=CURVES,
    others=st.lists(st.tuples(CURVES, st.floats(0.0, 5.0), st.floats(0.5, 4.0)), min_size=1, max_size=3),
    silent_s=st.floats(0.0, 20.0),
    left_s=st.floats(2.0, 60.0),
    several=st.booleans(),
)
def test_the_plan_is_as_good_as_the_best_of_all_instants(
    first: Exponential,
    second: Exponential,
    others: list[tuple[Exponential, float, float]],
    silent_s: float,
    left_s: float,
    several: bool,
) -> None:
    now = 100.0
    flights = [(first, now - silent_s)] + [(second, now - silent_s / 2)] * several
    alternatives = [
        Alternative(f"r{i}", curve, wait_s, cost) for i, (curve, wait_s, cost) in enumerate(others)
    ]
    best_at, _, best = brute_force(flights, alternatives, now, now + left_s, 40.0)
    planned = plan([Leg(curve, left) for curve, left in flights], alternatives, now, now + left_s, 40.0)
    if planned is None:
        assert best < 0.05
        return
    assert now <= planned.at < now + left_s
    # The instant is found among few; what counts is what it yields.
    assert planned.gain == pytest.approx(best, abs=0.02 + 0.05 * best), (best_at, planned)


def test_a_sure_flight_needs_no_follow_up() -> None:
    sure = Exponential(5.0, 1.0)
    assert plan([Leg(sure, 0.0)], [Alternative("b", sure, 0.0, 2.0)], 0.0, 30.0, 40.0) is None


def test_a_lost_flight_is_followed_at_once() -> None:
    nothing, good = Exponential(1.0, 0.0), Exponential(0.3, 0.95)
    planned = plan([Leg(nothing, 0.0)], [Alternative("b", good, 0.0, 2.0)], 5.0, 30.0, 40.0)
    assert planned is not None
    assert planned.at == 5.0
    assert planned.route == "b"


def test_the_better_alternative_wins_and_what_comes_too_late_is_none() -> None:
    slow, fast = Exponential(0.02, 0.9), Exponential(0.5, 0.9)
    silent = [Leg(Exponential(0.3, 0.5), 0.0)]
    offered = [Alternative("slow", slow, 0.0, 2.0), Alternative("fast", fast, 0.0, 2.0)]
    planned = plan(silent, offered, 10.0, 30.0, 40.0)
    assert planned is not None
    assert planned.route == "fast"
    assert plan(silent, [Alternative("queued", fast, 20.0, 2.0)], 10.0, 30.0, 40.0) is None


def test_silence_on_several_routes_means_that_nothing_reaches_the_handset() -> None:
    curve = Exponential(0.5, 0.98, unreachable=0.01)
    one = outlook([Leg(curve, 0.0)], 20.0, 30.0)
    three = outlook([Leg(curve, 0.0)] * 3, 20.0, 30.0)
    assert one.unreachable == pytest.approx(0.01 / (1.0 - curve.p(20.0)), rel=1e-6)
    assert three.unreachable > 0.99
    alternatives = [Alternative("b", curve, 0.0, 2.0)]
    assert plan([Leg(curve, 0.0)], alternatives, 20.0, 30.0, 40.0) is not None
    assert plan([Leg(curve, 0.0)] * 3, alternatives, 20.0, 30.0, 40.0) is None


def test_no_flight_at_all_is_missed() -> None:
    assert outlook([], 0.0, 10.0) == (0.0, 1.0)


@settings(deadline=None, max_examples=60)
@given(CURVES, st.floats(0.0, 30.0), st.floats(0.0, 30.0))
def test_belief_is_a_probability_and_a_later_deadline_is_missed_less(
    curve: Exponential, silent_s: float, more_s: float
) -> None:
    soon = outlook([Leg(curve, 0.0)], silent_s, 30.0)
    late = outlook([Leg(curve, 0.0)], silent_s, 30.0 + more_s)
    assert 0.0 <= late.missed <= soon.missed + 1e-12 <= 1.0 + 1e-12
    assert 0.0 <= soon.unreachable <= 1.0


def test_what_is_told_counts_in_place_of_silence() -> None:
    curve = Exponential(0.5, 0.9)
    told = outlook([Leg(curve, 0.0, silent=False, arrives=0.97)], 20.0, 30.0)
    assert told.missed == pytest.approx(0.03)
