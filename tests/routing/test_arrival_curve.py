"""Curves: probabilities that agree with one another, whatever they are made of."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise
from operator import mul
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.routing.arrival import Curve
from connector.routing.arrival.grid import BINS, EDGES, FIRST_S, LAST_S, bin_of, interpolate

share = st.floats(0.0, 1.0)
times = st.floats(0.0, 1e4) | st.sampled_from([-1.0, 0.0, FIRST_S, LAST_S, math.inf, math.nan, -math.inf])


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    hazards = draw(st.lists(st.floats(0.0, 0.98), min_size=BINS, max_size=BINS))
    failing = draw(st.lists(st.floats(0.0, 0.02), min_size=BINS, max_size=BINS))
    unreachable = draw(st.floats(0.0, 0.5))
    silent = list(accumulate((1.0 - h - f for h, f in zip(hazards, failing, strict=True)), mul))
    told = accumulate(s * h for s, h in zip([1.0, *silent], hazards, strict=False))
    return Curve(
        [(1.0 - unreachable) * t for t in told], [unreachable + (1.0 - unreachable) * s for s in silent],
        unreachable=unreachable,
        trust=draw(share), unannounced=draw(st.floats(0.0, 50.0)), weight=draw(st.floats(0.0, 1e6)),
    )  # fmt: skip


@given(st.floats(0.0, 1e4))
def test_the_interval_of_a_time(t: float) -> None:
    k = bin_of(t)
    assert 0 <= k <= BINS
    if k < BINS:
        assert EDGES[k] * (1 - 1e-9) <= t <= EDGES[k + 1] * (1 + 1e-9)
    else:
        assert t >= LAST_S


def test_the_grid() -> None:
    assert EDGES[0] == 0.0
    assert EDGES[1] == pytest.approx(0.2)
    assert EDGES[-1] == 600.0
    ratios = [b / a for a, b in pairwise(EDGES[1:])]
    assert max(ratios) - min(ratios) < 1e-9


def test_between_the_edges_lie_straight_lines() -> None:
    values = [math.sqrt(edge) for edge in EDGES[1:]]
    for (a, b), (u, v) in zip(pairwise(EDGES), pairwise([0.0, *values]), strict=True):
        assert interpolate(values, (a + b) / 2) == pytest.approx((u + v) / 2)


@given(curves(), times, times, times)
def test_probabilities_are_probabilities_and_grow_with_time(
    curve: Curve, a: float, b: float, s: float
) -> None:
    low, high = (a, b) if a <= b else (b, a)
    for drawn in (curve, curve.sampled(Random(1), 0.7)):
        assert 0.0 <= drawn.p(low) <= 1.0
        assert 0.0 <= drawn.p_given_silence(low, s) <= 1.0
        assert 0.0 <= drawn.silence(s) <= 1.0
        assert 0.0 <= drawn.p_given_receipt() <= 1.0
        if low <= high:
            assert drawn.p(low) <= drawn.p(high) + 1e-12
            assert drawn.p_given_silence(low, s) <= drawn.p_given_silence(high, s) + 1e-12
            assert drawn.silence(high) <= drawn.silence(low) + 1e-12
        assert drawn.p(LAST_S) <= 1.0 - drawn.unreachable + 1e-9


@given(curves(), st.floats(0.0, 600.0), st.floats(0.0, 600.0))
def test_total_probability(curve: Curve, a: float, b: float) -> None:
    """P(arrives by t) = P(receipt by s, true) + P(silent at s) · P(arrives by t | silent at s)."""
    s, t = min(a, b), max(a, b)
    told = curve.p(s) / (curve.p_given_receipt() + curve.unannounced) if curve.p(s) else 0.0
    if curve.silence(s) > 1e-9:
        whole = curve.p_given_receipt() * told + curve.silence(s) * curve.p_given_silence(t, s)
        assert whole == pytest.approx(curve.p(t), abs=1e-6)


@given(curves(), st.integers(0, 3))
def test_a_receipt_that_is_not_followed_by_use_is_believed_less(curve: Curve, looks: int) -> None:
    doubted = Curve(
        [0.5] * BINS, [0.5] * BINS, unreachable=0.0, trust=curve.trust, unannounced=0.0, weight=1.0,
        used=(0.3, 0.6, 0.8),
    )  # fmt: skip
    assert doubted.p_given_receipt(looks + 1) <= doubted.p_given_receipt(looks)


def test_a_draw_of_scale_zero_is_the_curve_itself() -> None:
    curve = Curve([0.5] * BINS, [0.5] * BINS, unreachable=0.0, trust=1.0, unannounced=0.0, weight=10.0)
    assert curve.sampled(Random(1), 0.0) is curve


def test_draws_spread_as_a_beta_posterior_does() -> None:
    curve = Curve([0.8] * BINS, [0.2] * BINS, unreachable=0.0, trust=1.0, unannounced=0.0, weight=98.0)
    rng = Random(5)
    draws = [curve.sampled(rng, 1.0).p(600.0) for _ in range(4000)]
    mean = sum(draws) / len(draws)
    deviation = math.sqrt(sum((d - mean) ** 2 for d in draws) / len(draws))
    assert mean == pytest.approx(0.8, abs=0.005)
    assert deviation == pytest.approx(0.04, rel=0.1)
