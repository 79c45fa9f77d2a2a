"""Jobs that are calls: which carriers may have them, and what follows their ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgpack
import msgspec
import pytest

from connector.carriers.contract import Attempt, CallEnd, Unsendable
from connector.carriers.statuses import StatusClass
from connector.journal.reader import Reader
from connector.model import Body, Channel, Content, LiveJob, Voice

from .conftest import Play
from .stage import FakeCarrier, Stage

DELIVERED = CallEnd("delivered", "heard", 200, detail='{"kind":"delivered"}')
BUSY = CallEnd("undelivered", "busy", 486)


class FakeTrunk(FakeCarrier):
    """`hung_up` are calls that were to end; they do when the test says so."""

    def __init__(self, stage: Stage, name: str = "west") -> None:
        super().__init__(stage, name)
        self.channel: Channel = "voice"
        self.hung_up: list[Attempt] = []
        self.said = False

    def hang_up(self, attempt: Attempt, now: float) -> bool:
        if not self.said:
            self.hung_up.append(attempt)
        return not self.said

    def finish(self, attempt: Attempt, end: CallEnd) -> None:
        self._end(attempt)
        self.outcomes.call_ended(attempt, end, self._stage.now())
        self.outcomes.room()


def trunk(stage: Stage, name: str = "west") -> FakeTrunk:
    made = FakeTrunk(stage, name)
    stage.carriers.append(made)
    return made


async def call(stage: Stage, id: str = "call", **more: Any) -> LiveJob:
    """Submit a job by voice."""
    job = stage.book.job(id, **more)
    job.body = Body(voice=(Content(job.content.text, "", voice=Voice("", "en", "482917")),))
    job.turn_to("voice")
    job.accepted_at, job.deadline_at = stage.now(), stage.now() + 60.0
    stage.dispatcher.admit(job)
    stage.journal.batch.accepts.append(stage.book.accept_op(job))
    stage.journal.touch()
    await stage.settle()
    return job


def outcome(stage: Stage, job: LiveJob) -> Any:
    ((found, reason),) = stage.book.rows("SELECT outcome, reason FROM job WHERE id = ?", job.key)
    return found, reason


def events(stage: Stage) -> list[dict[str, Any]]:
    reader = stage.book.reader()
    frames, _ = reader.events(stage.book.app, 0)
    reader.close()
    unpacker = msgpack.Unpacker()
    unpacker.feed(frames)
    return [frame[2][0] for frame in unpacker]


def test_each_channel_has_its_own_carriers(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, west = stage.carrier("north"), trunk(stage)
        stage.start()
        await stage.submit("text")
        await call(stage)
        assert [attempt.job.id for attempt in north.attempts] == ["text"]
        assert [attempt.job.id for attempt in west.attempts] == ["call"]

    play(act)


def test_a_call_from_ringing_to_its_end(play: Play) -> None:
    async def act(stage: Stage) -> None:
        west = trunk(stage)
        stage.start()
        job = await call(stage)
        (attempt,) = west.attempts
        for step, digit in (("ringing", None), ("answered", None), ("digit", "1")):
            stage.dispatcher.call_progress(attempt, step, stage.now(), digit)  # type: ignore[arg-type]
        west.finish(attempt, DELIVERED)
        await stage.settle()
        assert outcome(stage, job) == ("delivered", "heard")
        assert [event["type"] for event in events(stage)] == [
            "accepted", "ringing", "answered", "digit", "completed",
        ]  # fmt: skip
        last = events(stage)[-1]
        assert (last["channel"], last["carrier"], last["outcome"], last["final"]) == (
            "voice", "west", "delivered", True,
        )  # fmt: skip
        assert stage.book.rows("SELECT detail FROM call") == [('{"kind":"delivered"}',)]
        assert stage.book.rows("SELECT channel, result FROM attempt") == [("voice", "completed")]
        assert not stage.dispatcher.live

    play(act)


def test_nobody_heard_it_and_it_is_not_tried_again(play: Play) -> None:
    async def act(stage: Stage) -> None:
        west = trunk(stage)
        stage.start()
        job = await call(stage)
        west.finish(west.attempts[0], BUSY)
        await stage.settle()
        assert outcome(stage, job) == ("undelivered", "busy")
        assert [event["type"] for event in events(stage)] == ["accepted", "undelivered"]
        assert stage.missed == 1

    play(act)


def test_what_no_trunk_may_call_is_asked_of_one_and_the_reason_is_told(play: Play) -> None:
    async def act(stage: Stage) -> None:
        trunks = [trunk(stage, name) for name in ("west", "east", "south")]
        asked: list[str] = []

        def refuses(name: str) -> Callable[[LiveJob, float], Attempt]:
            def prepare(job: LiveJob, now: float) -> Attempt:
                asked.append(name)
                raise Unsendable("guard voice_daily: too many today", "to", everywhere=True)

            return prepare

        for each in trunks:
            each.prepare = refuses(each.name)  # type: ignore[method-assign]
        stage.start()
        job = await call(stage)
        assert len(asked) == 1
        assert outcome(stage, job) == ("rejected", "guard voice_daily: too many today")
        assert not stage.dispatcher.live

    play(act)


def test_a_redial_after_a_while_and_in_time(play: Play) -> None:
    async def act(stage: Stage) -> None:
        west = trunk(stage)
        stage.start()
        job = await call(stage)
        busy_once = msgspec.structs.replace(BUSY, redial_s=20.0)
        west.finish(west.attempts[0], busy_once)
        await stage.settle()
        assert len(west.attempts) == 1
        await asyncio.sleep(21)
        assert [attempt.number for attempt in west.attempts] == [1, 2]
        assert [event["type"] for event in events(stage)] == ["accepted", "failed"]
        await asyncio.sleep(25)  # 20 s later would be too late
        west.finish(west.attempts[1], busy_once)
        await stage.settle()
        assert outcome(stage, job) == ("undelivered", "busy")

    play(act)


def test_a_cancel_while_a_redial_waits(play: Play) -> None:
    async def act(stage: Stage) -> None:
        west = trunk(stage)
        stage.start()
        job = await call(stage)
        west.finish(west.attempts[0], msgspec.structs.replace(BUSY, redial_s=5.0))
        await stage.settle()
        assert stage.cancel(job)
        await asyncio.sleep(10)
        assert (len(west.attempts), outcome(stage, job)[0]) == (1, "cancelled")

    play(act)


def test_the_next_trunk_when_one_does_not_take_it(play: Play) -> None:
    async def act(stage: Stage) -> None:
        west, east = trunk(stage), trunk(stage, "east")
        stage.start()
        job = await call(stage)
        first, second = (west, east) if west.attempts else (east, west)
        refused = CallEnd("refused", "503", 503, StatusClass.TRANSIENT)
        first.finish(first.attempts[0], refused)
        await stage.settle()
        assert len(second.attempts) == 1
        second.finish(second.attempts[0], DELIVERED)
        await stage.settle()
        assert outcome(stage, job)[0] == "delivered"

    play(act)


def test_a_trunk_without_a_free_line_is_asked_again_after_its_pause_and_so_often(play: Play) -> None:
    async def act(stage: Stage) -> None:
        west = trunk(stage)
        stage.start()
        job = await call(stage)
        congested = CallEnd("refused", "no free line", 503, StatusClass.TRANSIENT, redial_s=5.0)
        west.finish(west.attempts[0], congested)
        await asyncio.sleep(4)
        assert len(west.attempts) == 1
        await asyncio.sleep(2)
        assert len(west.attempts) == 2
        west.finish(west.attempts[1], msgspec.structs.replace(congested, redial_s=None))
        await stage.settle()
        assert outcome(stage, job) == ("rejected", "no free line")
        last = events(stage)[-1]
        assert (last["carrier"], last["attempt"], last["reason"]) == ("west", 2, "no free line")

    play(act)


def test_a_pause_ends_at_the_deadline(play: Play) -> None:
    async def act(stage: Stage) -> None:
        west = trunk(stage)
        stage.start()
        job = await call(stage)
        await asyncio.sleep(57)
        west.finish(west.attempts[0], CallEnd("refused", "no free line", 503, redial_s=5.0))
        await asyncio.sleep(3.1)
        assert outcome(stage, job)[0] == "expired"

    play(act)


def test_a_call_waits_for_a_trunk_and_never_becomes_a_text(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, west = stage.carrier("north"), trunk(stage)
        stage.start()
        west.window = 0
        job = await call(stage)
        stage.dispatcher.use([north])  # as a reload that removes the trunk
        await stage.settle()
        assert not north.attempts
        west.window = 1
        stage.dispatcher.use([north, west])
        await stage.settle()
        assert [attempt.job for attempt in west.attempts] == [job]

    play(act)


def test_a_text_never_becomes_a_call(play: Play) -> None:
    async def act(stage: Stage) -> None:
        west = trunk(stage)
        stage.start()
        job = await stage.submit("text")
        await asyncio.sleep(61)
        assert not west.attempts
        assert outcome(stage, job)[0] == "expired"

    play(act)


def test_a_number_that_does_not_exist_is_called_once(play: Play) -> None:
    async def act(stage: Stage) -> None:
        west, east = trunk(stage), trunk(stage, "east")
        stage.start()
        job = await call(stage)
        (called,) = [each for each in (west, east) if each.attempts]
        called.finish(called.attempts[0], CallEnd("refused", "bad number", 404, StatusClass.PERMANENT))
        await stage.settle()
        assert outcome(stage, job) == ("rejected", "bad number")
        assert len(west.attempts) + len(east.attempts) == 1

    play(act)


@pytest.mark.parametrize("on_unknown", ["report", "resend_once"])
def test_a_call_whose_end_nobody_knows_is_never_repeated(play: Play, on_unknown: str) -> None:
    async def act(stage: Stage) -> None:
        west = trunk(stage)
        stage.start()
        job = await call(stage, on_unknown=on_unknown)
        west.finish(west.attempts[0], CallEnd("unknown", "no final answer"))
        await stage.settle()
        assert outcome(stage, job) == ("unknown", "no final answer")
        assert (len(west.attempts), [event["type"] for event in events(stage)]) == (
            1,
            ["accepted", "unknown"],
        )

    play(act)


def stop_by_cancel(stage: Stage, job: LiveJob) -> None:
    assert stage.cancel(job)


def stop_by_conversion(stage: Stage, job: LiveJob) -> None:
    stage.dispatcher.forget(job)


@pytest.mark.parametrize("stop", [stop_by_cancel, stop_by_conversion])
def test_a_ringing_call_is_stopped(play: Play, stop: Callable[[Stage, LiveJob], None]) -> None:
    async def act(stage: Stage) -> None:
        west = trunk(stage)
        stage.start()
        job = await call(stage)
        stop(stage, job)
        assert west.hung_up == west.attempts
        west.finish(west.attempts[0], CallEnd("undelivered", "cancelled", 487, redial_s=1.0))
        await asyncio.sleep(5)
        assert len(west.attempts) == 1
        assert not stage.dispatcher.live
        if stop is stop_by_cancel:
            assert outcome(stage, job)[0] == "cancelled"
            assert stage.cancelled == {"call": True}

    play(act)


def test_a_call_that_speaks_is_not_stopped(play: Play) -> None:
    async def act(stage: Stage) -> None:
        west = trunk(stage)
        stage.start()
        job = await call(stage)
        west.said = True
        assert not stage.cancel(job)
        west.finish(west.attempts[0], DELIVERED)
        await stage.settle()
        assert outcome(stage, job)[0] == "delivered"

    play(act)


def test_after_a_crash_a_call_under_way_is_unknown_and_a_missed_one_waits(play: Play) -> None:
    async def act(stage: Stage) -> None:
        west = trunk(stage)
        stage.start()
        talking, missed = await call(stage, "talking"), await call(stage, "missed")
        attempt = next(each for each in west.attempts if each.job is missed)
        west.finish(attempt, msgspec.structs.replace(BUSY, redial_s=30.0))
        await stage.settle()
        recovered = Reader(stage.book.path).recover(stage.now())
        assert [job.id for job in recovered.waiting] == ["missed"]
        assert [job.id for job, *_ in recovered.outstanding] == ["talking"]
        stage.dispatcher.recover(recovered, stage.now())
        await stage.settle()
        assert outcome(stage, talking) == ("unknown", "the daemon ended during the call")
        (last,) = [event for event in events(stage) if event["type"] == "unknown"]
        assert (last["channel"], last["carrier"], last["attempt"], last["final"]) == (
            "voice", "west", 1, True,
        )  # fmt: skip

    play(act)
