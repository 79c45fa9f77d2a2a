"""The asyncio client against a real socket."""

import asyncio
import contextlib
from random import Random

import pytest

from connector.client import Client, Forgotten, Job, Options, RpcError, Submitted
from protocols.rpc.messages import Fault, encode_notification

QUICK = Options(timeout_s=5.0, backoff_base_s=0.001, backoff_cap_s=0.01)
BRIEF = Options(timeout_s=0.2, backoff_base_s=0.001, backoff_cap_s=0.01)


def job(job_id: str) -> Job:
    return Job(id=job_id, to="+4915112345678", text="482917", deadline_s=20)


async def until(daemon, condition) -> None:
    await asyncio.to_thread(daemon.wait, condition)


@pytest.mark.asyncio
async def test_every_method(daemon):
    async with Client(daemon.path, name="shop", options=QUICK) as client:
        assert await client.submit(job("a")) == Submitted("a", "queued", False)
        assert (await client.submit(job("a"))).duplicate
        assert await client.status("a") == {"id": "a", "state": "queued"}
        assert await client.cancel("a") is True
        assert await client.cancel("b") is False
        await client.feedback("a", converted=False, attempt=1)
        assert await client.forget("+4915112345678") == Forgotten(2, 1, 2)
        assert (await client.preview(job("p")))["parts"] == 1
        assert await client.stats() == {"jobs": 1}
        await client.ack(7)
    assert daemon.calls[0][1]["client"] == "shop"
    assert daemon.acked == 7


@pytest.mark.asyncio
async def test_a_thousand_calls_at_once_share_one_connection(daemon):
    async with Client(daemon.path, options=Options(max_pending=100)) as client:
        results = await asyncio.gather(*(client.submit(job(str(i))) for i in range(1000)))
    assert [result.id for result in results] == [str(i) for i in range(1000)]
    assert len(daemon.called("hello")) == 1


@pytest.mark.asyncio
async def test_an_error_is_raised_and_one_bad_job_does_not_spoil_the_rest(daemon):
    async with Client(daemon.path, options=QUICK) as client:
        daemon.faults["submit"] = [Fault("busy", "the queue is full", retry_after_s=1.5)]
        with pytest.raises(RpcError, match="busy") as refusal:
            await client.submit(job("a"))
        assert refusal.value.retry_after_s == 1.5
        good, bad = await client.submit_many([job("a"), {"id": "b"}])
        assert good == Submitted("a", "queued", True)
        assert isinstance(bad, RpcError)
        with pytest.raises(RpcError, match="too_large"):
            await client.submit(Job(id="l", to="+4915112345678", text="x" * 300_000, deadline_s=20))


@pytest.mark.asyncio
async def test_calls_under_way_are_made_again_in_order_after_a_lost_connection(daemon):
    async with Client(daemon.path, options=QUICK, random=Random(1)) as client:
        daemon.faults["submit"] = [daemon.SILENCE, daemon.SILENCE, daemon.HANG_UP]
        results = await asyncio.gather(*(client.submit(job(str(i))) for i in range(5)))
    assert [result.id for result in results] == ["0", "1", "2", "3", "4"]
    assert [each["id"] for each in daemon.called("submit")] == ["0", "1", "2", "0", "1", "2", "3", "4"]
    assert all(result.duplicate for result in results[:3])


@pytest.mark.asyncio
async def test_a_restarted_daemon_is_found_again(daemon):
    async with Client(daemon.path, options=QUICK) as client:
        await asyncio.to_thread(daemon.stop)
        call = asyncio.ensure_future(client.stats())
        await asyncio.to_thread(daemon.start)
        assert await call == {"jobs": 0}


@pytest.mark.asyncio
async def test_no_answer_in_time(daemon):
    async with Client(daemon.path, options=BRIEF) as client:
        daemon.faults["submit"] = [daemon.SILENCE]
        with pytest.raises(RpcError, match="timeout"):
            await client.submit(job("a"))
        daemon.cut()
        assert await client.stats() == {"jobs": 1}
    assert len(daemon.called("submit")) == 1  # nobody waits for it: it is not repeated


@pytest.mark.asyncio
async def test_a_daemon_that_does_not_read_is_waited_for_and_nothing_is_lost(daemon):
    large = [Job(id=str(i), to="+4915112345678", text="x" * 16_000, deadline_s=20) for i in range(200)]
    async with Client(daemon.path, options=Options(max_pending=150)) as client:
        daemon.read(False)
        calls = asyncio.gather(*(client.submit(each) for each in large))
        while client._link._writable:
            await asyncio.sleep(0)
        daemon.read(True)
        assert [result.id for result in await calls] == [each.id for each in large]
        assert client._link._writable
    assert len(daemon.called("submit")) == 200


@pytest.mark.asyncio
async def test_a_call_made_while_the_daemon_did_not_read_leaves_when_it_reads_again(daemon):
    daemon.faults["submit"] = [daemon.SILENCE] * 100
    async with Client(daemon.path, options=QUICK) as client:
        daemon.read(False)
        large = [Job(id=str(i), to="+4915112345678", text="x" * 16_000, deadline_s=20) for i in range(100)]
        unanswered = asyncio.gather(*(client.submit(each) for each in large))
        while client._link._writable:
            await asyncio.sleep(0)
        call = asyncio.ensure_future(client.stats())
        await asyncio.sleep(0)
        daemon.read(True)
        assert await call == {"jobs": 100}
        unanswered.cancel()
        with pytest.raises(asyncio.CancelledError):
            await unanswered


@pytest.mark.asyncio
async def test_many_jobs_of_a_client_that_is_closed(daemon):
    client = Client(daemon.path)
    await client.connect()
    await client.close()
    assert [result.code for result in await client.submit_many([job("a"), job("b")])] == ["closed", "closed"]
    await client.connect()
    assert (await client.submit(job("a"))).id == "a"
    await client.close()


@pytest.mark.asyncio
async def test_a_cancelled_call_is_forgotten(daemon):
    async with Client(daemon.path, options=QUICK) as client:
        daemon.faults["submit"] = [daemon.SILENCE]
        call = asyncio.ensure_future(client.submit(job("a")))
        await until(daemon, lambda: daemon.jobs)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        daemon.cut()
        assert await client.stats() == {"jobs": 1}
    assert len(daemon.called("submit")) == 1


@pytest.mark.asyncio
async def test_nobody_there(tmp_path):
    with pytest.raises(RpcError, match=r"disconnected.*none"):
        await Client(tmp_path / "none", options=BRIEF).connect()


@pytest.mark.asyncio
async def test_a_refused_greeting_is_final_and_a_busy_one_is_not(daemon):
    daemon.faults["hello"] = [Fault("not_permitted", "no"), Fault("busy", "later", retry_after_s=0.01)]
    with pytest.raises(RpcError, match="not_permitted"):
        await Client(daemon.path, options=QUICK).connect()
    async with Client(daemon.path, options=QUICK) as client:
        assert await client.stats() == {"jobs": 0}
    assert len(daemon.called("hello")) == 3


@pytest.mark.asyncio
async def test_a_refusal_after_a_reconnection_ends_the_calls(daemon):
    async with Client(daemon.path, options=QUICK) as client:
        daemon.faults = {"stats": [daemon.HANG_UP], "hello": [Fault("not_permitted", "no")]}
        with pytest.raises(RpcError, match="not_permitted"):
            await client.stats()
        with pytest.raises(RpcError, match="not_permitted"):
            await client.stats()


@pytest.mark.asyncio
async def test_what_the_daemon_cannot_read_fails_once_and_is_not_repeated(daemon):
    async with Client(daemon.path, options=QUICK) as client:
        daemon.faults["submit"] = [
            encode_notification("error", [{"code": "limit_exceeded", "message": "too deep"}])
        ]
        with pytest.raises(RpcError, match="limit_exceeded"):
            await client.submit(job("a"))
        assert await client.stats() == {"jobs": 1}
    assert len(daemon.called("submit")) == 1


@pytest.mark.asyncio
async def test_closing_ends_calls_and_streams(daemon):
    client = Client(daemon.path, options=QUICK)
    await client.connect()
    daemon.faults["stats"] = [daemon.SILENCE]
    call = asyncio.ensure_future(client.stats())
    following = asyncio.ensure_future(anext(client.events(), None))
    await until(daemon, lambda: daemon.called("stats") and daemon.called("subscribe"))
    await client.close()
    with pytest.raises(RpcError, match="closed"):
        await call
    assert await following is None
    with pytest.raises(RpcError, match="closed"):
        await client.stats()
    await until(daemon, lambda: not daemon._connections)


@pytest.mark.asyncio
async def test_events_come_in_order_and_are_acknowledged_when_done_with(daemon):
    daemon.add_events(1, 10)
    async with Client(daemon.path, options=Options(ack_every=4)) as client:
        stream = client.events()
        assert [(await anext(stream)).seq for _ in range(10)] == list(range(1, 11))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        await until(daemon, lambda: daemon.acked == 10)
        daemon.add_events(11, 11)
        assert (await anext(stream)).seq == 11
    assert daemon.acked == 10


@pytest.mark.asyncio
async def test_acknowledgement_by_hand_only(daemon):
    daemon.add_events(1, 10)
    async with Client(daemon.path, options=Options(ack_every=0)) as client:
        stream = client.events(from_seq=2)
        for _ in range(8):
            event = await anext(stream)
        assert event.seq == 9
        await client.ack(5)
        await until(daemon, lambda: daemon.acked)
    await until(daemon, lambda: not daemon._connections)
    assert daemon.called("ack") == [{"seq": 5}]


@pytest.mark.asyncio
async def test_events_go_on_where_the_connection_was_lost_and_acks_are_said_again(daemon):
    daemon.add_events(1, 100)
    seen = []
    async with Client(daemon.path, options=Options(ack_every=50, backoff_base_s=0.001)) as client:
        async for event in client.events():
            seen.append(event.seq)
            if event.seq in (100, 200):
                await until(daemon, lambda: daemon.calls[-1][0] == "ack")
                daemon.cut()
                daemon.add_events(event.seq + 1, event.seq + 100)
            if event.seq == 300:
                break
        await client.ack(300)
        await until(daemon, lambda: daemon.acked == 300)
    assert seen == list(range(1, 301))
    assert daemon.called("subscribe") == [{}, {"from_seq": 101}, {"from_seq": 201}]
    # The first thing after a subscription: the acknowledgement that the lost connection may have swallowed.
    calls = [each for each in daemon.calls if each[0] != "hello"]
    again = [calls[i + 1] for i, (method, param) in enumerate(calls) if method == "subscribe" and param]
    assert [method for method, _ in again] == ["ack", "ack"]


@pytest.mark.asyncio
async def test_a_slow_consumer_stops_reading_and_may_still_ask(daemon):
    daemon.add_events(1, 20_000)
    async with Client(daemon.path, options=Options(event_buffer=10)) as client:
        stream = client.events()
        first = await anext(stream)
        await until(daemon, lambda: daemon.written > 0)
        # The daemon's writes stall: what is under way fits in the socket's buffers and one read.
        assert await client.stats() == {"jobs": 0}
        for _ in range(50):
            await client.stats()
        assert daemon.written < 15_000
        assert len(stream._subscription._waiting) < 5000
        seen = [first.seq]
        async for event in stream:
            seen.append(event.seq)
            if event.seq == 20_000:
                break
    assert seen == list(range(1, 20_001))


@pytest.mark.asyncio
async def test_a_new_stream_ends_the_old_one(daemon):
    daemon.add_events(1, 3)
    async with Client(daemon.path, options=QUICK) as client:
        old = client.events()
        assert (await anext(old)).seq == 1
        new = client.events(from_seq=3)
        assert [event.seq async for event in old] == []
        assert (await anext(new)).seq == 3


@pytest.mark.asyncio
async def test_a_refused_subscription_is_raised(daemon):
    daemon.faults["subscribe"] = [Fault("gone", "those events are no longer kept", "from_seq")]
    async with Client(daemon.path, options=QUICK) as client:
        with pytest.raises(RpcError, match="gone"):
            await anext(client.events(from_seq=1))
