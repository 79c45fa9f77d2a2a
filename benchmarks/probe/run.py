"""The benchmark `probe`: is what `connector probe` writes the profile that the carrier was made from?"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.machine import facts
from benchmarks.probe.blind import TO, arguments, write_input
from benchmarks.probe.habits import HIDDEN, habits
from benchmarks.processes import BenchmarkError, Process, wait_until
from connector.config import CarrierFile, load_carrier

__all__ = ["PROFILES", "compared", "probe", "probe_profile", "show"]

PROFILES = Path(__file__).parents[2] / "config" / "profiles"

_AT_A_TIME = 2
_LIMIT_S = 180.0
_PATIENCE_S = "2"

Progress = Callable[[str], None]


def probe(seed: int, progress: Progress) -> dict[str, Any]:
    """The object that `--json` prints: `profiles` and how many were `recovered`, `wrong` habit by habit."""
    files = sorted(PROFILES.glob("*.toml"))
    # msgspec learns a type at its first use; two threads that use it first together crash the interpreter.
    load_carrier(files[0])
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        results = list(pool.map(lambda file: _reported(file, seed, progress), files))
    wrong = [fault for result in results for fault in result.pop("wrong")]
    return {
        "schema": 1, "benchmark": "probe", "seed": seed, "machine": facts(),
        "profiles": len(results), "recovered": sum(result["recovered"] for result in results),
        "wrong": wrong, "results": results, "not_compared": HIDDEN, "ok": not wrong,
        "problems": [f"{each['profile']}: {each['key']}: {each['how']}" for each in wrong],
    }  # fmt: skip


def _reported(file: Path, seed: int, progress: Progress) -> dict[str, Any]:
    result = probe_profile(file, seed)
    progress(f"{file.stem}: {result['habits']} habits, {len(result['wrong'])} wrong, {result['seconds']} s")
    return result


def probe_profile(file: Path, seed: int) -> dict[str, Any]:
    """Simulate the carrier of one profile, probe it blind, and compare what was written with the profile."""
    truth = load_carrier(file)
    with tempfile.TemporaryDirectory(prefix="connector-probe-") as name:
        folder = Path(name)
        with _LikeCarrier(file, folder, seed) as carrier:
            output = folder / "probed.toml"
            done = subprocess.run(
                [sys.executable, "-m", "connector", "probe", write_input(truth, carrier.port, folder),
                 *arguments(truth), "--patience", _PATIENCE_S, "--output", output, "--json"],
                capture_output=True, text=True, timeout=_LIMIT_S, check=False,
            )  # fmt: skip
        if done.returncode:
            raise BenchmarkError(f"{file.stem}: connector probe ended with {done.returncode}: {done.stderr}")
        told = json.loads(done.stdout)
        wrong, count = compared(truth, load_carrier(output), told["findings"])
    return {
        "profile": file.stem, "recovered": not wrong, "habits": count, "seconds": told["seconds"],
        "accepted": told["accepted"], "refused": told["refused"],
        "wrong": [{"profile": file.stem, **fault} for fault in wrong],
    }  # fmt: skip


def compared(
    truth: CarrierFile, probed: CarrierFile, findings: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], int]:
    """The habits that differ, or are equal only because nobody looked; and how many there are."""
    about = {each["key"]: each for each in findings}
    words = re.findall(r"([A-Z][A-Z0-9_-]+) \(", about.get("receipts.states", {"how": ""})["how"])
    expected, written = habits(truth, words, truth), habits(probed, words, truth)
    wrong = []
    for key, value in expected.items():
        finding = about.get(key, {"confidence": "found", "how": "the value of the input is accepted"})
        if written[key] != value or finding["confidence"] == "unknown":
            wrong.append({"key": key, "expected": value, "found": written[key], "how": finding["how"]})
    return wrong, len(expected)


class _LikeCarrier(Process):
    """`connector simulate smsc --like`; what the test handset gets comes back. Ready when constructed."""

    def __init__(self, file: Path, folder: Path, seed: int) -> None:
        super().__init__(
            [sys.executable, "-m", "connector", "simulate", "smsc", "--like", file, "--json", "--port", "0",
             "--seed", str(seed), "--mo-loop", TO],
            folder / "carrier.log",
        )  # fmt: skip
        try:
            wait_until(lambda: b'"listening"' in self.log.read_bytes(), "the simulated carrier listens", self)
            self.port: int = json.loads(self.log.read_text().splitlines()[0])["port"]
        except BaseException:
            self.stop()
            raise


def show(result: dict[str, Any]) -> None:
    """For people."""
    for each in result["results"]:
        mark = "recovered" if each["recovered"] else "WRONG"
        print(f"{each['profile']:24} {mark:10} {each['habits']:3} habits {each['seconds']:6} s "
              f"{each['accepted']:4} accepted {each['refused']:4} refused")  # fmt: skip
    for fault in result["wrong"]:
        print(f"{fault['profile']}: {fault['key']}: expected {fault['expected']!r}, found {fault['found']!r} "
              f"({fault['how']})")  # fmt: skip
    print(f"{result['recovered']} of {result['profiles']} profiles recovered")
