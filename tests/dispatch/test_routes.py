"""Which job leaves when, by which carrier, and how often."""

import asyncio
import json

import pytest

from connector.lifecycle import TABLE, After, Ending, Situation, after
from tests.dispatch.conftest import Play
from tests.dispatch.stage import Stage

SYSERR, THROTTLED, MSGLEN = 0x08, 0x58, 0x01


def test_most_urgent_first_and_no_earlier_than_there_is_room(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier(window=0)
        stage.start()
        for n, deadline_s in enumerate((50.0, 10.0, 30.0)):
            await stage.submit(f"j{n}", deadline_s=deadline_s)
        order = []
        for _ in range(3):
            north.window = 1
            stage.dispatcher.room()
            await stage.settle()
            (attempt,) = north.attempts
            order.append(attempt.job.id)
            north.accept(north.attempts.pop())
            north.window = 0
            await stage.settle()
        assert order == ["j1", "j2", "j0"]
        assert (len(stage.dispatcher.queue), stage.dispatcher.live) == (0, {})
        assert stage.dispatcher.holding[stage.book.app] == 0

    play(act)


def test_the_choice_is_made_late_and_kept_as_data(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, south = stage.carrier("north", window=0), stage.carrier("south", priority=1, window=0)
        stage.start()
        job = await stage.submit()
        south.window = 5
        stage.dispatcher.room()
        await stage.settle()
        assert south.sends[job.id] == 1
        north.window = 5
        await stage.submit("j2")
        assert north.sends["j2"] == 1
        decisions = [
            json.loads(text) for (text,) in stage.book.rows("SELECT decision FROM attempt ORDER BY job")
        ]
        assert [(each["rule"], each["chosen"], each["candidates"]) for each in decisions] == [
            ("best_utility", "south", ["south", "north"]),
            ("priority", "north", ["north"]),
        ]

    play(act)


def test_room_is_shared_out_within_a_turn(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, south = stage.carrier("north", window=2), stage.carrier("south", window=3)
        stage.start()
        for n in range(10):
            stage.accept(f"j{n}")
        await stage.settle()
        assert (len(north.attempts), len(south.attempts)) == (2, 3)
        assert len(stage.dispatcher.queue) == 5

    play(act)


def test_refused_here_goes_to_the_next(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, south = stage.carrier("north"), stage.carrier("south", priority=1)
        stage.start()
        job = await stage.submit()
        north.refuse(north.attempts[0])
        await stage.settle()
        id = south.accept(south.attempts[0])
        south.report(id)
        await stage.settle()
        assert stage.book.story(job) == ["accepted", "failed", "sent", "delivered/delivered"]
        assert stage.sends(job) == 2

    play(act)


def test_refused_by_all_is_told_once(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, south = stage.carrier("north"), stage.carrier("south", priority=1)
        stage.start()
        job = await stage.submit()
        north.refuse(north.attempts[0])
        await stage.settle()
        south.refuse(south.attempts[0])
        await stage.settle()
        assert stage.book.story(job) == ["accepted", "failed", "failed/rejected"]
        last = stage.book.told[job.app][-1]
        assert (last.carrier, last.attempt) == ("south", 2)
        assert stage.dispatcher.live == {}

    play(act)


def test_refused_everywhere_tries_no_other(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, south = stage.carrier("north"), stage.carrier("south", priority=1)
        stage.start()
        job = await stage.submit()
        north.refuse(north.attempts[0], MSGLEN)
        await stage.settle()
        assert stage.book.story(job) == ["accepted", "failed/rejected"]
        assert not south.sends

    play(act)


def test_what_a_carrier_cannot_spell_goes_to_another(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, south = stage.carrier("north"), stage.carrier("south", priority=1)
        north.unsendable = {"j1", "j2"}
        south.unsendable = {"j2"}
        stage.start()
        job, never = await stage.submit("j1"), await stage.submit("j2")
        assert (north.sends, south.sends) == ({}, {"j1": 1})
        assert stage.book.story(job) == ["accepted"]
        assert stage.book.story(never) == ["accepted", "failed/rejected"]
        last = stage.book.told[never.app][-1]
        assert (last.reason, last.attempt, last.carrier) == ("south cannot spell it", None, None)

    play(act)


def test_a_refusal_and_an_unspeakable_route_are_both_told(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, south = stage.carrier("north"), stage.carrier("south", priority=1)
        south.unsendable = {"j1"}
        stage.start()
        job = await stage.submit()
        north.refuse(north.attempts[0])
        await stage.settle()
        assert stage.book.story(job) == ["accepted", "failed", "failed/rejected"]

    play(act)


def test_passing_trouble_tries_another_first_and_the_same_again_later(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, south = stage.carrier("north"), stage.carrier("south", priority=1)
        stage.start()
        job = await stage.submit()
        north.refuse(north.attempts.pop(), SYSERR)
        await stage.settle()
        south.refuse(south.attempts.pop())
        await stage.settle()
        assert stage.sends(job) == 2
        began = stage.now()
        await asyncio.sleep(1.1)
        await stage.settle()
        assert stage.now() - began < 1.2
        assert (north.sends[job.id], south.sends[job.id]) == (2, 1)  # south said no for good
        north.accept(north.attempts[0])
        await stage.settle()
        assert stage.book.story(job) == ["accepted", "failed", "failed", "sent"]

    play(act)


def test_trouble_that_does_not_pass_ends_at_the_deadline(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier()
        north.react = lambda attempt: north.refuse(attempt, SYSERR)
        stage.start()
        job = await stage.submit(deadline_s=10.0)
        await asyncio.sleep(11)
        assert 8 <= north.sends[job.id] <= 11
        assert stage.book.outcome(job) in ("expired", "rejected")
        assert stage.book.story(job)[-1] in ("expired/expired", "failed/rejected")

    play(act)


def test_given_back_goes_again(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier()
        stage.start()
        job = await stage.submit()
        north.give_back(north.attempts.pop())
        await stage.settle()
        assert len(north.attempts) == 1
        north.accept(north.attempts[0])
        await stage.settle()
        assert stage.book.story(job) == ["accepted", "sent"]

    play(act)


def test_no_carrier_in_time(play: Play) -> None:
    async def act(stage: Stage) -> None:
        stage.carrier(window=0)
        stage.start()
        job = await stage.submit(deadline_s=7.5)
        await asyncio.sleep(7.4)
        assert stage.book.story(job) == ["accepted"]
        await asyncio.sleep(0.2)
        assert stage.book.story(job) == ["accepted", "expired/expired"]
        assert stage.book.told[job.app][-1].at - job.accepted_at == pytest.approx(7.5, abs=0.01)

    play(act)


def test_a_later_and_then_an_earlier_deadline(play: Play) -> None:
    async def act(stage: Stage) -> None:
        stage.carrier(window=0)
        stage.start()
        late, soon = await stage.submit("late", deadline_s=50), await stage.submit("soon", deadline_s=5)
        await asyncio.sleep(6)
        assert (stage.book.outcome(soon), stage.book.outcome(late)) == ("expired", None)

    play(act)


def test_nothing_is_handed_over_after_the_deadline(play: Play) -> None:
    """The commit took so long that the deadline passed: the carrier must give it back."""

    async def act(stage: Stage) -> None:
        north = stage.carrier()
        stage.start()
        job = await stage.submit("x", deadline_s=5)
        north.give_back(north.attempts.pop())
        stage.loop.clock.now += 6
        await stage.settle()
        assert stage.book.story(job) == ["accepted", "expired/expired"]
        assert north.sends["x"] == 1

    play(act)


def test_a_job_that_may_not_go_where_there_is_room_costs_nothing(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, south = stage.carrier("north"), stage.carrier("south", window=0)
        stage.start()
        job = await stage.submit(deadline_s=60)
        north.refuse(north.attempts[0])
        await stage.settle()
        before = stage.loop.clock.turns
        await asyncio.sleep(50)
        assert stage.loop.clock.turns - before < 20
        south.window = 1
        stage.dispatcher.room()
        await stage.settle()
        assert south.sends[job.id] == 1

    play(act)


@pytest.mark.parametrize("ending", Ending)
@pytest.mark.parametrize("situation", Situation)
def test_the_table_is_complete_and_ends_nothing_in_doubt(ending: Ending, situation: Situation) -> None:
    assert set(TABLE) == set(Ending)
    assert set(TABLE[ending]) == set(Situation)
    plain = after(ending, situation, may_resend=False, in_doubt=False)
    assert plain is not After.RESEND
    doubtful = after(ending, situation, may_resend=False, in_doubt=True)
    assert doubtful not in (After.REJECTED, After.EXPIRED)
    if ending is Ending.UNKNOWN:
        assert plain is After.AWAIT_RECEIPT
        resend = after(ending, situation, may_resend=True, in_doubt=False)
        assert resend is (After.RESEND if situation is Situation.ROUTE_LEFT else After.AWAIT_RECEIPT)
