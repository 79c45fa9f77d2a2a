"""Calls through the whole daemon: job socket, journal with its fsyncs, dispatch, trunks, SIP, media, events.

The callee is SIPp: it rings, answers, and hangs up when it has the ACK, so that a call is short.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

from benchmarks.calls.uas import LOOPBACK, hears_at
from benchmarks.ports import free_port
from benchmarks.processes import BenchmarkError, Process, wait_until
from connector.client import Client

__all__ = ["measure"]

CALLS: Final = 2_000
AT_ONCE: Final = 200
TRUNKS: Final = ("north", "south")
"""A trunk takes 1,000 calls a second at most."""
PATIENCE_S: Final = 25.0
MANY: Final = 100

_CONNECTOR: Final = """\
lane = "verification"
[socket]
path = "{folder}/jobs.sock"
[[application]]
name = "bench"
uids = [{uid}]
[state]
folder = "{folder}/state"
[log]
level = "warning"
[voice]
listen = "127.0.0.1:0"
languages = ["en"]
[scripts.code]
gate = false
repeats = 0
[journeys.call]
channel = "voice"
script = "code"
"""
_TRUNK: Final = """\
[trunk]
host = "127.0.0.1"
username = "{name}"
password_file = "password"
port = {port}
options_s = 0
[calls]
max = {most}
per_s = 1000
caller_ids = ["+4930123456"]
"""
_TEMPLATE: Final = """\
lane = "verification"
purpose = "Signing in"
default_lang = "en"
[text]
en = "Your code is {code}"
[params.code]
kind = "digits"
max_length = 8
[voice]
code = "code"
"""


def measure(seed: int, calls: int = CALLS) -> dict[str, Any]:
    """Calls per second from the first submit to the last final event, and the daemon's processor time of one.

    Without SIPp or espeak-ng only the reason.
    """
    for program in ("sipp", "espeak-ng"):
        if shutil.which(program) is None:
            return {"reason": f"{program} is not installed", "problems": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with _callee(folder) as port, _daemon(folder, port) as daemon:
            used = daemon.cpu_s()
            ended, took = asyncio.run(_submit(folder / "jobs.sock", calls, Random(seed)))
            used = daemon.cpu_s() - used
            peak = daemon.peak_rss_mb()
    problems = []
    if ended.total() != calls:
        problems.append(f"{ended.total()} of {calls} calls ended in {PATIENCE_S:g} s")
    if answered := {outcome: number for outcome, number in ended.items() if outcome != "undelivered"}:
        problems.append(f"calls that hang up at once ended as {answered}")
    return {
        "calls": calls,
        "calls_per_s": round(ended.total() / took, 1),
        "cpu_ms_per_call": round(used * 1e3 / max(ended.total(), 1), 2),
        "rss_mb": round(peak, 1),
        "problems": problems,
    }


@contextmanager
def _callee(folder: Path) -> Iterator[int]:
    port = free_port()
    sipp = subprocess.Popen(
        ["sipp", "-sf", str(Path(__file__).with_name("hangs_up.xml")), "-nostdin", "-skip_rlimit",
         "-i", LOOPBACK, "-bind_local", "-p", str(port), "-mi", LOOPBACK, "-mp", str(port + 2),
         "-cp", str(port + 1)],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        hears_at(port, sipp)
        yield port
    finally:
        sipp.kill()
        sipp.wait()


@contextmanager
def _daemon(folder: Path, port: int) -> Iterator[Process]:
    config = folder / "config"
    files = {f"trunks/{name}.toml": _TRUNK.format(name=name, port=port, most=AT_ONCE // 2) for name in TRUNKS}
    files["connector.toml"] = _CONNECTOR.format(folder=folder, uid=os.getuid())
    files["templates/login-code.toml"] = _TEMPLATE
    for name, text in files.items():
        path = config / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    password = config / "password"
    password.write_text("never asked for")
    password.chmod(0o600)
    with Process([sys.executable, "-m", "connector", "run", config], folder / "daemon.log") as daemon:
        wait_until((folder / "jobs.sock").exists, "the daemon's socket", daemon)
        yield daemon


async def _submit(socket: Path, calls: int, rng: Random) -> tuple[Counter[str], float]:
    """How the calls ended, and seconds."""
    jobs = [
        {
            "id": f"call-{number}", "to": f"+4915{rng.randrange(10**9):09}", "template": "login-code",
            "params": {"code": f"{rng.randrange(10**6):06}"}, "journey": "call", "deadline_s": 60.0,
        }
        for number in range(calls)
    ]  # fmt: skip
    ended: Counter[str] = Counter()
    async with Client(socket) as client:
        events = client.events()
        began = last = time.perf_counter()
        submitting = asyncio.create_task(_submit_all(client, jobs))
        try:
            async with asyncio.timeout(PATIENCE_S):
                async for event in events:
                    if event.final:
                        ended[event.outcome or ""] += 1
                        last = time.perf_counter()
                    if ended.total() == calls:
                        break
        except TimeoutError:
            pass
        await submitting
    return ended, last - began


async def _submit_all(client: Client, jobs: list[dict[str, Any]]) -> None:
    for at in range(0, len(jobs), MANY):
        for answer in await client.submit_many(jobs[at : at + MANY]):
            if isinstance(answer, Exception):
                raise BenchmarkError(f"a call was not taken: {answer}")
