"""What stops a journey, or does not: a cancel, an opt-out, a newer job, use, a receipt; also late ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from connector.carriers.contract import CallEnd

from .conftest import Play
from .journeys import (
    CALL_LATER,
    DOUBTED,
    FOR_GOOD,
    NOW_REFUSED,
    NUMBER,
    ONE,
    TWO,
    UNMOVED,
    go_by,
    lane,
    nothing_is_left,
    restart,
    submit,
    types,
    wait,
)
from .stage import Stage
from .test_calls import FakeTrunk, outcome, trunk


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
