"""Journeys as tables: what may start, step by step; each line is one instant of one job."""

from typing import NamedTuple

import pytest

from connector.config.journey import Journey, Step
from connector.routing.journey import STARTS, Due, Progress, When, due, existing, is_over

SMS = Step(channel="sms")
AGAIN = Step(channel="sms", attempts=2)
VOICE = Step(channel="voice")
ON_FAILURE = Step(channel="voice", start="on_failure")
ON_MISS = Step(channel="sms", start="on_predicted_miss")
TWICE_ON_MISS = Step(channel="sms", start="on_predicted_miss", attempts=2)
MISS_BY_VOICE = Step(channel="voice", start="on_predicted_miss")
AFTER_20 = Step(channel="voice", start="after", after_s=20.0)
AFTER_5 = Step(channel="voice", start="after", after_s=5.0)


class Flown(NamedTuple):
    state: str


def flights(*states: str) -> list[Flown]:
    return [Flown(state) for state in states]


def journey(*steps: Step, max_attempts: int = 16) -> Journey:
    return Journey(steps=steps, max_attempts=max_attempts)


def begun(of: Journey, *starts: tuple[int, float], steps: tuple[int, ...] | None = None) -> Progress:
    progress = Progress(of, existing(of, "", "+1") if steps is None else steps)
    for step, at in starts:
        progress.begin(step, at)
    return progress


def test_every_start_has_its_conditions() -> None:
    assert set(STARTS) == {"at_once", "on_failure", "on_predicted_miss", "after"}
    assert {when for row in STARTS.values() for when in row} == set(When)
    assert all(again in (When.FAILURE, When.MISS) for _, again in STARTS.values())  # none by itself


ONE = journey(SMS)
RETRY = journey(AGAIN, AFTER_20)
PARALLEL = journey(SMS, VOICE, AFTER_5)
FAILOVER = journey(SMS, ON_FAILURE)
PATIENT = journey(SMS, TWICE_ON_MISS, AFTER_20)
STUBBORN = journey(AGAIN, ON_FAILURE, ON_FAILURE)
RIVALS = journey(SMS, ON_MISS, MISS_BY_VOICE, AFTER_20)
TIMED = journey(SMS, AFTER_20, AFTER_5)
CHAIN = journey(SMS, ON_FAILURE, ON_FAILURE)
SHORT = journey(SMS, TWICE_ON_MISS, ON_FAILURE, max_attempts=2)
FEW = journey(SMS, SMS, SMS, max_attempts=2)

TABLE: list[tuple[Journey, list[tuple[int, float]], list[str], float, Due, bool]] = [
    # journey, started, flights, now, due, is over
    (ONE, [], [], 0, Due((0,), None, ()), False),
    (ONE, [(0, 0)], ["under_way"], 1, Due((), None, ()), True),
    (ONE, [(0, 0)], ["failed"], 1, Due((), None, ()), True),
    # a further attempt of a step that starts at once is for failure alone, and hastens nothing
    (RETRY, [(0, 0)], ["sent"], 1, Due((), 20, ()), False),
    (RETRY, [(0, 0)], ["failed"], 1, Due((0,), 20, ()), False),
    (RETRY, [(0, 0), (0, 1)], ["failed", "failed"], 2, Due((), 20, ()), False),
    (RETRY, [(0, 0), (0, 1)], ["failed", "failed"], 20, Due((1,), None, ()), False),
    (RETRY, [(0, 0)], ["failed"], 25, Due((0, 1), None, ()), False),
    (RETRY, [(0, 0), (0, 1), (1, 20)], ["failed", "failed", "under_way"], 21, Due((), None, ()), True),
    # parallel steps go together, and what follows them counts from the nearest
    (PARALLEL, [], [], 0, Due((0, 1), None, ()), False),
    (PARALLEL, [(0, 0)], ["under_way"], 1, Due((1,), None, ()), False),
    (PARALLEL, [(0, 0), (1, 3)], ["under_way"] * 2, 3, Due((), 8, ()), False),
    (PARALLEL, [(1, 3)], ["under_way"], 9, Due((0,), None, ()), False),  # the first was undone
    # failure means all of it, for good
    (FAILOVER, [(0, 0)], ["under_way"], 1, Due((), None, ()), False),
    (FAILOVER, [(0, 0)], ["sent"], 1, Due((), None, ()), False),
    (FAILOVER, [(0, 0)], ["unknown"], 1, Due((), None, ()), False),
    (FAILOVER, [(0, 0)], ["failed"], 1, Due((1,), None, ()), False),
    (FAILOVER, [(0, 0)], ["arrived"], 1, Due((), None, ()), True),
    (FAILOVER, [(0, 0), (1, 1)], ["failed", "failed"], 2, Due((), None, ()), True),
    (CHAIN, [(0, 0)], ["failed"], 1, Due((1,), None, ()), False),
    (CHAIN, [(0, 0), (1, 1)], ["failed", "under_way"], 2, Due((), None, ()), False),
    (CHAIN, [(0, 0), (1, 1)], ["failed", "failed"], 3, Due((2,), None, ()), False),
    (CHAIN, [(0, 0), (1, 1)], ["unknown", "failed"], 3, Due((), None, ()), False),
    # of those that start because all has failed only the first
    (STUBBORN, [(0, 0)], ["failed"], 1, Due((0,), None, ()), False),
    (STUBBORN, [(0, 0), (0, 1)], ["failed", "failed"], 2, Due((1,), None, ()), False),
    # a miss is foreseen by the router, or has come
    (PATIENT, [], [], 0, Due((0,), None, ()), False),
    (PATIENT, [(0, 0)], ["sent"], 1, Due((), None, (1,)), False),
    (PATIENT, [(0, 0)], ["failed"], 1, Due((1,), None, (1,)), False),
    (PATIENT, [(0, 0), (1, 4)], ["sent", "sent"], 5, Due((), 24, (1,)), False),
    (PATIENT, [(0, 0), (1, 4)], ["failed", "sent"], 24, Due((2,), None, (1,)), False),
    (PATIENT, [(0, 0), (1, 4), (1, 9)], ["sent"] * 3, 10, Due((), 24, ()), False),  # from its first start
    (PATIENT, [(0, 0), (1, 4), (1, 9)], ["arrived"] * 3, 10, Due((), 24, ()), False),
    (PATIENT, [(0, 0), (1, 4), (1, 9), (2, 24)], ["sent"] * 4, 25, Due((), None, ()), True),
    # steps that wait for a miss one after the other are rivals, and the next one waits for all of them
    (RIVALS, [(0, 0)], ["sent"], 1, Due((), None, (1, 2)), False),
    (RIVALS, [(0, 0)], ["failed"], 1, Due((1,), None, (1, 2)), False),
    (RIVALS, [(0, 0), (2, 4)], ["sent", "sent"], 30, Due((), None, (1,)), False),
    (RIVALS, [(0, 0), (2, 4), (1, 9)], ["sent"] * 3, 10, Due((), 24, ()), False),
    # time alone
    (TIMED, [(0, 0)], ["failed"], 19.9, Due((), 20, ()), False),
    (TIMED, [(0, 0)], ["arrived"], 20, Due((1,), None, ()), False),
    (TIMED, [(0, 0)], ["sent"], 90, Due((1,), None, ()), False),
    (TIMED, [(0, 0), (1, 90)], ["sent", "sent"], 90, Due((), 95, ()), False),
    # over all steps
    (SHORT, [(0, 0)], ["failed"], 1, Due((1,), None, (1,)), False),
    (SHORT, [(0, 0)], ["sent"], 1, Due((), None, (1,)), False),
    (SHORT, [(0, 0), (1, 1)], ["failed", "failed"], 2, Due((), None, ()), True),
    (FEW, [], [], 0, Due((0, 1), None, ()), False),
    (FEW, [(0, 0), (1, 0)], ["failed", "failed"], 1, Due((), None, ()), True),
]


@pytest.mark.parametrize(("of", "started", "states", "now", "expected", "over"), TABLE)
def test_due(
    of: Journey, started: list[tuple[int, float]], states: list[str], now: float, expected: Due, over: bool
) -> None:
    progress = begun(of, *started)
    assert due(of, progress, flights(*states), now) == expected
    assert is_over(of, progress, flights(*states)) is over


LEFT: list[tuple[Journey, list[tuple[int, float]], list[str], float, set[int], Due, bool]] = [
    # journey, started, flights, now, steps with a carrier left, due, is over
    (ONE, [], [], 0, set(), Due((), None, ()), True),
    (FAILOVER, [], [], 0, {1}, Due((1,), None, ()), False),  # nothing has left, all of it failed
    (FAILOVER, [(0, 0)], ["sent"], 0, {0}, Due((), None, ()), True),
    (PATIENT, [], [], 0, {1, 2}, Due((1,), None, (1,)), False),
    (PATIENT, [], [], 7, {2}, Due((2,), None, ()), False),  # nothing to wait for
    (PATIENT, [(0, 0)], ["sent"], 7, {2}, Due((), 20, ()), False),  # counts from the one that was started
    (PATIENT, [(0, 0), (1, 4)], ["sent", "failed"], 7, {0, 2}, Due((), 24, ()), False),
    (PARALLEL, [], [], 0, {1, 2}, Due((1,), None, ()), False),
    (FEW, [], [], 0, {0, 2}, Due((0, 2), None, ()), False),
]


@pytest.mark.parametrize(("of", "started", "states", "now", "left", "expected", "over"), LEFT)
def test_steps_without_a_carrier_are_passed(
    of: Journey,
    started: list[tuple[int, float]],
    states: list[str],
    now: float,
    left: set[int],
    expected: Due,
    over: bool,
) -> None:
    progress = begun(of, *started)
    assert due(of, progress, flights(*states), now, left) == expected
    assert is_over(of, progress, flights(*states), left) is over


ABROAD = journey(
    Step(channel="sms", countries=("DE",), prefixes=("+43", "+4417")),
    Step(channel="sms", start="on_predicted_miss", countries=("DE", "FR")),
    AFTER_20,
    Step(channel="voice", start="on_failure", prefixes=("+49",)),
)


@pytest.mark.parametrize(
    ("country", "number", "steps"),
    [
        ("DE", "+4915112345678", (0, 1, 2, 3)),
        ("", "+4915112345678", (2, 3)),
        ("FR", "+33612345678", (1, 2)),
        ("AT", "+436641234567", (0, 2)),
        ("GB", "+447700900000", (2,)),
        ("GB", "+441712345678", (0, 2)),
        ("", "", (2,)),
    ],
)
def test_steps_exist_by_country_or_prefix(country: str, number: str, steps: tuple[int, ...]) -> None:
    assert existing(ABROAD, country, number) == steps
    progress = Progress(ABROAD, steps)
    assert due(ABROAD, progress, [], 0.0).now == steps[:1]  # whatever it would have waited for
    progress.begin(steps[0], 0.0)
    if len(steps) > 1 and steps[1] == 2:
        assert due(ABROAD, progress, flights("failed"), 0.0) == Due((), 20.0, ())


def test_a_journey_without_a_step_for_the_destination_is_over() -> None:
    of = journey(Step(channel="sms", countries=("DE",)))
    progress = Progress(of, existing(of, "FR", "+33612345678"))
    assert due(of, progress, [], 0.0) == Due((), None, ())
    assert is_over(of, progress, [])


def test_a_refused_start_is_none() -> None:
    progress = begun(TIMED, (0, 3.0))
    progress.undo(0)
    assert due(TIMED, progress, [], 4.0) == Due((0,), None, ())
    progress.begin(0, 5.0)
    assert due(TIMED, progress, flights("under_way"), 6.0) == Due((), 25.0, ())


def test_undoing_a_further_start_keeps_the_first() -> None:
    progress = begun(PATIENT, (0, 0.0), (1, 4.0), (1, 9.0))
    progress.undo(1)
    assert (progress.starts, progress.started_at) == ([1, 1, 0], [0.0, 4.0, None])
    assert due(PATIENT, progress, flights("sent", "sent"), 10.0) == Due((), 24.0, (1,))
