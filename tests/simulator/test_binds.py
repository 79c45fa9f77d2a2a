import asyncio

import pytest

from protocols.smpp import tlv
from protocols.smpp.constants import CommandId, Status, Tag
from protocols.smpp.pdu import (
    HEADER,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    EnquireLink,
    Unbind,
    UnbindResp,
)
from tests.simulator.esme import carrier, text_to

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("kind", [BindTransmitter, BindReceiver, BindTransceiver])
async def test_every_kind_of_bind_is_answered(kind) -> None:
    async with carrier() as running:
        esme = await running.esme()
        answer = await esme.ask(kind(system_id=b"acme", password=b"any"))
        assert (answer.command_id, answer.status) == (kind.command_id | 0x80000000, 0)
        assert answer.pdu.system_id == b"simulator"
        assert tlv.uint(answer.pdu.tlvs, Tag.SC_INTERFACE_VERSION) == 0x34
        assert (await esme.ask(EnquireLink())).command_id == CommandId.ENQUIRE_LINK_RESP
        assert (await esme.ask(Unbind())).command_id == CommandId.UNBIND_RESP
        assert await esme.rest() == b""


@pytest.mark.parametrize(
    ("account", "password", "status"),
    [
        (b"acme", b"secret", 0),
        (b"acme", b"wrong", Status.ESME_RINVPASWD),
        (b"else", b"secret", Status.ESME_RINVSYSID),
    ],
)
async def test_credentials_are_checked(account: bytes, password: bytes, status: int) -> None:
    async with carrier(system_id="acme", password="secret") as running:
        esme = await running.esme()
        assert await esme.bind(account=account, password=password) == status


async def test_binds_are_refused_with_the_status_asked_for() -> None:
    async with carrier(bind_status=0x0D, bind_refuse_first=2) as running:
        esme = await running.esme()
        assert [await esme.bind() for _ in range(3)] == [0x0D, 0x0D, 0]
        running.smsc.set({"bind_refuse_first": 0})
        assert await (await running.esme()).bind() == 0x0D


async def test_a_second_bind_on_one_connection_is_refused() -> None:
    async with carrier() as running:
        esme = await running.bound()
        assert await esme.bind() == Status.ESME_RALYBND


@pytest.mark.parametrize("kind", [None, BindReceiver])
async def test_only_a_transmitter_may_submit(kind) -> None:
    async with carrier() as running:
        esme = await running.bound(kind) if kind else await running.esme()
        answer = await esme.ask(text_to("491511"))
        assert (answer.command_id, answer.status) == (CommandId.SUBMIT_SM_RESP, Status.ESME_RINVBNDSTS)


async def test_a_ghost_session_stays_after_a_cut_and_goes() -> None:
    async with carrier(ghost_s=30, cut_after=1) as running:
        esme = await running.bound()
        esme.send(text_to("491511"))
        assert await esme.rest() == b""
        again = await running.esme()
        assert await again.bind() == Status.ESME_RALYBND
        assert await (await running.esme()).bind(account=b"other") == 0
        later = asyncio.get_running_loop().time() + 31
        running.smsc.now = lambda: later
        assert await again.bind() == 0


async def test_an_unbind_leaves_no_ghost() -> None:
    async with carrier(ghost_s=30) as running:
        esme = await running.bound()
        await esme.ask(Unbind())
        assert await (await running.esme()).bind() == 0


async def test_the_carrier_may_ask_to_unbind() -> None:
    async with carrier() as running:
        esme = await running.bound()
        running.smsc.unbind()
        request = await esme.next()
        assert request.command_id == CommandId.UNBIND
        esme.send(UnbindResp(), sequence=request.sequence)
        assert await esme.rest() == b""


async def test_unknown_commands_are_nacked_and_the_bind_stays() -> None:
    async with carrier() as running:
        esme = await running.bound()
        esme.writer.write(HEADER.pack(16, 0x999, 0, 42))
        nack = await esme.next()
        assert (nack.command_id, nack.status, nack.sequence) == (
            CommandId.GENERIC_NACK,
            Status.ESME_RINVCMDID,
            42,
        )
        esme.writer.write(HEADER.pack(16, 0x80000999, 0, 43))  # a response to nothing needs no answer
        assert await esme.settled() == []


@pytest.mark.parametrize("length", [0, 15, 70_001, 0xFFFFFFFF])
async def test_an_impossible_length_is_nacked_and_ends_the_connection(length: int) -> None:
    async with carrier() as running:
        esme = await running.bound()
        esme.writer.write(HEADER.pack(length, CommandId.SUBMIT_SM, 0, 42))
        nack = await esme.next()
        assert (nack.command_id, nack.status, nack.sequence) == (
            CommandId.GENERIC_NACK,
            Status.ESME_RINVCMDLEN,
            42,
        )
        assert await esme.rest() == b""


async def test_a_bind_without_a_body_is_refused() -> None:
    async with carrier() as running:
        esme = await running.esme()
        esme.writer.write(HEADER.pack(16, CommandId.BIND_TRANSCEIVER, 0, 1))
        answer = await esme.next()
        assert (answer.command_id, answer.status) == (CommandId.BIND_TRANSCEIVER_RESP, Status.ESME_RINVCMDLEN)


async def test_the_carrier_asks_whether_a_silent_esme_is_alive() -> None:
    async with carrier(enquire_link_s=0.001) as running:
        esme = await running.bound()
        assert (await esme.next()).command_id == CommandId.ENQUIRE_LINK
