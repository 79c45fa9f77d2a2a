"""Answers that do not come, or come late: nothing goes twice blindly, and what may arrive is not ended."""

import asyncio

import pytest

from connector.model import LiveJob
from tests.dispatch.conftest import Play
from tests.dispatch.stage import FakeCarrier, Stage
from tests.journal.book import HANDSET

SYSERR = 0x08


async def lost_once(stage: Stage, **more: float) -> tuple[FakeCarrier, LiveJob]:
    """resend_once, the first attempt unknown, and no room to send it again yet."""
    north = stage.carrier()
    stage.start()
    job = await stage.submit(on_unknown="resend_once", **more)
    north.window = 0
    north.lose(north.attempts[0])
    await stage.settle()
    assert (stage.sends(job), len(stage.dispatcher.queue)) == (1, 1)
    return north, job


async def give_room(stage: Stage, carrier: FakeCarrier) -> None:
    carrier.window = 1000
    stage.dispatcher.room()
    await stage.settle()


def test_report_awaits_the_receipt(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier()
        stage.start()
        job = await stage.submit()
        north.lose(north.attempts[0])
        await asyncio.sleep(120)
        assert stage.sends(job) == 1
        assert stage.book.story(job) == ["accepted", "unknown"]
        north.report(b"77")
        await asyncio.sleep(12)
        stage.sweep()
        await stage.settle()
        assert stage.book.story(job) == ["accepted", "unknown", "delivered/delivered"]
        assert stage.metrics.carrier("north").receipts_by_address == 1

    play(act)


def test_resend_once_is_once(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, job = await lost_once(stage)
        await give_room(stage, north)
        north.lose(north.attempts[1])
        await asyncio.sleep(30)
        assert stage.sends(job) == 2
        assert stage.book.story(job) == ["accepted", "unknown", "unknown"]
        assert stage.dispatcher.live == {}

    play(act)


def test_answered_late_before_the_resend(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, job = await lost_once(stage)
        id = north.accept(north.attempts[0])
        await give_room(stage, north)
        assert (stage.sends(job), len(stage.dispatcher.queue), stage.dispatcher.live) == (1, 0, {})
        north.report(id)
        await stage.settle()
        assert stage.book.story(job) == ["accepted", "unknown", "sent", "delivered/delivered"]

    play(act)


@pytest.mark.parametrize("late_part", [1, 2])
def test_of_two_parts_one_answered_late(play: Play, late_part: int) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier(parts=2)
        stage.start()
        job = await stage.submit(on_unknown="resend_once")
        north.window = 0
        if late_part == 2:
            north.accept(north.attempts[0], parts=1)
        north.lose(north.attempts[0])
        await stage.settle()
        north.accept(north.attempts[0])
        await give_room(stage, north)
        assert stage.sends(job) == 1
        assert stage.book.row("SELECT result FROM attempt") == (None,)

    play(act)


@pytest.mark.parametrize("end", ["refuse", "lose", "give_back", "accept"])
def test_answered_late_while_the_resend_is_under_way(play: Play, end: str) -> None:
    async def act(stage: Stage) -> None:
        north, job = await lost_once(stage)
        stage.carriers[0].window = 1000
        await give_room(stage, north)
        first, second = north.attempts
        north.accept(first)
        await stage.settle()
        getattr(north, end)(second)
        await asyncio.sleep(20)
        assert stage.sends(job) == 2
        assert stage.book.outcome(job) is None
        assert (stage.dispatcher.live, len(stage.dispatcher.queue)) == ({}, 0)

    play(act)


def test_answered_late_while_the_intent_to_resend_is_committed(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, job = await lost_once(stage)
        north.window = 1000
        stage.dispatcher.room()
        while job.attempts == 1:
            await asyncio.sleep(0)
        north.accept(north.attempts[0])
        await stage.settle()
        assert stage.sends(job) == 1
        assert stage.book.story(job) == ["accepted", "unknown", "sent"]
        assert (stage.dispatcher.live, len(stage.dispatcher.queue)) == ({}, 0)

    play(act)


@pytest.mark.parametrize("status", [0x0A, SYSERR])
@pytest.mark.parametrize("routes", [1, 2])
def test_refused_late_before_the_resend(play: Play, status: int, routes: int) -> None:
    async def act(stage: Stage) -> None:
        if routes == 2:
            stage.carrier("south", priority=1, window=0)
        north, job = await lost_once(stage)
        north.refuse(north.attempts[0], status)
        for carrier in stage.carriers:
            await give_room(stage, carrier)
        await asyncio.sleep(5)
        if status == 0x0A and routes == 1:
            assert stage.sends(job) == 1
            assert stage.book.story(job)[-1] == "failed/rejected"
        else:
            assert stage.sends(job) == 2
            assert stage.book.outcome(job) is None

    play(act)


def test_refused_late_while_the_resend_is_under_way(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, job = await lost_once(stage)
        await give_room(stage, north)
        first, second = north.attempts
        north.refuse(first)
        await stage.settle()
        assert stage.book.outcome(job) is None
        north.refuse(second)
        await stage.settle()
        assert stage.book.story(job)[-1] == "failed/rejected"  # now nothing is in doubt

    play(act)


def test_refused_late_after_it_was_given_up_for_unknown(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, south = stage.carrier("north"), stage.carrier("south", priority=1)
        stage.start()
        job = await stage.submit()
        north.lose(north.attempts[0])
        await stage.settle()
        north.refuse(north.attempts[0])
        await stage.settle()
        assert south.sends[job.id] == 1  # certain now that it has not arrived
        assert stage.dispatcher.live[job.app, job.id] is job

    play(act)


def test_late_trouble_after_it_was_given_up_for_unknown(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier()
        stage.start()
        job = await stage.submit()
        north.lose(north.attempts[0])
        await stage.settle()
        north.refuse(north.attempts[0], SYSERR)
        await stage.settle()
        assert stage.dispatcher.live[job.app, job.id] is job  # it waits again, and can be cancelled
        await asyncio.sleep(2)
        assert north.sends[job.id] == 2

    play(act)


def test_the_deadline_does_not_end_what_may_have_arrived(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, job = await lost_once(stage, deadline_s=5.0)
        await asyncio.sleep(10)
        assert stage.book.story(job) == ["accepted", "unknown"]
        assert (stage.dispatcher.live, len(stage.dispatcher.queue)) == ({}, 0)
        north.accept(north.attempts[0], b"42")
        north.report(b"42")
        await stage.settle()
        assert stage.book.outcome(job) == "delivered"

    play(act)


def test_a_refused_resend_does_not_end_what_may_have_arrived(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, job = await lost_once(stage)
        await give_room(stage, north)
        north.refuse(north.attempts[1])
        await asyncio.sleep(5)
        assert stage.book.outcome(job) is None
        north.report(b"77", to=HANDSET[1:])
        await asyncio.sleep(12)
        stage.sweep()
        await stage.settle()
        assert stage.book.outcome(job) == "delivered"

    play(act)


def test_a_receipt_for_the_lost_attempt_stops_the_resend(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, job = await lost_once(stage)
        north.report(b"77")
        await asyncio.sleep(12)
        stage.sweep()
        await give_room(stage, north)
        assert stage.book.outcome(job) == "delivered"
        assert (stage.sends(job), len(stage.dispatcher.queue), stage.dispatcher.live) == (1, 0, {})

    play(act)


def test_a_receipt_in_the_commit_of_the_intent_stops_the_resend(play: Play) -> None:
    """The journal alone can tell: the job ended in the batch before the one with the intent."""

    async def act(stage: Stage) -> None:
        north = stage.carrier(parts=2)
        stage.start()
        job = await stage.submit(on_unknown="resend_once")
        id = north.accept(north.attempts[0], parts=1)
        await stage.settle()
        north.lose(north.attempts[0])
        north.report(id, "UNDELIVERABLE")
        ended = stage.dispatcher.ended
        stage.dispatcher.ended = lambda jobs: None  # type: ignore[method-assign]
        await stage.settle()
        stage.dispatcher.ended = ended  # type: ignore[method-assign]
        assert stage.book.outcome(job) == "undelivered"
        assert stage.sends(job) == 1
        assert (stage.dispatcher.live, north.room(0)) == ({}, 1000)

    play(act)


def test_a_conversion_while_under_way_stops_everything_else(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, south = stage.carrier("north"), stage.carrier("south", priority=1)
        stage.start()
        job = await stage.submit()
        stage.journal.batch.finishes.append(stage.book.finish_op(job, "delivered", "converted"))
        stage.journal.touch()
        stage.dispatcher.forget(job)
        north.refuse(north.attempts[0])
        await asyncio.sleep(3)
        assert (south.sends, stage.dispatcher.live) == ({}, {})
        assert stage.book.story(job)[-1] == "converted/delivered"

    play(act)
