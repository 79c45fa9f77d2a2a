"""What no honest SMSC does."""

import asyncio

import pytest

from connector.simulator.attacks import ATTACKS, UNKNOWN_SEQUENCE
from connector.simulator.control import ControlError
from protocols.smpp.constants import CommandId
from protocols.smpp.errors import PduError
from protocols.smpp.framing import FrameReader
from protocols.smpp.pdu import HEADER, EnquireLink, Unbind, decode
from tests.simulator.esme import PATIENCE_S, carrier, text_to
from tests.simulator.test_control import controlled, say

pytestmark = pytest.mark.asyncio

NUMBER = "4915112345678"
READABLE = {
    "unknown_sequence": CommandId.SUBMIT_SM_RESP,
    "unknown_nack": CommandId.GENERIC_NACK,
    "enquire_link": CommandId.ENQUIRE_LINK,
    "enquire_link_resp": CommandId.ENQUIRE_LINK_RESP,
    "deliver_sm": CommandId.DELIVER_SM,
    "receipt": CommandId.DELIVER_SM,
    "submit_sm": CommandId.SUBMIT_SM,
    "bind": CommandId.BIND_TRANSCEIVER,
    "outbind": CommandId.OUTBIND,
    "bind_resp": CommandId.BIND_TRANSCEIVER_RESP,
    "broken_header": CommandId.DELIVER_SM,
    "sequence_zero": CommandId.DELIVER_SM,
    "sequence_high": CommandId.DELIVER_SM,
    "long_text": CommandId.DELIVER_SM,
}
UNREADABLE = ("unknown_command", "unknown_response", "empty_deliver", "broken_body", "broken_tlv")
OUT_OF_STEP = ("truncated", "oversized", "undersized", "garbage")


async def test_every_attack_is_what_its_name_says() -> None:
    assert {*READABLE, *UNREADABLE, *OUT_OF_STEP} == set(ATTACKS)
    for name, command_id in READABLE.items():
        assert decode(ATTACKS[name](7)).command_id == command_id
    for name in UNREADABLE:
        frame = ATTACKS[name](7)
        assert FrameReader().feed(frame) == [frame]
        with pytest.raises(PduError):
            decode(frame)
    for name in OUT_OF_STEP:
        assert FrameReader().feed(ATTACKS[name](7)) == []
    assert decode(ATTACKS["sequence_zero"](7)).sequence == 0
    assert decode(ATTACKS["sequence_high"](7)).sequence == 0xFFFFFFFF


async def test_before_and_behind_the_bind_and_beside_a_response() -> None:
    hostile = {"greeting": "deliver_sm", "after_bind": "unknown_sequence", "beside_response": "enquire_link"}
    async with carrier(**hostile) as running:
        esme = await running.esme()
        assert (await esme.next()).command_id == CommandId.DELIVER_SM
        assert await esme.bind() == 0
        assert (await esme.next()).sequence == UNKNOWN_SEQUENCE
        esme.send(text_to(NUMBER, registered_delivery=0))
        assert [m.command_id for m in await esme.take(2)] == [
            CommandId.ENQUIRE_LINK,
            CommandId.SUBMIT_SM_RESP,
        ]
        assert running.smsc.records.counters.attacks == 3


async def test_a_response_comes_twice() -> None:
    async with carrier(response_duplicate=1) as running:
        esme = await running.bound()
        esme.send(text_to(NUMBER, registered_delivery=0))
        first, second = await esme.take(2)
        assert first == second
        assert first.command_id == CommandId.SUBMIT_SM_RESP


@pytest.mark.parametrize(
    ("ignored", "pdu"),
    [("enquire_link", EnquireLink()), ("submit_sm", text_to(NUMBER)), ("unbind", Unbind())],
)
async def test_a_request_is_never_answered(ignored: str, pdu: object) -> None:
    async with carrier(ignore=ignored) as running:
        esme = await running.bound()
        esme.send(pdu)
        running.smsc.set({"ignore": ""})
        probe = text_to(NUMBER, registered_delivery=0)
        running.smsc.set({"ignore": ignored})
        if ignored == "submit_sm":
            assert (await esme.ask(EnquireLink())).command_id == CommandId.ENQUIRE_LINK_RESP
            assert len(running.smsc.handsets) == 0
        else:
            assert (await esme.ask(probe)).command_id == CommandId.SUBMIT_SM_RESP


async def test_a_bind_is_never_answered() -> None:
    async with carrier(ignore="bind_transceiver") as running:
        esme = await running.esme()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await esme.bind()


@pytest.mark.parametrize("rate", [50, 5000])
async def test_a_flood(rate: int) -> None:
    async with carrier(flood="enquire_link,deliver_sm") as running:
        esme, unbound = await running.bound(), await running.esme()
        running.smsc.set({"flood_per_s": rate})
        begun = asyncio.get_running_loop().time()
        found = await esme.take(20)
        took = asyncio.get_running_loop().time() - begun
        assert [m.command_id for m in found] == [CommandId.ENQUIRE_LINK, CommandId.DELIVER_SM] * 10
        assert took >= (20 - 1) / rate - 0.2
        running.smsc.set({"flood_per_s": 0})
        await esme.settled()
        assert await esme.settled() == []
        assert not unbound.frames


async def test_attacks_by_control() -> None:
    async with controlled() as (running, _, port):
        esme = await running.esme()
        async with asyncio.timeout(PATIENCE_S):
            while not running.smsc.stats()["connections_open"]:
                await asyncio.sleep(0.001)
        assert await say(port, "attack", names=["deliver_sm", "unknown_nack"], times=2) is None
        found = [message.command_id for message in await esme.take(4)]
        assert found == [CommandId.DELIVER_SM, CommandId.GENERIC_NACK] * 2
        await say(port, "attack", names="undersized,garbage")
        octets = await esme.reader.readexactly(HEADER.size)
        assert HEADER.unpack(octets)[0] == 4
        for wrong in ({"names": ["lie"]}, {"names": 3}, {"names": "garbage", "times": 0}):
            with pytest.raises(ControlError, match="expected"):
                await say(port, "attack", **wrong)
