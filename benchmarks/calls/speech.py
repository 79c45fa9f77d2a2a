"""Synthesis: sentences a second with one and with two worker processes, and what our event loop feels of it.

    python -m benchmarks.calls.speech SEED
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final

from connector.config.voice import SpeechConfig
from connector.segments import Amount, Date, Segment, Text
from connector.voice.speech import Speech, languages

__all__ = ["measure"]

SECONDS: Final = 4.0
LANGUAGES: Final = ("en", "de", "fr", "es", "hi", "ru", "tr", "pl", "it", "ar")
UNDER_WAY: Final = 4
TICK_S: Final = 0.005
"""A tick of the loop is late by what disturbs it; media wake up as often."""


def measure(seed: int, seconds: float = SECONDS) -> dict[str, Any]:
    """`workers`: by their number sentences and seconds of audio a second, and the lateness of ticks in ms.
    `ready`: everything that is fixed, of all languages, rendered and read again.
    """
    return asyncio.run(_measure(seed, seconds))


async def _measure(seed: int, seconds: float) -> dict[str, Any]:
    idle = await _lateness(asyncio.sleep(seconds / 2))
    by_number = {}
    with tempfile.TemporaryDirectory() as state:
        for workers in (1, 2):
            by_number[str(workers)] = await _throughput(workers, Path(state), seed, seconds)
    return {"idle_tick_ms": idle, "workers": by_number, "ready": await _ready()}


async def _throughput(workers: int, state: Path, seed: int, seconds: float) -> dict[str, Any]:
    speech = Speech(SpeechConfig(workers=workers), state)
    await speech.start(["en"])
    rng = Random(seed)
    spoken: list[float] = []
    ends = time.perf_counter() + seconds

    async def caller() -> None:
        while time.perf_counter() < ends:
            audio = await speech.prompt(rng.choice(LANGUAGES), _sentence(rng))
            spoken.append(audio.seconds)

    began = time.perf_counter()
    ticks = await _lateness(asyncio.gather(*(caller() for _ in range(UNDER_WAY * workers))))
    took = time.perf_counter() - began
    await speech.stop()
    return {
        "sentences_per_s": round(len(spoken) / took, 1),
        "audio_s_per_s": round(sum(spoken) / took, 1),
        "mean_sentence_s": round(sum(spoken) / len(spoken), 2),
        "tick_ms": ticks,
    }


def _sentence(rng: Random) -> tuple[Segment, ...]:
    return (
        Text(rng.choice(["Alpha Beta Gamma", "Delta Omega", "Sigma Tau"])),
        Amount(f"{rng.randrange(1, 9000)}.{rng.randrange(100):02}", "EUR"),
        Date(f"20{rng.randrange(26, 31)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"),
    )


async def _lateness(work: Any) -> dict[str, float]:
    """Of ticks while `work` is awaited, in ms."""
    late: list[float] = []

    async def tick() -> None:
        began = time.perf_counter()
        for number in count(1):
            due = began + number * TICK_S
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            late.append(max(time.perf_counter() - due, 0))
            if late[-1] > TICK_S:
                began = time.perf_counter() - number * TICK_S

    ticking = asyncio.create_task(tick())
    await work
    ticking.cancel()
    late.sort()
    return {
        "p50": round(late[len(late) // 2] * 1000, 3),
        "p99": round(late[len(late) * 99 // 100] * 1000, 3),
        "max": round(late[-1] * 1000, 3),
    }


async def _ready() -> dict[str, Any]:
    found: dict[str, Any] = {"languages": len(languages())}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("rendered_s", "read_s"):
            speech = Speech(SpeechConfig(workers=2), Path(folder))
            began = time.perf_counter()
            await speech.start(languages())
            found[name] = round(time.perf_counter() - began, 2)
            await speech.stop()
        found |= _sizes(Path(folder, "prompts"))
    return found


def _sizes(folder: Path) -> dict[str, Any]:
    sizes = [path.stat().st_size for path in folder.iterdir()]
    return {"prompts": len(sizes), "mb": round(sum(sizes) / 1e6, 1)}


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1), indent=2))
