"""Calls that speak at the same time: what they cost, and how well their packets keep to their slots."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.calls.bare import bare_send_us
from benchmarks.processes import BenchmarkError

__all__ = ["CALLS", "measure"]

CALLS = (500, 1000)
_SECONDS = 6.0
_PATIENCE_S = 60.0
_PACKETS_PER_S = 50
_REALTIME = ("chrt", "-f", "20")
_SRTP_CALLS = 500
_REPOSITORY = Path(__file__).parents[2]
_FIGURES = ("cpu_percent", "pacing_p50_ms", "pacing_p99_ms", "pacing_max_ms", "share_within_5ms")


def measure(
    seed: int, progress: Callable[[str], None], *,
    calls: Sequence[int] = CALLS, seconds: float = _SECONDS, srtp_calls: int = _SRTP_CALLS,
) -> dict[str, Any]:  # fmt: skip
    """`concurrent` by number of calls, `media_kb_per_call`, and problems.

    Of each number: only sending; `two_way`, with as many packets coming back; `fifo`, sending under
    SCHED_FIFO, or None where we may not.
    """
    bare_us = bare_send_us()
    realtime = os.geteuid() == 0 and shutil.which(_REALTIME[0]) is not None
    concurrent: dict[str, Any] = {}
    problems: list[str] = []
    media_kb = 0.0
    for count in calls:
        progress(f"{count} calls speak for {seconds:g} s")
        found = _run(count, seconds, seed)
        media_kb = found["media_kb_per_call"]
        two_way = _run(count, seconds, seed, echo=True)
        fifo = _run(count, seconds, seed, before=_REALTIME) if realtime else None
        bare_percent = bare_us * _PACKETS_PER_S * count / 1e4
        concurrent[str(count)] = {
            **_of(found),
            "bare_cpu_percent": round(bare_percent, 1),
            "to_bare": round(found["cpu_percent"] / bare_percent, 2),
            "two_way": _of(two_way) | {"received_share": round(two_way["received"] / two_way["sent"], 4)},
            "fifo": _of(fifo) if fifo else None,
        }
        problems += [
            f"{count} calls: {each['streams']} streams, {each['unsent']} packets not taken by the socket"
            for each in (found, two_way, *([fifo] if fifo else []))
            if each["streams"] != count or each["unsent"]
        ]
    progress(f"{srtp_calls} calls speak for {seconds:g} s under SRTP")
    return {
        "concurrent": concurrent,
        "srtp": {str(srtp_calls): _of(_run(srtp_calls, seconds, seed, srtp=True))},
        "media_kb_per_call": media_kb,
        "bare_send_us": bare_us,
        "problems": problems,
    }


def _of(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in _FIGURES} | {"skipped_share": found["skipped_share"]}


def _run(
    calls: int,
    seconds: float,
    seed: int,
    *,
    echo: bool = False,
    srtp: bool = False,
    before: Sequence[str] = (),
) -> dict[str, Any]:
    """What the speaking process and the far end found, in one object."""
    sink = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.calls.sink", *(["echo"] if echo else [])],
        cwd=_REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert sink.stdout is not None
        port = json.loads(sink.stdout.readline())["port"]
        speaking = subprocess.run(
            [*before, sys.executable, "-m", "benchmarks.calls.speaking", str(calls), str(seconds), str(port),
             str(seed), *(["srtp"] if srtp else [])],
            cwd=_REPOSITORY, capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
        )  # fmt: skip
        if speaking.returncode:
            raise BenchmarkError(f"{calls} calls did not speak: {speaking.stderr[-2000:]}")
        heard, _ = sink.communicate(timeout=_PATIENCE_S)
    finally:
        sink.kill()
        sink.communicate()
    found: dict[str, Any] = json.loads(speaking.stdout) | json.loads(heard)
    found["skipped_share"] = round(found["skipped"] / (found["skipped"] + found["sent"]), 5)
    return found
