"""The window: never in the way of the rate, and no larger than it needs to be."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.carriers.window import WindowSizer


def measured(*round_trips_s: float, cap: int = 100) -> WindowSizer:
    sizer = WindowSizer(cap, automatic=True)
    for round_trip_s in round_trips_s:
        sizer.answered(round_trip_s)
    return sizer


def test_it_is_the_carriers_until_the_round_trip_is_known() -> None:
    sizer = WindowSizer(50, automatic=True)
    assert sizer.window(1.0) == 50
    for _ in range(19):
        sizer.answered(0.001)
    assert sizer.window(1.0) == 50
    sizer.answered(0.001)
    assert sizer.window(1.0) < 10
    sizer.forget()
    assert sizer.window(1.0) == 50


def test_fixed_is_fixed() -> None:
    sizer = WindowSizer(50, automatic=False)
    for _ in range(1000):
        sizer.answered(0.001)
    assert sizer.window(1.0) == 50


@pytest.mark.rule("smpp.window-size")
@given(
    st.floats(0.01, 1e6),
    st.lists(st.floats(0, 30), min_size=20, max_size=200),
    st.integers(1, 10_000),
)
def test_between_what_the_rate_needs_and_what_the_carrier_permits(
    rate: float, round_trips_s: list[float], cap: int
) -> None:
    sizer = measured(*round_trips_s, cap=cap)
    window = sizer.window(rate)
    assert 1 <= window <= cap
    assert window == cap or window >= rate * round_trips_s[-1]
    assert window <= sizer.room(window, rate) <= cap + cap // 8 + 1


def test_it_grows_at_once_and_shrinks_slowly(random: Random) -> None:
    sizer = measured(*[0.01] * 50)
    before = sizer.window(100)
    sizer.answered(0.4)
    assert sizer.window(100) >= 80
    sizer.answered(0.01)
    assert sizer.window(100) >= 75
    for _ in range(1000):
        sizer.answered(0.01)
    assert sizer.window(100) <= before + 1


def test_round_trips_that_differ_leave_no_answer_without_a_slot(random: Random) -> None:
    sizer = measured(*(random.uniform(0, 0.3) for _ in range(500)))
    assert sizer.window(100) >= 30


def test_the_window_of_a_fast_carrier_is_a_tenth_of_its_cap() -> None:
    """What a broken link makes unknown at 100 a second and 20 ms: 8 messages instead of 100."""
    assert measured(*[0.02] * 30).window(100) == 8
