"""Receipts in every dialect, read by our own parser and against what Appendix B would say."""

import re
from typing import Any

import pytest

from protocols.smpp.constants import CommandId, Tag
from protocols.smpp.pdu import DataSm, DataSmResp, DeliverSm
from protocols.smpp.receipt import ReceiptState, parse
from tests.simulator.esme import carrier, text_to
from tests.simulator.test_stories import PREFIX

pytestmark = pytest.mark.asyncio

NUMBER = "4915112345678"
FAILED_NUMBER = PREFIX + "006"


async def receipt_of(options: dict[str, Any], number: str = NUMBER, **fields: Any) -> tuple[bytes, DeliverSm]:
    """The message id of the response, and the receipt."""
    async with carrier(**options) as running:
        esme = await running.bound()
        answer = await esme.ask(text_to(number, **fields))
        return answer.pdu.message_id, await esme.receipt()


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        ({},
         rb"id:{id} sub:001 dlvrd:001 submit date:\d{{10}} done date:\d{{10}} stat:DELIVRD err:000 text:Y.*"),
        ({"receipt_counts": False},
         rb"id:{id} submit date:\d{{10}} done date:\d{{10}} stat:DELIVRD err:000 text:You.*"),
        ({"receipt_joined": True},
         rb"id:{id} sub:001 dlvrd:001 submitdate:\d{{10}} donedate:\d{{10}} stat:D.*"),
        ({"receipt_dates": "12"}, rb"id:{id} .* submit date:2\d{{11}} done date:2\d{{11}} stat:D.*"),
        ({"receipt_dates": "12_year"}, rb"id:{id} .* submit date:20\d{{10}} done date:20\d{{10}} stat:D.*"),
        ({"receipt_dates": "14"}, rb"id:{id} .* submit date:20\d{{12}} done date:20\d{{12}} stat:D.*"),
        ({"receipt_dates": "zero"}, rb"id:{id} .* submit date:0{{10}} done date:0{{10}} stat:D.*"),
        ({"receipt_dates": "none"}, rb"id:{id} sub:001 dlvrd:001 stat:DELIVRD err:000 text:.*"),
        ({"receipt_words": "DELIVRD=DELIVERED"}, rb"id:{id} .* stat:DELIVERED err:000 .*"),
        ({"receipt_err": "hex"}, rb"id:{id} .* err:000 .*"),
        ({"receipt_err": "none"}, rb"id:{id} .* stat:DELIVRD text:.*"),
        ({"receipt_text": "Text"}, rb"id:{id} .* err:000 Text:You.*"),
        ({"receipt_text": "none"}, rb"id:{id} .* err:000"),
        ({"receipt_id_key": "msgid"}, rb"msgid:{id} sub:.*"),
        ({"receipt_form": "tlv"}, rb""),
    ],
)  # fmt: skip
async def test_the_text(options: dict[str, Any], pattern: bytes) -> None:
    message_id, receipt = await receipt_of(options)
    expected = pattern.decode().replace("{id}", message_id.decode()).replace("{{", "{").replace("}}", "}")
    assert re.fullmatch(expected.encode(), receipt.short_message, re.DOTALL), receipt.short_message


async def test_failures_in_the_words_of_the_carrier() -> None:
    words = {"receipt_words": "UNDELIV=FAILED,DELIVRD=ACCEPTD", "receipt_err": "hex"}
    _, receipt = await receipt_of(words, FAILED_NUMBER)
    assert b"stat:FAILED err:001" in receipt.short_message
    _, receipt = await receipt_of(words, PREFIX + "008")
    assert b"stat:REJECTD err:177" in receipt.short_message  # 375 in hexadecimal
    _, receipt = await receipt_of(words)
    assert b"stat:ACCEPTD" in receipt.short_message
    assert dict(receipt.tlvs)[Tag.MESSAGE_STATE] == b"\x06"


@pytest.mark.parametrize("esm_class", [0x00, 0x04, 0x44])
async def test_flagged_or_not(esm_class: int) -> None:
    message_id, receipt = await receipt_of({"receipt_esm_class": esm_class})
    assert receipt.esm_class == esm_class
    found = parse(receipt)
    assert found is not None
    assert (found.message_id, found.state) == (message_id, ReceiptState.DELIVERED)


async def test_the_handset_may_be_the_destination() -> None:
    _, receipt = await receipt_of({"receipt_handset": "destination"})
    assert (receipt.source_addr, receipt.destination_addr) == (b"ACME", NUMBER.encode())
    assert (receipt.source_addr_ton, receipt.dest_addr_ton) == (5, 1)


async def test_tlvs_that_contradict_the_text() -> None:
    message_id, receipt = await receipt_of({"receipt_tlv_lies": True})
    tlvs = dict(receipt.tlvs)
    assert (tlvs[Tag.RECEIPTED_MESSAGE_ID], tlvs[Tag.MESSAGE_STATE]) == (b"0\0", b"\x07")
    assert receipt.short_message.startswith(b"id:" + message_id + b" ")
    assert b"stat:DELIVRD" in receipt.short_message


@pytest.mark.parametrize(
    ("form", "text", "tlvs"), [("both", True, True), ("text", True, False), ("tlv", False, True)]
)
async def test_receipts_by_data_sm(form: str, text: bool, tlvs: bool) -> None:
    options = {"receipt_pdu": "data_sm", "receipt_form": form, "receipt_retry_s": 0.05}
    async with carrier(**options) as running:
        esme = await running.bound()
        message_id = (await esme.ask(text_to(NUMBER))).pdu.message_id
        message = await esme.until(CommandId.DATA_SM)
        assert isinstance(message.pdu, DataSm)
        esme.send(DataSmResp(), sequence=message.sequence)
        found = dict(message.pdu.tlvs)
        assert (Tag.MESSAGE_PAYLOAD in found, Tag.RECEIPTED_MESSAGE_ID in found) == (text, tlvs)
        if text:
            assert found[Tag.MESSAGE_PAYLOAD].startswith(b"id:" + message_id + b" sub:001")
        assert await esme.settled() == []
        assert running.smsc.records.counters.receipts_answered == 1


async def test_what_comes_before_the_final_receipt() -> None:
    async def stats(registered_delivery: int, **options: Any) -> list[tuple[int, str]]:
        async with carrier(**options) as running:
            esme = await running.bound()
            await esme.ask(text_to(NUMBER, registered_delivery=registered_delivery))
            found = [message.pdu for message in await esme.settled()]
        return [(pdu.esm_class, pdu.short_message.partition(b"stat:")[2][:7].decode()) for pdu in found]

    delivered, enroute, accepted = (0x04, "DELIVRD"), (0x20, "ENROUTE"), (0x04, "ACCEPTD")
    assert await stats(0x11) == [delivered]
    assert await stats(0x11, receipt_intermediate="asked") == [enroute, delivered]
    assert await stats(0x01, receipt_intermediate="asked") == [delivered]
    assert await stats(0x10, receipt_intermediate="asked") == [enroute]
    assert await stats(0x01, receipt_intermediate="always") == [enroute, delivered]
    assert await stats(0x01, receipt_buffered=True) == [accepted, delivered]
    assert await stats(0x02, receipt_buffered=True) == []
    assert await stats(0x00, receipt_buffered=True, receipt_intermediate="always") == []
    both = {"receipt_buffered": True, "receipt_intermediate": "asked", "receipt_esm_class": 0}
    assert await stats(0x11, **both) == [(0, "ACCEPTD"), (0, "ENROUTE"), (0, "DELIVRD")]


async def test_the_dialect_can_change_while_it_runs() -> None:
    async with carrier() as running:
        esme = await running.bound()
        running.smsc.set({"receipt_dates": "14", "receipt_id_key": "ID"})
        await esme.ask(text_to(NUMBER))
        assert b"done date:20" in (await esme.receipt()).short_message
        running.smsc.set({"receipt_dates": "10", "receipt_id_key": "id"})
        message_id = (await esme.ask(text_to(NUMBER))).pdu.message_id
        assert (await esme.receipt()).short_message.startswith(
            b"id:" + message_id + b" sub:001 dlvrd:001 submit"
        )
