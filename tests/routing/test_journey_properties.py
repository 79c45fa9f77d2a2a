"""Journeys of any kind walked in any way: limits, order, time, and the end that is one."""

from dataclasses import dataclass, field
from itertools import pairwise, takewhile

from hypothesis import given
from hypothesis import strategies as st

from connector.config.journey import Journey, Step
from connector.routing.journey import STARTS, Progress, When, due, existing, is_over

STATES = ("under_way", "sent", "unknown", "failed", "arrived")
NEXT = {
    "under_way": ("sent", "unknown", "failed", "arrived"),
    "sent": ("failed", "arrived"),
    "unknown": ("sent", "failed", "arrived"),
    "failed": (),
    "arrived": (),
}


@st.composite
def steps(draw: st.DrawFn, start: str | None = None) -> Step:
    chosen = start or draw(st.sampled_from(sorted(STARTS)))
    return Step(
        channel=draw(st.sampled_from(["sms", "voice"])),
        start=chosen,
        after_s=draw(st.sampled_from([0.5, 5.0, 20.0])) if chosen == "after" else None,
        attempts=draw(st.integers(1, 3)),
        countries=draw(st.sampled_from([(), ("DE",), ("FR",)])),
        prefixes=draw(st.sampled_from([(), ("+49",)])),
    )


journeys = st.builds(
    lambda steps, most: Journey(steps=tuple(steps), max_attempts=most),
    st.lists(steps(), min_size=1, max_size=5),
    st.integers(1, 8),
)
places = st.sampled_from([("DE", "+491511"), ("FR", "+3361"), ("", "+491511")])


@dataclass
class Flown:
    step: int
    state: str = "under_way"


@dataclass
class Walk:
    """One job: what it has started, in order, and what became of it."""

    of: Journey
    progress: Progress
    left: set[int]
    now: float = 0.0
    flights: list[Flown] = field(default_factory=list)

    @property
    def due(self):
        return due(self.of, self.progress, self.flights, self.now, self.left)

    @property
    def over(self) -> bool:
        return is_over(self.of, self.progress, self.flights, self.left)

    def begin(self, step: int) -> None:
        self.progress.begin(step, self.now)
        self.flights.append(Flown(step))

    def when(self, step: int) -> When:
        return STARTS[self.of.steps[step].start][self.progress.starts[step] > 0]

    def check(self) -> None:
        what = self.due
        mine = [*what.now, *what.predicted]
        assert all(self.progress.starts[step] < self.of.steps[step].attempts for step in mine)
        assert sum(self.progress.starts) + len(what.now) <= self.of.max_attempts
        assert set(mine) <= self.left & set(self.progress.steps)
        for found in (what.now, what.predicted):
            assert all(one < other for one, other in pairwise(found))
        assert what.at is None or what.at > self.now
        if self.over:
            assert what == ((), None, ())
        failed = all(flight.state == "failed" for flight in self.flights)
        resumed = [step for step in what.now if self.when(step) in (When.FAILURE, When.MISS)]
        assert len(resumed) <= failed
        for step in what.now:
            for earlier in self.before(step):
                assert self.progress.starts[earlier] or earlier not in self.left or earlier in what.now

    def before(self, step: int) -> list[int]:
        """Existing steps that must be started first: all but its rivals."""
        steps = self.progress.steps[: self.progress.steps.index(step) + 1]
        rivals = list(takewhile(lambda i: self.of.steps[i].start == "on_predicted_miss", reversed(steps)))
        return [earlier for earlier in steps if earlier != step and earlier not in rivals]


@st.composite
def walks(draw: st.DrawFn) -> Walk:
    """A job somewhere on its way."""
    of = draw(journeys)
    country, number = draw(places)
    there = existing(of, country, number)
    walk = Walk(of, Progress(of, there), set(draw(st.sets(st.sampled_from(range(len(of.steps)))))))
    if draw(st.booleans()):
        walk.left = set(range(len(of.steps)))
    for _ in range(draw(st.integers(0, 6))):
        walk.now += draw(st.sampled_from([0.0, 0.5, 3.0, 20.0]))
        walk.check()
        what = walk.due
        if begin := [*what.now, *what.predicted]:
            walk.begin(draw(st.sampled_from(begin)))
        for flight in walk.flights:
            if after := NEXT[flight.state]:
                flight.state = draw(st.sampled_from((flight.state, *after)))
    walk.check()
    return walk


@given(walks(), st.floats(0, 100))
def test_time_alone_only_adds_what_starts_by_time(walk: Walk, seconds: float) -> None:
    before = walk.due
    walk.now += seconds
    walk.check()
    after = walk.due
    if len(before.now) + sum(walk.progress.starts) < walk.of.max_attempts:
        assert set(before.now) <= set(after.now)
        assert before.predicted == after.predicted
    for step in set(after.now) - set(before.now):
        assert before.at is not None and walk.now >= before.at
        assert walk.of.steps[step].start in ("after", "at_once")  # those that go together with it
    if before.at is not None and walk.now >= before.at:
        assert set(after.now) > set(before.now)


@given(walks(), st.data())
def test_over_is_final(walk: Walk, data: st.DataObject) -> None:
    if not walk.over:
        return
    for _ in range(3):
        walk.now += data.draw(st.sampled_from([0.0, 30.0]))
        for flight in walk.flights:
            if after := NEXT[flight.state]:
                flight.state = data.draw(st.sampled_from((flight.state, *after)))
        assert walk.over
        walk.check()


@given(walks(), st.data())
def test_what_is_not_over_may_still_start(walk: Walk, data: st.DataObject) -> None:
    """And every way comes to its end: nothing starts for ever."""
    limit = walk.of.max_attempts
    while not walk.over:
        for flight in walk.flights:
            if "failed" in NEXT[flight.state]:
                flight.state = "failed"
        what = walk.due
        if what.now or what.predicted:
            walk.begin(data.draw(st.sampled_from([*what.now, *what.predicted])))
        else:
            assert what.at is not None
            walk.now = what.at
        walk.check()
        assert sum(walk.progress.starts) <= limit
    walk.now += 1000.0
    assert walk.due == ((), None, ())


@given(walks())
def test_a_failure_only_adds_starts(walk: Walk) -> None:
    before = walk.due
    for flight in walk.flights:
        if "failed" in NEXT[flight.state]:
            flight.state = "failed"
    walk.check()
    after = walk.due
    if len(after.now) + sum(walk.progress.starts) < walk.of.max_attempts:
        assert set(before.now) <= set(after.now)
        assert (before.at, before.predicted) == (after.at, after.predicted)


@given(walks(), st.data())
def test_a_start_and_its_undoing_leave_no_trace(walk: Walk, data: st.DataObject) -> None:
    before = (walk.due, walk.over)
    if before[0].now:
        walk.begin(step := data.draw(st.sampled_from(before[0].now)))
        walk.check()
        walk.progress.undo(step)
        walk.flights.pop()
    assert (walk.due, walk.over) == before
