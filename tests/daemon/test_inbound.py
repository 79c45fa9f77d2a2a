"""What handsets write reaches the application: once, whole, and also where the daemon or the line breaks."""

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections import Counter
from random import Random

import pytest

from protocols.gsm.coding import encode
from protocols.gsm.errors import Unencodable
from protocols.smpp.constants import EsmClass, Tag
from protocols.smpp.pdu import DataSm, DeliverSm
from tests.daemon.handset_smsc import HANDSET, HandsetSmsc, part, written
from tests.daemon.harness import Application, CarrierFile, Event, Lane, Site, until

pytestmark = pytest.mark.asyncio

LANE = {"application": {"inbound": ["60312", "+447700900999"]}}


def received(shop: Application) -> list[Event]:
    return [event for event in shop.events if event.type == "received"]


async def until_received(shop: Application, number: int) -> list[Event]:
    await shop.until(lambda: len(received(shop)) >= number)
    assert len(received(shop)) == number
    return received(shop)


async def test_every_form_of_a_message(site: Site) -> None:
    long = "Der Zug fährt heute nicht 🙂. " * 4
    octets = long.encode("utf-16-be")
    async with HandsetSmsc() as smsc:
        site.start(Lane((CarrierFile(smsc.port),), **LANE))
        async with Application(site.socket_path) as shop:
            await smsc.bound()
            cut = (octets[:101], octets[101:202], octets[202:])  # within characters
            parts = [part(piece, 9, 3, index, data_coding=8) for index, piece in enumerate(cut, 1)]
            await smsc.deliver(
                written(b"\x00 Hello", to="447700900999", dest_addr_ton=1),
                parts[2], parts[0], parts[0], parts[1], parts[2],
                written(b"STOP"),
                written(b"", tlvs=((Tag.MESSAGE_PAYLOAD, b"x" * 300),)),
                DataSm(source_addr_ton=1, source_addr=b"4915100000001", destination_addr=b"60312",
                       tlvs=((Tag.MESSAGE_PAYLOAD, b"data"),)),
                written(b"\x01\x02", data_coding=4),
            )  # fmt: skip
            events = await until_received(shop, 6)
            assert [(event.text, event.parts, event.keyword) for event in events] == [
                ("@ Hello", 1, None), (long, 3, None), ("STOP", 1, "stop"), ("x" * 300, 1, None),
                ("data", 1, None), (None, 1, None),
            ]  # fmt: skip
            assert [event.id for event in events] == [f"mo-{n}" for n in range(1, 7)]
            assert (events[0].from_, events[0].to) == (HANDSET, "+447700900999")
            assert (events[0].carrier, events[0].channel) == ("sim", "sms")
            assert (events[4].from_, events[5].data) == ("+4915100000001", "0102")
            assert all(not event.final and event.outcome is None for event in events)
            assert events[2].keyword_lang == "en"


async def test_a_message_that_was_not_answered_is_told_once(site: Site) -> None:
    async with HandsetSmsc() as smsc:
        site.start(Lane((CarrierFile(smsc.port),), **LANE))
        async with Application(site.socket_path) as shop:
            for number in range(5):
                text = f"vote {number}".encode()
                await smsc.bound()
                smsc.send(written(text), part(text, number, 2, 1), part(text, number, 2, 2))
                await until_received(shop, 2 * number + 2)
                smsc.cut()  # maybe before the answers have left, maybe after
                await smsc.bound()
                await smsc.deliver(written(text), part(text, number, 2, 1), part(text, number, 2, 2))
            assert len(received(shop)) == 10
            await smsc.deliver(written(b"vote 4"), written(b"vote 4"))  # on one connection they are meant
            await until_received(shop, 12)


async def test_parts_and_answers_survive_the_daemons_death(site: Site) -> None:
    async with HandsetSmsc() as smsc:
        daemon = site.start(Lane((CarrierFile(smsc.port),), **LANE))
        async with Application(site.socket_path) as shop:
            await smsc.bound()
            await smsc.deliver(written(b"before"), part(b"one, ", 1, 3, 1), part(b"three", 1, 3, 3))
            await until_received(shop, 1)
            daemon.kill()
            await smsc.bound(0)
            await asyncio.to_thread(site.start)
            await smsc.bound()
            # The carrier saw the connection end and does not know what was taken.
            await smsc.deliver(written(b"before"), part(b"three", 1, 3, 3), part(b"two, ", 1, 3, 2))
            events = await until_received(shop, 2)
            assert [(event.id, event.text) for event in events] == [
                ("mo-1", "before"), ("mo-2", "one, two, three"),
            ]  # fmt: skip


async def test_a_daemon_killed_again_and_again_tells_each_message_once(site: Site, random: Random) -> None:
    """The carrier sends again whatever it has no answer to, over whatever connection there is."""
    texts = [f"message {number}" for number in range(300)]
    unsent = [pdu for number, text in enumerate(texts) for pdu in cut(text, number, random)]
    at_once = 60
    async with HandsetSmsc() as smsc:
        daemon = site.start(Lane((CarrierFile(smsc.port),), **LANE))
        async with Application(site.socket_path) as shop:
            for _ in range(6):
                await smsc.bound()
                sent = dict(zip(smsc.send(*unsent[:at_once]), unsent, strict=False))
                await smsc.answered(sent, random.randrange(at_once))
                daemon.kill()
                await smsc.bound(0)
                # Some answers came as the carrier could not take them any more.
                again = [p for n, p in sent.items() if n not in smsc.answers or random.random() < 0.3]
                unsent = again + unsent[at_once:]
                random.shuffle(unsent)
                daemon = await asyncio.to_thread(site.start)
            await smsc.bound()
            await smsc.deliver(*unsent)
            events = await until_received(shop, len(texts))
            assert Counter(event.text for event in events) == Counter(texts)
            assert len({event.id for event in events}) == len(texts)


def cut(text: str, number: int, random: Random) -> list[DeliverSm]:
    """One message of some handset, whole or in three parts."""
    handset = f"+4915{number:09}"
    octets = text.encode()
    if random.random() < 0.5:
        return [written(octets, handset=handset)]
    parts = (octets[:3], octets[3:5], octets[5:])
    return [part(piece, 7, 3, index, handset=handset) for index, piece in enumerate(parts, 1)]


async def test_a_part_that_never_comes(site: Site) -> None:
    async with HandsetSmsc() as smsc:
        site.start(
            Lane((CarrierFile(smsc.port),), other={"inbound": {"parts_wait_s": 0.3}}, http=True, **LANE)
        )
        async with Application(site.socket_path) as shop:
            await smsc.bound()
            await smsc.deliver(part(b"one", 1, 3, 1), part(b"three", 1, 3, 3))
            (event,) = await until_received(shop, 1)
            assert (event.text, event.parts, event.missing) == ("onethree", 3, (2,))
            counted = {
                'connector_mo_received_total{carrier="sim"} 1.0',
                'connector_mo_incomplete_total{carrier="sim"} 1.0',
                "connector_mo_parts_waiting 0.0",
            }
            await until(lambda: counted <= set(scrape(site).splitlines()), "counted")


def scrape(site: Site) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{site.http_port}/metrics", timeout=5) as answer:
        text: str = answer.read().decode()
    return text


@pytest.mark.rule("receipts.never-mo", "receipts.no-injection")
async def test_receipts_and_messages_are_never_taken_for_each_other(site: Site) -> None:
    dates = b"submit date:2601010000 done date:2601010000"
    receipt = b"id:1 sub:001 dlvrd:001 " + dates + b" stat:DELIVRD err:000 text:STOP"
    async with HandsetSmsc() as smsc:
        site.start(Lane((CarrierFile(smsc.port),), **LANE))
        async with Application(site.socket_path) as shop:
            await smsc.bound()
            job_id = await shop.submit("+4915112345678")
            await shop.event(job_id, "sent")
            await smsc.deliver(written(b"id:1 stat:DELIVRD is what my phone shows"))
            await until_received(shop, 1)
            assert shop.types(job_id) == ["accepted", "sent"]
            await smsc.deliver(
                written(b"nothing that can be read", esm_class=EsmClass.DELIVERY_RECEIPT),
                written(b"read by the user", esm_class=EsmClass.MANUAL_ACKNOWLEDGEMENT),
                written(receipt, esm_class=EsmClass.DELIVERY_RECEIPT),
            )
            assert (await shop.final(job_id)).outcome == "delivered"
            assert len(received(shop)) == 1


async def test_a_number_of_nobody_is_shown_by_status(site: Site) -> None:
    async with HandsetSmsc() as smsc:
        site.start(Lane((CarrierFile(smsc.port),)))
        async with Application(site.socket_path) as shop:
            await smsc.bound()
            await smsc.deliver(written(b"my secret"), part(b"my secret", 1, 2, 1))
            stats = await shop.client.stats()
            assert [orphan["state"] for orphan in stats["orphans"]] == ["MO", "MO"]
            assert b"my secret".hex() not in json.dumps(stats)
            assert received(shop) == []


async def test_nothing_of_it_is_logged_and_watch_shows_it(site: Site) -> None:
    async with HandsetSmsc() as smsc:
        daemon = site.start(Lane((CarrierFile(smsc.port),), other={"log": {"level": "debug"}}, **LANE))
        async with Application(site.socket_path, acknowledge=False) as shop:
            await smsc.bound()
            await smsc.deliver(written(b"my secret\nplan"), written(b"STOP"), written(b"\x01", data_coding=4))
            await until_received(shop, 3)
            assert "secret" not in daemon.log
            assert HANDSET[1:] not in daemon.log
            lines = await asyncio.to_thread(watch, site, 3)
            assert "received by sim, from …78 to 60312: “my secret⏎plan”" in lines[0]
            assert lines[1].endswith("“STOP” = stop (en)")
            assert lines[2].endswith("to 60312: 1 octets of data")
            lines = await asyncio.to_thread(watch, site, 1, "--json", "--numbers")
            first = json.loads(lines[0])
            assert (first["from"], first["to"], first["text"]) == (HANDSET, "60312", "my secret\nplan")


def watch(site: Site, lines: int, *options: str) -> list[str]:
    command = [sys.executable, "-m", "connector", "watch", "--socket", site.socket_path, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        try:
            return [watching.stdout.readline().rstrip("\n") for _ in range(lines)]
        finally:
            watching.terminate()


TEXTS = (
    "Short and {plain} €",
    "Ein längerer Text mit Umlauten: äöüß. " * 9,
    "आपका कोड 482917 है। " * 12,
    "🙂👨‍👩‍👧‍👦🇩🇪 " * 30,
)
ALPHABETS = {
    "gsm7": [{"data_coding": 0, "codec": "gsm7"}, {"data_coding": 8, "codec": "ucs2"}],
    "gsm7_packed": [{"data_coding": 0, "codec": "gsm7_packed"}, {"data_coding": 8, "codec": "ucs2"}],
    "latin1": [{"data_coding": 0, "codec": "latin1"}, {"data_coding": 8, "codec": "ucs2"}],
    "utf8": [{"data_coding": 0, "codec": "utf8"}],
}


@pytest.mark.parametrize("codec", ALPHABETS)
async def test_what_the_handset_wrote_is_what_the_application_gets(site: Site, codec: str) -> None:
    """Each text in each form, order and PDU, its parts repeated, as the simulated carrier writes them."""
    carrier = site.carrier()
    site.start(Lane((CarrierFile(carrier.port, other={"text": {"alphabets": ALPHABETS[codec]}}),), **LANE))
    async with Application(site.socket_path) as shop:
        await shop.final(await shop.submit("+447700900000"))  # the bind stands
        wrote = []
        for text in TEXTS:
            for form in ("udh8", "udh16", "sar", "payload"):
                for order, pdu in (("reverse", "deliver_sm"), ("shuffled", "data_sm")):
                    again = [] if form == "payload" or text is TEXTS[0] else [1, 1]
                    ours = codec if codec == "utf8" or _fits(text, codec) else "ucs2"
                    carrier.ask(
                        "mo", **{"from": "+4915112345678"}, to="60312", text=text, codec=ours,
                        data_coding=8 if ours == "ucs2" else 0, form=form, order=order, pdu=pdu,
                        duplicate=again, reference=len(wrote),
                    )  # fmt: skip
                    wrote.append(text)
        await until_received(shop, len(wrote))
        assert [event.text for event in received(shop)] == wrote
        assert {event.missing for event in received(shop)} == {()}


def _fits(text: str, codec: str) -> bool:
    try:
        encode(text, codec)  # type: ignore[arg-type]
    except Unencodable:
        return False
    return True
