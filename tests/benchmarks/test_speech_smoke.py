"""The benchmark of synthesis itself, for a moment."""

import asyncio
from pathlib import Path
from random import Random

from benchmarks.calls.speech import _throughput


def test_sentences_are_made_while_the_loop_ticks(random: Random, tmp_path: Path) -> None:
    found = asyncio.run(_throughput(1, tmp_path, random.randrange(1 << 31), 0.3))
    assert found["sentences_per_s"] > 0
    assert 1 < found["mean_sentence_s"] < 30
    assert 0 <= found["tick_ms"]["p50"] <= found["tick_ms"]["p99"] <= found["tick_ms"]["max"]
