"""A carrier that sends more than anybody can want: memory stays, jobs go on."""

import asyncio

import pytest

from protocols.smpp.constants import CommandId
from protocols.smpp.pdu import DeliverSm, EnquireLink, GenericNack, SubmitSm, encode
from tests.daemon.harness import Application, Site
from tests.hostile.smsc import Conversation, HostileSmsc, frame, receipt
from tests.hostile.test_hostile_smsc import GROWTH_KIB, JOBS, goes_on, outcomes, sent_once, started, submitted

pytestmark = pytest.mark.asyncio

ROUNDS = 40
MO = DeliverSm(source_addr=b"447700900000", destination_addr=b"12345", short_message=b"x" * 150)

FLOODS = {
    "receipts of unknown messages": [
        encode(receipt(SubmitSm(destination_addr=b"447700900000"), b"none-%d" % n), sequence=n)
        for n in range(250)
    ],
    "messages from handsets": [encode(MO, sequence=n) for n in range(250)],
    "enquire_link": [encode(EnquireLink(), sequence=n) for n in range(2_000)],
    "unknown commands": [frame(0x0999, b"x" * 50, sequence=n) for n in range(2_000)],
    "bodies that cannot be read": [frame(CommandId.DELIVER_SM, b"x", sequence=n) for n in range(2_000)],
    "answers to nothing": [encode(GenericNack(), sequence=n + 1_000_000, status=3) for n in range(2_000)],
}


@pytest.mark.parametrize("frames", FLOODS.values(), ids=FLOODS)
async def test_a_flood_leaves_no_mark(site: Site, smsc: HostileSmsc, frames: list[bytes]) -> None:
    async def flood(conversation: Conversation) -> None:
        for _ in range(ROUNDS):
            conversation.write(b"".join(frames))
            await conversation.written()

    smsc.at_bind = flood
    daemon = await started(site, smsc, response_timeout_s=10.0, enquire_link_s=10.0)
    async with Application(site.socket_path) as shop:
        before = daemon.rss_kib()
        assert await outcomes(shop, await submitted(shop, deadline_s=30.0)) == {"delivered": JOBS}
        async with asyncio.timeout(30):
            while not smsc.done:
                await asyncio.sleep(0.01)
        await goes_on(shop, daemon, site, before)
    assert smsc.binds == 1
    sent_once(smsc)


async def test_a_flood_from_one_who_never_reads(site: Site, smsc: HostileSmsc) -> None:
    """Each of its requests has an answer; those must not pile up with us."""

    clogged_at_kib = 0

    async def flood(conversation: Conversation) -> None:
        nonlocal clogged_at_kib
        conversation.stop_reading()
        requests = b"".join(encode(EnquireLink(), sequence=n) for n in range(4_000))
        for _ in range(3_000):
            conversation.write(requests)
            try:
                async with asyncio.timeout(0.5):
                    await conversation.written()
            except TimeoutError:  # it reads no more, as it should
                clogged_at_kib = daemon.rss_kib()
                break
        conversation.abort()

    smsc.at_bind = flood
    daemon = await started(site, smsc, response_timeout_s=10.0, enquire_link_s=10.0)
    async with Application(site.socket_path) as shop:
        before = daemon.rss_kib()
        found = await outcomes(shop, await submitted(shop, deadline_s=8.0))
        assert found["delivered"] + found["unknown"] == JOBS
        assert 0 < clogged_at_kib < before + GROWTH_KIB
        await goes_on(shop, daemon, site, before)
    sent_once(smsc)
