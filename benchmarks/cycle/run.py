"""The benchmark `cycle`: every scenario with the daemon, then the rivals' with Kannel, in one run."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from benchmarks.cycle import kannel
from benchmarks.cycle.measure import measure_daemon
from benchmarks.cycle.scenarios import RIVAL_SCENARIOS, SCENARIOS, Scenario
from benchmarks.machine import facts

__all__ = ["cycle"]

Progress = Callable[[str], None]


def cycle(seed: int, only: Collection[str], progress: Progress) -> dict[str, Any]:
    """The object that `--json` prints; `only` names scenarios, empty means all. `ok` is false when a job was
    lost, duplicated or left without its end."""
    result: dict[str, Any] = {"schema": 1, "benchmark": "cycle", "seed": seed, "machine": facts()}
    ours: dict[str, Any] = {}
    result["scenarios"] = ours
    chosen = [scenario for scenario in SCENARIOS if not only or scenario.name in only]
    for scenario in chosen:
        progress(f"{scenario.name}: {scenario.says}")
        ours[scenario.name] = measure_daemon(scenario, seed)
    if kannel.installed() is not None:
        theirs: dict[str, Any] = {}
        for scenario in chosen:
            if scenario.name in RIVAL_SCENARIOS:
                progress(f"{scenario.name} with Kannel's bearerbox")
                theirs[scenario.name] = _compared(ours[scenario.name], scenario, seed)
        if theirs:
            result["rivals"] = {"kannel": {"version": kannel.version(), "scenarios": theirs}}
    result["problems"] = [
        f"{name}: {problem}" for name, found in ours.items() for problem in found["problems"]
    ]
    result["ok"] = not result["problems"]
    return result


def _compared(ours: dict[str, Any], scenario: Scenario, seed: int) -> dict[str, Any]:
    """Kannel's figures and our ratio to them: `jobs_per_s` above 1, `cpu_s_per_10k` below 1 speak for us."""
    theirs = kannel.measure_kannel(scenario, seed)
    theirs["ours_to_theirs"] = {
        key: round(ours[key] / theirs[key], 2) for key in ("jobs_per_s", "cpu_s_per_10k") if theirs[key]
    }
    return theirs
