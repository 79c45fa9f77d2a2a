"""Single jobs on their journeys, where what happens to one step must not spoil the others."""

from __future__ import annotations

import asyncio

import pytest

from connector.carriers.contract import CallEnd
from connector.config import Config
from connector.dispatch import following
from connector.dispatch.pausing import Waiting
from tests.jobs.test_gate import admit

from .conftest import Play
from .journeys import (
    CALL_LATER,
    DOUBTED,
    NOW_REFUSED,
    ONE,
    QUIET,
    QUIET_AT,
    TWO,
    UNMOVED,
    go_by,
    lane,
    nothing_is_left,
    reload,
    restart,
    submit,
    types,
    wait,
)
from .lane_folder import without
from .stage import Stage
from .test_calls import outcome, trunk


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
