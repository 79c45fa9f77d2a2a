from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.simulator.delay import Delay
from connector.simulator.fates import EARLY_LEAD_S, Answer, Fate, FateSchedule
from connector.simulator.options import SmscOptions

SHARES = (
    "cut_share",
    "silence_share",
    "garbage_share",
    "response_missing",
    "message_lost",
    "receipt_fake",
    "receipt_missing",
    "receipt_undelivered",
    "receipt_duplicate",
    "receipt_early",
    "receipt_other_bind",
)
some_shares = st.dictionaries(st.sampled_from(SHARES), st.floats(0, 1), max_size=5)
delays = st.sampled_from(["0", "0.5", "uniform:0,2", "lognormal:2,0.6"]).map(Delay.parse)


def drawn(seed: int, amount: int, **options: object) -> list[Fate]:
    schedule = FateSchedule(seed, SmscOptions().changed(options))
    return [schedule.next() for _ in range(amount)]


@given(seed=st.integers(0, 2**32), shares=some_shares, delay=delays)
def test_the_same_seed_tells_the_same_story(seed: int, shares: dict[str, float], delay: Delay) -> None:
    assert drawn(seed, 50, receipt_delay=delay, **shares) == drawn(seed, 50, receipt_delay=delay, **shares)


def test_another_seed_tells_another_story() -> None:
    assert drawn(1, 50, receipt_missing=0.5) != drawn(2, 50, receipt_missing=0.5)


@given(seed=st.integers(0, 2**32), shares=some_shares)
def test_one_more_fault_leaves_the_other_decisions_alone(seed: int, shares: dict[str, float]) -> None:
    shares.pop("receipt_other_bind", None)
    without = drawn(seed, 50, receipt_delay="uniform:0,2", **shares)
    with_it = drawn(seed, 50, receipt_delay="uniform:0,2", receipt_other_bind=0.5, **shares)
    assert [fate._replace(other_bind=False) for fate in with_it] == without


@pytest.mark.parametrize(
    ("share", "happened"),
    [
        ("cut_share", lambda fate: fate.answer is Answer.CUT),
        ("silence_share", lambda fate: fate.answer is Answer.SILENCE),
        ("garbage_share", lambda fate: fate.answer is Answer.GARBAGE),
        ("response_missing", lambda fate: fate.answer is Answer.MISSING),
        ("message_lost", lambda fate: not fate.reports and fate.arrival_s is None),
        (
            "receipt_fake",
            lambda fate: bool(fate.reports) and fate.reports[0].state.delivered and fate.arrival_s is None,
        ),
        ("receipt_missing", lambda fate: not fate.reports and fate.arrival_s is not None),
        (
            "receipt_undelivered",
            lambda fate: fate.reports[0].state.stat == b"UNDELIV" and fate.arrival_s is None,
        ),
        ("receipt_duplicate", lambda fate: len(fate.reports) == 2),
        ("receipt_early", lambda fate: fate.receipt_first and fate.response_delay_s >= EARLY_LEAD_S),
        ("receipt_other_bind", lambda fate: fate.other_bind),
    ],
)
def test_a_share_is_met(share, happened) -> None:
    fates = drawn(3, 4000, **{share: 0.25})
    assert Counter(map(happened, fates))[True] == pytest.approx(1000, rel=0.15)
    assert all(map(happened, drawn(3, 100, **{share: 1})))
    assert not any(map(happened, drawn(3, 100)))


def test_changed_options_go_on_where_the_stream_was() -> None:
    options = SmscOptions().changed({"receipt_missing": 0.5})
    schedule = FateSchedule(9, options)
    first = [schedule.next() for _ in range(10)]
    schedule.configure(options)
    assert first + [schedule.next() for _ in range(10)] == drawn(9, 20, receipt_missing=0.5)
