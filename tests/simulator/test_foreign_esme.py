"""smpplib's client, which we did not write, as the ESME."""

import asyncio
from typing import Any

import pytest
import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm

from connector.simulator.stories import PREFIX
from protocols.smpp.constants import Status
from tests.simulator.esme import carrier

pytestmark = pytest.mark.asyncio

NUMBER = "4915112345678"


class Conversation:
    """Binds, submits and reads receipts, blocking: to be run in a thread."""

    def __init__(self, port: int) -> None:
        self.client = smpplib.client.Client("127.0.0.1", port, allow_unknown_opt_params=True, timeout=10)
        self.answers: list[Any] = []
        self.receipts: list[Any] = []

    def bind(self, password: str) -> None:
        self.client.set_message_sent_handler(self.answered)
        self.client.set_message_received_handler(self.received)
        self.client.set_error_pdu_handler(lambda pdu: None)
        self.client.connect()
        self.client.bind_transceiver(system_id="acme", password=password)

    def answered(self, pdu: Any) -> None:
        self.answers.append(pdu)

    def received(self, pdu: Any) -> None:
        self.receipts.append(pdu)

    def submit(self, number: str, text: str) -> int:
        parts, coding, esm_class = smpplib.gsm.make_parts(text)
        for part in parts:
            self.client.send_message(
                source_addr_ton=5,
                source_addr="ACME",
                dest_addr_ton=1,
                dest_addr_npi=1,
                destination_addr=number,
                short_message=part,
                data_coding=coding,
                esm_class=esm_class,
                registered_delivery=True,
            )
        return len(parts)

    def run(self, number: str, text: str, password: str = "secret", receipts: bool = True) -> None:
        try:
            self.bind(password)
            parts = self.submit(number, text)
            while len(self.answers) < parts or len(self.receipts) < parts * receipts:
                self.client.read_once()
            self.client.unbind()
        finally:
            self.client.disconnect()


@pytest.mark.parametrize("text", ["Your code is 482917", "Ваш код 482917 " * 12, "code {482917} " * 20])
async def test_a_foreign_client_binds_submits_and_gets_its_receipts(text: str) -> None:
    async with carrier(password="secret", receipt_delay="fixed:0.02") as running:
        talk = Conversation(running.port)
        await asyncio.to_thread(talk.run, NUMBER, text)
        (received,) = running.smsc.handsets.inbox(NUMBER)
        assert received.text == text
        assert received.message_ids == tuple(answer.message_id.decode() for answer in talk.answers)
        assert [receipt.receipted_message_id for receipt in talk.receipts] == [
            a.message_id for a in talk.answers
        ]
        assert {receipt.message_state for receipt in talk.receipts} == {
            smpplib.consts.SMPP_MESSAGE_STATE_DELIVERED
        }
        assert all(b"stat:DELIVRD err:000" in receipt.short_message for receipt in talk.receipts)
        assert running.smsc.stats()["receipts_answered"] == received.parts


async def test_a_foreign_client_sees_a_refused_bind() -> None:
    async with carrier(password="secret") as running:
        talk = Conversation(running.port)
        with pytest.raises(smpplib.exceptions.PDUError) as refusal:
            await asyncio.to_thread(talk.run, NUMBER, "code", "wrong")
        assert refusal.value.args[1] == Status.ESME_RINVPASWD


async def test_a_foreign_client_sees_a_refused_submit() -> None:
    async with carrier() as running:
        talk = Conversation(running.port)
        await asyncio.to_thread(talk.run, PREFIX + "042", "code", "", False)
        assert [answer.status for answer in talk.answers] == [Status.ESME_RSUBMITFAIL]


class Inquiry(Conversation):
    """Submits to the loop, reads what comes back, and asks what became of it."""

    def answered_query(self, pdu: Any) -> None:
        self.states.append((pdu.message_id, pdu.message_state))

    def inquire(self, number: str, text: str) -> None:
        self.states: list[tuple[bytes, int]] = []
        self.client.set_query_resp_handler(self.answered_query)
        try:
            self.bind("")
            self.submit(number, text)
            while not self.receipts:
                self.client.read_once()
            (answer,) = self.answers
            self.client.query_message(
                message_id=answer.message_id.decode(), source_addr_ton=5, source_addr="ACME"
            )
            while not self.states:
                self.client.read_once()
        finally:
            self.client.disconnect()


async def test_a_foreign_client_reads_what_comes_back_and_asks_what_became_of_it() -> None:
    async with carrier(mo_loop=NUMBER, receipt_missing=1) as running:
        talk = Inquiry(running.port)
        await asyncio.to_thread(talk.inquire, NUMBER, "{482917} @ ok")
        (echo,) = talk.receipts
        assert (echo.source_addr, echo.destination_addr) == (NUMBER.encode(), b"ACME")
        assert echo.short_message.decode("utf-16-be") == "{482917} @ ok"
        assert talk.states == [(talk.answers[0].message_id, smpplib.consts.SMPP_MESSAGE_STATE_DELIVERED)]
