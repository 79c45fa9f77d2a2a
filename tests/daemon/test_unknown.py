"""When the answer never comes: nothing is sent twice blindly, and no end is told that may not be true."""

import pytest

from tests.daemon.harness import Application, CarrierFile, Lane, SimulatedCarrier, Site, until

pytestmark = pytest.mark.asyncio

NUMBER = "+4915112345678"
# The response to the first number never comes, though the message and its receipt do; to the second nothing.
ARRIVES, LOST = "+447700900004", "+447700900005"
ONE_SECOND = {"response_timeout_s": 1.0}


def accepted(carrier: SimulatedCarrier) -> int:
    return int(carrier.stats()["accepted"])


@pytest.mark.rule("smpp.time-out")
async def test_report_sends_once_and_the_receipt_tells_the_end(site: Site) -> None:
    carrier = site.carrier()
    site.start(Lane((CarrierFile(carrier.port, binds=ONE_SECOND),)))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(ARRIVES, on_unknown="report")
        assert (await shop.final(job_id)).outcome == "delivered"
        assert shop.types(job_id) == ["accepted", "unknown", "delivered"]
        assert accepted(carrier) == 1
        assert (await shop.client.stats())["parked_receipts"] == 0


async def test_report_ends_unknown_when_nothing_more_is_heard(site: Site) -> None:
    carrier = site.carrier()
    lane = Lane((CarrierFile(carrier.port, binds=ONE_SECOND),), jobs={"receipt_wait_s": 0.5})
    site.start(lane)
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(LOST, on_unknown="report", deadline_s=2.0)
        assert (await shop.final(job_id)).outcome == "unknown"
        assert shop.types(job_id) == ["accepted", "unknown", "unknown"]
        assert accepted(carrier) == 1


async def test_resend_once_sends_twice_and_no_more(site: Site) -> None:
    carrier = site.carrier()
    lane = Lane(
        (CarrierFile(carrier.port, binds=ONE_SECOND),),
        jobs={"on_unknown": "resend_once", "receipt_wait_s": 0.5},
    )
    site.start(lane)
    async with Application(site.socket_path) as shop:
        both, lost = await shop.submit_many([shop.job(ARRIVES), shop.job(LOST, deadline_s=3.0)])
        assert (await shop.final(both)).outcome == "delivered"
        assert (await shop.final(lost)).outcome == "unknown"
        assert shop.types(lost) == ["accepted", "unknown", "unknown", "unknown"]
        assert shop.types(both)[:2] == ["accepted", "unknown"]
        assert accepted(carrier) == 4
        # Two receipts with ids that no answer named, and both are this job's.
        await until(lambda: carrier.stats()["receipts_answered"] == 2, "both receipts answered")

        async def parked() -> int:
            return int((await shop.client.stats())["parked_receipts"])

        for _ in range(500):
            if not await parked():
                break
        assert await parked() == 0


async def test_a_late_answer_ends_the_doubt_and_saves_the_second_message(site: Site) -> None:
    """resend_once, and the answer comes while the job waits to be sent again."""
    carrier = site.carrier(response_delay="fixed:1.5", receipt_delay="fixed:2.0", window_limit=1)
    binds = {**ONE_SECOND, "tps": 1.0}
    site.start(Lane((CarrierFile(carrier.port, binds=binds),)))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER, on_unknown="resend_once")
        # Takes the token that comes next, so that the first job has to wait for its second turn.
        other = await shop.submit("+4915112345679", deadline_s=25.0)
        assert (await shop.final(job_id)).outcome == "delivered"
        await shop.final(other)
        assert carrier.inbox(NUMBER) == ["Your code is 482917"]
        assert shop.types(job_id) == ["accepted", "unknown", "sent", "delivered"]


async def test_a_receipt_ends_the_doubt_and_saves_the_second_message(site: Site) -> None:
    """resend_once, and the receipt of the unanswered message comes while the job waits to be sent again."""
    carrier = site.carrier()
    # The next token comes after five seconds: long after the receipt has found its job by the number.
    site.start(Lane((CarrierFile(carrier.port, binds={**ONE_SECOND, "tps": 0.2}),)))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(ARRIVES, on_unknown="resend_once")
        assert (await shop.final(job_id)).outcome == "delivered"
        other = await shop.submit(NUMBER)
        assert (await shop.final(other)).outcome == "delivered"
        assert shop.types(job_id) == ["accepted", "unknown", "delivered"]
        assert accepted(carrier) == 2


async def test_a_late_refusal_is_not_followed_by_a_message_of_a_job_that_has_ended(site: Site) -> None:
    carrier = site.carrier(
        response_delay="fixed:1.3", throttle_tps=0.001, throttle_burst=1, throttle_status=0x58
    )
    site.start(Lane((CarrierFile(carrier.port, binds=ONE_SECOND),), jobs={"receipt_wait_s": 0.5}))
    async with Application(site.socket_path) as shop:
        first = await shop.submit("+4915112345670", on_unknown="report")
        await shop.event(first, "unknown")
        jobs = [shop.job(NUMBER, f"code {n}", on_unknown="resend_once", deadline_s=5.0) for n in range(5)]
        for job_id in await shop.submit_many(jobs):
            final = await shop.final(job_id)
            assert final.outcome in ("rejected", "unknown", "expired"), shop.of(job_id)
        assert carrier.inbox(NUMBER) == []


@pytest.mark.rule("smpp.window-loss")
@pytest.mark.parametrize("fault", ["cut_after", "silence_after"])
async def test_a_lost_link_makes_unknown_what_was_under_way_and_nothing_else(site: Site, fault: str) -> None:
    carrier = site.carrier(**{fault: 5}, response_delay="fixed:0.1")
    binds = {**ONE_SECOND, "enquire_link_s": 0.5}
    site.start(Lane((CarrierFile(carrier.port, binds=binds),), jobs={"receipt_wait_s": 1.0}))
    async with Application(site.socket_path) as shop:
        jobs = [shop.job(f"+49151123456{n:02}", on_unknown="report", deadline_s=4.0) for n in range(20)]
        job_ids = await shop.submit_many(jobs)
        for job_id in job_ids:
            assert (await shop.final(job_id, 30)).outcome in ("delivered", "unknown")
        carrier.set(**{fault: 0})
        last = await shop.submit(NUMBER)
        assert (await shop.final(last)).outcome == "delivered"
        assert any("unknown" in shop.types(job_id) for job_id in job_ids)
        assert carrier.ask("submissions")["repeated"] == 0
