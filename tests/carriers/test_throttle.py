"""The token bucket: never more than the rate, never less than it could be. The pace: what a carrier takes."""

import math
from bisect import bisect_right
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.carriers.throttle import Pace, TokenBucket
from tests.carriers.metering import Bursts, Limiter, Seconds, drive

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


# What follows an answer that says "too fast"


def slowed(ceiling: float, now: float = EPOCH) -> Pace:
    pace = Pace(ceiling)
    pace.slow(now, now)
    return pace


def test_at_its_ceiling_a_pace_holds_nothing_back() -> None:
    pace = Pace(100)
    assert pace.free
    assert all(pace.take(EPOCH) for _ in range(1000))
    assert (pace.tokens(EPOCH), pace.next_at(EPOCH)) == (math.inf, EPOCH)


def test_a_refusal_pauses_and_halves_a_rate_of_which_nothing_is_known() -> None:
    pace = slowed(1000)
    assert pace.rate == pytest.approx(500)
    assert not pace.take(EPOCH)
    assert EPOCH + 0.02 < pace.next_at(EPOCH) < EPOCH + 0.03
    assert pace.take(pace.next_at(EPOCH))


@pytest.mark.rule("smpp.throttled-rate")
def test_one_burst_slows_down_once() -> None:
    pace = slowed(1000)
    for answered in range(1, 50):
        pace.slow(EPOCH + answered / 1000, EPOCH - 0.01)
    assert pace.rate == pytest.approx(500)
    pace.slow(EPOCH + 0.1, EPOCH + 0.05)
    assert pace.rate < 280


def test_a_known_limit_is_felt_for_gently() -> None:
    pace = slowed(1000)
    now = EPOCH
    while pace.rate < 900:
        now += 0.01
        pace.tokens(now)
    before = pace.rate
    pace.slow(now, now)
    assert pace.rate == pytest.approx(before * 0.97)
    pace.slow(now + 0.1, now + 0.05)
    assert pace.rate == pytest.approx(before * 0.97 * 0.94, rel=0.01)


def test_who_is_always_nearly_full_still_gets_half() -> None:
    pace, now = Pace(1000), EPOCH
    for _ in range(10_000):
        now += 0.01
        pace.sent(2, now)
        pace.ease(now, now - 0.005)
    assert 90 < pace.rate < 110


def test_nearly_full_is_slower_by_a_little_and_without_a_pause() -> None:
    pace = Pace(1000)
    for tenth in range(8):
        pace.sent(20, EPOCH + tenth / 10)
    pace.ease(EPOCH + 0.8, EPOCH + 0.79)
    # 200 a second really left, whatever the ceiling is.
    assert 180 < pace.rate < 250
    pace.tokens(EPOCH + 0.9)
    assert pace.take(pace.next_at(EPOCH + 0.9))
    rate = pace.rate
    pace.ease(EPOCH + 0.9, EPOCH + 0.79)
    assert pace.rate == rate, "that PDU left before we slowed down"


LIMITERS: dict[str, tuple[Limiter, float]] = {
    "saves up a tenth of a second": (Bursts(100, 10), 0.97),
    "saves up two": (Bursts(100, 2), 0.97),
    "saves up a second": (Bursts(100, 100), 0.97),
    "counts by the second": (Seconds(100), 0.97),
    # Our timers are a millisecond late: what comes 9.5 ms after the last one is turned away there.
    "saves up nothing": (Bursts(100, 1), 0.87),
}


@pytest.mark.rule("smpp.throttled-rate")
@pytest.mark.parametrize("round_trip_s", [0.001, 0.05, 0.3])
@pytest.mark.parametrize("ceiling", [130, 1000, 10_000])
@pytest.mark.parametrize("limiter", LIMITERS)
def test_a_carrier_that_takes_less_gets_nearly_all_it_takes(
    limiter: str, ceiling: float, round_trip_s: float, random: Random
) -> None:
    carrier, least = LIMITERS[limiter]
    run = drive([carrier.fresh()], ceiling=ceiling, round_trip_s=round_trip_s, seconds=80, rng=random)
    steady = run.between(30, 80)
    assert least * 100 <= steady.accepted_a_second <= 102
    assert steady.turned_away_share < 0.01


@pytest.mark.parametrize(
    ("rate", "least", "most_turned_away"), [(5, 0.9, 0.03), (20, 0.97, 0.02), (2000, 0.97, 0.005)]
)
def test_at_any_rate(rate: float, least: float, most_turned_away: float, random: Random) -> None:
    carrier = Bursts(rate, max(1, rate / 10))
    run = drive(
        [carrier], ceiling=rate * 10, round_trip_s=0.02, seconds=60 if rate > 100 else 200, rng=random
    )
    steady = run.between(20 if rate > 100 else 60, 60 if rate > 100 else 200)
    assert steady.accepted_a_second >= least * rate
    assert steady.turned_away_share < most_turned_away


@pytest.mark.parametrize(
    ("scope", "carriers", "limit"), [("bind", 2, 200), ("bind", 1, 100), ("account", 1, 100)]
)
def test_two_binds_of_an_account(scope: str, carriers: int, limit: int, random: Random) -> None:
    """Limits of each bind, and one for the account, whichever of the two we were told it is."""
    metered: list[Limiter] = [Bursts(100, 10) for _ in range(carriers)]
    run = drive(metered, ceiling=1000, round_trip_s=0.02, seconds=80, rng=random, binds=2, scope=scope)
    steady = run.between(30, 80)
    assert 0.97 * limit <= steady.accepted_a_second <= 1.02 * limit
    assert steady.turned_away_share < 0.015


def test_what_the_carrier_changes_is_followed(random: Random) -> None:
    carrier = Bursts(100, 10)
    changes = {30.0: 50.0, 60.0: 100.0}
    run = drive([carrier], ceiling=1000, round_trip_s=0.05, seconds=120, rng=random, changes=changes)
    assert run.between(35, 60).accepted_a_second >= 0.95 * 50
    assert run.between(85, 120).accepted_a_second >= 0.97 * 100
    assert run.between(0, 120).turned_away_share < 0.03


def test_the_carriers_trouble_is_no_storm_and_does_not_stop_us_for_good(random: Random) -> None:
    carrier = Bursts(100, 10)
    changes = {30.0: 0.001, 45.0: 100.0}
    run = drive([carrier], ceiling=1000, round_trip_s=0.05, seconds=140, rng=random, changes=changes)
    assert run.between(31, 45).turned_away < 30
    assert run.between(110, 140).accepted_a_second >= 0.97 * 100


@pytest.mark.rule("smpp.throttled-rate")
def test_it_comes_back_to_its_ceiling() -> None:
    pace = slowed(1000)
    pace.tokens(EPOCH + 3600)
    assert pace.free
    pace.tokens(EPOCH + 1e9)
    assert pace.free


@given(
    rates,
    st.lists(st.tuples(st.floats(0, 5), st.sampled_from(["slow", "ease", "take", "sent"])), max_size=50),
)
def test_time_may_stand_still_and_refusals_may_pile_up(rate: float, steps: list[tuple[float, str]]) -> None:
    pace = Pace(rate)
    for at, step in sorted(steps):
        now = EPOCH + at
        if step == "slow":
            pace.slow(now, now)
            assert not pace.take(now)
        elif step == "ease":
            pace.ease(now, now)
        elif step == "sent":
            pace.sent(3, now)
        else:
            pace.take(now)
        assert 0 < pace.rate <= rate
        at_last = pace.next_at(now)
        assert at_last >= now
        # The slower end: a hundredth of the rate, or one a second.
        assert at_last - now <= 1.5 + 1 / min(1.0, rate * 0.009)
    assert pace.take(pace.next_at(EPOCH + 6))
