"""What waits: its deadline, its turn, its cancellation, and how much may wait."""

import asyncio
import time
from typing import Any

import pytest

from benchmarks.ports import free_port
from connector.client import RpcError, Submitted
from tests.daemon.harness import Application, CarrierFile, Lane, Site, until

pytestmark = pytest.mark.asyncio

NUMBER = "+4915112345678"


async def test_a_job_expires_while_no_carrier_is_there(site: Site) -> None:
    site.start(Lane((CarrierFile(free_port()),)))
    async with Application(site.socket_path) as shop:
        began = time.monotonic()
        job_id = await shop.submit(NUMBER, deadline_s=0.5)
        final = await shop.final(job_id)
        assert (final.outcome, shop.types(job_id)) == ("expired", ["accepted", "expired"])
        assert time.monotonic() - began > 0.5
        assert final.reason


async def test_a_job_whose_time_passes_before_the_restart_is_not_sent_after_it(site: Site) -> None:
    port = free_port()
    daemon = site.start(Lane((CarrierFile(port),)))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER, deadline_s=0.3)
        daemon.kill()
        accepted = (
            next(event for event in shop.of(job_id) if event.type == "accepted") if shop.of(job_id) else None
        )
        await until(lambda: accepted is None or time.time() > accepted.at + 0.4, "the deadline has passed")
        carrier = await asyncio.to_thread(site.carrier, port=port)
        await asyncio.to_thread(site.start)
        final = await shop.final(job_id)
        if final.outcome == "delivered":
            assert accepted is None, "it was still in time only if the kill came very late"
        else:
            assert final.outcome == "expired"
            assert carrier.inbox(NUMBER) == []


async def test_the_ready_line_expires_too(site: Site) -> None:
    """One message a second: those behind must not leave after their time, intent or not."""
    carrier = site.carrier()
    site.start(Lane((CarrierFile(carrier.port, binds={"tps": 1.0}),)))
    async with Application(site.socket_path) as shop:
        jobs = [shop.job(f"+49151{n:08}", deadline_s=2.5) for n in range(10)]
        began = time.monotonic()
        outcomes = [(await shop.final(job_id)).outcome for job_id in await shop.submit_many(jobs)]
        assert time.monotonic() - began < 5
        assert set(outcomes) == {"delivered", "expired"}
        assert 1 <= outcomes.count("delivered") <= 4
        assert len(carrier.ask("handsets")) == outcomes.count("delivered")


async def test_a_throttled_message_expires_in_the_line(site: Site) -> None:
    carrier = site.carrier(throttle_tps=0.001, throttle_burst=1)
    site.start(Lane((CarrierFile(carrier.port),)))
    async with Application(site.socket_path) as shop:
        assert (await shop.final(await shop.submit(NUMBER))).outcome == "delivered"
        second = await shop.submit("+4915112345679", deadline_s=1.2)
        assert (await shop.final(second)).outcome == "expired"
        assert carrier.inbox("+4915112345679") == []


async def test_the_most_urgent_leaves_first(site: Site) -> None:
    port = free_port()
    site.start(Lane((CarrierFile(port, binds={"tps": 50.0, "window": 1}),)))
    async with Application(site.socket_path) as shop:
        jobs = [shop.job(f"+49151{n:08}", deadline_s=100.0 - n) for n in range(20)]
        job_ids = await shop.submit_many(jobs)
        carrier = await asyncio.to_thread(site.carrier, port=port)
        for job_id in job_ids:
            await shop.final(job_id)
        arrived = [received["to"] for received in carrier.ask("handsets")]
        assert arrived == [job["to"] for job in reversed(jobs)]


async def test_a_waiting_job_can_be_cancelled_and_one_that_left_cannot(site: Site) -> None:
    port = free_port()
    site.start(Lane((CarrierFile(port),)))
    async with Application(site.socket_path) as shop:
        waiting, kept = await shop.submit_many([shop.job(NUMBER), shop.job("+4915112345679")])
        assert await shop.client.cancel(waiting) is True
        final = await shop.final(waiting)
        assert (final.outcome, final.type) == ("cancelled", "cancelled")
        assert await shop.client.cancel(waiting) is False
        carrier = await asyncio.to_thread(site.carrier, port=port)
        assert (await shop.final(kept)).outcome == "delivered"
        assert await shop.client.cancel(kept) is False
        assert carrier.inbox(NUMBER) == []
        with pytest.raises(RpcError) as refusal:
            await shop.client.cancel("nobody-knows")
        assert (refusal.value.code, refusal.value.field) == ("unknown_job", "id")


async def test_a_cancelled_job_stays_cancelled_after_a_restart(site: Site) -> None:
    port = free_port()
    daemon = site.start(Lane((CarrierFile(port),)))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER)
        assert await shop.client.cancel(job_id) is True
        daemon.kill()
        carrier = await asyncio.to_thread(site.carrier, port=port)
        await asyncio.to_thread(site.start)
        other = await shop.submit("+4915112345679")
        assert (await shop.final(other)).outcome == "delivered"
        assert carrier.inbox(NUMBER) == []
        assert (await shop.client.status(job_id))["outcome"] == "cancelled"


async def test_the_user_has_used_the_code(site: Site) -> None:
    """Feedback ends a job whose receipt is missing, and what the carrier says later changes nothing."""
    carrier = site.carrier(receipt_delay="fixed:0.7")
    site.start(Lane((CarrierFile(carrier.port),)))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER)
        await shop.event(job_id, "sent")
        await shop.client.feedback(job_id, converted=True)
        final = await shop.final(job_id)
        assert (final.type, final.outcome) == ("converted", "delivered")
        await until(lambda: carrier.stats()["receipts_answered"] == 1, "the receipt is answered")
        await shop.final(await shop.submit("+4915112345679"))
        assert shop.types(job_id) == ["accepted", "sent", "converted"]


async def test_feedback_takes_back_what_still_waits(site: Site) -> None:
    port = free_port()
    site.start(Lane((CarrierFile(port),)))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER)
        await shop.client.feedback(job_id, converted=True)
        assert (await shop.final(job_id)).type == "converted"
        carrier = await asyncio.to_thread(site.carrier, port=port)
        await shop.final(await shop.submit("+4915112345679"))
        assert carrier.inbox(NUMBER) == []


async def test_feedback_while_the_submit_is_under_way_is_the_last_word(site: Site) -> None:
    carrier = site.carrier(response_delay="fixed:0.5")
    site.start(Lane((CarrierFile(carrier.port),)))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER)
        await until(lambda: carrier.stats()["accepted"] == 1, "the submit is at the carrier")
        await shop.client.feedback(job_id, converted=True)
        await until(lambda: carrier.stats()["responses"] == 1, "the carrier has answered")
        await shop.final(await shop.submit("+4915112345679"))
        assert shop.types(job_id) == ["accepted", "converted"]
        assert carrier.ask("submissions")["repeated"] == 0


async def test_too_many_waiting_jobs_are_refused_and_welcome_later(site: Site) -> None:
    port = free_port()
    site.start(Lane((CarrierFile(port),), application={"max_queued": 100}))
    async with Application(site.socket_path) as shop:
        jobs = [shop.job(f"+49151{n:08}") for n in range(150)]
        results = await shop.client.submit_many(jobs)
        taken = [isinstance(result, Submitted) for result in results]
        assert taken == [True] * 100 + [False] * 50
        for refused in results[100:]:
            assert isinstance(refused, RpcError)
            assert refused.code == "busy"
            assert refused.retry_after_s is not None
            assert 0 < refused.retry_after_s <= 60
        await asyncio.to_thread(site.carrier, port=port)
        for job in jobs[:100]:
            assert (await shop.final(str(job["id"]))).outcome == "delivered"
        again: list[Any] = await shop.client.submit_many(jobs[100:])
        assert all(isinstance(result, Submitted) and not result.duplicate for result in again)
        for job in jobs[100:]:
            assert (await shop.final(str(job["id"]))).outcome == "delivered"


async def test_the_limit_holds_after_a_restart(site: Site) -> None:
    daemon = site.start(Lane((CarrierFile(free_port()),), application={"max_queued": 10}))
    async with Application(site.socket_path) as shop:
        await shop.submit_many([shop.job(f"+49151{n:08}") for n in range(10)])
        daemon.kill()
        await asyncio.to_thread(site.start)
        with pytest.raises(RpcError) as refusal:
            await shop.submit(NUMBER)
        assert refusal.value.code == "busy"
