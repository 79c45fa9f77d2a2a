"""How long submits took from the sender's stamp to this carrier."""

from __future__ import annotations

import random
import re

_STAMP = re.compile(rb"T=(\d{19})")


def stamp_of(text: bytes) -> int | None:
    """The monotonic nanoseconds that a text carries as `T=` and 19 digits (GSM or ASCII octets)."""
    found = _STAMP.search(text)
    return int(found[1]) if found else None


class Latencies:
    """A uniform sample of at most `limit` latencies (reservoir sampling, Vitter's algorithm R)."""

    def __init__(self, rng: random.Random, limit: int = 100_000) -> None:
        self._rng = rng
        self._limit = limit
        self._sample: list[int] = []
        self.count = 0

    def add(self, nanoseconds: int) -> None:
        self.count += 1
        if len(self._sample) < self._limit:
            self._sample.append(nanoseconds)
            return
        place = int(self._rng.random() * self.count)
        if place < self._limit:
            self._sample[place] = nanoseconds

    def clear(self) -> None:
        self._sample.clear()
        self.count = 0

    def as_json(self) -> dict[str, float | int | None]:
        """`count`, and `p50_ms`, `p99_ms`, `max_ms` of the sample (None when it is empty)."""
        ordered = sorted(self._sample)

        def quantile(share: float) -> float | None:
            return ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1e6 if ordered else None

        return {
            "count": self.count,
            "p50_ms": quantile(0.5),
            "p99_ms": quantile(0.99),
            "max_ms": quantile(1.0),
        }
