"""The rate of a carrier from the times of its yes and no."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.probe.steps.load import roundest, steady_rate
from connector.probe.trial import Answer

THROTTLED = 0x58


def answers_of_a_bucket(tps: float, burst: float, polls: list[float]) -> list[Answer]:
    tokens, filled_at, answers = 0.0, 0.0, []
    for at in polls:
        tokens = min(burst, tokens + (at - filled_at) * tps)
        filled_at = at
        taken = tokens >= 1
        tokens -= taken
        answers.append(Answer(0 if taken else THROTTLED, b"", (), at, at))
    return answers


@given(
    st.sampled_from((2.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0)),
    st.sampled_from((1.0, 3.0, 50.0)),
    st.floats(0.03, 0.08),
    st.floats(0.0, 1.0),
)
def test_the_rate_of_a_bucket_lies_between_the_bounds(
    tps: float, burst: float, fineness: float, phase: float
) -> None:
    """Asked several times for each message that fits, at whatever instants."""
    polls = [(number + phase * (number % 3) / 3) * fineness / tps for number in range(int(60 / fineness))]
    bounds = steady_rate(answers_of_a_bucket(tps, burst, polls))
    assert bounds is not None
    low, high = bounds
    assert low <= tps * 1.02 and high >= tps * 0.98, bounds
    assert low >= tps * (0.95 - fineness), bounds


def test_a_count_that_begins_anew_each_second() -> None:
    answers = []
    for poll in range(500):
        second, place = divmod(poll, 100)
        answers.append(Answer(0 if second > 0 and place < 30 else THROTTLED, b"", (), poll / 100, poll / 100))
    bounds = steady_rate(answers)
    assert bounds is not None
    assert bounds[0] <= 30 <= bounds[1]
    assert roundest(*bounds) == 30


def test_too_little_to_count() -> None:
    assert steady_rate([]) is None
    assert steady_rate([Answer(THROTTLED, b"", (), 0.0, 0.0), Answer(0, b"", (), 1.0, 1.0)]) is None


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(49.2, 51.9, 50), (9.6, 10.3, 10), (19.7, 21.3, 20), (98.4, 112.0, 100), (24.6, 25.7, 25),
     (0.97, 1.04, 1), (12.8, 13.3, 13), (290.0, 307.0, 300), (29.9, 29.9, 29.9)],
)  # fmt: skip
def test_carriers_agree_on_round_numbers(low: float, high: float, expected: float) -> None:
    assert roundest(low, high) == expected
