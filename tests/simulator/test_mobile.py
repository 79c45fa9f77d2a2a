"""Messages of handsets: on command, and as the way back of a loop."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from connector.simulator.control import ControlError
from connector.simulator.mobile import Sent
from protocols.gsm.udh import parse_udh
from protocols.smpp.constants import CommandId, Tag
from protocols.smpp.pdu import AlertNotification, DataSm, DataSmResp, DeliverSm, DeliverSmResp
from tests.simulator.esme import PATIENCE_S, Esme, carrier, text_to
from tests.simulator.test_control import controlled, say
from tests.simulator.test_texts import HINDI

pytestmark = pytest.mark.asyncio

HANDSET, SHORT_CODE = "+447700900123", "12345"
LONG = "0123456789" * 40


async def received(esme: Esme, amount: int) -> list[DeliverSm | DataSm]:
    found: list[DeliverSm | DataSm] = []
    while len(found) < amount:
        message = await esme.next()
        if message.command_id == CommandId.DELIVER_SM:
            esme.send(DeliverSmResp(), sequence=message.sequence)
            found.append(message.pdu)
        elif message.command_id == CommandId.DATA_SM:
            esme.send(DataSmResp(), sequence=message.sequence)
            found.append(message.pdu)
    return found


async def sent(esme: Esme, running: Any, **message: Any) -> list[DeliverSm | DataSm]:
    amount = running.smsc.mobile_originated(Sent(sender=HANDSET, to=SHORT_CODE, **message))
    return await received(esme, amount)


async def test_a_short_message_of_a_handset() -> None:
    async with carrier() as running:
        esme = await running.bound()
        (mo,) = await sent(esme, running, text="STOP")
        assert (mo.source_addr_ton, mo.source_addr_npi, mo.source_addr) == (1, 1, HANDSET[1:].encode())
        assert (mo.dest_addr_ton, mo.destination_addr) == (0, SHORT_CODE.encode())
        assert (mo.esm_class, mo.data_coding, mo.short_message) == (0, 0, b"STOP")
        (mo,) = await sent(esme, running, text="रोकें")
        assert (mo.data_coding, mo.short_message.decode("utf-16-be")) == (8, "रोकें")
        (mo,) = await sent(esme, running, text="Stop", codec="latin1")
        assert (mo.data_coding, mo.short_message) == (3, b"Stop")
        (mo,) = await sent(esme, running, text="Stop", codec="latin1", data_coding=1)
        assert (mo.data_coding, mo.short_message) == (1, b"Stop")
        assert await esme.settled() == []


async def test_it_is_written_in_the_carriers_alphabets() -> None:
    async with carrier(alphabets="0=latin1,8=ucs2") as running:
        esme = await running.bound()
        (mo,) = await sent(esme, running, text="é@")
        assert (mo.data_coding, mo.short_message) == (0, b"\xe9@")


@pytest.mark.parametrize("pdu", ["deliver_sm", "data_sm"])
@pytest.mark.parametrize("form", ["udh8", "udh16", "sar", "payload"])
async def test_a_long_message_of_a_handset(form: str, pdu: str) -> None:
    async with carrier() as running:
        esme = await running.bound()
        parts = await sent(esme, running, text=LONG, form=form, pdu=pdu, reference=0x1234)
        octets = [part.short_message or dict(part.tlvs)[Tag.MESSAGE_PAYLOAD] for part in parts]
        if form == "payload":
            assert octets == [LONG.encode()]
            return
        assert {part.esm_class for part in parts} == {0x40 if form.startswith("udh") else 0}
        if form.startswith("udh"):
            places = [parse_udh(one)[0].concatenation for one in octets]
            octets = [parse_udh(one)[1] for one in octets]
            assert {place.reference for place in places} == {0x34 if form == "udh8" else 0x1234}
            assert [(place.total, place.index) for place in places] == [(3, 1), (3, 2), (3, 3)]
        else:
            tlvs = [dict(part.tlvs) for part in parts]
            assert {one[Tag.SAR_MSG_REF_NUM] for one in tlvs} == {b"\x12\x34"}
            assert [one[Tag.SAR_SEGMENT_SEQNUM] for one in tlvs] == [b"\x01", b"\x02", b"\x03"]
        assert b"".join(octets) == LONG.encode()


async def test_parts_out_of_order_twice_and_missing() -> None:
    async def numbers(**how: Any) -> list[int]:
        async with carrier() as running:
            esme = await running.bound()
            parts = await sent(esme, running, text="x" * 1000, **how)
            return [part.short_message[5] for part in parts]

    assert await numbers() == [1, 2, 3, 4, 5, 6, 7]
    assert await numbers(order="reverse") == [7, 6, 5, 4, 3, 2, 1]
    shuffled = await numbers(order="shuffled")
    assert sorted(shuffled) == [1, 2, 3, 4, 5, 6, 7]
    assert any(first > second for first, second in pairwise(shuffled))
    assert await numbers(missing=(2, 7), duplicate=(1,)) == [1, 3, 4, 5, 6, 1]


async def test_it_waits_for_a_bind_and_is_offered_again() -> None:
    async with carrier() as running:
        esme = await running.bound()
        await esme.close()
        async with asyncio.timeout(PATIENCE_S):
            while running.smsc.stats()["connections_open"]:
                await asyncio.sleep(0.001)
        running.smsc.mobile_originated(Sent(sender=HANDSET, to=SHORT_CODE, text="STOP"), "acme")
        assert running.smsc.mobile_originated(Sent(sender=HANDSET, to=SHORT_CODE, text="STOP"), "other") == 0
        assert running.smsc.stats()["receipts_parked"] == 1
        again = await running.bound()
        assert (await again.receipt(answer=False)).short_message == b"STOP"
        await again.close()
        third = await running.bound()
        assert (await third.receipt()).short_message == b"STOP"


async def test_the_control_port_sends_them() -> None:
    async with controlled() as (running, _, port):
        esme = await running.bound()
        arguments = {"from": HANDSET, "to": SHORT_CODE, "text": LONG, "order": "reverse", "missing": [2]}
        assert await say(port, "mo", **arguments) == {"pdus": 2}
        assert [part.short_message[5] for part in await received(esme, 2)] == [3, 1]
        for wrong, expected in (
            ({"form": "pigeon"}, "form: 'pigeon' is not one of udh8"),
            ({"colour": "red"}, "from, to and text"),
            ({"missing": "2"}, "missing: expected a list of part numbers"),
            ({"codec": "gsm7", "text": "रोकें"}, "text: "),
        ):
            with pytest.raises(ControlError, match=expected):
                await say(port, "mo", **{**arguments, **wrong})


async def test_a_handset_can_be_reached_again() -> None:
    async with controlled() as (running, _, port):
        first, second = await running.bound(), await running.bound()
        other = await running.bound(account=b"other")
        assert await say(port, "alert", **{"from": HANDSET, "to": SHORT_CODE}) == {"pdus": 2}
        found = [message for esme in (first, second, other) for message in await esme.settled()]
        assert [message.command_id for message in found] == [CommandId.ALERT_NOTIFICATION] * 2
        assert found[0].pdu == AlertNotification(1, 1, HANDSET[1:].encode(), 0, 0, SHORT_CODE.encode())
        with pytest.raises(ControlError, match="from and to"):
            await say(port, "alert", to=SHORT_CODE)


async def test_a_loop_brings_back_what_the_handset_showed() -> None:
    async with carrier(mo_loop="12345", alphabets="0=latin1,8=ucs2", receipt_missing=1) as running:
        esme = await running.bound()
        sender = {"source_addr_ton": 1, "source_addr_npi": 1, "source_addr": b"49301234"}
        await esme.ask(text_to(SHORT_CODE, b"\x00 and \x0c", **sender))  # @ and Å in the GSM alphabet
        (mo,) = await received(esme, 1)
        assert mo.short_message.decode("utf-16-be") == "\x00 and \x0c"
        assert (mo.source_addr, mo.destination_addr, mo.dest_addr_ton) == (b"12345", b"49301234", 1)
        assert (mo.data_coding, mo.esm_class) == (8, 0)
        octets = HINDI.encode("utf-16-be")
        halves = (octets[:100], octets[100:])
        for number, half in enumerate(halves, 1):
            header = b"\x05\x00\x03\x07\x02%c" % number
            await esme.ask(text_to(SHORT_CODE, header + half, esm_class=0x40, data_coding=8, **sender))
        (mo,) = await received(esme, 1)
        assert mo.short_message == b""
        assert dict(mo.tlvs)[Tag.MESSAGE_PAYLOAD].decode("utf-16-be") == HINDI
        await esme.ask(text_to("4915112345678", b"not in the loop", **sender))
        assert await esme.settled() == []


async def test_the_longest_message_comes_back_shortened() -> None:
    async with carrier(mo_loop="12345", receipt_missing=1) as running:
        esme = await running.bound()
        for number in range(1, 256):
            part = b"\x05\x00\x03\x07\xff%c" % number + b"x" * 153
            esme.send(text_to(SHORT_CODE, part, esm_class=0x40))
        (mo,) = await received(esme, 1)
        assert dict(mo.tlvs)[Tag.MESSAGE_PAYLOAD].decode("utf-16-be") == "x" * 32_000


async def test_whoever_sends_to_himself_gets_it_back() -> None:
    async with carrier(mo_loop="self", receipt_missing=1, handset_limit=0) as running:
        esme = await running.bound()
        await esme.ask(text_to("4930123456", b"echo", source_addr=b"4930123456", source_addr_ton=1))
        (mo,) = await received(esme, 1)
        assert (mo.source_addr, mo.destination_addr) == (b"4930123456", b"4930123456")
        assert mo.short_message.decode("utf-16-be") == "echo"
        await esme.ask(text_to("4930123456", b"no echo"))
        assert await esme.settled() == []
