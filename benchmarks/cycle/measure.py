"""One scenario with one product: start both sides, let the application run, account for every job."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from benchmarks.cycle.carrier import SimulatedCarrier
from benchmarks.cycle.daemon import Daemon
from benchmarks.cycle.order import Order, Report, run_driver
from benchmarks.cycle.scenarios import Scenario

__all__ = ["Product", "measure", "measure_daemon"]

_QUARTERS = 4


class Product(Protocol):
    """What is measured: a running process, and where its driver connects."""

    address: str
    driver: str

    def cpu_s(self) -> float: ...
    def peak_rss_mb(self) -> float: ...
    def stop(self) -> int: ...
    def complete(self, order: Order, report: Report, carrier: dict[str, Any]) -> list[str]: ...


def measure_daemon(scenario: Scenario, seed: int) -> dict[str, Any]:
    """The daemon's figures; `problems` is empty when every job is accounted for."""
    return measure(scenario, seed, lambda folder, carrier: Daemon(folder, carrier, scenario.smpp_window))


def measure(
    scenario: Scenario, seed: int, start: Callable[[Path, SimulatedCarrier], Product]
) -> dict[str, Any]:
    """Run it in a temporary folder; everything that was started has ended on return."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        SimulatedCarrier(Path(name), scenario.carrier, seed) as carrier,
    ):
        product = start(Path(name), carrier)
        try:
            found = _run(scenario, seed, product, carrier)
            if scenario.afterwards:
                carrier.set(receipt_missing="0", receipt_delay="fixed:0.01")
                found |= _afterwards(scenario, seed, product, carrier, found)
            found["rss_mb"] = round(product.peak_rss_mb(), 1)
        finally:
            code = product.stop()
        if code:
            found["problems"].append(f"it stopped with exit code {code}")
    return found


def _run(scenario: Scenario, seed: int, product: Product, carrier: SimulatedCarrier) -> dict[str, Any]:
    order = Order(
        address=product.address, jobs=scenario.jobs, rate=scenario.rate, window=scenario.window,
        closes=scenario.closes, seed=seed, limit_s=scenario.limit_s,
    )  # fmt: skip
    carrier_before, before = carrier.cpu_s(), product.cpu_s()
    report = _drive(product, order)
    cpu_s, carrier_cpu_s = product.cpu_s() - before, carrier.cpu_s() - carrier_before
    wire, stats = carrier.ask("latencies"), carrier.ask("stats")
    took_s = max(report.last_sent_s, report.last_final_s)
    done = report.final if scenario.closes == "final" else min(report.sent, stats["accepted"])
    found: dict[str, Any] = {
        "jobs": scenario.jobs,
        "jobs_per_s": _ratio(done, took_s, 0),
        "cpu_s_per_10k": _ratio(cpu_s * 1e4, done, 3),
        "rss_mb": 0.0,
        "wire_p50_ms": _rounded(wire["p50_ms"]),
        "wire_p99_ms": _rounded(wire["p99_ms"]),
        "event_p50_ms": _rounded(report.event_p50_ms),
        "event_p99_ms": _rounded(report.event_p99_ms),
        "ended": report.outcomes,
        "receipts_answered": stats["receipts_answered"],
        "carrier_cpu_s_per_10k": _ratio(carrier_cpu_s * 1e4, done, 3),
        "application_cpu_s_per_10k": _ratio(report.cpu_s * 1e4, done, 3),
        "problems": product.complete(order, report, stats),
    }
    if len(report.quarters_s) == _QUARTERS:
        found |= _in_parts(scenario, report.quarters_s)
    return found


def _afterwards(
    scenario: Scenario, seed: int, product: Product, carrier: SimulatedCarrier, found: dict[str, Any]
) -> dict[str, Any]:
    """Whole jobs on top of everything that is outstanding."""
    carrier.ask("reset")
    order = Order(
        address=product.address, jobs=scenario.afterwards, rate=0.0, window=scenario.window,
        closes="final", seed=seed, first=scenario.jobs,
    )  # fmt: skip
    before = product.cpu_s()
    report = _drive(product, order)
    return {
        "whole_jobs_per_s": _ratio(report.final, report.last_final_s, 0),
        "whole_cpu_s_per_10k": _ratio((product.cpu_s() - before) * 1e4, report.final, 3),
        "whole_event_p99_ms": _rounded(report.event_p99_ms),
        "problems": found["problems"] + product.complete(order, report, carrier.ask("stats")),
    }


def _drive(product: Product, order: Order) -> Report:
    return run_driver([sys.executable, "-m", product.driver], order)


def _in_parts(scenario: Scenario, reached_s: list[float]) -> dict[str, Any]:
    """Figures of parts of the run. The middle half knows nothing of the start and of the last round trip."""
    size = scenario.jobs // _QUARTERS
    if scenario.round_trip_s:
        limit = scenario.smpp_window / scenario.round_trip_s
        steady = _ratio(2 * size, reached_s[2] - reached_s[0], 0)
        return {"limit_per_s": limit, "steady_jobs_per_s": steady, "share_of_limit": _ratio(steady, limit, 3)}
    if scenario.closes == "final":
        return {}
    first, last = reached_s[0], reached_s[3] - reached_s[2]
    return {
        "first_quarter_jobs_per_s": _ratio(size, first, 0),
        "last_quarter_jobs_per_s": _ratio(size, last, 0),
        "last_to_first": _ratio(first, last, 3),
    }


def _ratio(value: float, by: float, digits: int) -> float:
    return round(value / by, digits) if by else 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
