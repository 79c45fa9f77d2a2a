"""query_sm where receipts do not come, and cancel_sm for what has left (SMPP 3.4 §4.8, §4.9)."""

import pytest

from tests.daemon.harness import Application, CarrierFile, Lane, SimulatedCarrier, Site, until

pytestmark = pytest.mark.asyncio

NUMBER = "+4915112345678"
BOTH = {"query_sm": True, "cancel_sm": True}


def lane(carrier: SimulatedCarrier, supports: dict[str, object] = BOTH, **jobs: object) -> Lane:
    return Lane((CarrierFile(carrier.port, other={"supports": supports}),), jobs=jobs)


async def test_a_carrier_is_asked_at_the_deadline_when_no_receipt_came(site: Site) -> None:
    carrier = site.carrier(receipt_missing=1.0)
    site.start(lane(carrier, on_unknown="query"))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER, deadline_s=1.0)
        final = await shop.final(job_id)
        assert (final.outcome, final.type) == ("delivered", "delivered")
        assert shop.types(job_id) == ["accepted", "sent", "delivered"]
        assert carrier.stats()["accepted"] == 1, "asked, not sent again"


async def test_every_part_is_asked_for(site: Site) -> None:
    carrier = site.carrier(receipt_missing=1.0)
    site.start(lane(carrier, on_unknown="query"))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER, "x" * 400, deadline_s=1.0)
        assert (await shop.final(job_id)).outcome == "delivered"


async def test_a_message_the_carrier_does_not_know_stays_unknown(site: Site) -> None:
    carrier = site.carrier(receipt_missing=1.0, message_limit=0)
    site.start(lane(carrier, on_unknown="query", receipt_wait_s=1.0))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER, deadline_s=1.0)
        assert (await shop.final(job_id)).outcome == "unknown"


async def test_a_message_on_its_way_is_taken_back(site: Site) -> None:
    carrier = site.carrier(receipt_delay="fixed:30")
    site.start(lane(carrier))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER, "x" * 400)
        await shop.event(job_id, "sent")
        assert await shop.client.cancel(job_id) is True
        final = await shop.final(job_id)
        assert (final.outcome, final.type) == ("cancelled", "cancelled")
        assert carrier.inbox(NUMBER) == []
        assert await shop.client.cancel(job_id) is False, "it is over"


async def test_what_the_handset_has_is_not_taken_back(site: Site) -> None:
    carrier = site.carrier(receipt_missing=1.0)
    site.start(lane(carrier))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER)
        await shop.event(job_id, "sent")
        await until(lambda: len(carrier.inbox(NUMBER)) == 1, "the message to arrive")
        assert await shop.client.cancel(job_id) is False
        assert shop.types(job_id) == ["accepted", "sent"]


async def test_a_carrier_without_cancel_is_not_asked(site: Site) -> None:
    carrier = site.carrier(receipt_delay="fixed:30")
    site.start(lane(carrier, supports={}))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER)
        await shop.event(job_id, "sent")
        assert await shop.client.cancel(job_id) is False
