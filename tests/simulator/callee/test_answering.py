import pytest

from connector.simulator.callee.records import CallRecord
from protocols.sip.events import Answered, Ended, Progress, Rejected
from protocols.sip.timers import Timers
from tests.simulator.callee.caller import NUMBER, Caller, calling

pytestmark = pytest.mark.asyncio


async def record_of(caller: Caller, callee: object, place: int = 0) -> CallRecord:
    """The record of a call that is over."""
    calls = callee.records.calls  # type: ignore[attr-defined]
    return await caller.until(lambda: len(calls) > place and calls[place].ended_by and calls[place])


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_it_rings_answers_and_is_hung_up_on(transport: str) -> None:
    async with calling(answer_after=0.1) as (caller, callee):
        flow = caller.flow if transport == "udp" else await caller.tcp()
        call, _ = caller.invite(flow=flow)
        assert (await caller.next(Progress)).status == 180
        await caller.next(Answered)
        await caller.until(lambda: "ack" in callee.records.calls[0].at)
        caller.hang_up(call)
        assert (await caller.next(Ended)).by == "us"
        record = await record_of(caller, callee)
        assert (record.to, record.from_, record.transport) == ("441632960101", "441632960000", transport)
        assert (record.status, record.ended_by, record.codec) == (200, "caller", "PCMA")
        assert list(record.at)[:2] == ["ring", "answer"]
        assert record.at["answer"] >= 0.1
        assert record.at["end"] >= record.at["ack"] >= record.at["answer"]
        assert callee.stats()["lines_open"] == 0


async def test_delays_are_those_asked_for() -> None:
    async with calling(ring_after=0.15, answer_after="uniform:0.3,0.4") as (caller, callee):
        caller.invite()
        await caller.next(Answered)
        at = callee.records.calls[0].at
        assert at["ring"] >= 0.15
        assert at["answer"] >= 0.3


@pytest.mark.parametrize(
    ("options", "status", "retry_after", "cause"),
    [
        ({"reject_status": 486}, 486, None, None),
        ({"reject_status": 486, "reject_rings": True, "reject_after": 0.1}, 486, None, None),
        ({"reject_status": 503, "retry_after_s": 30}, 503, 30.0, None),
        ({"reject_status": 480, "reason": "Q.850;cause=20"}, 480, None, 20),
        ({"reject_status": 603}, 603, None, None),
        ({"answers": False, "no_answer_after_s": 0.1}, 480, None, None),
    ],
)
async def test_a_call_is_refused(
    options: dict[str, object], status: int, retry_after: float | None, cause: int | None
) -> None:
    async with calling(**options) as (caller, callee):
        caller.invite()
        rejected = await caller.next(Rejected)
        assert (rejected.status, rejected.retry_after, rejected.cause) == (status, retry_after, cause)
        assert not rejected.local
        record = await record_of(caller, callee)
        assert (record.status, record.ended_by) == (status, "rejected")
        rang = any(isinstance(event, Progress) for event in caller.events)
        assert rang == ("reject_rings" in options or "answers" in options)


async def test_a_call_is_sent_elsewhere() -> None:
    async with calling(reject_status=302, moved_to="sip:+441632960199@192.0.2.1") as (caller, _):
        caller.invite()
        assert (await caller.next(Rejected)).status == 302


async def test_nobody_answers_and_the_caller_gives_up() -> None:
    async with calling(answers=False) as (caller, callee):
        call, _ = caller.invite()
        await caller.next(Progress)
        caller.hang_up(call)
        await caller.until(lambda: [event for event in caller.events if isinstance(event, Rejected | Ended)])
        record = await record_of(caller, callee)
        assert (record.ended_by, record.status) == ("cancelled", None)
        assert callee.stats()["cancelled"] == 1


async def test_the_answer_crosses_the_cancel() -> None:
    async with calling(answers=False, late_200=True) as (caller, callee):
        call, _ = caller.invite()
        await caller.next(Progress)
        caller.hang_up(call)
        record = await record_of(caller, callee)
        assert (record.ended_by, record.status) == ("caller", 200)
        assert "ack" in record.at
        await caller.next(Ended)


async def test_early_media_comes_before_the_answer() -> None:
    async with calling(answer_after=1.5, early_media="ringback", says="none") as (caller, callee):
        _, sound = caller.invite()
        progress = await caller.next(Progress)
        assert progress.status == 183
        assert progress.agreed is not None
        await caller.until(lambda: len(sound.loud) > 5)
        assert not any(isinstance(event, Answered) for event in caller.events)
        await caller.next(Answered)
        await caller.until(lambda: "ack" in callee.records.calls[0].at)
        count = len(sound.heard)
        await caller.until(lambda: len(sound.heard) > count + 5)
        assert len(set(sound.heard[-1].payload)) == 1


async def test_provisionals_are_reliable_where_the_caller_can_take_them() -> None:
    for reliable, expected in (("supported", True), ("no", False)):
        async with calling(reliable=True) as (caller, callee):
            call, _ = caller.invite(reliable=reliable)
            await caller.next(Answered)
            assert callee.stats()["answered"] == 1
            assert caller.saw(b"PRACK ") is expected
            caller.hang_up(call)
            await record_of(caller, callee)


async def test_more_calls_than_lines_are_busy() -> None:
    async with calling(lines=1) as (caller, callee):
        first, _ = caller.invite()
        await caller.next(Answered, first)
        second, _ = caller.invite()
        assert (await caller.next(Rejected, second)).status == 486
        caller.hang_up(first)
        await record_of(caller, callee)
        third, _ = caller.invite()
        await caller.next(Answered, third)


async def test_a_session_interval_that_is_too_small_is_asked_for_again() -> None:
    async with calling(min_se_s=2000) as (caller, callee):
        call, _ = caller.invite(session_expires_s=1800)
        await caller.next(Answered)
        caller.hang_up(call)
        record = await record_of(caller, callee)
        assert record.status == 200
        assert caller.saw(b"Min-SE: 2000")


async def test_one_that_ignores_the_invite_is_not_there() -> None:
    async with calling(ignore="INVITE") as (caller, callee):
        caller.restarted(Timers(t1=0.01))
        caller.invite()
        rejected = await caller.next(Rejected)
        assert (rejected.status, rejected.local) == (408, True)
        assert callee.stats()["calls"] == 0


async def test_a_bye_without_answer_ends_the_callers_call_all_the_same() -> None:
    async with calling(ignore="BYE") as (caller, callee):
        caller.restarted(Timers(t1=0.01))
        call, _ = caller.invite()
        await caller.next(Answered)
        caller.hang_up(call)
        await caller.next(Ended)
        assert callee.stats()["lines_open"] == 1


@pytest.mark.parametrize(
    ("number", "status"),
    [("+447700900020", 486), ("+447700900040", 300), ("00447700900056", 485), ("447700900000", 200)],
)
async def test_reserved_numbers_have_stories(number: str, status: int) -> None:
    async with calling(reject_status=404) as (caller, callee):
        caller.invite(number)
        await caller.until(lambda: callee.records.calls and callee.records.calls[0].status)
        assert callee.records.calls[0].status == status
        callee.set({"stories": False})
        call, _ = caller.invite(number)
        assert (await caller.next(Rejected, call)).status == 404


async def test_a_number_has_options_of_its_own() -> None:
    async with calling() as (caller, callee):
        callee.number(NUMBER, {"reject_status": 404})
        first, _ = caller.invite()
        assert (await caller.next(Rejected, first)).status == 404
        other, _ = caller.invite("+441632960102")
        await caller.next(Answered, other)
        callee.number(NUMBER, {})
        again, _ = caller.invite()
        await caller.next(Answered, again)


async def test_two_hundred_calls_at_once_end_one_by_one() -> None:
    async with calling(answer_after="uniform:0.01,0.2", says="none", recording_limit=5) as (caller, callee):
        calls = [caller.invite()[0] for _ in range(200)]
        answered: list[object] = []
        for call in calls:
            answered.append(await caller.next(Answered, call))
        for call in calls:
            caller.hang_up(call)
        await caller.until(lambda: callee.stats()["lines_open"] == 0)
        assert {record.ended_by for record in callee.records.calls} == {"caller"}
