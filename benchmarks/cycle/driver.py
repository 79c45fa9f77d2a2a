"""What both applications have in common: when the next job is due, and what became of each."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import time
from array import array
from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec

from benchmarks.cycle.order import Order, Report, quantiles_ms

__all__ = ["Driver", "main", "recipient", "text"]

_TICK_S = 0.001
_LOOK_S = 0.02
_MOST_AT_ONCE = 256
_SPREAD = 7919  # prime to 10,000,000: no number comes twice


def recipient(order: Order, job: int) -> str:
    """A number of its own for each of ten million jobs, without +."""
    return f"4179{((order.first + job) * _SPREAD + order.seed) % 10_000_000:07d}"


def text(order: Order, job: int, stamp_ns: int) -> str:
    """The message; the simulated carrier reads the stamp and knows how long the job has taken."""
    return f"T={stamp_ns:019d} Your code is {(job * _SPREAD + order.seed) % 1_000_000:06d}."


class Driver(asyncio.Protocol):
    """One connection that submits an order's jobs and counts what comes back. Jobs are numbered from 0 here.

    A subclass writes jobs in `submit`, and calls `took` for each answer, `handed_over` and `ended` for each
    event, and `refill` after each read.
    """

    def __init__(self, order: Order) -> None:
        self.order = order
        self.report = Report(order.jobs)
        self.submitted = 0
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._began = 0
        self._submit_ns = array("q", bytes(8 * order.jobs))
        self._sent = bytearray(order.jobs)
        self._final = bytearray(order.jobs)
        self._latencies: list[int] = []
        self._refused: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._last_sent = self._last_final = self._last_event = 0
        self._quarter = max(1, order.jobs // 4)
        self._quarters: list[float] = []

    # For subclasses

    def submit(self, jobs: range, stamp_ns: int) -> None:
        """Write these jobs."""
        raise NotImplementedError

    def settled(self) -> bool:
        """Whether everything that was received is acknowledged too."""
        return True

    def took(self, refused: str | None = None) -> None:
        """A submit was answered."""
        if refused is None:
            self.report.accepted += 1
        else:
            self._refused[refused] += 1

    def handed_over(self, job: int, now_ns: int) -> None:
        """A carrier has the job."""
        self._last_event = now_ns
        if self._sent[job]:
            self.report.repeated += 1
            return
        self._sent[job] = 1
        self.report.sent += 1
        self._last_sent = now_ns
        if self.report.sent % self._quarter == 0:
            self._quarters.append((now_ns - self._began) / 1e9)

    def ended(self, job: int, outcome: str, now_ns: int) -> None:
        """The job's last event."""
        self._last_event = now_ns
        if self._final[job]:
            self.report.repeated += 1
            return
        self._final[job] = 1
        self.report.final += 1
        self._outcomes[outcome] += 1
        self._last_final = now_ns
        self._latencies.append(now_ns - self._submit_ns[job])

    def refill(self) -> None:
        """Submit as many as the window has become free for."""
        order = self.order
        if order.rate or not self._began:
            return
        closed = self.report.final if order.closes == "final" else self.report.sent
        self._submit_to(min(order.jobs, closed + order.window))

    # The run

    async def run(self) -> Report:
        """Submit everything, then wait for the ends; never longer than the order's limit."""
        order, loop = self.order, asyncio.get_running_loop()
        self._began = self._last_event = time.monotonic_ns()
        pace = loop.create_task(self._pace()) if order.rate else None
        self.refill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(order.limit_s):
                while not self._complete():
                    await asyncio.wait([self.lost], timeout=_LOOK_S)
        if pace is not None:
            pace.cancel()
            await asyncio.gather(pace, return_exceptions=True)
        return self._result()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(None)

    def _complete(self) -> bool:
        order, report = self.order, self.report
        if self.lost.done():
            return True
        if report.sent < order.jobs or not self.settled():
            return False
        return report.final == order.jobs or time.monotonic_ns() - self._last_event > order.quiet_s * 1e9

    async def _pace(self) -> None:
        order = self.order
        while self.submitted < order.jobs:
            due = int((time.monotonic_ns() - self._began) / 1e9 * order.rate) + 1
            self._submit_to(min(order.jobs, due))
            await asyncio.sleep(_TICK_S)

    def _submit_to(self, end: int) -> None:
        while self.submitted < end:
            jobs = range(self.submitted, min(end, self.submitted + _MOST_AT_ONCE))
            self.submitted = jobs.stop
            now = time.monotonic_ns()
            self._submit_ns[jobs.start : jobs.stop] = array("q", [now]) * len(jobs)
            self.submit(jobs, now)

    def _result(self) -> Report:
        report, began = self.report, self._began
        report.refused = dict(self._refused)
        report.outcomes = dict(self._outcomes)
        report.last_sent_s = max(0, self._last_sent - began) / 1e9
        report.last_final_s = max(0, self._last_final - began) / 1e9
        report.quarters_s = self._quarters[:4]
        report.event_p50_ms, report.event_p99_ms = quantiles_ms(self._latencies)
        report.cpu_s = time.process_time()
        return report


def main(connect: Callable[[Order], Awaitable[Driver]]) -> None:
    """Read the order, drive, print the report. `connect` gives a driver that may submit at once."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    # Hundreds of thousands of events and not one cycle: a collection would only add to what is measured.
    gc.disable()

    async def drive() -> Report:
        return await (await connect(order)).run()

    factory = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        report = runner.run(drive())
    sys.stdout.buffer.write(msgspec.json.encode(report))
