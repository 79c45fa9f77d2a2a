"""Journeys in any order and interleaving, over the real dispatcher and journal, also through deaths.

What is forbidden is seen by `World` when it happens, mostly when bytes leave.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from connector.carriers.contract import Attempt, CallEnd
from connector.carriers.statuses import StatusClass

from .lane_folder import CHANNELS, NUMBERS, QUIET_AT, lane, without
from .process import GIVE_UP_S, Process
from .world import CALL_S, NearEnd, Wish, World

START = 1_700_000_000.0
STATUSES = (0x0A, 0x08, 0x58, 0x01, 0x0B)
FATES = ("accept", "accept", "accept", "DELIVERED", "UNDELIVERABLE", "lose", "give back", *STATUSES)
RECEIPTS = {"DELIVERED": "delivered", "UNDELIVERABLE": "failed", "EXPIRED": "expired", "ENROUTE": None}
ENDS = (
    CallEnd("delivered", "heard", 200),
    CallEnd("undelivered", "busy", 486),
    CallEnd("undelivered", "no answer", 480, redial_s=2.0),
    CallEnd("refused", "congested", 503, redial_s=1.0),
    CallEnd("refused", "forbidden", 403, kind=StatusClass.PERMANENT_HERE),
    CallEnd("refused", "never again", 603, kind=StatusClass.PERMANENT),
    CallEnd("unsent", "no address answers"),
    CallEnd("unknown", "lost"),
)
PINS = (((), True), (("north",), False), (("south", "dial"), True))
LEAVING_OUT = ((), ("north",), ("east", "south"), ("west",), ("dial", "south"))
which = st.integers(0, 9)
turns = st.integers(0, 4)


class Lane(RuleBasedStateMachine):
    """Each rule acts at once; `turns` of the loop follow it, so that the next one may come in between."""

    def __init__(self) -> None:
        super().__init__()
        self.path = Path(tempfile.mkdtemp())
        self.count = 0

    @initialize(quiet=st.booleans())
    def begin(self, quiet: bool) -> None:
        self.world = World(self.path / "journal.db", lane(quiet=quiet))
        self.world.quiet_at = QUIET_AT if quiet else None
        self.process = Process(self.world, START)

    def act(self, verb: Callable[[], Any], turns: int) -> None:
        async def once() -> None:
            verb()

        self.process.run(once)
        self.process.turn(turns)

    # The application

    @rule(
        journey=st.sampled_from(["sms", "voice", "code", "failover", "both", "abroad", "doubtful"]),
        country=st.sampled_from(sorted(NUMBERS)),
        deadline_s=st.sampled_from([2.0, 12.0, 60.0]),
        on_unknown=st.sampled_from(["report", "resend_once"]),
        key=st.sampled_from([None, None, "alice", "bob"]),
        pins=st.sampled_from(PINS),
        turns=turns,
    )
    def submit(
        self,
        journey: str,
        country: str,
        deadline_s: float,
        on_unknown: str,
        key: str | None,
        pins: tuple[tuple[str, ...], bool],
        turns: int,
    ) -> None:
        if NUMBERS[country] in self.world.opted_out:
            return  # the gate takes none
        self.count += 1
        now = self.process.now()
        wish = Wish(
            f"j{self.count}", NUMBERS[country], country, journey, now + deadline_s, on_unknown, *pins, key
        )
        self.act(lambda: self.process.submit(wish), turns)

    @precondition(lambda self: self.open)
    @rule(which=which, turns=turns)
    def cancel(self, which: int, turns: int) -> None:
        wish = self.open[which % len(self.open)]
        self.act(lambda: self.process.cancel(wish), turns)

    @precondition(lambda self: self.open)
    @rule(which=which, converted=st.booleans(), attempt=st.sampled_from([None, 1, 2]), turns=turns)
    def feedback(self, which: int, converted: bool, attempt: int | None, turns: int) -> None:
        wish = self.open[which % len(self.open)]
        self.act(lambda: self.process.feedback(wish, converted, attempt), turns)

    @precondition(lambda self: self.open)
    @rule(countries=st.sets(st.sampled_from(sorted(NUMBERS)), max_size=2), turns=turns)
    def opt_out(self, countries: set[str], turns: int) -> None:
        numbers = frozenset(NUMBERS[country] for country in countries)
        self.act(lambda: self.process.opt_out(numbers), turns)

    @property
    def open(self) -> list[Wish]:
        return [wish for wish in self.world.wishes.values() if not wish.final]

    # Carriers

    @precondition(lambda self: self.process.attempts("sms"))
    @rule(which=which, fate=st.sampled_from(FATES), turns=turns)
    def answer(self, which: int, fate: str | int, turns: int) -> None:
        under_way = self.process.attempts("sms")
        near, attempt = under_way[which % len(under_way)]
        verbs = {"accept": near.accept, "lose": near.lose, "give back": near.give_back}
        if isinstance(fate, int):
            self.act(lambda: near.refuse(attempt, fate), turns)
        elif fate in RECEIPTS:
            self.act(lambda: near.accept(attempt), turns)
            message = self.world.messages[-1]
            self.act(lambda: self.process.report(message, fate, RECEIPTS[fate]), turns)
        else:
            self.act(lambda: verbs[fate](attempt), turns)

    @precondition(lambda self: self.lost)
    @rule(which=which, status=st.sampled_from([None, *STATUSES]), turns=turns)
    def answer_late(self, which: int, status: int | None, turns: int) -> None:
        near, attempt = self.lost[which % len(self.lost)]
        self.act(lambda: near.accept(attempt) if status is None else near.refuse(attempt, status), turns)

    @property
    def lost(self) -> list[tuple[NearEnd, Attempt]]:
        return [(near, attempt) for near in self.process.near.values() for attempt in near.unknown]

    @precondition(lambda self: self.world.messages)
    @rule(which=which, state=st.sampled_from(sorted(RECEIPTS)), turns=turns)
    def receipt(self, which: int, state: str, turns: int) -> None:
        messages = self.world.messages[-6:]
        message = messages[which % len(messages)]
        self.act(lambda: self.process.report(message, state, RECEIPTS[state]), turns)

    @precondition(lambda self: self.process.attempts("voice"))
    @rule(which=which, step=st.sampled_from(["ringing", "answered", "digit"]), turns=turns)
    def ring(self, which: int, step: str, turns: int) -> None:
        calls = self.process.attempts("voice")
        near, attempt = calls[which % len(calls)]
        self.act(lambda: near.progress(attempt, step, "1" if step == "digit" else None), turns)

    @precondition(lambda self: self.process.attempts("voice"))
    @rule(which=which, end=st.sampled_from(ENDS), turns=turns)
    def end_call(self, which: int, end: CallEnd, turns: int) -> None:
        calls = self.process.attempts("voice")
        near, attempt = calls[which % len(calls)]
        self.act(lambda: near.end_call(attempt, end), turns)

    @precondition(lambda self: self.open)
    @rule(name=st.sampled_from(sorted(CHANNELS)), window=st.sampled_from([0, 1, 3]), up=st.booleans())
    def room(self, name: str, window: int, up: bool) -> None:
        if (near := self.process.near.get(name)) is not None:
            near.window, near.up = window, up
            self.act(self.process.dispatcher.room, 0)

    # The host

    @precondition(lambda self: self.open)
    @rule(seconds=st.sampled_from([0.05, 0.7, 3.0, 9.0, 40.0]))
    def wait(self, seconds: float) -> None:
        self.process.pass_time(seconds)

    @precondition(lambda self: self.open)
    @rule(seconds=st.sampled_from([0.05, 2.0]))
    def wait_a_little(self, seconds: float) -> None:
        self.process.pass_time(seconds)

    @precondition(lambda self: self.open)
    @rule(wait_s=st.sampled_from([0.0, 0.01, 0.5]))
    def slow_disk(self, wait_s: float) -> None:
        self.process.journal.wait_s = wait_s

    @precondition(lambda self: self.open)
    @rule(names=st.sampled_from(LEAVING_OUT), turns=turns)
    def reload(self, names: tuple[str, ...], turns: int) -> None:
        self.act(lambda: self.process.reload(without(self.world.whole, *names)), turns)

    @precondition(lambda self: self.open)
    @rule(seconds=st.sampled_from([0.0, 1.0, 30.0]))
    def die(self, seconds: float) -> None:
        at = self.process.die()
        self.world.outlive()
        self.process = Process(self.world, at + seconds)

    @invariant()
    def nothing_forbidden_happened(self) -> None:
        if not hasattr(self, "world"):
            return
        if self.world.error is not None:
            raise self.world.error
        assert not self.world.faults, self.world.faults

    def teardown(self) -> None:
        try:
            if hasattr(self, "process") and self.world.error is None and not self.world.faults:
                self.to_the_end()
        finally:
            if hasattr(self, "process"):
                self.process.die()
            shutil.rmtree(self.path)

    def to_the_end(self) -> None:
        """No more from outside: each job comes to one end, and nothing of it stays."""
        process, world = self.process, self.world
        last = max((wish.deadline_at for wish in world.wishes.values()), default=0.0)
        process.journal.wait_s = 0.0
        process.pass_time(max(0.0, last - process.now()) + CALL_S + 1.0)
        for near in process.near.values():
            assert (near.open, near.prepared) == ([], [])
            near.unknown.clear()
        process.pass_time(GIVE_UP_S + 15.0)
        self.nothing_forbidden_happened()
        for wish in world.wishes.values():
            types = [event.type for event in wish.events if event.type != "digit"]
            assert sum(event.final for event in wish.events) == 1, (wish.id, types)
            assert wish.events[-1].final, (wish.id, types)
        dispatcher = process.dispatcher
        assert (len(dispatcher.queue), dispatcher.live, dispatcher.holding.total()) == (0, {}, 0)
        world.left.clear()
        assert not (held := process.held()), held


TestLane = pytest.mark.timeout(300)(Lane.TestCase)  # a failure is made smaller first
TestLane.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
