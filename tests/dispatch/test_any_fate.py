"""Jobs against carriers that do all the contract permits, at any time: no blind duplicate, one end each."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.carriers.contract import Attempt
from tests.dispatch.stage import FakeCarrier, Stage, play

pytestmark = pytest.mark.timeout(240)  # a failure is made smaller first

STATUSES = (0x0A, 0x08, 0x01, 0x58)
delays = st.sampled_from([0.0, 0.3, 3.0])
fates = st.one_of(
    st.tuples(st.just("accept"), delays),
    st.tuples(st.just("refuse"), delays, st.sampled_from(STATUSES)),
    st.tuples(st.just("lose"), delays),
    st.tuples(st.just("lose then accept"), delays, delays),
    st.tuples(st.just("lose then refuse"), delays, delays, st.sampled_from(STATUSES)),
    st.tuples(st.just("give back"), delays),
)
jobs = st.tuples(st.sampled_from(["report", "resend_once"]), st.sampled_from([2.0, 30.0]), st.booleans())


class Fates:
    """What becomes of each attempt, in turn; and which of them may have reached the handset."""

    def __init__(self, stage: Stage, carrier: FakeCarrier, script: list[tuple]) -> None:
        self.stage, self.carrier, self.script = stage, carrier, list(script)
        self.certain: list[Attempt] = []  # those that certainly did not arrive

    def __call__(self, attempt: Attempt) -> None:
        name, *rest = self.script.pop(0) if self.script else ("accept", 0.0)
        self.stage.loop.call_later(rest[0], self.begin, attempt, name, rest[1:])

    def begin(self, attempt: Attempt, name: str, rest: list) -> None:
        carrier = self.carrier
        if name == "accept":
            carrier.accept(attempt)
        elif name == "refuse":
            self.refuse(attempt, rest[0])
        elif name == "give back":
            self.certain.append(attempt)
            carrier.give_back(attempt)
        else:
            carrier.lose(attempt)
            if name == "lose then accept":
                self.stage.loop.call_later(rest[0], carrier.accept, attempt)
            elif name == "lose then refuse":
                self.stage.loop.call_later(rest[0], self.refuse, attempt, rest[1])

    def refuse(self, attempt: Attempt, status: int) -> None:
        self.certain.append(attempt)
        self.carrier.refuse(attempt, status)


@settings(max_examples=60)
@given(
    st.lists(jobs, min_size=1, max_size=4),
    st.lists(fates, max_size=12),
    st.lists(fates, max_size=6),
    st.lists(st.tuples(st.floats(0, 5), st.integers(0, 3)), max_size=3),
)
def test_any_fate(
    tmp_path_factory: pytest.TempPathFactory,
    jobs: list[tuple[str, float, bool]],
    north_fates: list[tuple],
    south_fates: list[tuple],
    cancels: list[tuple[float, int]],
) -> None:
    async def act(stage: Stage) -> None:
        north, south = stage.carrier("north", window=2), stage.carrier("south", priority=1, window=2)
        north.react, south.react = Fates(stage, north, north_fates), Fates(stage, south, south_fates)
        sent_at: list[tuple[Attempt, float]] = []
        for carrier in stage.carriers:
            send = carrier.send
            carrier.send = (  # type: ignore[method-assign]
                lambda attempt, now, send=send: (sent_at.append((attempt, now)), send(attempt, now))[1]
            )
        stage.start()
        live = []
        for n, (policy, deadline_s, at_once) in enumerate(jobs):
            live.append(stage.accept(f"j{n}", on_unknown=policy, deadline_s=deadline_s))
            if not at_once:
                await stage.settle()
        for delay, which in cancels:
            stage.loop.call_later(delay, stage.cancel, live[which % len(live)])
        await asyncio.sleep(40)
        assert (len(stage.dispatcher.queue), stage.dispatcher.live) == (0, {})
        assert stage.dispatcher.holding.total() == 0
        assert north.room(0) == south.room(0) == 2
        stage.loop.clock.now += 1000
        stage.sweep()
        await stage.settle()
        certain = {id(attempt) for carrier in (north, south) for attempt in carrier.react.certain}
        for job in live:
            mine = [attempt for attempt, _ in sent_at if attempt.job is job]
            assert len(mine) - sum(id(attempt) in certain for attempt in mine) <= (
                2 if job.on_unknown == "resend_once" else 1
            )
            assert all(now < job.deadline_at for attempt, now in sent_at if attempt.job is job)
            story = stage.book.story(job)
            assert [kind for kind in story if "/" in kind] == [story[-1]]
            arrived_perhaps = [attempt for attempt in mine if id(attempt) not in certain]
            if story[-1] in ("failed/rejected", "expired/expired"):
                assert not arrived_perhaps
        told = stage.book.told[stage.book.app]
        assert [event.seq for event in told] == list(range(1, len(told) + 1))

    play(Path(tmp_path_factory.mktemp("fate")), act)
