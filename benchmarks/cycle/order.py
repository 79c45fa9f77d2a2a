"""What a driver process is asked to do, and what it reports: JSON on its standard input and output."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from benchmarks.processes import BenchmarkError

__all__ = ["Order", "Report", "quantiles_ms", "run_driver"]

_GRACE_S = 20.0
_REPOSITORY = Path(__file__).parents[2]


class Order(msgspec.Struct, frozen=True):
    """How many jobs, how fast, and when to stop.

    address   path of the job socket, or a port
    rate      jobs a second at fixed instants; 0 keeps `window` jobs under way all the time
    closes    what frees a place in the window: the job's end, or that it was handed to the carrier
    first     number of the first job; numbers must not repeat with one product
    quiet_s   silence after which nothing more is expected, once everything was handed over
    limit_s   the run ends then, complete or not
    """

    address: str
    jobs: int
    rate: float
    window: int
    closes: Literal["final", "sent"]
    seed: int
    first: int = 0
    quiet_s: float = 1.5
    limit_s: float = 60.0


class Report(msgspec.Struct):
    """What an application saw. Times are seconds from the first submit; `began` is monotonic.

    refused    answers other than accepted, by their code
    sent       jobs handed to the carrier; `final` those whose end was told, by outcome in `outcomes`
    repeated   events of a job that has ended
    quarters_s when a quarter, half, three quarters and all of the jobs were handed over
    """

    jobs: int
    accepted: int = 0
    refused: dict[str, int] = {}
    sent: int = 0
    final: int = 0
    outcomes: dict[str, int] = {}
    repeated: int = 0
    acknowledged: int = 0
    last_sent_s: float = 0.0
    last_final_s: float = 0.0
    quarters_s: list[float] = []
    event_p50_ms: float | None = None
    event_p99_ms: float | None = None
    cpu_s: float = 0.0


def run_driver(arguments: Sequence[str], order: Order) -> Report:
    """Start a driver process, give it its order, wait for its report. Raises BenchmarkError."""
    try:
        done = subprocess.run(
            arguments, input=msgspec.json.encode(order), capture_output=True, check=True,
            cwd=_REPOSITORY, timeout=order.limit_s + _GRACE_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise BenchmarkError(f"{arguments[-1]} did not end within {error.timeout:g} s") from None
    except subprocess.CalledProcessError as error:
        tail = error.stderr.decode(errors="replace")[-2000:]
        raise BenchmarkError(f"{arguments[-1]} failed: {tail}") from None
    try:
        return msgspec.json.decode(done.stdout, type=Report)
    except msgspec.DecodeError as error:
        raise BenchmarkError(f"{arguments[-1]} reported nothing readable: {error}") from None


def quantiles_ms(nanoseconds: list[int]) -> tuple[float | None, float | None]:
    """Median and 99th percentile in milliseconds; None of nothing."""
    if not nanoseconds:
        return None, None
    ordered = sorted(nanoseconds)
    return tuple(ordered[min(len(ordered) - 1, int(q * len(ordered)))] / 1e6 for q in (0.5, 0.99))  # type: ignore[return-value]
