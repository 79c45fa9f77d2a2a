"""What is asked beside submit_sm, answered truthfully."""

from typing import Any

import pytest

from connector.simulator.fates import Fate
from connector.simulator.ledger import Entry, Ledger
from protocols.smpp import validity
from protocols.smpp.constants import CommandId, MessageState, Status, Tag
from protocols.smpp.pdu import (
    BindReceiver,
    BroadcastSm,
    CancelBroadcastSm,
    CancelSm,
    DataSm,
    DistributionList,
    QueryBroadcastSm,
    QuerySm,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    UnsuccessSme,
)
from tests.simulator.esme import carrier, text_to
from tests.simulator.test_stories import PREFIX

pytestmark = pytest.mark.asyncio

NUMBER, OTHER = "4915112345678", "4915112345679"
REQUESTS = {
    "query_sm": QuerySm(b"1"),
    "cancel_sm": CancelSm(b"", b"1"),
    "replace_sm": ReplaceSm(b"1"),
    "submit_multi": SubmitMulti(source_addr=b"ACME", dest_addresses=(SmeAddress(1, 1, NUMBER.encode()),)),
    "data_sm": DataSm(destination_addr=NUMBER.encode(), tlvs=((Tag.MESSAGE_PAYLOAD, b"hello"),)),
    "broadcast_sm": BroadcastSm(source_addr=b"ACME"),
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_each_can_be_switched_off(name: str) -> None:
    async with carrier(**{name: False}) as running:
        esme = await running.bound()
        answer = await esme.ask(REQUESTS[name])
        assert (answer.command_id, answer.status) == (CommandId.GENERIC_NACK, Status.ESME_RINVCMDID)
        assert (await esme.ask(text_to(NUMBER, registered_delivery=0))).status == 0


@pytest.mark.parametrize("name", REQUESTS)
async def test_none_is_answered_to_a_receiver(name: str) -> None:
    async with carrier() as running:
        esme = await running.bound(BindReceiver)
        answer = await esme.ask(REQUESTS[name])
        command_id = REQUESTS[name].command_id | 0x80000000
        assert (answer.command_id, answer.status) == (command_id, Status.ESME_RINVBNDSTS)


@pytest.mark.parametrize(
    ("number", "state", "err", "ended"),
    [
        (NUMBER, MessageState.DELIVERED, 0, True),
        (PREFIX + "199", MessageState.ENROUTE, 0, False),
        (PREFIX + "003", MessageState.ENROUTE, 0, False),
    ],
)
async def test_query_sm_tells_the_truth(number: str, state: int, err: int, ended: bool) -> None:
    async with carrier() as running:
        esme = await running.bound()
        message_id = (await esme.ask(text_to(number, registered_delivery=0))).pdu.message_id
        answer = (await esme.ask(QuerySm(message_id, 5, 0, b"ACME"))).pdu
        assert (answer.message_id, answer.message_state, answer.error_code) == (message_id, state, err)
        assert (validity.absolute_seconds(answer.final_date) is not None) is ended
        unknown = (
            QuerySm(message_id, 5, 0, b"OTHER"),
            QuerySm(b"0" + message_id, 5, 0, b"ACME"),
            QuerySm(b"", 5, 0, b"ACME"),
        )
        assert {(await esme.ask(pdu)).status for pdu in unknown} == {Status.ESME_RQUERYFAIL}


@pytest.mark.parametrize(("number", "state", "err"), [("006", 5, 1), ("008", 8, 375 & 0xFF)])
async def test_query_sm_tells_failures(number: str, state: int, err: int) -> None:
    async with carrier() as running:
        esme = await running.bound()
        message_id = (await esme.ask(text_to(PREFIX + number))).pdu.message_id
        await esme.receipt()
        answer = (await esme.ask(QuerySm(message_id, 5, 0, b"ACME"))).pdu
        assert (answer.message_state, answer.error_code) == (state, err)


async def test_cancel_sm_stops_what_is_under_way() -> None:
    async with carrier(receipt_delay="0.05") as running:
        esme = await running.bound()
        message_id = (await esme.ask(text_to(NUMBER))).pdu.message_id
        kept = (await esme.ask(text_to(OTHER))).pdu.message_id
        cancel = CancelSm(b"", message_id, 5, 0, b"ACME", 1, 1, NUMBER.encode())
        assert [(await esme.ask(CancelSm(b"", message_id, 5, 0, b"ELSE"))).status] == [
            Status.ESME_RCANCELFAIL
        ]
        esme.send(cancel)
        assert (await esme.until(CommandId.CANCEL_SM_RESP)).status == 0
        receipts = [(await esme.receipt()).short_message for _ in range(2)]
        assert b"stat:DELETED" in receipts[0] and message_id in receipts[0]
        assert b"stat:DELIVRD" in receipts[1] and kept in receipts[1]
        assert await esme.settled() == []
        assert running.smsc.handsets.inbox(NUMBER) == []
        assert (await esme.ask(QuerySm(message_id, 5, 0, b"ACME"))).pdu.message_state == MessageState.DELETED
        for gone in (cancel, CancelSm(b"", kept, 5, 0, b"ACME")):
            assert (await esme.ask(gone)).status == Status.ESME_RCANCELFAIL


async def test_cancel_sm_without_an_id_takes_all_between_two_addresses() -> None:
    async with carrier(receipt_delay="30") as running:
        esme = await running.bound()
        for number in (NUMBER, NUMBER, OTHER):
            await esme.ask(text_to(number, registered_delivery=0))
        assert (await esme.ask(CancelSm(b"", b"", 5, 0, b"ACME", 1, 1, NUMBER.encode()))).status == 0
        again = CancelSm(b"", b"", 5, 0, b"ACME", 1, 1, NUMBER.encode())
        assert (await esme.ask(again)).status == Status.ESME_RCANCELFAIL
        assert (await esme.ask(CancelSm(b"", b"", 5, 0, b"ACME", 1, 1, OTHER.encode()))).status == 0


async def test_replace_sm_changes_what_arrives() -> None:
    async with carrier(receipt_delay="0.05") as running:
        esme = await running.bound()
        message_id = (await esme.ask(text_to(NUMBER, b"old"))).pdu.message_id
        replace = ReplaceSm(message_id, 5, 0, b"ACME", short_message=b"new")
        assert (await esme.ask(replace)).status == 0
        await esme.receipt()
        assert [one.text for one in running.smsc.handsets.inbox(NUMBER)] == ["new"]
        assert (await esme.ask(replace)).status == Status.ESME_RREPLACEFAIL


async def test_submit_multi_reaches_each() -> None:
    async with carrier(destination_types="1/1") as running:
        esme = await running.bound()
        addresses = (
            SmeAddress(1, 1, NUMBER.encode()),
            SmeAddress(0, 1, OTHER.encode()),
            SmeAddress(1, 1, b"nobody"),
            DistributionList(b"friends"),
            SmeAddress(1, 1, (PREFIX + "000").encode()),
        )
        multi = SubmitMulti(
            source_addr_ton=5,
            source_addr=b"ACME",
            dest_addresses=addresses,
            registered_delivery=1,
            short_message=b"hello",
        )
        answer = await esme.ask(multi)
        assert answer.status == 0
        assert answer.pdu.unsuccess_smes == (
            UnsuccessSme(0, 1, OTHER.encode(), Status.ESME_RINVDSTTON),
            UnsuccessSme(1, 1, b"nobody", Status.ESME_RINVDSTADR),
            UnsuccessSme(0, 0, b"friends", Status.ESME_RINVDLNAME),
        )
        receipts = [await esme.receipt() for _ in range(2)]
        assert [one.source_addr for one in receipts] == [NUMBER.encode(), (PREFIX + "000").encode()]
        assert all(answer.pdu.message_id in one.short_message for one in receipts)
        assert [one.text for one in running.smsc.handsets] == ["hello", "hello"]
        none = SubmitMulti(source_addr=b"ACME", dest_addresses=(DistributionList(b"friends"),))
        assert (await esme.ask(none)).status == Status.ESME_RINVDLNAME
        assert (await esme.ask(SubmitMulti(source_addr=b"ACME"))).status == Status.ESME_RINVNUMDESTS


async def test_data_sm_is_a_message_like_another() -> None:
    async with carrier(long_forms="udh8", other_long_form="refused", throttle_tps=0.001) as running:
        esme = await running.bound()
        fields: dict[str, Any] = {
            "source_addr": b"ACME",
            "dest_addr_ton": 1,
            "destination_addr": NUMBER.encode(),
            "registered_delivery": 1,
            "tlvs": ((Tag.MESSAGE_PAYLOAD, b"hello"),),
        }
        answer = await esme.ask(DataSm(**fields))
        assert (answer.command_id, answer.status) == (CommandId.DATA_SM_RESP, 0)
        assert answer.pdu.message_id in (await esme.receipt()).short_message
        assert [one.text for one in running.smsc.handsets.inbox(NUMBER)] == ["hello"]
        assert (await esme.ask(DataSm(**fields))).status == Status.ESME_RTHROTTLED
        long = DataSm(**{**fields, "destination_addr": b"1" * 30})
        assert (await esme.ask(long)).status == Status.ESME_RINVDSTADR


async def test_broadcasts_are_kept_asked_about_and_cancelled() -> None:
    async with carrier() as running:
        esme = await running.bound()
        area = (Tag.BROADCAST_AREA_IDENTIFIER, b"\0Berlin")
        message_id = (await esme.ask(BroadcastSm(source_addr=b"ACME", tlvs=(area,)))).pdu.message_id
        query = QueryBroadcastSm(message_id, 0, 0, b"ACME")
        tlvs = (await esme.ask(query)).pdu.tlvs
        assert tlvs == ((Tag.MESSAGE_STATE, b"\x01"), area, (Tag.BROADCAST_AREA_SUCCESS, b"\x64"))
        stranger = CancelBroadcastSm(b"", message_id, 0, 0, b"ELSE")
        assert (await esme.ask(stranger)).status == Status.ESME_RBCASTCANCELFAIL
        assert (await esme.ask(CancelBroadcastSm(b"", message_id, 0, 0, b"ACME"))).status == 0
        assert (await esme.ask(query)).status == Status.ESME_RBCASTQUERYFAIL


async def test_a_request_that_cannot_be_read_is_refused_and_the_bind_stays() -> None:
    async with carrier() as running:
        esme = await running.bound()
        esme.writer.write(b"\0\0\0\x11\0\0\0\x21\0\0\0\0\0\0\0\x09\0")
        answer = await esme.next()
        assert (answer.command_id, answer.sequence) == (CommandId.SUBMIT_MULTI_RESP, 9)
        assert answer.status != 0
        assert (await esme.ask(text_to(NUMBER, registered_delivery=0))).status == 0


async def test_the_memory_of_messages_is_bounded() -> None:
    ledger = Ledger(10)
    for number in range(100):
        ledger.add(b"%d" % number, Entry(text_to(NUMBER), Fate(), b"", 0.0))
        assert len(ledger) <= 10
    assert all(ledger.find(b"%d" % number, b"ACME") is not None for number in range(95, 100))
    assert ledger.find(b"80", b"ACME") is None
    ledger.clear()
    assert len(ledger) == 0


async def test_without_a_memory_nothing_is_known() -> None:
    async with carrier(message_limit=0) as running:
        esme = await running.bound()
        message_id = (await esme.ask(text_to(NUMBER, registered_delivery=0))).pdu.message_id
        assert (await esme.ask(QuerySm(message_id, 5, 0, b"ACME"))).status == Status.ESME_RQUERYFAIL
