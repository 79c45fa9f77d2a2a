"""A sudden change: receipts that come much more rarely, or more often, than the long memory expects.

Half-lives of minutes are too slow for an outage. So the receipts of the last flights are held against what
was expected of them. When the ratio is beyond chance (a likelihood ratio, as a CUSUM has it), the hazards are
multiplied by it, by age. The memory is measured in expected receipts more than in time: what is known of a
route that is spared is forgotten only slowly, and a dozen good trials wash it away.
"""

from __future__ import annotations

from itertools import pairwise
from math import exp, log
from typing import Final

from connector.routing.arrival.grid import BINS, EDGES

__all__ = ["BANDS", "Shift"]

_ENDS_S: Final = (1.5, 3.0, 6.0, 12.0, 25.0)


def _bands() -> tuple[tuple[int, int], ...]:
    starts = [0, *(next(i for i in range(BINS) if EDGES[i] >= end) for end in _ENDS_S), BINS]
    return tuple(pairwise(starts))


BANDS: Final = _bands()
"""Intervals of the grid, by age; a change is told apart by them."""

_MEMORIES: Final = (20.0, 120.0)
_SURE: Final = 6.5
"""Of the likelihood ratio's logarithm: at it the change is as likely as none."""
_STEEP: Final = 1.5
_ENOUGH: Final = 100.0
"""Flights: with fewer, the long memory itself is quick."""
_OWN: Final = 3.0  # weight of the whole ratio in that of a band
_SLIGHT: Final = 0.02
_LN2: Final = 0.6931471805599453
_NOTHING: Final = [0.0] * len(BANDS)
_LEAST: Final = 0.01
_MOST: Final = 8.0


class Shift:
    """Receipts that came and that were expected, of the last flights."""

    __slots__ = ("at", "basis", "certainty", "factors", "half_life_s", "seen", "version", "wanted")

    def __init__(self, half_life_s: float, now: float) -> None:
        self.half_life_s = half_life_s
        self.at = now
        self.basis = 0.0
        """How far the long memory can be relied on, 0 … 1."""
        self.certainty = 0.0
        """That something has changed, 0 … 1."""
        self.seen = [[0.0] * len(BANDS) for _ in _MEMORIES]
        self.wanted = [[0.0] * len(BANDS) for _ in _MEMORIES]
        self.factors: list[float] | None = None
        """By band; None: nothing is unusual."""
        self.version = 0

    def forget(self) -> None:
        """The route is as usual again, as was found out elsewhere."""
        for i in range(len(_MEMORIES)):
            self.seen[i] = [0.0] * len(BANDS)
            self.wanted[i] = [0.0] * len(BANDS)
        self.weigh()

    def add(self, seen: list[float], wanted: list[float], flights: float, now: float) -> None:
        """Receipts by band, and how many were expected, by the experience of so many flights."""
        self.basis = flights / (flights + _ENOUGH) if flights > 0.0 else 0.0
        self._take(seen, wanted, now)

    def _take(self, seen: list[float], wanted: list[float], now: float) -> None:
        total = max(sum(wanted), 0.0)
        passed_s = max(now - self.at, 0.0)
        self.at = max(now, self.at)
        for i, memory in enumerate(_MEMORIES):
            factor = exp(-total / memory - passed_s * _LN2 / self.half_life_s)
            self.seen[i] = [a * factor + b for a, b in zip(self.seen[i], seen, strict=True)]
            self.wanted[i] = [a * factor + b for a, b in zip(self.wanted[i], wanted, strict=True)]
        self.weigh()

    def pass_to(self, now: float) -> None:
        """Time that passed without flights."""
        if self.certainty and now - self.at > 1.0:
            self._take(_NOTHING, _NOTHING, now)

    def weigh(self) -> None:
        """Renew the certainty and the factors."""
        evidence, chosen = max((self._evidence(i), i) for i in range(len(_MEMORIES)))
        self.certainty = self.basis / (1.0 + exp(min(_STEEP * (_SURE - evidence), 50.0)))
        if self.certainty < _SLIGHT:
            self.certainty = 0.0
            if self.factors is not None:
                self.factors = None
                self.version += 1
            return
        ratio = self._ratio(chosen)
        self.factors = [
            min(max(((s + _OWN * ratio) / (max(w, 0.0) + _OWN)) ** self.certainty, _LEAST), _MOST)
            for s, w in zip(self.seen[chosen], self.wanted[chosen], strict=True)
        ]
        self.version += 1

    def _ratio(self, i: int) -> float:
        return (sum(self.seen[i]) + 0.3) / (max(sum(self.wanted[i]), 0.0) + 0.3)

    def _evidence(self, i: int) -> float:
        ratio = self._ratio(i)
        return sum(self.seen[i]) * log(ratio) - (ratio - 1.0) * max(sum(self.wanted[i]), 0.0)

    def applied(self, hazards: list[float]) -> list[float]:
        """The hazards as they are now."""
        if self.factors is None:
            return hazards
        changed: list[float] = []
        for (start, end), factor in zip(BANDS, self.factors, strict=True):
            changed += [min(h * factor, 0.98) for h in hazards[start:end]]
        return changed
