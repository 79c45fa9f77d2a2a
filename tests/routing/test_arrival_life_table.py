"""The estimate against direct computations: Kaplan–Meier of scipy, posterior means of Beta distributions."""

from __future__ import annotations

from random import Random

import pytest
from scipy import stats

from connector.routing.arrival import ArrivalModel, ArrivalSettings, Cell, shift
from connector.routing.arrival.grid import BINS, EDGES, bin_of
from connector.routing.arrival.handset import Silence

BARE = ArrivalSettings(
    half_life_s=1e12, pooling=0.0, ratio=0.0, ratio_within=0.0, few=0.0, unreachable=0.0, no_receipt=0.0
)
CELL = Cell("DE", "north")


@pytest.mark.parametrize("seed", range(6))
def test_kaplan_meier(seed: int) -> None:
    """Where flights are cut off at the ends of intervals, the life table is the product-limit estimate."""
    rng = Random(seed)
    model = ArrivalModel(BARE, 0.0)
    told, cut = [], []
    for i in range(300):
        left_at = i * 0.31
        watch = model.sent("north", "sms", CELL, left_at, first=True)
        arrival = rng.lognormvariate(1.3, 0.7) if rng.random() < 0.8 else 1e9
        end = EDGES[rng.randrange(10, BINS + 1)]
        if arrival < end:
            model.arrived(watch, left_at + arrival)
            told.append(arrival)
        else:
            model.close(watch, left_at + end + 1e-9)
            cut.append(end)
    model.refresh(1000.0)
    curve = model.curve("north", "sms", CELL, 1000.0)
    survival = stats.ecdf(stats.CensoredData(uncensored=told, right=cut)).sf
    last = bin_of(max(told))
    for edge in EDGES[1:last]:
        assert curve.silence(edge) == pytest.approx(float(survival.evaluate(edge)), abs=1e-6)


def test_silence_counts_before_anything_is_over() -> None:
    """Flights under way are at risk up to their age of now, whatever becomes of them."""
    model = ArrivalModel(BARE, 0.0)
    watches = [model.sent("north", "sms", CELL, 0.0, first=True) for _ in range(10)]
    for watch in watches[:5]:
        model.arrived(watch, 3.0)
    model.refresh(8.0)
    assert model.curve("north", "sms", CELL, 8.0).silence(4.0) == pytest.approx(0.5, abs=1e-6)


def test_whatever_was_counted_of_a_silent_flight_is_taken_back_by_its_receipt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Refreshed often or once: the same counts."""
    monkeypatch.setattr(shift, "_SURE", 1e9)  # nothing is sudden
    often, once = ArrivalModel(BARE, 0.0), ArrivalModel(BARE, 0.0)
    rng = Random(7)
    flights = [(i * 0.1, rng.lognormvariate(1.0, 1.0), rng.random() < 0.8) for i in range(200)]
    for model in (often, once):
        watches = {}
        order = sorted(
            [(at, 0, i) for i, (at, _, _) in enumerate(flights)]
            + [(at + passed, 1, i) for i, (at, passed, _) in enumerate(flights)]
        )
        refreshed = 0.0
        for at, what, i in order:
            while model is often and refreshed + 0.25 < at:
                refreshed += 0.25
                model.refresh(refreshed)
            if what == 0:
                watches[i] = model.sent("north", "sms", CELL, at, first=True)
            elif flights[i][2]:
                model.arrived(watches[i], at)
            else:
                model.close(watches[i], at)
        model.refresh(2000.0)
    (a,), (b,) = (model._levels.leaves.values() for model in (often, once))
    assert a.d == pytest.approx(b.d)
    assert a.n == pytest.approx(b.n, abs=1e-6)


def test_each_interval_is_a_beta_posterior_around_the_level_above() -> None:
    pooling, ratio = 5.0, 3.0
    settings = ArrivalSettings(
        half_life_s=1e12, pooling=pooling, ratio_within=ratio, few=0.0, unreachable=0.0, no_receipt=0.0
    )
    model = ArrivalModel(settings, 0.0)
    rng = Random(11)
    for i in range(80):
        watch = model.sent("north", "sms", CELL, i * 1.0, first=True)
        model.arrived(watch, i * 1.0 + rng.lognormvariate(2.0, 0.5))
    model.refresh(500.0)
    model.curve("north", "sms", CELL, 500.0)
    leaf = model._levels.leaves["north", "sms", CELL]
    above = leaf.parent.hazards
    expected = sum(n * h for n, h in zip(leaf.n, above, strict=True))
    factor = stats.gamma(ratio + sum(leaf.d), scale=1.0 / (ratio + expected)).mean()
    for d, n, h, hazard in zip(leaf.d, leaf.n, above, leaf.hazards, strict=True):
        prior = pooling * factor * h
        if 0.0 < prior < pooling and n >= d:
            mean = stats.beta(d + prior, n - d + pooling - prior).mean()
            assert hazard == pytest.approx(min(mean, 0.98))


def test_where_handsets_are_certain_their_share_is_a_beta_posterior() -> None:
    silence = Silence(0.0)
    for lost in (0.0, None, None, 0.0, None, None, None):
        silence.add(lost, 1.0, 0.0, 600.0)
    assert silence.mean(0.1, 20.0) == pytest.approx(stats.beta(2.0 + 2, 18.0 + 5).mean())


def test_where_they_are_not_it_is_the_most_likely_one() -> None:
    """40 of 1,000 jobs of which nothing arrived, each with a chance of 0.03 to be lost by its routes."""
    silence = Silence(0.0)
    silence.add(None, 960.0, 0.0, 600.0)
    silence.add(0.03, 40.0, 0.0, 600.0)
    shares = [i / 10_000 for i in range(1, 1000)]
    best = max(shares, key=lambda u: stats.binom.logpmf(40, 1000, u + (1.0 - u) * 0.03))
    for _ in range(60):
        silence.stale = True
        found = silence.mean(0.01, 1e-9)
    assert found == pytest.approx(best, abs=1e-3)


def test_evidence_counts_half_after_a_half_life() -> None:
    model = ArrivalModel(ArrivalSettings(half_life_s=100.0, few=0.0), 0.0)
    for _ in range(64):
        model.arrived(model.sent("north", "sms", CELL, 0.0, first=True), 2.0)
    model.refresh(3.0)
    before = model.curve("north", "sms", CELL, 3.0).weight
    model.arrived(model.sent("north", "sms", CELL, 203.0, first=True), 203.0)
    model.refresh(203.0)
    assert model.curve("north", "sms", CELL, 203.0).weight == pytest.approx(before / 4 + 1, rel=1e-3)


def test_little_evidence_is_kept_longer() -> None:
    model = ArrivalModel(ArrivalSettings(half_life_s=100.0, few=50.0), 0.0)
    for _ in range(4):
        model.arrived(model.sent("north", "sms", CELL, 0.0, first=True), 2.0)
    model.refresh(3.0)
    model.arrived(model.sent("north", "sms", CELL, 203.0, first=True), 203.0)
    model.refresh(203.0)
    assert model.curve("north", "sms", CELL, 203.0).weight > 4.0
