"""Flights as the plan sees them: known answers, and curves of routes that are out of order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.routing.arrival import Curve
from connector.routing.arrival.grid import EDGES
from connector.routing.planner import Broken, Heard

TIMES = st.floats(0.0, 300.0)


def curve(*, ever: float = 0.9, unannounced: float = 0.1, used: tuple[float, ...] = (0.5, 0.7, 0.8)) -> Curve:
    """Receipts of `ever` / (1 + unannounced), half of them after every further ten seconds."""
    receipts = [ever / (1.0 + unannounced) * (1.0 - 0.5 ** (t / 10.0)) for t in EDGES[1:]]
    silent = [1.0 - told for told in receipts]
    return Curve(
        receipts, silent, unreachable=0.01, trust=1.0, unannounced=unannounced, weight=100.0, used=used
    )  # fmt: skip


def test_use_is_heard_of_when_no_receipt_comes() -> None:
    known = curve()
    heard = Heard(known)
    came = [known.p(30.0 - after_s) for after_s in (3.5, 9.0, 17.0)]
    used = 0.1 / 1.1 * (0.5 * came[0] + 0.2 * came[1] + 0.1 * came[2])
    assert heard.silence(30.0) == pytest.approx(known.silence(30.0) - used)
    # Still to come, or there and not used yet, of all who are silent.
    still = known.silence(30.0) * known.p_given_silence(60.0, 30.0) - used
    assert heard.p_given_silence(60.0, 30.0) == pytest.approx(still / heard.silence(30.0))
    assert heard.p_given_silence(60.0, 30.0) < known.p_given_silence(60.0, 30.0)
    assert heard.p(30.0) == known.p(30.0)


def test_of_a_broken_route_a_part_is_hoped_for() -> None:
    broken = Broken(curve(unannounced=0.0), 0.1)
    assert broken.p(30.0) == pytest.approx(0.1 * curve(unannounced=0.0).p(30.0))
    assert broken.silence(30.0) == pytest.approx(1.0 - broken.p(30.0))
    expected = (broken.p(60.0) - broken.p(30.0)) / (1.0 - broken.p(30.0))
    assert broken.p_given_silence(60.0, 30.0) == pytest.approx(expected)


@given(TIMES, TIMES, st.floats(0.0, 1.0))
def test_all_of_them_are_probabilities_and_monotone(s: float, more_s: float, part: float) -> None:
    for outlook in (Heard(curve()), Broken(curve(), part), Broken(Heard(curve()), part)):
        later = s + more_s
        assert 0.0 <= outlook.silence(later) <= outlook.silence(s) + 1e-9 <= 1.0 + 2e-9
        assert 0.0 <= outlook.p(s) <= outlook.p(later) + 1e-9 <= 1.0 + 2e-9
        sooner = outlook.p_given_silence(later, s)
        assert -1e-9 <= sooner <= outlook.p_given_silence(later + 10.0, s) + 1e-9 <= 1.0 + 2e-9
