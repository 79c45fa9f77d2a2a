"""The wheel: who is told when, by one plan for many."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.routing.arrival import Cell
from connector.routing.errand import Errand, Offer, OffersOf
from connector.routing.follow_up import Watched, Wheel


class Plans:
    """Every errand becomes due at `age_s`, or at `own`; counts how often a plan is made."""

    def __init__(self) -> None:
        self.age_s = 5.0
        self.own = inf
        self.made = 0

    def age_of(self, errand: Errand, offers_of: OffersOf, now: float) -> float:
        self.made += 1
        return self.age_s

    def at_of(self, errand: Errand, offers_of: OffersOf, now: float) -> float:
        self.made += 1
        return self.own


def offers_of(now: float) -> Sequence[Offer]:
    return ()


def waiting(token: object, now: float) -> Watched:
    watched = Watched(Errand(Cell("DE", "a"), "default", now, now + 30.0), token, offers_of)
    assert watched.errand is not None
    watched.errand.watched = watched
    return watched


def tokens(found: list[Watched]) -> list[object]:
    return [watched.token for watched in found]


def test_a_line_has_one_plan_and_is_told_in_order() -> None:
    plans = Plans()
    wheel = Wheel(plans.age_of, plans.at_of)
    for i in range(100):
        wheel.join(waiting(i, i * 0.001), "line", i * 0.001, i * 0.001)
    assert plans.made == 1
    assert wheel.next_due() == 5.0
    assert wheel.due(4.9) == []
    assert tokens(wheel.due(5.0495)) == list(range(50))
    assert len(wheel) == 50
    assert tokens(wheel.due(6.0)) == list(range(50, 100))
    assert wheel.next_due() is None


def test_who_has_left_is_not_told() -> None:
    plans = Plans()
    wheel = Wheel(plans.age_of, plans.at_of)
    several = [waiting(i, 0.0) for i in range(3)]
    for watched in several:
        wheel.join(watched, "line", 0.0, 0.0)
    alone = [waiting("x", 0.0), waiting("y", 0.0)]
    for watched in alone:
        wheel.wait(watched, 5.0)
    wheel.leave(several[0])
    wheel.leave(alone[1])
    assert sorted(map(str, tokens(wheel.due(9.0)))) == ["1", "2", "x"]
    assert len(wheel) == 0


def test_plans_are_made_anew_every_second() -> None:
    plans = Plans()
    wheel = Wheel(plans.age_of, plans.at_of)
    wheel.join(waiting("a", 0.0), "line", 0.0, 0.0)
    wheel.tick(0.5)
    assert plans.made == 1
    plans.age_s = 2.0
    wheel.tick(1.0)
    assert wheel.next_due() == 2.0
    plans.age_s = inf
    wheel.tick(2.0)
    assert wheel.next_due() is None or wheel.due(3.0) == []
    plans.age_s = 3.5
    wheel.tick(3.0)
    assert tokens(wheel.due(3.5)) == ["a"]


def test_a_change_brings_instants_forward() -> None:
    plans = Plans()
    wheel = Wheel(plans.age_of, plans.at_of)
    wheel.join(waiting("line", 0.0), "line", 0.0, 0.0)
    wheel.wait(waiting("alone", 0.0), 20.0)
    wheel.wait(waiting("never", 0.0), inf)
    plans.age_s = plans.own = 0.3
    wheel.changed(0.2)
    wheel.tick(0.25)
    assert sorted(map(str, tokens(wheel.due(0.3)))) == ["alone", "line", "never"]
    assert len(wheel) == 0
    assert wheel.due(99.0) == []


def test_empty_lines_go() -> None:
    plans = Plans()
    wheel = Wheel(plans.age_of, plans.at_of)
    for i in range(30):
        watched = waiting(i, 0.0)
        wheel.join(watched, i, 0.0, 0.0)
        wheel.leave(watched)
    wheel.tick(1.0)
    assert not wheel._lines
    assert wheel.due(99.0) == []


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 0.4), st.sampled_from("abcxy"), st.booleans()), max_size=120))
def test_everybody_is_told_once_at_the_instant(events: list[tuple[float, str, bool]]) -> None:
    plans = Plans()
    wheel = Wheel(plans.age_of, plans.at_of)
    now, expected, told, number = 0.0, {}, {}, 0
    present: dict[int, Watched] = {}
    for pause_s, line, leaves in [*events, *[(0.25, "", False)] * 40]:
        now += pause_s
        for watched in wheel.due(now):
            assert watched.token not in told
            told[watched.token] = now
            del present[watched.token]
        wheel.tick(now)
        if line:
            number += 1
            present[number] = watched = waiting(number, now)
            if line in "xy":
                wheel.wait(watched, now + 5.0)
            else:
                wheel.join(watched, line, now, now)
            expected[number] = now + 5.0
        if leaves and present:
            gone = next(iter(present))
            wheel.leave(present.pop(gone))
            del expected[gone]
    assert told.keys() == expected.keys()
    assert all(expected[key] <= at + 1e-9 and at <= expected[key] + 0.41 for key, at in told.items())
