"""Guards, the content gate and the head of the evidence in the real daemon, over a restart and a reload."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import stat
from pathlib import Path
from typing import Any

import pytest

import connector.daemon
from benchmarks.ports import free_port
from connector.client import RpcError, Submitted
from connector.config import load
from connector.daemon import Daemon
from connector.evidence.head import Published
from connector.evidence.keys import load_verifying
from tests.daemon.harness import Application, CarrierFile, Lane, Process, Site, until
from tests.daemon.test_process import scraped
from tests.daemon.test_reload import reloaded
from tests.daemon.wire import Wire

pytestmark = pytest.mark.asyncio

NUMBER = "+4915112345678"
FURTHER = "+4915187654321"
GUARDED = "velocity_number"


def lane(port: int, jobs: int = 2) -> Lane:
    return Lane(
        (CarrierFile(port),),
        other={
            "guards": {
                GUARDED: {"limits": [{"jobs": jobs, "within_s": 3600}]},
                "sequential": {"dry_run": True, "numbers": 1, "within_s": 3600},
                "budget": {"per_day": 1000.0},
            },
            "log": {"format": "json"},
        },
        http=True,
    )


def heads(process: Process) -> list[Published]:
    """What was told to the log."""
    told = [json.loads(line) for line in process.log.splitlines() if '"evidence head"' in line]
    names = ("seq", "mac", "signed_at", "key", "signature")
    return [Published(*(line[name] for name in names)) for line in told]


async def refused(shop: Application, to: str = NUMBER, text: str = "Your code is 482917") -> RpcError:
    with pytest.raises(RpcError) as caught:
        await shop.submit(to, text)
    return caught.value


async def guard(shop: Application, name: str) -> dict[str, Any]:
    stats = await shop.client.stats()
    return next(row for row in stats["guards"] if row["guard"] == name)


async def test_what_was_counted_outlives_the_process(site: Site) -> None:
    carrier = site.carrier()
    daemon = site.start(lane(carrier.port))
    async with Application(site.socket_path) as shop:
        first = shop.job(NUMBER)
        await shop.client.submit(first)
        await shop.final(await shop.submit(NUMBER))
        error = await refused(shop)
        assert (error.code, error.field, error.guard) == ("guarded", "to", GUARDED)
        assert error.retry_after_s is not None and 0 < error.retry_after_s <= 1800
        assert (await shop.client.submit(first)).duplicate, "accepted is accepted"
        row = await guard(shop, GUARDED)
        assert (row["refused"], row["would_have_refused"]) == (2, 0)
        spent = (await guard(shop, "budget"))["applications"][0]["spent"]
        assert spent == 2.0
        assert await asyncio.to_thread(daemon.stop) == 0
        kept = site.state / "guards.mp"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert NUMBER[1:].encode() not in kept.read_bytes()
        again = await asyncio.to_thread(site.start)
        assert (await refused(shop)).guard == GUARDED
        assert (await shop.client.submit(first)).duplicate
        assert (await guard(shop, "budget"))["applications"][0]["spent"] == spent
        # A reload with more room; what was counted by another limit is not held against it.
        site.write(lane(carrier.port, jobs=3))
        await reloaded(again)
        assert (await shop.final(await shop.submit(NUMBER))).outcome == "delivered"
        assert await asyncio.to_thread(again.stop) == 0
    kept.write_bytes(b"\xc1 nonsense")
    lost = await asyncio.to_thread(site.start)
    assert "what was known is lost" in lost.log
    async with Application(site.socket_path) as shop:
        assert (await shop.final(await shop.submit(NUMBER))).outcome == "delivered"


async def test_refusals_are_counted_and_tell_no_secret(site: Site) -> None:
    carrier = site.carrier()
    daemon = site.start(lane(carrier.port))
    async with Application(site.socket_path) as shop:
        for number in range(4):  # next to each other
            await shop.submit(f"+491511234567{number}")
        error = await refused(shop, FURTHER, "482917 \N{PARTY POPPER} buy now")
        assert (error.code, error.field, error.position) == ("content", "text", (9, 16))
        twice = shop.job(FURTHER)
        results = await shop.client.submit_many([shop.job(FURTHER), twice, twice, shop.job(FURTHER)])
        first, second, repeated, further = results
        assert [isinstance(each, Submitted) and each.duplicate for each in (first, second)] == [False, False]
        assert isinstance(repeated, Submitted) and repeated.duplicate, "its commit was on its way"
        assert isinstance(further, RpcError) and further.guard == GUARDED
        await shop.client.preview({"text": "Your code is 482917", "to": NUMBER})
    hits = 'connector_guard_hits_total{action="%s",guard="%s"}'
    await until(lambda: scraped(site)[hits % ("dry_run", "sequential")] == 3, "the dry run is counted")
    found = scraped(site)
    assert found[hits % ("refused", GUARDED)] == 2
    assert found[hits % ("refused", "kinds")] == 0, "there from the start"
    assert found['connector_content_refused_total{rule="lexicon"}'] == 1
    assert found['connector_content_refused_total{rule="url"}'] == 0
    assert found['connector_jobs_refused_total{code="content"}'] == 1
    assert await asyncio.to_thread(daemon.stop) == 0
    for secret in ("482917", "buy now", FURTHER[1:]):
        assert secret not in daemon.log.casefold()


async def test_the_head_of_the_evidence_is_signed_and_told_at_the_stop(site: Site) -> None:
    carrier = site.carrier()
    daemon = site.start(lane(carrier.port))
    async with Application(site.socket_path) as shop:
        for number in (NUMBER, FURTHER):
            await shop.final(await shop.submit(number))
    # Whatever was started is told, also what a commit brings that comes after the last minute.
    records = scraped(site)["connector_evidence_records_total"]
    assert await asyncio.to_thread(daemon.stop) == 0
    head = heads(daemon)[-1]
    assert head.seq >= records >= 3, "the start and two jobs"
    assert len(head.mac) == len(head.key) == 16
    assert head.is_signed(load_verifying(site.state))
    again = await asyncio.to_thread(site.start)
    async with Application(site.socket_path) as shop:
        await shop.final(await shop.submit("+4915187654322"))
        assert scraped(site)["connector_evidence_records_total"] >= 2, "those of this process"
    assert await asyncio.to_thread(again.stop) == 0
    assert heads(again)[-1].seq > head.seq


async def test_the_head_is_told_every_minute(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connector.daemon, "_SAVE_SWEEPS", 1)
    site.write(Lane((CarrierFile(free_port()),)))
    caplog.set_level(logging.INFO)
    daemon = Daemon(load(str(site.config)))
    await daemon.start()
    try:
        with Wire(site.socket_path) as wire:
            await asyncio.to_thread(
                wire.result, "submit", {"id": "one", "to": NUMBER, "text": "code", "deadline_s": 30.0}
            )
        await until(lambda: daemon._vitals.published_at is not None, "the head is told")
        assert (site.state / "guards.mp").exists()
    finally:
        await daemon.stop()
    assert sum("evidence head" in record.getMessage() for record in caplog.records) >= 2


@pytest.mark.parametrize(
    ("file", "words"), [("chain.key", "holds no key"), ("signing.key", "holds no Ed25519 private key")]
)
async def test_a_key_that_is_none_is_one_line_and_no_traceback(site: Site, file: str, words: str) -> None:
    folder = site.state / "evidence"
    folder.mkdir(parents=True)
    (folder / file).write_bytes(b"abc")
    await fails(site, Lane((CarrierFile(free_port()),)), 1, words)


async def test_a_template_that_advertises_is_one_line_with_its_place(site: Site) -> None:
    (site.config / "templates").mkdir(parents=True)
    template = 'lane = "verification"\npurpose = "x"\ndefault_lang = "en"\n[text]\nen = "Buy now: {code}"\n'
    path = site.config / "templates" / "login.toml"
    path.write_text(template + '[params.code]\nkind = "code"\n')
    await fails(site, Lane((CarrierFile(free_port()),)), 2, f"{path}:5: text.en: characters 1 to 7: ")
    # A reload refuses it too, and goes on.
    path.unlink()
    daemon = await asyncio.to_thread(site.start)
    path.write_text(template + '[params.code]\nkind = "code"\n')
    daemon.send(signal.SIGHUP)
    await until(lambda: "configuration refused" in daemon.log, "it is refused")
    assert daemon.running


async def test_a_list_of_opt_outs_that_cannot_be_read_is_one_line(site: Site) -> None:
    missing = str(Path(site.folder) / "nobody.txt")
    await fails(site, Lane((CarrierFile(free_port()),), jobs={"opt_out_file": missing}), 2, missing)


async def fails(site: Site, lane: Lane, code: int, words: str) -> None:
    site.write(lane)
    daemon = await asyncio.to_thread(lambda: site.start(ready=False))
    assert await asyncio.to_thread(daemon.wait) == code
    lines = daemon.log.strip().splitlines()
    assert len(lines) == 1, lines
    assert words in lines[0]
