"""Memory of whole calls: SIP call, leg, media, script, detector and prompts, through the trunk of the daemon.

    python -m benchmarks.calls.whole PORT CALLS SEED code|message SECONDS

is the process that is measured. The simulated callee in another answers every call and sends silence.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Final, Literal, get_args

import msgspec

from benchmarks.processes import BenchmarkError, Process, wait_until
from connector.carriers.contract import Attempt, CallEnd, CallStep
from connector.config.guards import GuardRules
from connector.config.trunk import Trunk as TrunkConfig
from connector.config.voice import ScriptSettings, SpeechConfig
from connector.config.voice import Voice as VoiceConfig
from connector.metrics import TrunkMetrics
from connector.model import Content, LiveJob, Voice
from connector.routing.guards import Guards, guard_settings
from connector.segments import Amount, Date, Text
from connector.voice.lane import VoiceLane
from connector.voice.speech import Speech
from connector.voice.trunk import Trunk

__all__ = ["Said", "measure", "measure_one"]

Said = Literal["code", "message"]

CALLS: Final = {"code": 300, "message": 100}
PER_S: Final = 100
AHEAD: Final = 5
"""Calls before the first look at the memory: what is loaded once is no call's."""
SPEAKING_S: Final = 3.0
PATIENCE_S: Final = 60.0
REPOSITORY: Final = Path(__file__).parents[2]


def measure(seed: int) -> dict[str, Any]:
    """`kb_per_call`, of calls that say a code, `whole_calls` by what is said, and problems.

    Without espeak-ng only the reason.
    """
    if shutil.which("espeak-ng") is None:
        reason = "espeak-ng is not installed (apt-get install espeak-ng)"
        return {"kb_per_call": None, "whole_calls": {"reason": reason}, "problems": []}
    found = {said: measure_one(said, seed) for said in get_args(Said)}
    return {
        "kb_per_call": found["code"]["kb_per_call"],
        "whole_calls": found,
        "problems": [
            f"{each['ended_early']} of {each['calls']} calls that say a {said} ended before their measure"
            for said, each in found.items()
            if each["ended_early"]
        ],
    }


def measure_one(
    said: Said, seed: int, *, calls: int | None = None, seconds: float = SPEAKING_S
) -> dict[str, Any]:
    """`kb_per_call` while all calls speak, and how many had ended by then."""
    calls = calls or CALLS[said]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "callee.log")
        callee = [
            sys.executable, "-m", "connector", "simulate", "callee", "--listen=127.0.0.1:0", "--json",
            "--answer-after=fixed:0.1", "--says=none", "--recording-limit=0", f"--lines={calls + AHEAD}",
            f"--seed={seed}",
        ]  # fmt: skip
        with Process(callee, log, REPOSITORY) as peer:
            wait_until(lambda: b"\n" in log.read_bytes(), "the simulated callee", peer)
            port = json.loads(log.read_bytes().splitlines()[0])["port"]
            calling = [sys.executable, "-m", "benchmarks.calls.whole"]
            done = subprocess.run(
                [*calling, str(port), str(calls), str(seed), said, str(seconds)],
                cwd=REPOSITORY, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
            )  # fmt: skip
    if done.returncode:
        raise BenchmarkError(f"{calls} whole calls: {done.stderr[-2000:]}")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


class _Book:
    """Takes what the dispatcher would be told."""

    def __init__(self) -> None:
        self.answered = 0
        self.ended: list[CallEnd] = []
        self.changed = asyncio.Event()

    def call_progress(self, attempt: Attempt, step: CallStep, now: float, digit: str | None = None) -> None:
        self.answered += step == "answered"
        self.changed.set()

    def call_ended(self, attempt: Attempt, end: CallEnd, now: float) -> None:
        self.ended.append(end)
        self.changed.set()

    def room(self) -> None:
        self.changed.set()

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(PATIENCE_S / 2):
            while not condition():
                self.changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.changed.wait(), 0.01)


def _voice(said: Said, rng: Random) -> Voice:
    """One person's: no two calls say the same."""
    if said == "code":
        return Voice("said", "en", code=f"{rng.randrange(10**6):06}")
    amount = Amount(f"{rng.randrange(1, 9000)}.{rng.randrange(100):02}", "EUR")
    day = Date(f"2026-05-{rng.randrange(1, 29):02}")
    message = (Text("Somebody wants to pay"), amount, Text("to Alpha Beta on"), day)
    return Voice("said", "en", message=message)


async def _calls(port: int, calls: int, seed: int, said: Said, seconds: float, state: Path) -> dict[str, Any]:
    rng, book = Random(seed), _Book()
    speech = Speech(SpeechConfig(), state)
    await speech.start(["en"])
    lane = VoiceLane(
        VoiceConfig(listen="127.0.0.1:0", rtp_ports=(20_000, 29_999)), speech=speech, now=time.time,
        rng=rng.randbytes,
    )  # fmt: skip
    await lane.open()
    trunk = _trunk(port, calls, said, lane, book)
    trunk.start()
    for _ in range(AHEAD):
        await _place(trunk, book, said, rng)
    await book.until(lambda: book.answered == AHEAD)
    await asyncio.sleep(seconds)
    before = _resident_kb()
    for _ in range(calls):
        await _place(trunk, book, said, rng)
    await book.until(lambda: book.answered == AHEAD + calls)
    began, used = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    busy = (time.process_time() - used) / (time.monotonic() - began)
    gc.collect()
    found = {
        "calls": calls,
        "kb_per_call": round((_resident_kb() - before) / calls, 1),
        "cpu_percent": round(100 * busy, 1),
        "ended_early": len(book.ended),
    }
    await trunk.stop()
    await lane.close()
    await speech.stop()
    return found


def _trunk(port: int, calls: int, said: Said, lane: VoiceLane, book: _Book) -> Trunk:
    config = msgspec.convert(
        {
            "name": "north",
            "trunk": {"host": "127.0.0.1", "port": port, "options_s": 0},
            "calls": {"max": calls + AHEAD, "per_s": PER_S, "caller_ids": ["+493012345"]},
            "folder": "/",
        },
        TrunkConfig,
    )
    script = ScriptSettings(kind=said, gate=False, repeats=5)
    return Trunk(
        config, account=1, lane=lane, scripts={"said": script}, outcomes=book,  # type: ignore[arg-type]
        metrics=TrunkMetrics(), guards=Guards(guard_settings(GuardRules(), ()), b"k" * 32, time.time()),
        now=time.time,
    )  # fmt: skip


async def _place(trunk: Trunk, book: _Book, said: Said, rng: Random) -> None:
    await book.until(lambda: trunk.room(time.time()) > 0)
    number, now = rng.getrandbits(60), time.time()
    job = LiveJob(
        key=number, app=1, id=f"job {number}", recipient=f"+4915{rng.randrange(10**9):09}",
        content=Content("", "", voice=_voice(said, rng)), accepted_at=now, deadline_at=now + 60,
    )  # fmt: skip
    attempt = trunk.prepare(job, now)
    trunk.send(attempt, now)


def _resident_kb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1000


def main() -> int:
    port, calls, seed, said, seconds = *map(int, sys.argv[1:4]), sys.argv[4], float(sys.argv[5])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    with suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with tempfile.TemporaryDirectory() as state, asyncio.Runner(loop_factory=factory) as runner:
        found = runner.run(_calls(port, calls, seed, said, seconds, Path(state)))  # type: ignore[arg-type]
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
