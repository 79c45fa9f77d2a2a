"""Events reach each application in order and at least once, however slowly it reads."""

import asyncio

import pytest

from protocols.rpc.messages import Notification
from tests.daemon.harness import Application, CarrierFile, Lane, Site, until
from tests.daemon.wire import Wire

pytestmark = pytest.mark.asyncio


def read_events(wire: Wire, last: int) -> list[int]:
    """The numbers of the events up to `last`."""
    seqs: list[int] = []
    while not seqs or seqs[-1] < last:
        message = wire.read()
        assert message is not None
        if isinstance(message, Notification):
            assert message.method == "event"
            seqs.append(message.params[0]["seq"])
    return seqs


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_subscriber_that_never_reads_costs_no_memory_and_loses_nothing(site: Site) -> None:
    carrier = site.carrier()
    daemon = site.start(Lane((CarrierFile(carrier.port, binds={"window": 200}),)))

    async def burst(shop: Application, first: int, number: int) -> None:
        jobs = [
            shop.job(f"+4915{first + n:09}", traceparent=f"00-{first + n + 1:032x}-{1:016x}-01")
            for n in range(number)
        ]
        job_ids = await shop.submit_many(jobs)
        await shop.until(lambda: all(job_id in finished for job_id in job_ids), 60)

    with Wire(site.socket_path) as deaf:
        deaf.ask(("subscribe", {"from_seq": 1}))
        async with Application(site.socket_path, acknowledge=False) as shop:
            finished = shop.finished
            await burst(shop, 0, 2_000)
            before = daemon.rss_kib()
            for round_ in range(1, 5):
                await burst(shop, round_ * 10_000, 3_000)
            grown = daemon.rss_kib() - before
            last = shop.events[-1].seq
        # 36,000 more events of about 130 octets, several times that as objects: they are not held.
        assert last >= 42_000
        assert grown < 8_192, f"{grown} KiB more"
        assert await asyncio.to_thread(read_events, deaf, last) == list(range(1, last + 1))


async def test_two_subscribers_of_an_application_get_the_same(site: Site) -> None:
    carrier = site.carrier()
    site.start(Lane((CarrierFile(carrier.port),)))
    with Wire(site.socket_path) as one, Wire(site.socket_path) as two:
        for wire in (one, two):
            wire.ask(("subscribe", {"from_seq": 1}))
        async with Application(site.socket_path, acknowledge=False) as shop:
            for job_id in await shop.submit_many([shop.job(f"+49151{n:08}") for n in range(200)]):
                await shop.final(job_id)
            last = shop.events[-1].seq
        assert await asyncio.to_thread(read_events, one, last) == list(range(1, last + 1))
        assert await asyncio.to_thread(read_events, two, last) == list(range(1, last + 1))


async def test_an_application_goes_on_where_it_acknowledged(site: Site) -> None:
    carrier = site.carrier()
    daemon = site.start(Lane((CarrierFile(carrier.port),)))
    async with Application(site.socket_path, acknowledge=False) as shop:
        for job_id in await shop.submit_many([shop.job(f"+49151{n:08}") for n in range(50)]):
            await shop.final(job_id)
        last = shop.events[-1].seq
    with Wire(site.socket_path) as wire:
        assert wire.result("ack", {"seq": 60}) == 60
        assert wire.result("ack", {"seq": 10}) == 10, "an older number changes nothing"
    # A kill might lose the acknowledgement, and then events come twice: that is no loss.
    assert await asyncio.to_thread(daemon.stop) == 0
    await asyncio.to_thread(site.start)
    with Wire(site.socket_path) as wire:
        assert wire.result("subscribe", {}) == {"from_seq": 61, "newest": last}
        assert read_events(wire, last) == list(range(61, last + 1))
    with Wire(site.socket_path) as wire:
        # What was never sent cannot be acknowledged: later events must not be lost for it.
        wire.result("ack", {"seq": last + 1_000})
    await until(lambda: _cursor(site) == last, "the acknowledgement is committed")
    async with Application(site.socket_path) as shop:
        assert (await shop.final(await shop.submit("+4915112345678"))).outcome == "delivered"
        assert shop.events[0].seq == last + 1


def _cursor(site: Site) -> int:
    with Wire(site.socket_path) as wire:
        return int(wire.result("subscribe", {})["from_seq"]) - 1


async def test_a_client_that_vanishes_in_the_middle_is_no_trouble(site: Site) -> None:
    carrier = site.carrier()
    daemon = site.start(Lane((CarrierFile(carrier.port),)))
    async with Application(site.socket_path) as shop:
        for number in range(20):
            with Wire(site.socket_path) as wire:
                wire.ask(("subscribe", {"from_seq": 1}))
                wire.send(b"\x94\x00\x01\xa6sub")
            await shop.submit(f"+49151{number:08}")
        for job_id in dict.fromkeys(event.id for event in list(shop.events)):
            assert (await shop.final(job_id)).outcome == "delivered"
    assert "Traceback" not in daemon.log
