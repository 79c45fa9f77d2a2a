"""Single jobs on their journeys, where what happens to one step must not spoil the others."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from connector.carriers.contract import CallEnd
from connector.config import Config, load
from connector.dispatch import Dispatcher, Routing, following
from connector.dispatch.pausing import Waiting
from connector.model import Body, Content, LiveJob, Voice
from tests.config.conftest import CARRIER, CONNECTOR, TEMPLATE, Folder
from tests.config.trunk_folder import TRUNK
from tests.jobs.test_gate import admit

from .conftest import Play
from .lane_folder import without
from .stage import Stage
from .test_calls import FakeTrunk, events, outcome, trunk

NOW_REFUSED = 0x08  # ESME_RSYSERR
FOR_GOOD = 0x0A  # ESME_RINVSRCADR
NUMBER = "+4915112345678"
ONE = """
[[journeys.one.steps]]
channel = "sms"
"""
TWO = """
[[journeys.two.steps]]
channel = "sms"
carriers = ["north"]
[[journeys.two.steps]]
channel = "sms"
start = "on_failure"
"""
CALL_LATER = """
[[journeys.later.steps]]
channel = "sms"
carriers = ["north"]
[[journeys.later.steps]]
channel = "sms"
start = "on_failure"
carriers = ["east"]
[[journeys.later.steps]]
channel = "voice"
start = "on_failure"
"""
DOUBTED = """
[journeys.doubted]
stop = ["converted"]
[[journeys.doubted.steps]]
channel = "sms"
[journeys.only]
stop = ["converted"]
[[journeys.only.steps]]
channel = "sms"
[[journeys.only.steps]]
channel = "sms"
start = "after"
after_s = 20.0
"""
UNMOVED = """
[journeys.unmoved]
stop = ["delivered"]
[[journeys.unmoved.steps]]
channel = "sms"
[[journeys.unmoved.steps]]
channel = "sms"
start = "after"
after_s = 20.0
"""
QUIET = """
[quiet_hours]
from = "23:15"
until = "23:17"
zone = "UTC"
"""
QUIET_AT = 1_700_000_000.0 + 100.0  # 23:15 in Germany


@lru_cache
def lane(more: str, carriers: tuple[str, ...] = ("north", "east"), trunks: tuple[str, ...] = ()) -> Config:
    """A lane of these with the journeys in `more`."""
    with tempfile.TemporaryDirectory() as path:
        folder = Folder(Path(path) / "lane")
        folder.write("connector.toml", CONNECTOR + more)
        folder.write("templates/login-code.toml", TEMPLATE)
        for name in (*carriers, *trunks):
            folder.write(f"secrets/{name}", "s3cret\n", 0o600)
        for name in carriers:
            text = CARRIER.replace("secrets/north", f"secrets/{name}").replace("acme", name)
            folder.write(f"carriers/{name}.toml", text)
        for name in trunks:
            text = TRUNK.replace("secrets/west", f"secrets/{name}").replace("acme", name)
            folder.write(f"trunks/{name}.toml", text.replace('prefixes = ["+49"]', "prefixes = []"))
        return load(folder.path)


def go_by(stage: Stage, config: Config) -> None:
    stage.dispatcher.configure(Routing(config))


def reload(stage: Stage, config: Config) -> None:
    go_by(stage, config)
    names = {carrier.name for carrier in config.carriers if carrier.enabled}
    names |= {each.name for each in config.trunks if each.enabled}
    stage.dispatcher.use([carrier for carrier in stage.carriers if carrier.name in names])


async def submit(stage: Stage, journey: str, id: str = "j1", **more: Any) -> LiveJob:
    job = stage.book.job(id, NUMBER, follow=more.pop("follow", 1), journey_name=journey, **more)
    texts = tuple(Content(f"code {n}", "Acme") for n in range(1, 4))
    calls = tuple(Content(f"code {n}", "", voice=Voice("", "en", f"{n}")) for n in range(1, 4))
    job.body = Body(texts, calls)
    job.turn_to("sms")
    job.accepted_at, job.deadline_at = stage.now(), stage.now() + more.get("deadline_s", 60.0)
    stage.dispatcher.admit(job)
    stage.journal.batch.accepts.append(stage.book.accept_op(job))
    stage.journal.touch()
    await stage.settle()
    return job


async def wait(stage: Stage, seconds: float) -> None:
    """Pass time as the daemon does: with its ticks and sweeps."""
    for _ in range(int(seconds * 2)):
        await asyncio.sleep(0.5)
        stage.dispatcher.tick(stage.now())
        stage.sweep()
    await stage.settle()


def restart(stage: Stage, config: Config) -> None:
    """Another process takes over; the old one hears of nothing any more."""
    fresh = Dispatcher(stage.journal, stage.metrics, stage.now, Routing(config))
    for carrier in stage.carriers:
        carrier._open.clear()
    stage.dispatcher = fresh
    fresh.start(stage.carriers)
    with contextlib.closing(stage.book.reader()) as reader:
        fresh.recover(reader.recover(stage.now()), stage.now())


def types(stage: Stage) -> list[str]:
    return [event["type"] for event in events(stage)]


def nothing_is_left(stage: Stage) -> None:
    dispatcher = stage.dispatcher
    assert not dispatcher.live
    assert (len(dispatcher.queue), dispatcher.waiting, dispatcher.followed) == (0, 0, 0)
    assert not dispatcher._purposes
    assert not dispatcher._calls
    assert not dispatcher._intended


def test_what_waited_for_room_does_not_leave_in_quiet_hours(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier("north", window=0)
        go_by(stage, lane(QUIET, ("north",)))
        stage.start()
        job = await submit(stage, "sms", follow=0, deadline_s=600.0)
        assert job.queued
        assert stage.dispatcher.waits_for(job, stage.now()) == Waiting("room", None, {"north": "no room"})
        await asyncio.sleep(QUIET_AT - stage.now() + 20.0)
        north.window = 1
        stage.dispatcher.room()
        await stage.settle()
        assert not north.attempts, "in quiet hours"
        until = QUIET_AT + 120.0
        assert stage.dispatcher.waits_for(job, stage.now()) == Waiting("quiet_hours", until)
        await asyncio.sleep(110.0)
        await stage.settle()
        (attempt,) = north.attempts
        assert stage.dispatcher.waits_for(job, stage.now()) is None
        north.report(north.accept(attempt))
        await stage.settle()
        assert outcome(stage, job)[0] == "delivered"
        assert stage.dispatcher.quiet == 0

    play(act)


def test_a_carrier_that_refused_for_now_is_tried_again_where_nobody_else_is_left(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, east = stage.carrier("north"), stage.carrier("east")
        go_by(stage, lane(TWO))
        stage.start()
        job = await submit(stage, "two")
        north.report(north.accept(north.attempts[0]), "UNDELIVERABLE")
        await stage.settle()
        east.refuse(east.attempts[0], NOW_REFUSED)
        await wait(stage, 3.0)
        assert len(east.attempts) == 2
        east.report(east.accept(east.attempts[1]))
        await stage.settle()
        assert outcome(stage, job)[0] == "delivered"
        nothing_is_left(stage)

    play(act)


def test_a_step_whose_carrier_was_taken_away_gives_way_to_the_next(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, east = stage.carrier("north"), stage.carrier("east", window=0)
        west = trunk(stage)
        config = lane(CALL_LATER, trunks=("west",))
        go_by(stage, config)
        stage.start()
        await submit(stage, "later")
        north.report(north.accept(north.attempts[0]), "UNDELIVERABLE")
        await stage.settle()
        assert not east.attempts
        reload(stage, without(config, "east"))
        await stage.settle()
        (attempt,) = west.attempts
        west.finish(attempt, CallEnd("undelivered", "busy", 486))
        await stage.settle()
        assert types(stage)[-1] == "undelivered"
        nothing_is_left(stage)

    play(act)


def test_the_end_of_a_job_that_nobody_may_carry_any_more(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier("north")
        stage.carrier("south")
        config = lane(
            TWO + '\n[[routes]]\ncountry = "DE"\ncarriers = ["north"]\n', ("north", "east", "south")
        )
        go_by(stage, config)
        stage.start()
        job = await submit(stage, "two")
        north.refuse(north.attempts[0], NOW_REFUSED)  # it pauses
        reload(stage, without(config, "north"))
        await wait(stage, 90.0)
        assert outcome(stage, job)[0] in ("rejected", "expired")
        nothing_is_left(stage)

    play(act)


@pytest.mark.parametrize("state", ["under way", "sent"])
@pytest.mark.parametrize("on_unknown", ["report", "resend_once"])
def test_a_restart_without_its_journey_repeats_nothing(play: Play, state: str, on_unknown: str) -> None:
    async def act(stage: Stage) -> None:
        north, east = stage.carrier("north"), stage.carrier("east")
        go_by(stage, lane(TWO))
        stage.start()
        job = await submit(stage, "two", on_unknown=on_unknown)
        (attempt,) = north.attempts
        id = north.accept(attempt) if state == "sent" else b""
        await stage.settle()
        restart(stage, lane(ONE))
        await wait(stage, 5.0)
        allowed = 2 if state == "under way" and on_unknown == "resend_once" else 1
        assert len(north.attempts) + len(east.attempts) == allowed
        if id:
            north.report(id)
            await stage.settle()
            assert outcome(stage, job)[0] == "delivered"
            nothing_is_left(stage)

    play(act)


def test_a_late_refusal_repeats_no_superseded_job(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, east = stage.carrier("north"), stage.carrier("east")
        go_by(stage, lane(ONE))
        stage.start()
        older = await submit(stage, "sms", "older", follow=0, supersedes="login")
        (lost,) = north.attempts or east.attempts
        lost.carrier.lose(lost)
        await stage.settle()
        await submit(stage, "sms", "newer", follow=0, supersedes="login")
        lost.carrier.refuse(lost, NOW_REFUSED)
        await wait(stage, 5.0)
        assert stage.sends(older) == 1

    play(act)


@pytest.mark.parametrize("by", ["cancel", "opt-out"])
def test_a_late_refusal_repeats_no_job_that_nobody_wants(play: Play, by: str) -> None:
    async def act(stage: Stage) -> None:
        north, east = stage.carrier("north"), stage.carrier("east")
        go_by(stage, lane(ONE))
        stage.start()
        job = await submit(stage, "sms", follow=0)
        (lost,) = north.attempts or east.attempts
        lost.carrier.lose(lost)
        await stage.settle()
        if by == "cancel":
            stage.dispatcher.withhold(job.app, job.id)
        else:
            stage.dispatcher.opt_out({job.recipient}, stage.now())
        lost.carrier.refuse(lost, FOR_GOOD)
        await wait(stage, 5.0)
        assert stage.sends(job) == 1
        assert outcome(stage, job)[0] == "rejected"
        nothing_is_left(stage)

    play(act)


def test_a_receipt_does_not_end_a_journey_of_one_step_that_only_use_stops(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, east = stage.carrier("north"), stage.carrier("east")
        go_by(stage, lane(DOUBTED))
        stage.start()
        job = await submit(stage, "doubted", follow=2)
        (attempt,) = north.attempts or east.attempts
        attempt.carrier.report(attempt.carrier.accept(attempt))
        await stage.settle()
        assert outcome(stage, job)[0] is None
        await wait(stage, 61.0)
        assert outcome(stage, job)[0] == "delivered"
        assert types(stage).count("delivered") + types(stage).count("completed") == 2
        nothing_is_left(stage)

    play(act)


def test_a_failed_receipt_ends_a_journey_of_one_step_that_only_use_stops_at_once(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, east = stage.carrier("north"), stage.carrier("east")
        go_by(stage, lane(DOUBTED))
        stage.start()
        job = await submit(stage, "doubted", follow=2)
        (attempt,) = north.attempts or east.attempts
        attempt.carrier.report(attempt.carrier.accept(attempt), "UNDELIVERABLE")
        await stage.settle()
        assert outcome(stage, job)[0] == "undelivered"
        nothing_is_left(stage)

    play(act)


def test_use_ends_nothing_where_the_journey_does_not_stop_at_it(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, east = stage.carrier("north"), stage.carrier("east")
        go_by(stage, lane(UNMOVED))
        stage.start()
        job = await submit(stage, "unmoved")
        (attempt,) = north.attempts or east.attempts
        attempt.carrier.accept(attempt)
        await stage.settle()
        ends = stage.dispatcher.feedback(job.key, job.app, job.id, True, None, stage.now())
        assert ends is False
        await wait(stage, 21.0)
        assert stage.sends(job) == 2

    play(act)


def test_the_queue_counts_right_when_a_receipt_comes_with_an_intent(play: Play) -> None:
    async def act(stage: Stage) -> None:
        text = ONE + "".join('[[journeys.one.steps]]\nchannel = "sms"\nstart = "at_once"\n' for _ in range(2))
        north, east = stage.carrier("north"), stage.carrier("east", window=0)
        south = stage.carrier("south", window=0)
        go_by(stage, lane(text, ("north", "east", "south")))
        stage.start()
        job = await submit(stage, "one")
        id = north.accept(north.attempts[0])
        await stage.settle()
        assert job.queued
        east.window = 1
        stage.dispatcher.room()
        await asyncio.sleep(0)
        assert stage.journal.batch.intends
        assert job.queued
        north.report(id)
        await stage.settle()
        assert outcome(stage, job)[0] == "delivered"
        south.window = 1
        stage.dispatcher.room()
        await stage.settle()
        assert stage.sends(job) == 1
        nothing_is_left(stage)

    play(act)


def test_times_of_jobs_long_over_are_not_kept(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_FEW", 20)

    async def act(stage: Stage) -> None:
        north = stage.carrier("north", window=10)
        stage.carrier("east")
        go_by(stage, lane(TWO))
        stage.start()
        await submit(stage, "two", "first", deadline_s=80_000.0)
        north.react = lambda attempt: north.report(north.accept(attempt))
        for n in range(60):
            await submit(stage, "two", f"j{n}", deadline_s=86_400.0)
        assert len(stage.dispatcher.following) == 1
        assert len(stage.dispatcher.following._times) < 30

    play(act)


def test_what_left_before_a_restart_counts_after_it(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier("north")
        stage.carrier("east")
        go_by(stage, lane(TWO))
        stage.start()
        job = await submit(stage, "two")
        north.accept(north.attempts[0])
        await stage.settle()
        restart(stage, lane(TWO))
        (found,) = stage.dispatcher.live.values()
        assert found.course is not None
        assert (found.course.errand.sends, found.course.errand.spent) == (1, 1.0)
        assert found.id == job.id

    play(act)


@pytest.mark.parametrize("later_s", [1.0, 3.0])
def test_a_call_that_rings_at_who_opts_out_is_hung_up(play: Play, later_s: float) -> None:
    """Also after the deadline, when its job is stopped already."""

    async def act(stage: Stage) -> None:
        north, west = stage.carrier("north"), trunk(stage)
        go_by(stage, lane(CALL_LATER.replace('"east"', '"north"'), ("north",), ("west",)))
        stage.start()
        job = await submit(stage, "later", deadline_s=2.0)
        north.refuse(north.attempts[0], FOR_GOOD)
        await wait(stage, later_s)
        assert job.course is not None
        assert job.course.stopped is (later_s > 2.0)
        stage.dispatcher.opt_out({NUMBER}, stage.now())
        assert {attempt.job for attempt in west.hung_up} == {job}
        west.finish(west.attempts[0], CallEnd("undelivered", "cancelled", 487))
        await wait(stage, 30.0)
        assert len(west.attempts) == 1
        nothing_is_left(stage)

    play(act)


def test_a_call_that_may_have_been_heard_is_not_told_cancelled(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, west = stage.carrier("north", window=0), trunk(stage)
        text = '[[journeys.ring.steps]]\nchannel = "voice"\n[[journeys.ring.steps]]\nchannel = "sms"\n'
        text += 'start = "after"\nafter_s = 20.0\n'
        go_by(stage, lane(text, ("north",), ("west",)))
        stage.start()
        job = await submit(stage, "ring")
        (attempt,) = west.attempts
        assert isinstance(west, FakeTrunk)
        west.finish(attempt, CallEnd("unknown", "lost"))
        await stage.settle()
        assert not stage.cancel(job)
        await wait(stage, 5.0)
        assert outcome(stage, job)[0] == "unknown"
        assert not north.attempts
        nothing_is_left(stage)

    play(act)


def test_a_follow_up_that_waits_is_judged_anew_when_the_first_one_arrives(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier("north")
        stage.carrier("east", window=0)
        text = DOUBTED.replace('start = "after"\nafter_s = 20.0', 'start = "on_predicted_miss"')
        go_by(stage, lane(text))
        stage.start()
        job = await submit(stage, "only", follow=2)
        id = north.accept(north.attempts[0])
        for _ in range(60):
            await wait(stage, 0.5)
            if job.queued:
                break
        assert job.queued
        north.report(id)
        await stage.settle()
        course = job.course
        assert course is not None
        assert course.void or not job.queued

    play(act)


@pytest.mark.parametrize("journey", ["sms", "unmoved"])
def test_a_cancel_that_came_too_late_holds_over_a_restart(play: Play, journey: str) -> None:
    async def act(stage: Stage) -> None:
        north, east = stage.carrier("north"), stage.carrier("east")
        go_by(stage, lane(UNMOVED))
        stage.start()
        follow = 0 if journey == "sms" else 1
        job = await submit(stage, journey, follow=follow, on_unknown="resend_once")
        assert len(north.attempts) + len(east.attempts) == 1
        assert not stage.cancel(job)
        await stage.settle()
        restart(stage, lane(UNMOVED))
        await wait(stage, 61.0)
        assert stage.sends(job) == 1
        assert outcome(stage, job)[0] is None  # a receipt may come
        nothing_is_left(stage)

    play(act)


class SilentLookup:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[Any], None]] = []

    def ask(self, number: str, done: Callable[[Any], None]) -> None:
        self.waiting.append(done)


@pytest.mark.parametrize("stopped", ["cancelled", "superseded", "too late"])
def test_what_is_stopped_while_its_number_is_looked_up_does_not_leave(play: Play, stopped: str) -> None:
    async def act(stage: Stage) -> None:
        north, east = stage.carrier("north"), stage.carrier("east")
        lookup = SilentLookup()
        stage.dispatcher.lookup = lookup  # type: ignore[assignment]
        go_by(stage, lane(TWO))
        stage.start()
        job = await submit(stage, "two", supersedes="login", deadline_s=2.0)
        (done,) = lookup.waiting
        if stopped == "cancelled":
            assert stage.cancel(job)
        elif stopped == "superseded":
            await submit(stage, "two", "newer", supersedes="login")
            done = lookup.waiting[0]
        else:
            await asyncio.sleep(3.0)
        await stage.settle()
        done(None)
        await stage.settle()
        assert not north.attempts
        assert not east.attempts
        assert outcome(stage, job)[0] == ("expired" if stopped == "too late" else "cancelled")

    play(act)


def test_a_follow_up_does_not_wait_for_a_carrier_that_is_gone(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, east, west = stage.carrier("north"), stage.carrier("east", window=0), trunk(stage)
        text = """
[[journeys.rivals.steps]]
channel = "sms"
carriers = ["north"]
[[journeys.rivals.steps]]
channel = "sms"
carriers = ["east"]
[[journeys.rivals.steps]]
channel = "voice"
"""
        go_by(stage, lane(text, trunks=("west",)))
        stage.start()
        west.window = 0
        west._draining = True
        job = await submit(stage, "rivals")
        north.accept(north.attempts[0])
        for _ in range(100):
            await wait(stage, 0.5)
            if job.queued:
                break
        assert job.queued
        east._draining = True
        west._draining, west.window = False, 10
        await wait(stage, 5.0)
        assert west.attempts

    play(act)


def test_a_follow_up_in_line_does_not_leave_when_its_budget_is_spent_meanwhile(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, east = stage.carrier("north"), stage.carrier("east", window=0)
        text = '[[journeys.more.steps]]\nchannel = "sms"\ncarriers = ["north"]\n'
        text += '[[journeys.more.steps]]\nchannel = "sms"\n'
        go_by(stage, lane(text))
        stage.start()
        job = await submit(stage, "more")
        north.accept(north.attempts[0])
        for _ in range(100):
            await wait(stage, 0.5)
            if job.queued:
                break
        assert job.queued
        go_by(stage, lane(text + "\n[classes.default]\nextra_sends = 0.0\n"))
        east.window = 1
        await wait(stage, 5.0)
        assert not east.attempts
        assert not job.queued

    play(act)


def test_who_decides_what_a_receipt_ends() -> None:
    def follow(config: Config, journey: str) -> int:
        return admit(config, journey=journey).job.follow

    assert follow(lane(DOUBTED), "doubted") == 2  # one step, but no receipt ends it
    assert follow(lane(DOUBTED), "sms") == 0
    assert follow(lane(UNMOVED), "unmoved") == 1
