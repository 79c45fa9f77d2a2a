"""How the daemon keeps its binds when the carrier refuses, leaves, throttles or falls silent."""

import asyncio
import json
from functools import partial
from typing import Any

import pytest
import trustme

from benchmarks.ports import free_port
from tests.daemon.harness import Application, CarrierFile, Lane, SimulatedCarrier, Site, until
from tests.daemon.wire import Wire

pytestmark = pytest.mark.asyncio

NUMBER = "+4915112345678"


def bind_states(site: Site) -> list[str]:
    with Wire(site.socket_path) as wire:
        carriers: list[dict[str, Any]] = wire.result("stats", {})["carriers"]
    return [bind["state"] for carrier in carriers for bind in carrier["binds"]]


async def bound(site: Site, number: int = 1) -> None:
    await until(lambda: bind_states(site).count("bound") >= number, f"{number} binds bound")


@pytest.mark.parametrize("mode", ["transceiver", "transmitter+receiver"])
async def test_all_binds_of_a_carrier_come_up(site: Site, mode: str) -> None:
    carrier = site.carrier(password="secret", system_id="shop")
    site.start(Lane((CarrierFile(carrier.port, binds={"mode": mode, "count": 3}),)))
    binds = 3 if mode == "transceiver" else 6
    await bound(site, binds)
    assert carrier.stats()["binds"] == binds


@pytest.mark.rule("smpp.bind-ghost")
async def test_a_ghost_session_is_waited_for(site: Site) -> None:
    carrier = site.carrier(ghost_s=6.0)  # longer than a start takes on a busy machine
    daemon = site.start(Lane((CarrierFile(carrier.port, backoff={"ghost_s": 1.0}),)))
    await bound(site)
    daemon.kill()
    await until(lambda: carrier.stats()["connections_open"] == 0, "the carrier has seen the end")
    await asyncio.to_thread(site.start)
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER)
        assert (await shop.final(job_id)).outcome == "delivered"
    assert 1 <= carrier.stats()["binds_refused"] <= 8, "0x05 is waited for, not hammered at"


@pytest.mark.rule("smpp.bind-credentials")
@pytest.mark.parametrize("status", [0x0E, 0x0F])
async def test_refused_credentials_stop_the_attempts(site: Site, status: int) -> None:
    carrier = site.carrier(bind_status=status)
    daemon = site.start(Lane((CarrierFile(carrier.port, backoff={"initial_s": 0.01, "max_s": 0.02}),)))
    await until(lambda: bind_states(site) == ["refused"], "the bind is given up")
    before = carrier.stats()["connections"]
    async with Application(site.socket_path) as shop:
        # Long enough for many more attempts, were there any.
        job_id = await shop.submit(NUMBER, deadline_s=1.0)
        assert (await shop.final(job_id)).outcome == "expired"
    assert carrier.stats()["connections"] == before == 1
    assert "ERROR" in daemon.log
    assert "secret" not in daemon.log


async def test_a_passing_refusal_is_tried_again(site: Site) -> None:
    carrier = site.carrier(bind_status=0x08, bind_refuse_first=3)
    site.start(Lane((CarrierFile(carrier.port),)))
    await bound(site)
    assert carrier.stats()["binds_refused"] == 3


async def test_a_carrier_that_is_not_there_yet_is_tried_again(site: Site) -> None:
    port = free_port()
    site.start(Lane((CarrierFile(port),)))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER)
        await asyncio.to_thread(site.carrier, port=port)
        assert (await shop.final(job_id)).outcome == "delivered"


@pytest.mark.rule("smpp.peer-unbind")
async def test_when_the_carrier_unbinds_the_daemon_answers_and_comes_back(site: Site) -> None:
    carrier = site.carrier()
    site.start(Lane((CarrierFile(carrier.port),)))

    def again(binds: int) -> bool:
        return bool(carrier.stats()["binds"] == binds)

    async with Application(site.socket_path) as shop:
        for times in range(3):
            job_id = await shop.submit(NUMBER)
            assert (await shop.final(job_id)).outcome == "delivered"
            carrier.ask("unbind")
            await until(partial(again, times + 2), "bound again")
        assert carrier.ask("submissions")["total"] == 3


@pytest.mark.rule("smpp.window-loss")
async def test_jobs_keep_flowing_while_connections_are_cut_again_and_again(site: Site) -> None:
    carrier = site.carrier(cut_share=0.02, response_delay="uniform:0,0.01")
    # What a cut can make unknown is one window.
    binds = {"count": 2, "window": 10, "response_timeout_s": 1.0}
    site.start(Lane((CarrierFile(carrier.port, binds=binds),), jobs={"receipt_wait_s": 1.0}))
    async with Application(site.socket_path) as shop:
        jobs = [shop.job(f"+49151{n:08}", deadline_s=6.0) for n in range(400)]
        job_ids = await shop.submit_many(jobs)
        outcomes = [(await shop.final(job_id, 30)).outcome for job_id in job_ids]
        inbox = {received["to"] for received in carrier.ask("handsets")}
        for job, outcome in zip(jobs, outcomes, strict=True):
            assert (outcome == "delivered") == (job["to"] in inbox), (job, outcome)
        assert outcomes.count("delivered") > 300
        assert carrier.ask("submissions")["repeated"] == 0
    assert carrier.stats()["cuts"] > 0


@pytest.mark.rule("smpp.link-dead")
async def test_a_half_open_connection_is_found_out_and_replaced(site: Site) -> None:
    carrier = site.carrier(silence_after=1)
    site.start(Lane((CarrierFile(carrier.port, binds={"enquire_link_s": 0.3}),)))
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER)
        await shop.event(job_id, "unknown")
        carrier.set(silence_after=0)
        other = await shop.submit("+4915112345679")
        assert (await shop.final(other)).outcome == "delivered"


async def test_garbage_from_the_carrier_ends_the_bind_and_not_the_daemon(site: Site) -> None:
    carrier = site.carrier(garbage_share=0.3)
    lane = Lane((CarrierFile(carrier.port, binds={"response_timeout_s": 1.0}),), jobs={"receipt_wait_s": 1.0})
    daemon = site.start(lane)
    async with Application(site.socket_path) as shop:
        job_ids = await shop.submit_many([shop.job(f"+49151{n:08}", deadline_s=4.0) for n in range(50)])
        for job_id in job_ids:
            await shop.final(job_id)
        assert carrier.ask("submissions")["repeated"] == 0
    assert "Traceback" not in daemon.log


@pytest.mark.rule("smpp.throttled-rate", "smpp.throttled-others", "smpp.status-transient")
async def test_a_throttled_carrier_gets_everything_once_and_in_time(site: Site) -> None:
    carrier = site.carrier(throttle_tps=100, throttle_burst=10)
    site.start(Lane((CarrierFile(carrier.port, binds={"tps": 10_000}),)))
    async with Application(site.socket_path) as shop:
        job_ids = await shop.submit_many([shop.job(f"+49151{n:08}") for n in range(100)])
        for job_id in job_ids:
            assert (await shop.final(job_id)).outcome == "delivered"
            assert shop.types(job_id) == ["accepted", "sent", "delivered"]
    submissions = carrier.ask("submissions")
    assert (submissions["total"], submissions["repeated"]) == (100, 0)
    assert carrier.stats()["throttled"] > 0


async def test_our_own_rate_is_kept(site: Site) -> None:
    carrier = site.carrier(throttle_tps=220, throttle_burst=30)
    site.start(Lane((CarrierFile(carrier.port, binds={"tps": 200, "window": 500}),)))
    async with Application(site.socket_path) as shop:
        job_ids = await shop.submit_many([shop.job(f"+49151{n:08}") for n in range(300)])
        for job_id in job_ids:
            await shop.final(job_id)
    assert carrier.stats()["throttled"] == 0


@pytest.mark.rule("smpp.window-per-bind")
async def test_the_window_is_never_exceeded(site: Site) -> None:
    carrier = site.carrier(response_delay="uniform:0,0.05")
    site.start(Lane((CarrierFile(carrier.port, binds={"window": 7}),)))
    async with Application(site.socket_path) as shop:
        for job_id in await shop.submit_many([shop.job(f"+49151{n:08}") for n in range(100)]):
            await shop.final(job_id)
    assert carrier.stats()["window_peak"] == 7


@pytest.mark.rule("smpp.status-this-route", "smpp.status-every-route")
async def test_a_refusal_goes_to_the_next_carrier_and_a_bad_number_to_none(site: Site) -> None:
    first, second = site.carrier(), site.carrier()
    lane = Lane((CarrierFile(first.port, "first"), CarrierFile(second.port, "second", priority=1)))
    site.start(lane)
    async with Application(site.socket_path) as shop:
        # ESME_RINVSRCADR: this carrier does not take this sender; the story is the same at the second one.
        job_id = await shop.submit("+447700900040")
        assert (await shop.final(job_id)).outcome == "rejected"
        failed = [event for event in shop.of(job_id) if event.type == "failed" and not event.final]
        assert [event.carrier for event in failed] == ["first", "second"] or len(failed) == 1
    assert (_submits(first), _submits(second)) == (1, 1)


async def test_the_cheaper_carrier_is_used_until_it_is_gone(site: Site) -> None:
    first, second = site.carrier(), site.carrier()
    site.start(Lane((CarrierFile(first.port, "first"), CarrierFile(second.port, "second", priority=1))))
    await bound(site, 2)
    async with Application(site.socket_path) as shop:
        assert (await shop.final(await shop.submit(NUMBER))).carrier == "first"
        await asyncio.to_thread(first.stop)
        await until(lambda: bind_states(site).count("bound") == 1, "the first carrier is gone")
        assert (await shop.final(await shop.submit(NUMBER, "another text"))).carrier == "second"
        decision = (await shop.client.status(shop.events[-1].id))["attempts"][0]["decision"]
        assert "second" in json.dumps(decision)


async def test_tls_with_certificates_on_both_sides(site: Site) -> None:
    authority = trustme.CA()
    theirs, ours = authority.issue_cert("127.0.0.1"), authority.issue_cert("esme.example")
    folder = site.config
    folder.mkdir()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    theirs.private_key_and_cert_chain_pem.write_to_path(folder / "theirs.pem")
    ours.cert_chain_pems[0].write_to_path(folder / "ours.pem")
    ours.private_key_pem.write_to_path(folder / "ours.key")
    (folder / "ours.key").chmod(0o600)
    carrier = site.carrier(tls_certificate=folder / "theirs.pem", tls_client_ca=folder / "ca.pem")
    tls = {"ca_file": "ca.pem", "certificate_file": "ours.pem", "key_file": "ours.key"}
    site.start(Lane((CarrierFile(carrier.port, binds={"count": 2}, other={"tls": tls}),)))
    async with Application(site.socket_path) as shop:
        for job_id in await shop.submit_many([shop.job(f"+49151{n:08}") for n in range(200)]):
            assert (await shop.final(job_id)).outcome == "delivered"
    assert carrier.ask("submissions")["repeated"] == 0


async def test_a_carrier_that_comes_to_us_gets_our_bind(site: Site) -> None:
    carrier, port = site.carrier(), free_port()
    outbind = {"listen": f"127.0.0.1:{port}", "allow": ["127.0.0.0/8"]}
    site.start(Lane((CarrierFile(carrier.port, other={"outbind": outbind}),)))
    await bound(site)
    carrier.ask("outbind", host="127.0.0.1", port=port)
    await until(lambda: bind_states(site) == ["bound", "bound"], "both are bound")
    async with Application(site.socket_path) as shop:
        for job_id in await shop.submit_many([shop.job(f"+49151{n:08}") for n in range(100)]):
            assert (await shop.final(job_id)).outcome == "delivered"
        for _ in range(3):
            carrier.ask("unbind")
            await until(lambda: bind_states(site) == ["bound", "connecting"], "we wait for it to come again")
            carrier.ask("outbind", host="127.0.0.1", port=port)
            await until(lambda: bind_states(site) == ["bound", "bound"], "it came again")


def _submits(carrier: SimulatedCarrier) -> int:
    return int(carrier.stats()["submits"])
