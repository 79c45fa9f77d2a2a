"""What a carrier sees of us, on the wire."""

import asyncio
import contextlib
import os
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.ports import free_port
from protocols.smpp.constants import CommandId, Status
from protocols.smpp.pdu import BindTransceiver, EnquireLink, Outbind, SubmitSm, encode
from tests.daemon.harness import Application, CarrierFile, Daemon, Lane, Site, until
from tests.hostile.smsc import Conversation, HostileSmsc, receipt
from tests.hostile.test_hostile_smsc import hang_up, outcomes, sent_once, started, submitted

pytestmark = pytest.mark.asyncio


def sequences(smsc: HostileSmsc, connection: int) -> list[int]:
    return [seen.sequence for seen in smsc.seen if seen.connection == connection]


@pytest.mark.rule("smpp.sequence-per-session")
async def test_each_session_counts_from_one(site: Site, smsc: HostileSmsc) -> None:
    smsc.at_submit = hang_up
    await started(site, smsc)
    async with Application(site.socket_path) as shop:
        await outcomes(shop, await submitted(shop))
    assert smsc.connections == 2
    for connection in (1, 2):
        numbers = sequences(smsc, connection)
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) > 1


@pytest.mark.rule("smpp.sequence-of-our-own", "smpp.link-both-sides")
async def test_what_the_carrier_asks_costs_none_of_our_numbers(site: Site, smsc: HostileSmsc) -> None:
    async def ask(conversation: Conversation) -> None:
        conversation.send(*[EnquireLink()] * 50)

    smsc.at_bind = smsc.at_submit = ask
    await started(site, smsc)
    async with Application(site.socket_path) as shop:
        await outcomes(shop, await submitted(shop))
        await until(
            lambda: smsc.answers.count((0x80000000 | CommandId.ENQUIRE_LINK, 0)) == 100, "all are answered"
        )
    numbers = sequences(smsc, 1)
    assert numbers == list(range(1, len(numbers) + 1))


class Throttling:
    """Refuses every third message the first time it comes."""

    def __init__(self, status: int) -> None:
        self.refused: list[bytes] = []
        self._status = status
        self._come: Counter[bytes] = Counter()

    def __call__(self, submit: SubmitSm) -> int:
        self._come[submit.short_message] += 1
        if len(self._come) % 3 or self._come[submit.short_message] > 1:
            return 0
        self.refused.append(submit.short_message)
        return self._status


@pytest.mark.rule("smpp.throttled-head", "smpp.throttled-receipts", "smpp.status-transient")
@pytest.mark.parametrize("status", [Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL])
@pytest.mark.parametrize("window", [1, 5])
async def test_a_throttled_message_goes_first_and_receipts_go_on(
    site: Site, smsc: HostileSmsc, status: int, window: int
) -> None:
    smsc.status_of = throttling = Throttling(status)
    await started(site, smsc, window=window, window_sizing="fixed", tps=500)
    async with Application(site.socket_path) as shop:
        jobs = 15
        job_ids = await submitted(shop, jobs, deadline_s=20.0)
        assert await outcomes(shop, job_ids) == {"delivered": jobs}
        assert all(shop.types(job_id) == ["accepted", "sent", "delivered"] for job_id in job_ids)
    sent_once(smsc)
    come = [seen.pdu.short_message for seen in smsc.seen if isinstance(seen.pdu, SubmitSm)]
    assert len(throttling.refused) == jobs // 3
    for text in throttling.refused:
        first = come.index(text)
        again = come.index(text, first + 1)
        # Only what was under way, or was itself refused before, comes between.
        between = [other for other in come[first + 1 : again] if other not in throttling.refused]
        assert len(between) < window
    if window == 1:
        accepted = [submit.short_message for submit in smsc.submits]
        assert accepted == [b"code %d" % n for n in range(jobs)]


@pytest.mark.rule("smpp.rate-in-pdus")
async def test_each_part_counts(site: Site, smsc: HostileSmsc) -> None:
    rate, jobs, parts = 40, 8, 4
    await started(site, smsc, tps=rate, window=50, response_timeout_s=10.0)
    async with Application(site.socket_path) as shop:
        text = "A long notice of four parts. " * 18
        texts = [shop.job(f"+44770091{n:04}", text, deadline_s=20.0) for n in range(jobs)]
        assert await outcomes(shop, await shop.submit_many(texts)) == {"delivered": jobs}
    times = [seen.at for seen in smsc.seen if isinstance(seen.pdu, SubmitSm)]
    assert len(times) == jobs * parts
    # A tenth of a second may be saved up.
    assert times[-1] - times[0] >= (jobs * parts - rate / 10 - 1) / rate * 0.9


@pytest.mark.rule("receipts.unknown-id", "receipts.unmatched")
async def test_receipts_of_unknown_messages_are_taken_and_counted(site: Site, smsc: HostileSmsc) -> None:
    async def report(conversation: Conversation) -> None:
        strange = [receipt(SubmitSm(destination_addr=b"447700910000"), b"stranger-%d" % n) for n in range(7)]
        conversation.send(*strange)

    smsc.at_bind = report
    await started(site, smsc)
    async with Application(site.socket_path) as shop:
        taken = (0x80000000 | CommandId.DELIVER_SM, Status.ESME_ROK)
        await until(lambda: smsc.answers.count(taken) == 7, "each is answered with success")
        assert (await shop.client.stats())["parked_receipts"] == 7


# outbind


def listening(daemon: Daemon) -> set[int]:
    """The TCP ports that the process listens on (proc(5), /proc/net/tcp: state 0A)."""
    inodes = set()
    for descriptor in Path(f"/proc/{daemon.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(os.readlink(descriptor))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = [row for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes]
    return {int(row[1].split(":")[1], 16) for row in ours}


@pytest.mark.rule("smpp.outbind")
async def test_nobody_may_connect_to_us_unless_asked_for(site: Site, smsc: HostileSmsc) -> None:
    daemon = await started(site, smsc)
    async with Application(site.socket_path) as shop:
        await outcomes(shop, await submitted(shop, 3))
    assert listening(daemon) == set()


@pytest.mark.rule("smpp.outbind")
@pytest.mark.parametrize(("allowed", "binds"), [("127.0.0.0/8", True), ("192.0.2.10", False)])
async def test_an_outbind_is_taken_from_listed_addresses_only(
    site: Site, smsc: HostileSmsc, allowed: str, binds: bool
) -> None:
    port = free_port()
    outbind = {"listen": f"127.0.0.1:{port}", "allow": [allowed]}
    lane = Lane((CarrierFile(smsc.port, other={"outbind": outbind}),))
    daemon = await asyncio.to_thread(site.start, lane)
    await until(lambda: listening(daemon) == {port}, "the daemon listens")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(encode(Outbind(b"smsc", b""), sequence=1))
    if binds:
        octets = await asyncio.wait_for(reader.readexactly(16), 10)
        assert int.from_bytes(octets[4:8], "big") == BindTransceiver.command_id
    else:
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    assert daemon.running
