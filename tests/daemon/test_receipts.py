"""Receipts as carriers really send them: each one finds its job, and each job has one end."""

import asyncio
from typing import Any

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


@pytest.mark.rule(
    "receipts.other-bind",
    "receipts.before-response",
    "receipts.repeats",
    "receipts.id-base",
    "receipts.by-tlvs",
)
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


def receipts_table(**keys: object) -> dict[str, object]:
    return {"receipts": keys}


async def state_of(shop: Application) -> dict[str, Any]:
    found: dict[str, Any] = (await shop.client.stats())["carriers"][0]
    return found


@pytest.mark.rule("receipts.id-learned")
async def test_the_form_of_ids_is_learned_and_learned_again(site: Site) -> None:
    carrier = site.carrier(id_form="hex_in_response")
    daemon = site.start(Lane((CarrierFile(carrier.port, binds={"response_timeout_s": 0.5}),), http=True))
    async with Application(site.socket_path) as shop:

        async def deliver(number: int) -> None:
            for job_id in await shop.submit_many([shop.job(NUMBER.format(n % 100)) for n in range(number)]):
                assert (await shop.final(job_id)).outcome == "delivered"

        await deliver(40)
        assert (await state_of(shop))["id_form"] is None
        await deliver(10)
        state = await state_of(shop)
        assert (state["id_form"], state["id_form_fixed"], state["receipt_match_ratio"]) == (
            "hex_in_response", False, 1.0,
        )  # fmt: skip
        carrier.set(id_form="same")
        await deliver(40)  # parked until no answer can come, then looked up under every form
        state = await state_of(shop)
        assert (state["id_form"], state["receipt_match_ratio"]) == (None, 1.0)
        assert "receipts find their message late or never carrier=sim id_form=hex_in_response" in daemon.log
        await deliver(100)
        assert (await state_of(shop))["id_form"] == "same"
        assert (await shop.client.stats())["parked_receipts"] == 0
        assert await asyncio.to_thread(daemon.stop) == 0
    await asyncio.to_thread(site.start)
    async with Application(site.socket_path) as shop:
        assert (await state_of(shop))["id_form"] is None, "the newest messages had two forms"
        job_ids = await shop.submit_many([shop.job(NUMBER.format(n % 100)) for n in range(120)])
        for job_id in job_ids:
            assert (await shop.final(job_id)).outcome == "delivered"
        assert (await state_of(shop))["id_form"] == "same"


@pytest.mark.rule("receipts.unknown-id")
async def test_the_form_in_the_file_is_the_only_one(site: Site) -> None:
    carrier = site.carrier(id_form="hex_in_response")
    file = CarrierFile(carrier.port, other=receipts_table(id_form="hex_in_response"))
    site.start(Lane((file,)))
    async with Application(site.socket_path) as shop:
        assert (await shop.final(await shop.submit(NUMBER.format(1)))).outcome == "delivered"
        state = await state_of(shop)
        assert (state["id_form"], state["id_form_fixed"]) == ("hex_in_response", True)
        carrier.set(id_form="same")
        await shop.submit(NUMBER.format(2))
        await until(lambda: carrier.stats()["receipts_answered"] == 2, "answered, though it is unknown")
        assert carrier.stats()["receipts_refused"] == 0
        stats = await shop.client.stats()
        assert stats["parked_receipts"] == 1
        (orphan,) = stats["orphans"]
        assert bytes.fromhex(orphan["raw"]).startswith(b"id:" + bytes.fromhex(orphan["message_id"]))
        assert (orphan["carrier"], orphan["state"]) == ("sim", "DELIVERED")
        assert [(row["carrier"], row["receipts"]) for row in stats["orphan_counts"]] == [("sim", 1)]


HABITS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "another word in front of the id": (
        {"receipt_id_key": "msgid", "receipt_form": "text"}, {"id_key": "msgid"},
    ),
    "the handset in the destination": (
        {"receipt_handset": "destination", "id_form": "hex_in_response"}, {"handset": "destination"},
    ),
    "words of its own": (
        {"receipt_words": "DELIVRD=HANDED-OVER", "receipt_form": "text"},
        {"states": {"HANDED-OVER": "final_delivered"}},
    ),
    "TLVs that lie": ({"receipt_tlv_lies": True}, {"prefer": "text"}),
    "not flagged": ({"receipt_esm_class": 0, "receipt_form": "text"}, {"unflagged": "detect"}),
    "as data_sm": ({"receipt_pdu": "data_sm"}, {}),
}  # fmt: skip


@pytest.mark.parametrize("habit", HABITS)
async def test_receipts_are_read_as_the_file_says(site: Site, habit: str) -> None:
    options, keys = HABITS[habit]
    carrier = site.carrier()
    carrier.set(**options)
    site.start(Lane((CarrierFile(carrier.port, other=receipts_table(**keys)),)))
    async with Application(site.socket_path) as shop:
        for n in range(3):
            assert (await shop.final(await shop.submit(NUMBER.format(n)))).outcome == "delivered"


@pytest.mark.rule("receipts.esm-class")
async def test_intermediate_notifications_are_asked_for_and_kept(site: Site) -> None:
    carrier = site.carrier(receipt_intermediate="asked")
    table = receipts_table(request="final_and_intermediate")
    site.start(Lane((CarrierFile(carrier.port, other=table),)))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER.format(1))
        assert (await shop.final(job_id)).outcome == "delivered"
        assert shop.types(job_id) == ["accepted", "sent", "delivered"], "no event of its own"
        timeline = (await shop.client.status(job_id))["timeline"]
        steps = [(step["kind"], step["state"]) for step in timeline if step["type"] == "receipt"]
        assert steps == [("intermediate", "ENROUTE"), ("receipt", "DELIVERED")]


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


@pytest.mark.rule("receipts.after-restart")
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


@pytest.mark.rule("receipts.all-parts")
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


@pytest.mark.rule("receipts.all-parts")
@pytest.mark.parametrize(("form", "parts"), [("udh16", 3), ("sar", 3), ("payload", 1)])
async def test_a_long_message_has_as_many_receipts_as_its_form_has_pdus(
    site: Site, form: str, parts: int
) -> None:
    carrier = site.carrier(receipt_delay="uniform:0,0.2")
    site.start(Lane((CarrierFile(carrier.port, other={"text": {"long_message": form}}),)))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER.format(1), "Ваш код 482917. " * 12)
        assert (await shop.final(job_id)).outcome == "delivered"
        assert (await shop.event(job_id, "sent")).parts == parts
        (attempt,) = (await shop.client.status(job_id))["attempts"]
        assert [answer["receipts"] for answer in attempt["answers"]] == [1] * parts


@pytest.mark.rule("receipts.one-part")
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
