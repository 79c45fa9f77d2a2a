"""Receipts as carriers really send them: each one finds its job, and each job has one end."""

import asyncio

import pytest

from connector.simulator.message_ids import SPELLINGS
from tests.daemon.harness import Application, CarrierFile, Lane, Site, until

pytestmark = pytest.mark.asyncio

NUMBER = "+49151123456{:02}"

FAULTS = {
    "early": {"receipt_early": 1},
    "late": {"receipt_delay": "uniform:0.2,0.6"},
    "shuffled": {"receipt_shuffle": 7},
    "duplicated": {"receipt_duplicate": 1, "receipt_delay": "uniform:0,0.1"},
    "on another bind": {"receipt_other_bind": 1},
    "early on another bind": {"receipt_other_bind": 1, "receipt_early": 1},
    "text only": {"receipt_form": "text"},
    "TLVs only": {"receipt_form": "tlv"},
    "slow bytes": {"slow_byte_s": 0.0001},
    **{f"id {form}": {"id_form": form} for form in SPELLINGS},
    "early, twice, shuffled, in hex": {
        "receipt_early": 0.5, "receipt_duplicate": 0.5, "receipt_shuffle": 5, "id_form": "hex_in_response",
    },
}  # fmt: skip


@pytest.mark.parametrize("mode", ["transceiver", "transmitter+receiver"])
async def test_a_receipt_is_matched_however_it_comes(site: Site, mode: str) -> None:
    carrier = site.carrier()
    site.start(Lane((CarrierFile(carrier.port, binds={"mode": mode, "count": 2}),)))
    plain = carrier.ask("set", options={})
    async with Application(site.socket_path) as shop:
        for name, faults in FAULTS.items():
            carrier.set(**plain | faults)
            jobs = [shop.job(NUMBER.format(n), f"{name}: code {n}") for n in range(20)]
            for job_id in await shop.submit_many(jobs):
                assert (await shop.final(job_id)).outcome == "delivered", name
                assert shop.types(job_id) == ["accepted", "sent", "delivered"], name
            await until(lambda: _all_receipts_answered(carrier.stats()), f"{name}: receipts answered")
        assert (await shop.client.stats())["parked_receipts"] == 0


def _all_receipts_answered(stats: dict[str, int]) -> bool:
    return not (stats["scheduled"] or stats["receipts_in_flight"] or stats["receipts_ready"])


STORIES = {
    "+447700900006": ("undelivered", ["accepted", "sent", "undelivered"]),
    "+447700900007": ("expired", ["accepted", "sent", "expired"]),
    "+447700900008": ("undelivered", ["accepted", "sent", "undelivered"]),
    "+447700900011": ("delivered", ["accepted", "sent", "delivered"]),
    "+447700900012": ("delivered", ["accepted", "sent", "delivered"]),
    "+447700900013": ("delivered", ["accepted", "sent", "delivered"]),
    "+447700900014": ("delivered", ["accepted", "sent", "delivered"]),
    "+447700900015": ("undelivered", ["accepted", "sent", "undelivered"]),
    "+447700900016": ("undelivered", ["accepted", "sent", "undelivered"]),
    "+447700900002": ("unknown", ["accepted", "sent", "unknown"]),
    "+447700900009": ("unknown", ["accepted", "sent", "unknown"]),
    "+447700900010": ("unknown", ["accepted", "sent", "unknown"]),
    "+447700900041": ("rejected", ["accepted", "failed"]),
    "+447700900023": ("delivered", ["accepted", "sent", "delivered"]),
}


async def test_the_outcome_is_what_the_carrier_reports(site: Site) -> None:
    carrier = site.carrier()
    site.start(Lane((CarrierFile(carrier.port),), jobs={"receipt_wait_s": 0.5}))
    async with Application(site.socket_path) as shop:
        job_ids = await shop.submit_many([shop.job(number, deadline_s=3.0) for number in STORIES])
        for job_id, (number, (outcome, _)) in zip(job_ids, STORIES.items(), strict=True):
            assert (await shop.final(job_id)).outcome == outcome, number
        # What the carrier still says must not follow the final event.
        await until(lambda: _all_receipts_answered(carrier.stats()), "receipts answered")
        last = await shop.submit("+447700900000")
        await shop.final(last)
        for job_id, (number, (_, types)) in zip(job_ids, STORIES.items(), strict=True):
            assert shop.types(job_id) == types, number


async def test_a_receipt_after_a_restart_finds_its_job(site: Site) -> None:
    carrier = site.carrier(receipt_delay="fixed:1.5", id_form="hex_in_response")
    daemon = site.start(Lane((CarrierFile(carrier.port),)))
    async with Application(site.socket_path) as shop:
        job_ids = await shop.submit_many([shop.job(NUMBER.format(n)) for n in range(10)])
        for job_id in job_ids:
            await shop.event(job_id, "sent")
        assert await asyncio.to_thread(daemon.stop) == 0
        assert not any(event.final for event in shop.events)
        await asyncio.to_thread(site.start)
        for job_id in job_ids:
            assert (await shop.final(job_id)).outcome == "delivered"


async def test_a_receipt_that_comes_while_nobody_is_bound_waits_at_the_carrier(site: Site) -> None:
    carrier = site.carrier(receipt_delay="fixed:0.3")
    daemon = site.start(Lane((CarrierFile(carrier.port),)))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER.format(1))
        await shop.event(job_id, "sent")
        daemon.kill()
        await until(lambda: carrier.stats()["receipts_parked"] == 1, "the receipt waits")
        await asyncio.to_thread(site.start)
        assert (await shop.final(job_id)).outcome == "delivered"


async def test_a_long_message_is_delivered_when_all_its_parts_are(site: Site) -> None:
    carrier = site.carrier(receipt_delay="uniform:0,0.4", receipt_duplicate=0.5, receipt_early=0.3)
    site.start(Lane((CarrierFile(carrier.port),)))
    text = "Ваш код 482917. " * 12
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER.format(1), text)
        final = await shop.final(job_id)
        assert final.outcome == "delivered"
        sent = await shop.event(job_id, "sent")
        assert sent.parts == 3
        assert carrier.inbox(NUMBER.format(1)) == [text]
        attempt = (await shop.client.status(job_id))["attempts"][0]
        assert [answer["receipt_state"] for answer in attempt["answers"]] == ["DELIVERED"] * 3


async def test_a_long_message_fails_when_one_part_does_and_nothing_follows(site: Site) -> None:
    carrier = site.carrier(receipt_undelivered=0.5, response_delay="uniform:0,0.2", receipt_early=0.5)
    site.start(Lane((CarrierFile(carrier.port),)))
    async with Application(site.socket_path) as shop:
        jobs = [shop.job(NUMBER.format(n), f"{n} " + "long " * 80) for n in range(20)]
        job_ids = await shop.submit_many(jobs)
        for job_id in job_ids:
            await shop.final(job_id)
        await until(lambda: _all_receipts_answered(carrier.stats()), "receipts answered")
        await shop.final(await shop.submit("+447700900000"))
        outcomes = {(await shop.final(job_id)).outcome for job_id in job_ids}
        assert outcomes <= {"delivered", "undelivered"}
        assert "undelivered" in outcomes
