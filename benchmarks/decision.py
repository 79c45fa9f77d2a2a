"""The benchmark `decision`: what a job costs in `connector.routing`, from its number to its receipt."""

from __future__ import annotations

import heapq
import json
import sys
from collections import Counter
from collections.abc import Callable
from random import Random
from time import perf_counter_ns
from typing import Any

from benchmarks.machine import facts
from connector.config.routing import JobClass, RoutingSettings
from connector.routing.destination import analyse
from connector.routing.router import Errand, FailureKind, Flight, Offer, Router

__all__ = ["LIMIT_US", "decision", "show"]

LIMIT_US = 20.0
"""Microseconds a job, amortised, that must not be exceeded (see README.md)."""

_PREFIXES = (
    "+4915112", "+4917612", "+4915212", "+33612", "+33650", "+34606", "+34610", "+393331", "+393401",
    "+48501", "+48601", "+447740",
)  # fmt: skip
"""Of twelve networks in six countries."""

_OFFERS = (
    Offer("north", "sms", 0, 0.0, 0.05), Offer("south", "sms", 0, 0.0, 0.05),
    Offer("east", "sms", 0, 0.0, 0.06), Offer("west", "sms", 0, 0.0, 0.04),
    Offer("trunk", "voice", 0, 0.0, 0.12),
)  # fmt: skip
_MEAN_PRICE = 0.05
_DEADLINE_S = 20.0
_TICK_S = 0.25
_DELAY = 1.2, 0.6  # of the logarithm of seconds: median 3.3 s, 95 % within 9 s
_LOST, _NO_RECEIPT, _FAILED = 0.01, 0.05, 0.02

SCENARIOS: dict[str, tuple[float, int]] = {
    "full_speed": (5_000.0, 30_000),
    "busy": (500.0, 10_000),
    "quiet": (50.0, 4_000),
}
"""Jobs a second of the clock that routing sees, and how many of them are timed. At high rates the router
learns from a sample, at low ones from every job."""

_WARM_UP = 100.0, 20_000
_FILL_S = 8.0
_PIECES = 5

_PARTS = ("analyse", "choose", "left", "watch", "receipt", "tick", "follow_up")
_CALIBRATION = 20_000
Progress = Callable[[str], None]


class _Run:
    """One scenario: jobs at random instants, their receipts, ticks and follow-ups, all by one virtual clock.

    Only calls of `connector.routing` are timed, each alone; what the clock itself takes is subtracted.
    """

    def __init__(self, rate: float, seed: int) -> None:
        self.ns: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self._random = Random(seed)
        self._rate = _WARM_UP[0]
        self._now = 0.0
        self._router = Router(
            RoutingSettings(), {"default": JobClass()}, _MEAN_PRICE, Random(seed + 1), self._now
        )
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = 0
        self._at(_TICK_S, self._tick)
        self.jobs(_WARM_UP[1])
        self._rate = rate
        self.jobs(int(rate * _FILL_S))

    def jobs(self, amount: int) -> None:
        """Let so many jobs come, and everything that is due until the last one."""
        for _ in range(amount):
            arrival = self._now + self._random.expovariate(self._rate)
            while self._events and self._events[0][0] <= arrival:
                self._now, _, call, arguments = heapq.heappop(self._events)
                call(*arguments)
            self._now = arrival
            self._job()

    def _at(self, at: float, call: Callable[..., None], *arguments: Any) -> None:
        self._number += 1
        heapq.heappush(self._events, (at, self._number, call, arguments))

    def _timed(self, part: str, call: Callable[..., Any], *arguments: Any) -> Any:
        began = perf_counter_ns()
        found = call(*arguments)
        self.ns[part] += perf_counter_ns() - began
        self.calls[part] += 1
        return found

    def _job(self) -> None:
        number = f"{self._random.choice(_PREFIXES)}{self._random.randrange(10**6):06d}"
        cell = self._timed("analyse", analyse, number).cell
        errand = Errand(cell, "default", self._now, self._now + _DEADLINE_S)
        now, choose = self._now, self._router.choose
        choice = self._timed("choose", lambda: choose(errand, _OFFERS, now, then=_OFFERS))
        assert choice is not None
        self._leave(errand, choice.route, choice.trial)
        self._at(errand.deadline_at, self._close, errand)

    def _leave(self, errand: Errand, route: str, trial: bool = False) -> None:
        now, router, draw = self._now, self._router, self._random.random()
        offer = next(offer for offer in _OFFERS if offer.route == route)
        number = len(errand.flights)
        flight = Flight(route, offer.channel, min(number, 1), number + 1, now, offer.price)
        self._timed("left", lambda: router.left(errand, flight, now, trial=trial))
        self._timed("left", router.accepted, errand, flight, now)
        self._timed("watch", router.watch, errand, errand, errand.cell, lambda at: _OFFERS, now)
        if draw >= _LOST + _NO_RECEIPT:
            delay_s = self._random.lognormvariate(*_DELAY)
            self._at(now + delay_s, self._receipt, errand, flight, draw >= 1 - _FAILED)

    def _receipt(self, errand: Errand, flight: Flight, failed: bool) -> None:
        now, router = self._now, self._router
        if failed:
            self._timed("receipt", router.failed, errand, flight, now, FailureKind.ROUTE)
            return
        self._timed("receipt", router.arrived, errand, flight, now)
        self._close(errand)

    def _close(self, errand: Errand) -> None:
        if errand.deadline_at:
            self._timed("watch", self._router.unwatch, errand)
            self._timed("receipt", self._router.closed, errand, self._now)
            errand.deadline_at = 0.0  # over: nothing more is due

    def _tick(self) -> None:
        self._timed("tick", self._router.tick, self._now)
        for errand in self._timed("tick", self._router.due, self._now):
            if not errand.deadline_at:
                continue
            found = self._timed("follow_up", self._router.follow_up, errand, _OFFERS, self._now)
            if found is not None and found.at <= self._now and len(errand.flights) < 4:
                self._leave(errand, found.route)
            else:
                arguments = errand, errand, errand.cell, lambda at: _OFFERS, self._now
                self._timed("watch", self._router.watch, *arguments)
        self._at(self._now + _TICK_S, self._tick)


def decision(
    seed: int, progress: Progress, *, scenarios: dict[str, tuple[float, int]] | None = None
) -> dict[str, Any]:
    """The object that `--json` prints; `us_per_job` on top is the dearest of the scenarios that load a core.

    A quiet router spends most on its ticks, which come as often with few jobs as with many.
    """
    found: dict[str, Any] = {}
    for name, (rate, jobs) in (scenarios or SCENARIOS).items():
        progress(f"{name}: {rate:,.0f} jobs a second, {jobs:,} of them timed")
        found[name] = _measured(rate, jobs, seed)
    cells = {analyse(f"{prefix}345678").cell for prefix in _PREFIXES}
    problems = [f"{len(cells)} networks, not {len(_PREFIXES)}"] if len(cells) != len(_PREFIXES) else []
    return {
        "schema": 1,
        "benchmark": "decision",
        "seed": seed,
        "machine": facts(),
        "us_per_job": max(each["us_per_job"] for name, each in found.items() if name != "quiet"),
        "limit_us": LIMIT_US,
        "scenarios": found,
        "problems": problems,
        "ok": not problems,
    }


def _measured(rate: float, jobs: int, seed: int) -> dict[str, Any]:
    """The piece in the middle of several: other work on the machine lengthens single ones."""
    run = _Run(rate, seed)
    clock_ns, amount, sends = _clock_ns(), jobs // _PIECES, 0.0
    pieces: list[dict[str, float]] = []
    for _ in range(_PIECES):
        run.ns.clear()
        run.calls.clear()
        run.jobs(amount)
        sends += run.calls["left"] / 2
        pieces.append({part: (run.ns[part] - run.calls[part] * clock_ns) / 1000 / amount for part in _PARTS})
    parts = sorted(pieces, key=lambda piece: sum(piece.values()))[_PIECES // 2]
    return {
        "jobs": jobs,
        "jobs_per_s": rate,
        "us_per_job": round(sum(parts.values()), 2),
        "parts": {part: round(us, 3) for part, us in parts.items()},
        "tick_ms": round(parts["tick"] * rate * _TICK_S / 1000, 2),
        "sends_per_job": round(sends / (amount * _PIECES), 3),
    }


def _clock_ns() -> float:
    """What timing one call costs by itself."""
    taken = 0
    for _ in range(_CALIBRATION):
        began = perf_counter_ns()
        _nothing()
        taken += perf_counter_ns() - began
    return taken / _CALIBRATION


def _nothing(*arguments: Any) -> None:
    pass


def show(result: dict[str, Any]) -> None:
    """One line for each scenario."""
    for name, figures in result["scenarios"].items():
        print(f"{name:12} {figures['us_per_job']:8.2f} µs a job  {json.dumps(figures['parts'])}")
    print(f"{'limit':12} {result['limit_us']:8.2f} µs a job")
    for problem in result["problems"]:
        print(f"error: {problem}", file=sys.stderr)
