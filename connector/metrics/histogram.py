"""A histogram whose observation costs one bisection and two additions."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

__all__ = ["BATCH_SIZES", "DELAYS", "HANDSET_DELAYS", "LATENCIES", "Histogram"]

LATENCIES = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
"""Seconds: what happens inside this host."""

DELAYS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds: waiting for a window slot, a token or a carrier's answer."""

HANDSET_DELAYS = (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 3600.0)
"""Seconds from acceptance to the handset; finest between 2 and 15, where users give up."""

BATCH_SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0)


class Histogram:
    """Counts of observations by upper bound, and their sum.

    bounds  ascending upper bounds, inclusive; the last bucket, up to infinity, is implied
    counts  observations of each bucket alone (not cumulated), one longer than `bounds`

    One thread observes. Another may read at any time: it copies `counts` in one step.
    """

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        if not bounds or list(bounds) != sorted(set(bounds)):
            raise ValueError(f"bounds {bounds!r}: at least one, in ascending order, is expected")
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def observe_many(self, values: Iterable[float]) -> None:
        """The same as `observe` for each of `values`, for less."""
        counts, bounds, total = self.counts, self.bounds, 0.0
        for value in values:
            counts[bisect_left(bounds, value)] += 1
            total += value
        self.sum += total

    @property
    def count(self) -> int:
        return sum(self.counts)
