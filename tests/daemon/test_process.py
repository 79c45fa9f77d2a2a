"""The process itself: how it starts, what it refuses, how it stops, and how it dies of a broken disk."""

import asyncio
import os
import signal
import socket
import sys
import urllib.error
import urllib.request

import apsw
import pytest

from benchmarks.ports import free_port
from connector.client import Client, Options, RpcError, Submitted
from connector.sealing import is_sealed
from tests.daemon.harness import Application, CarrierFile, Daemon, Lane, Site, until
from tests.daemon.wire import Wire

pytestmark = pytest.mark.asyncio

NUMBER = "+4915112345678"
EX_IOERR = 74

# Descriptor 3 is the first that systemd passes (sd_listen_fds(3)).
_AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="jobs")
os.execv(sys.argv[2], sys.argv[2:])
"""
_SMALL_FILES = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
os.execv(sys.argv[2], sys.argv[2:])
"""


def get(site: Site, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{site.http_port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def scraped(site: Site) -> dict[str, float]:
    """Every sample of a scrape, by its name and labels."""
    samples = (line.rsplit(" ", 1) for line in get(site, "/metrics")[1].splitlines() if line[:1] != "#")
    return {name: float(value) for name, value in samples}


@pytest.mark.rule("smpp.clean-stop")
async def test_a_drain_leaves_the_queue_to_the_next_start(site: Site) -> None:
    carrier = site.carrier(response_delay="fixed:0.3")
    daemon = site.start(Lane((CarrierFile(carrier.port, binds={"window": 5}),)))
    async with Application(site.socket_path) as shop:
        jobs = [shop.job(f"+49151{n:08}", f"code {n}") for n in range(100)]
        job_ids = await shop.submit_many(jobs)
        await until(lambda: carrier.stats()["accepted"] >= 5, "the window is full")
        stopped = asyncio.to_thread(daemon.stop)
        assert await stopped == 0
        under_way = carrier.stats()["accepted"]
        assert under_way < 50, "a drain must not empty the queue"
        assert carrier.stats()["responses"] == under_way, "each answer was waited for"
        assert not os.path.exists(site.socket_path)
        carrier.set(response_delay="fixed:0")
        await asyncio.to_thread(site.start)
        for job_id in job_ids:
            assert (await shop.final(job_id)).outcome == "delivered"
            assert "unknown" not in shop.types(job_id)
    submissions = carrier.ask("submissions")
    assert (submissions["total"], submissions["repeated"]) == (100, 0)


async def test_a_draining_daemon_takes_no_jobs_and_says_when_to_come_back(site: Site) -> None:
    carrier = site.carrier(response_delay="fixed:1.0")
    daemon = site.start(Lane((CarrierFile(carrier.port),), http=True))
    with Wire(site.socket_path) as wire:
        wire.result("submit", {"id": "under-way", "to": NUMBER, "text": "code"})
        await until(lambda: carrier.stats()["accepted"] == 1, "the submit is at the carrier")
        daemon.send(signal.SIGTERM)
        await until(lambda: get(site, "/readyz")[0] == 503, "not ready")
        error = wire.refused("submit", {"id": "too-late", "to": NUMBER, "text": "code"})
        assert error["code"] == "draining"
        assert error["retry_after_s"] > 0
        assert wire.result("status", {"id": "under-way"})["state"] == "submitting"
        assert await asyncio.to_thread(daemon.wait) == 0


async def test_a_drain_ends_when_the_carrier_never_answers(site: Site) -> None:
    carrier = site.carrier(response_missing=1)
    lane = Lane(
        (CarrierFile(carrier.port, binds={"response_timeout_s": 60.0}),), other={"drain": {"timeout_s": 0.5}}
    )
    daemon = site.start(lane)
    async with Application(site.socket_path) as shop:
        job_id = await shop.submit(NUMBER)
        await until(lambda: carrier.stats()["accepted"] == 1, "the submit is at the carrier")
        assert await asyncio.to_thread(daemon.stop, 15) == 0
        await asyncio.to_thread(site.start)
        # Its receipt needs no answer: the number tells whose it is.
        await shop.event(job_id, "unknown")
        assert carrier.stats()["accepted"] == 1


async def test_a_second_daemon_on_the_same_state_is_refused(site: Site) -> None:
    carrier = site.carrier()
    site.start(Lane((CarrierFile(carrier.port),)))
    second = site.start(ready=False)
    assert await asyncio.to_thread(second.wait) == 1
    assert "another daemon uses this state folder" in second.log
    async with Application(site.socket_path) as shop:
        assert (await shop.final(await shop.submit(NUMBER))).outcome == "delivered"


async def test_a_second_daemon_on_the_same_socket_is_refused(site: Site) -> None:
    carrier = site.carrier()
    lane = Lane((CarrierFile(carrier.port),))
    site.start(lane)
    other = Lane(lane.carriers, other={"state": {"folder": str(site.folder / "other-state")}})
    second = site.start(other, ready=False)
    assert await asyncio.to_thread(second.wait) == 1
    assert "another daemon listens" in second.log
    with Wire(site.socket_path) as wire:
        assert wire.result("stats", {})["lane"] == "verification"


async def test_a_newer_journal_is_left_alone(site: Site) -> None:
    lane = Lane((CarrierFile(free_port()),))
    daemon = site.start(lane)
    assert await asyncio.to_thread(daemon.stop) == 0
    journal = apsw.Connection(str(site.state / "journal.db"))
    journal.pragma("user_version", 9_999)
    journal.close()
    refused = site.start(ready=False)
    assert await asyncio.to_thread(refused.wait) == 1
    assert "9999" in refused.log


async def test_the_socket_and_the_journal_are_for_their_owner(site: Site) -> None:
    site.start(
        Lane((CarrierFile(free_port()),), other={"socket": {"path": site.socket_path, "mode": "0600"}})
    )
    assert os.stat(site.socket_path).st_mode & 0o777 == 0o600
    for file in site.state.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


async def test_connections_wait_on_an_activated_socket_while_the_daemon_restarts(site: Site) -> None:
    carrier = site.carrier()
    # The configuration names no path: systemd has it.
    site.write(Lane((CarrierFile(carrier.port),), other={"socket": {"mode": "0660"}}))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(site.socket_path)
        listening.listen(16)
        site.wrapper = [sys.executable, "-c", _AS_SYSTEMD, str(listening.fileno())]
        fds = (listening.fileno(),)

        async def started() -> Daemon:
            return await asyncio.to_thread(lambda: site.start(pass_fds=fds))

        async with Application.without_waiting(site.socket_path) as shop:
            submitted = asyncio.create_task(shop.submit(NUMBER))
            daemon = await started()
            assert (await shop.final(await submitted)).outcome == "delivered"
            assert await asyncio.to_thread(daemon.stop) == 0
            assert os.path.exists(site.socket_path), "the socket is systemd's"
            submitted = asyncio.create_task(shop.submit("+4915112345679"))
            daemon = await started()
            assert (await shop.final(await submitted)).outcome == "delivered"
            daemon.kill()
            submitted = asyncio.create_task(shop.submit("+4915112345670"))
            await started()
            assert (await shop.final(await submitted)).outcome == "delivered"


async def test_health_readiness_and_metrics(site: Site) -> None:
    port = free_port()
    site.start(Lane((CarrierFile(port),), http=True))
    assert get(site, "/healthz")[0] == 200
    assert get(site, "/readyz") == (503, "no carrier is bound\n")
    carrier = await asyncio.to_thread(site.carrier, port=port)
    await until(lambda: get(site, "/readyz")[0] == 200, "ready")
    async with Application(site.socket_path) as shop:
        number, text = "+4915187654321", "Your code is 918273"
        for n in range(3):
            await shop.final(await shop.submit(number, f"{text}{n}"))
        with pytest.raises(RpcError):
            await shop.submit("nobody")
    # The gauges are taken a few times a second: what a scrape shows of them may be older than the last event.
    await until(lambda: scraped(site)["connector_open_jobs"] == 0, "no job is open")
    status, metrics = get(site, "/metrics")
    assert status == 200
    lines = scraped(site)
    assert lines["connector_jobs_accepted_total"] == 3
    assert lines['connector_jobs_finished_total{outcome="delivered"}'] == 3
    assert lines['connector_jobs_refused_total{code="invalid_job"}'] == 1
    assert lines['connector_carrier_submitted_total{carrier="sim"}'] == 3
    for timed in ("submit", "answer", "handset"):
        assert lines[f'connector_carrier_to_{timed}_seconds_count{{carrier="sim"}}'] == 3
    assert lines['connector_carrier_receipts_matched_total{carrier="sim"}'] == 3
    assert "87654321" not in metrics
    assert "918273" not in metrics
    carrier.kill()
    await until(lambda: get(site, "/readyz")[0] == 503, "not ready")
    assert get(site, "/healthz")[0] == 200


async def test_nothing_private_is_logged(site: Site) -> None:
    carrier = site.carrier(cut_share=0.1, garbage_share=0.05)
    lane = Lane(
        (CarrierFile(carrier.port, binds={"response_timeout_s": 1.0}),), other={"log": {"level": "debug"}}
    )
    daemon = site.start(lane)
    async with Application(site.socket_path) as shop:
        job_ids = await shop.submit_many([shop.job("+4915187654321", f"code 918273 {n}") for n in range(50)])
        await shop.until(lambda: all(len(shop.of(job_id)) > 1 for job_id in job_ids))
        with pytest.raises(RpcError):
            await shop.submit("+4915187654321", "918273 " * 300)
    assert await asyncio.to_thread(daemon.stop) == 0
    for secret in ("87654321", "918273", "secret"):
        assert secret not in daemon.log


async def test_a_full_disk_acknowledges_nothing_and_ends_the_process(site: Site) -> None:
    """No file may grow beyond a size: the WAL meets it in the middle of a commit."""
    site.write(Lane((CarrierFile(free_port()),)))
    site.wrapper = [sys.executable, "-c", _SMALL_FILES, "300000"]
    daemon = await asyncio.to_thread(site.start)
    acknowledged: list[str] = []
    jobs: dict[str, dict[str, object]] = {}
    options = Options(timeout_s=3.0, backoff_cap_s=0.1)
    async with Client(site.socket_path, options=options) as client:
        for number in range(1_000):
            job = {"id": f"job-{number}", "to": f"+49151{number:08}", "text": "x" * 150, "deadline_s": 60.0}
            jobs[f"job-{number}"] = job
            try:
                acknowledged.append((await client.submit(job)).id)
            except RpcError as error:
                assert error.code in ("timeout", "disconnected")
                break
        assert await asyncio.to_thread(daemon.wait) == EX_IOERR
    assert 0 < len(acknowledged) < 1_000
    assert "journal failed" in daemon.log
    site.wrapper = []
    await asyncio.to_thread(site.start)
    async with Client(site.socket_path) as client:
        results = await client.submit_many([jobs[job_id] for job_id in acknowledged])
        assert all(isinstance(result, Submitted) and result.duplicate for result in results)


async def test_an_emptied_key_file_is_not_taken_for_a_key(site: Site) -> None:
    """A kill between making the key's file and writing it must not leave the digests without a key."""
    daemon = site.start(Lane((CarrierFile(free_port()),)))
    assert await asyncio.to_thread(daemon.stop) == 0
    key = site.state / "digest.key"
    assert is_sealed(made := key.read_bytes())
    key.write_bytes(b"")
    site.start()
    assert is_sealed(key.read_bytes()) and key.read_bytes() != made
