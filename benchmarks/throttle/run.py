"""The benchmark `throttle`: all scenarios at once, since each needs next to nothing of the machine."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.cycle.carrier import SimulatedCarrier
from benchmarks.cycle.daemon import Daemon
from benchmarks.cycle.order import Order, run_driver
from benchmarks.machine import facts
from benchmarks.throttle.scenarios import SCENARIOS, Scenario

__all__ = ["WARM_UP_S", "throttle"]

WARM_UP_S = 15.0
_STEADY_S = 30.0
_WINDOW = 50

Progress = Callable[[str], None]


def throttle(
    seed: int, progress: Progress, *, warm_up_s: float = WARM_UP_S, steady_s: float = _STEADY_S
) -> dict[str, Any]:
    """The object that `--json` prints; on top are the figures of the first scenario, and `lost` of all."""
    for scenario in SCENARIOS:
        progress(f"{scenario.name}: {scenario.says}")
    with ThreadPoolExecutor(len(SCENARIOS)) as pool:
        results = pool.map(lambda scenario: measure(scenario, seed, warm_up_s, steady_s), SCENARIOS)
        found = dict(zip((scenario.name for scenario in SCENARIOS), results, strict=True))
    first = found[SCENARIOS[0].name]
    lost = sum(figures["lost"] for figures in found.values())
    problems = [f"{name}: {figures['lost']} jobs lost" for name, figures in found.items() if figures["lost"]]
    return {
        "schema": 1,
        "benchmark": "throttle",
        "seed": seed,
        "machine": facts(),
        "share_of_limit": first["share_of_limit"],
        "throttled_share": first["throttled_share"],
        "lost": lost,
        "scenarios": found,
        "problems": problems,
        "ok": not problems,
    }


def measure(scenario: Scenario, seed: int, warm_up_s: float, steady_s: float) -> dict[str, Any]:
    """Jobs enough for the whole time are there from the start; only the steady time is counted."""
    jobs = int(scenario.limit * (warm_up_s + steady_s + 2))
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with SimulatedCarrier(folder, scenario.carrier, seed) as carrier:
            with (
                Daemon(folder, carrier, _WINDOW, {"tps": scenario.tps, **scenario.binds}) as daemon,
                ThreadPoolExecutor(1) as pool,
            ):
                order = Order(
                    address=daemon.address, jobs=jobs, rate=0.0, window=jobs, closes="final", seed=seed,
                    limit_s=2 * (warm_up_s + steady_s),
                )  # fmt: skip
                driver = pool.submit(run_driver, [sys.executable, "-m", daemon.driver], order)
                time.sleep(warm_up_s)
                begin, before = time.monotonic(), carrier.ask("stats")
                time.sleep(steady_s)
                end, after = time.monotonic(), carrier.ask("stats")
                report = driver.result()
            stats = carrier.ask("stats")
    accepted = after["accepted"] - before["accepted"]
    turned_away = after["throttled"] - before["throttled"]
    return {
        "limit_per_s": scenario.limit,
        "configured_tps": scenario.tps,
        "accepted_per_s": round(accepted / (end - begin), 1),
        "share_of_limit": round(accepted / (end - begin) / scenario.limit, 4),
        "throttled_share": round(turned_away / max(1, accepted + turned_away), 4),
        "throttled_share_of_all": round(stats["throttled"] / max(1, stats["submits"]), 4),
        "window_peak": stats["window_peak"],
        "jobs": jobs,
        "lost": jobs - report.outcomes.get("delivered", 0),
        "sent_twice": stats["accepted"] - jobs,
    }


def show(result: dict[str, Any]) -> None:
    """One line for each scenario."""
    for name, figures in result["scenarios"].items():
        print(f"{name:16} {json.dumps(figures)}")
    for problem in result["problems"]:
        print(f"error: {problem}", file=sys.stderr)
