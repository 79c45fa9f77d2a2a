"""Calls of the real daemon: told step by step, stopped, cut by SIGKILL, and kept through a reload."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import urllib.request
from contextlib import closing

import pytest

from tests.daemon.callee import SimulatedCallee, code_job, lane
from tests.daemon.harness import Application, Site, until

pytestmark = pytest.mark.asyncio


async def ringing(shop: Application, id: str) -> None:
    await shop.client.submit(code_job(id))
    await shop.event(id, "ringing")


@pytest.mark.timeout(120)
async def test_a_code_is_said_and_nothing_private_is_left(site: Site) -> None:
    callee = SimulatedCallee(site, answer_after="fixed:0.1")
    lane(site, callee, http=True)
    daemon = site.start()
    async with Application(site.socket_path) as shop:
        await shop.client.submit(code_job("call-1"))
        last = await shop.final("call-1", timeout_s=60.0)
        assert shop.types("call-1") == ["accepted", "ringing", "answered", "completed"]
        assert (last.outcome, last.channel, last.carrier) == ("delivered", "voice", "sim")
        status = await shop.client.status("call-1")
        call = status["attempts"][0]["call"]
        assert [name for name, *_, whole in call["prompts"] if whole] == [
            "greeting",
            "code_intro",
            "code",
            "goodbye",
        ]
        assert (call["status"], call["kind"], call["delivered"]) == (200, "heard", True)
        times = [call[key] for key in ("trying", "ringing", "answered", "first_heard", "ended")]
        assert times == sorted(times)
        assert (call["media"].get("lost", 0), call["media"]["codec"]) == (0, "PCMA")
        with urllib.request.urlopen(f"http://127.0.0.1:{site.http_port}/metrics", timeout=10) as answer:
            metrics = answer.read().decode()
    assert 'connector_calls_ended_total{result="heard",trunk="sim"} 1.0' in metrics
    assert 'connector_trunk_state{state="up",trunk="sim"} 1.0' in metrics
    assert await asyncio.to_thread(daemon.stop) == 0
    with closing(sqlite3.connect(site.state / "journal.db")) as journal:
        assert journal.execute("SELECT body FROM job").fetchall() == [(None,)]
    kept = b"".join(file.read_bytes() for file in site.state.rglob("*") if file.is_file())
    for secret in ("482917", "4915112345678"):
        assert secret not in daemon.log
        assert secret not in metrics
    assert b"482917" not in kept


async def test_a_ringing_call_is_cancelled(site: Site) -> None:
    callee = SimulatedCallee(site, answer_after="fixed:30")
    lane(site, callee)
    site.start()
    async with Application(site.socket_path) as shop:
        await ringing(shop, "call-1")
        assert await shop.client.cancel("call-1")
        assert (await shop.final("call-1")).outcome == "cancelled"
        await ringing(shop, "call-2")
        await shop.client.feedback("call-2", converted=True)
        assert (await shop.final("call-2")).outcome == "delivered"
        await until(lambda: callee.ask("stats")["calls"] == 2, "both calls came")
        await until(lambda: all("end" in call["at"] for call in callee.calls()), "no telephone rings on")
        assert [(call["ended_by"], "answer" in call["at"]) for call in callee.calls()] == [
            ("cancelled", False)
        ] * 2


async def test_after_sigkill_a_call_is_unknown_and_nobody_is_called_again(site: Site) -> None:
    callee = SimulatedCallee(site, answer_after="fixed:0")
    lane(site, callee)
    daemon = site.start()
    async with Application(site.socket_path) as shop:
        await shop.client.submit(code_job("call-1"))
        await shop.event("call-1", "answered")
        daemon.kill()
        await asyncio.to_thread(site.start)
        last = await shop.final("call-1")
        assert (last.outcome, last.reason) == ("unknown", "the daemon ended during the call")
    assert callee.ask("stats")["calls"] == 1


@pytest.mark.timeout(120)
async def test_a_reload_and_a_stop_let_a_call_speak_to_its_end(site: Site) -> None:
    callee = SimulatedCallee(site, answer_after="fixed:0")
    lane(site, callee)
    daemon = site.start()
    async with Application(site.socket_path) as shop:
        await shop.client.submit(code_job("call-1"))
        await shop.event("call-1", "answered")
        lane(site, callee, most=3)
        daemon.send(signal.SIGHUP)

        async def most() -> int:
            return int((await shop.client.stats())["trunks"][0]["most"])

        while await most() != 3:
            await asyncio.sleep(0.05)
        await shop.client.submit(code_job("call-2"))
        await shop.event("call-2", "answered")
        assert "completed" not in shop.types("call-1")
    assert await asyncio.to_thread(daemon.stop, 60.0) == 0
    with closing(sqlite3.connect(site.state / "journal.db")) as journal:
        assert journal.execute("SELECT outcome FROM job").fetchall() == [("delivered",)] * 2
