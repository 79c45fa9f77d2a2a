"""The token bucket: never more than the rate, never less than it could be."""

from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.carriers.throttle import TokenBucket

EPOCH = 1_700_000_000.0
rates = st.one_of(st.floats(0.05, 20_000), st.sampled_from([0.1, 1.0, 3.0, 10.0, 100.0, 10_000.0]))
times = st.lists(st.floats(0, 3), min_size=1, max_size=200).map(sorted)


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_the_rate_is_above_0(rate: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        TokenBucket(rate, 0)


@given(rates, times)
def test_no_interval_has_more_than_the_rate(rate: float, asked: list[float]) -> None:
    bucket = TokenBucket(rate, EPOCH)
    taken = [at for at in asked for _ in range(50) if bucket.take(EPOCH + at)]
    for start in range(0, len(taken), 7):
        for length in (0.0, 0.1, 1.0):
            end = bisect_right(taken, taken[start] + length)
            assert end - start <= bucket.capacity + rate * length + 1.01


@given(rates, st.integers(1, 300))
def test_next_at_keeps_its_word_and_loses_nothing(rate: float, count: int) -> None:
    """Sending at each `next_at` reaches the rate, with times as large as the seconds since 1970."""
    bucket, now = TokenBucket(rate, EPOCH), EPOCH
    while bucket.take(now):
        pass
    began = now
    for _ in range(count):
        now = bucket.next_at(now)
        assert bucket.take(now)
    # A piece of a token was left over.
    assert (count - 1) / rate - 1e-3 <= now - began <= count / rate * 1.001 + 1e-3


def test_it_saves_up_a_tenth_of_a_second() -> None:
    bucket = TokenBucket(100, EPOCH)
    assert sum(bucket.take(EPOCH) for _ in range(100)) == 10
    assert sum(bucket.take(EPOCH + 3600) for _ in range(100)) == 10
    slow = TokenBucket(0.5, EPOCH)
    assert [slow.take(EPOCH), slow.take(EPOCH), slow.take(EPOCH + 1.9), slow.take(EPOCH + 2)] == [
        True, False, False, True,
    ]  # fmt: skip


def test_held_for_a_tenth_of_a_second() -> None:
    bucket = TokenBucket(100, EPOCH)
    bucket.hold(EPOCH)
    assert bucket.tokens(EPOCH) <= 0
    assert not bucket.take(EPOCH + 0.08)
    assert bucket.next_at(EPOCH) == pytest.approx(EPOCH + 0.1 + 1 / 70, abs=1e-3)
    bucket.hold(EPOCH + 0.08)
    assert not bucket.take(EPOCH + 0.16)
    assert bucket.take(bucket.next_at(EPOCH + 0.16))


def test_each_burst_slows_down_once_and_time_makes_up_for_it() -> None:
    bucket = TokenBucket(1000, EPOCH)
    for late in (0.0, 0.01, 0.02):
        bucket.hold(EPOCH + late)
    assert bucket.pace == pytest.approx(700)
    bucket.hold(EPOCH + 1.12)
    assert bucket.pace == pytest.approx(0.7 * 1000)  # 300 more a second after the pause
    bucket.tokens(EPOCH + 1.72)
    assert bucket.pace == pytest.approx(850)
    bucket.tokens(EPOCH + 9)
    assert (bucket.pace, bucket.capacity) == (1000, 100)


@pytest.mark.parametrize("rate", [130, 1000, 10_000])
def test_a_carrier_that_takes_less_gets_nearly_all_it_takes(rate: float) -> None:
    """A carrier of 100 a second that saves up ten, as it answers without delay."""
    bucket, now, end = TokenBucket(rate, EPOCH), EPOCH, EPOCH + 60
    saved, filled_at, taken, turned_away = 10.0, EPOCH, 0, 0
    while (now := bucket.next_at(now)) < end:
        assert bucket.take(now)
        saved, filled_at = min(10.0, saved + (now - filled_at) * 100), now
        if saved >= 1:
            saved, taken = saved - 1, taken + 1
        else:
            turned_away += 1
            bucket.hold(now)
    assert taken > 0.9 * 6000
    assert turned_away < 0.05 * taken


def test_the_carriers_trouble_does_not_stop_us_for_good() -> None:
    bucket = TokenBucket(100, EPOCH)
    for tenth in range(600):
        bucket.hold(EPOCH + tenth * 0.2)
    assert 1 <= bucket.pace < 2
    bucket.tokens(EPOCH + 120 + 60)
    assert bucket.pace == 100


@given(rates, st.lists(st.tuples(st.floats(0, 5), st.booleans()), max_size=50))
def test_time_may_stand_still_and_holds_may_pile_up(rate: float, steps: list[tuple[float, bool]]) -> None:
    bucket = TokenBucket(rate, EPOCH)
    for at, held in sorted(steps):
        if held:
            bucket.hold(EPOCH + at)
            assert not bucket.take(EPOCH + at)
        at_last = bucket.next_at(EPOCH + at)
        assert at_last >= EPOCH + at
        assert bucket.tokens(EPOCH + at) <= bucket.capacity
    assert bucket.take(bucket.next_at(EPOCH + 6))
