"""Taking a job back, stopping, and starting again."""

import asyncio

from connector.dispatch.pausing import Waiting
from tests.dispatch.conftest import Play
from tests.dispatch.stage import Stage

WEARY = "+447700900555"


def test_a_waiting_job_is_taken_back(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier(window=0)
        stage.start()
        job, other = await stage.submit("j1"), await stage.submit("j2")
        assert stage.cancel(job)
        assert not stage.cancel(job)
        north.window = 5
        stage.dispatcher.room()
        await stage.settle()
        assert stage.book.story(job) == ["accepted", "cancelled/cancelled"]
        assert (north.sends, len(stage.dispatcher.queue)) == ({"j2": 1}, 0)
        assert list(stage.dispatcher.live.values()) == [other]

    play(act)


def test_one_under_way_is_not(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier()
        stage.start()
        job = await stage.submit()
        assert not stage.cancel(job)
        north.accept(north.attempts[0])
        await stage.settle()
        assert stage.book.story(job) == ["accepted", "sent"]

    play(act)


def test_one_that_is_not_committed_yet(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier()
        stage.start()
        job = stage.accept()
        assert stage.cancel(job)
        assert len(stage.dispatcher.queue) == 0
        await stage.settle()
        assert stage.cancelled == {"j1": True}
        assert (north.sends, len(stage.dispatcher.queue)) == ({}, 0)
        await stage.submit("j2")
        assert north.sends == {"j2": 1}

    play(act)


def test_a_repetition_of_one_that_was_sent(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier()
        stage.start()
        first = await stage.submit()
        north.accept(north.attempts[0])
        await stage.settle()
        again = stage.accept()
        assert stage.cancel(again)  # asked of the journal, which knows better
        await stage.settle()
        assert stage.cancelled == {"j1": False}
        assert stage.book.story(first) == ["accepted", "sent"]
        assert (len(stage.dispatcher.queue), stage.dispatcher.live) == (0, {})
        await stage.submit("j2")
        assert north.sends == {"j1": 1, "j2": 1}

    play(act)


def test_one_that_may_have_arrived_is_not_called_stopped(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier()
        stage.start()
        job = await stage.submit(on_unknown="resend_once")
        north.window = 0
        north.lose(north.attempts[0])
        await stage.settle()
        assert not stage.cancel(job)
        north.window = 5
        stage.dispatcher.room()
        await stage.settle()
        assert stage.sends(job) == 1  # but it is not sent again
        north.accept(north.attempts[0], b"42")
        north.report(b"42")
        await stage.settle()
        assert stage.book.outcome(job) == "delivered"

    play(act)


def test_one_that_pauses(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier()
        stage.start()
        job = await stage.submit()
        north.refuse(north.attempts[0], 0x08)
        await stage.settle()
        assert stage.cancel(job)
        await asyncio.sleep(5)
        assert (stage.sends(job), len(stage.dispatcher.queue)) == (1, 0)
        assert stage.book.story(job) == ["accepted", "failed", "cancelled/cancelled"]

    play(act)


def test_what_a_job_waits_for(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, south, east = stage.carrier(), stage.carrier("south"), stage.carrier("east", window=0)
        stage.start()
        job = await stage.submit()
        assert stage.dispatcher.waits_for(job, stage.now()) is None
        first = north if north.attempts else south
        other = south if first is north else north
        await other.drain()
        first.refuse(first.attempts[0])  # for good
        await stage.settle()
        told = stage.dispatcher.waits_for(job, stage.now())
        lacks = {first.name: "refused it", other.name: "no bind", east.name: "no room"}
        assert told == Waiting("room", None, lacks)

    play(act)


def test_nothing_more_is_sent_to_who_opts_out(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier(window=2)
        stage.start()
        lost = await stage.submit("lost", to=WEARY, on_unknown="resend_once")
        sent = await stage.submit("sent", to=WEARY)
        waiting = await stage.submit("waiting", to=WEARY)
        other = await stage.submit("other")
        north.window = 0
        north.lose(north.attempts[0])
        await stage.settle()
        assert stage.dispatcher.opt_out({WEARY}, stage.now()) == 3
        assert stage.dispatcher.opt_out({WEARY}, stage.now()) == 0
        north.window = 5
        stage.dispatcher.room()
        await stage.settle()
        assert north.sends == {"lost": 1, "sent": 1, "other": 1}
        north.accept(north.attempts[1], b"42")
        north.report(b"42", to=WEARY)
        north.accept(north.attempts[0], b"41")  # late
        await stage.settle()
        assert stage.book.story(waiting) == ["accepted", "failed/rejected"]
        assert (stage.book.outcome(sent), stage.book.outcome(lost)) == ("delivered", None)
        assert list(stage.dispatcher.live.values()) == [other]

    play(act)


def test_draining_sends_nothing_more_and_waits_for_what_is_under_way(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier(window=1)
        stage.start()
        under_way, waits = await stage.submit("j1"), await stage.submit("j2")
        stage.loop.call_later(3, north.accept, north.attempts[0])
        began = stage.now()
        await stage.dispatcher.drain(20)
        assert 3 <= stage.now() - began < 3.1
        await stage.settle()
        assert stage.book.story(under_way) == ["accepted", "sent"]
        assert stage.book.story(waits) == ["accepted"]
        assert north.sends == {"j1": 1}
        assert [job.id for job in stage.book.reader().recover(stage.now()).waiting] == ["j2"]

    play(act)


def test_draining_ends_in_time(play: Play) -> None:
    async def act(stage: Stage) -> None:
        stage.carrier()
        stage.start()
        await stage.submit()
        began = stage.now()
        await stage.dispatcher.drain(5)
        assert 5 <= stage.now() - began < 5.1

    play(act)


def test_after_a_restart(play: Play) -> None:
    async def act(stage: Stage) -> None:
        book = stage.book
        waiting = book.accept("waiting")
        reported, resent = book.accept("reported"), book.accept("resent", on_unknown="resend_once")
        for job in (reported, resent):
            book.intend(job)
        late = book.accept("late", on_unknown="resend_once", deadline_s=5)
        book.intend(late)
        stage.loop.clock.now += 10
        book.reopen()
        north = stage.carrier()
        stage.start()
        recovered = book.reader().recover(stage.now())
        stage.dispatcher.recover(recovered, stage.now())
        await stage.settle()
        assert north.sends == {"waiting": 1, "resent": 1}
        assert book.story(waiting) == ["accepted"]
        for job in (reported, resent, late):
            assert book.story(job) == ["accepted", "unknown"]
        assert set(stage.dispatcher.live) == {(book.app, "waiting"), (book.app, "resent")}

    play(act)


def test_a_resend_that_a_restart_finds_too_late(play: Play) -> None:
    async def act(stage: Stage) -> None:
        book = stage.book
        job = book.accept(on_unknown="resend_once", deadline_s=5)
        book.intend(job)
        book.settle(job, "unknown")
        stage.loop.clock.now += 10
        north = stage.carrier()
        stage.start()
        stage.dispatcher.recover(book.reader().recover(stage.now()), stage.now())
        await stage.settle()
        assert (north.sends, stage.dispatcher.live) == ({}, {})
        assert book.story(job) == ["accepted", "unknown"]  # a receipt may still come

    play(act)
