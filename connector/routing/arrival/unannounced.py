"""Messages that arrived and of which no receipt came: what the use of the codes tells of silent flights."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

__all__ = ["RATIOS", "Unannounced"]

RATIOS: Final = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 4.0, 10.0, 1e9)
"""How much more likely what was seen of a silent flight is where it arrived: the classes that are counted."""

_PART: Final = 0.6  # of the silent ones, believed at most: more receipts are lost than messages
_USUAL: Final = 0.1  # and for each receipt, at most
_PART_WEIGHT: Final = 6.0
_WEIGHT: Final = 15.0
_ROUNDS: Final = 20


class Unannounced:
    """First flights of one route: those with a receipt, and the silent ones by class of `RATIOS`."""

    __slots__ = ("at", "part", "silent", "stale", "told")

    def __init__(self, now: float) -> None:
        self.at = now
        self.told = 0.0
        self.silent = [0.0] * len(RATIOS)
        self.part = _PART
        self.stale = False

    def fade(self, now: float, half_life_s: float) -> None:
        """Forget."""
        passed_s = now - self.at
        if passed_s > 0.0:
            factor = 0.5 ** (passed_s / half_life_s)
            self.told *= factor
            self.silent = [count * factor for count in self.silent]
            self.at = now

    def add(self, ratio: float) -> int:
        """A silent flight is over; its class."""
        place = min(bisect_left(RATIOS, ratio), len(RATIOS) - 1)
        self.silent[place] += 1.0
        self.stale = True
        return place

    def used(self, place: int) -> None:
        """One of that class has been used after all."""
        self.silent[place] = max(self.silent[place] - 1.0, 0.0)
        self.silent[-1] += 1.0
        self.stale = True

    def share(self, belief: float) -> float:
        """Of what arrives, the part without a receipt (expectation and maximisation)."""
        if self.stale:
            self.stale = False
            total = sum(self.silent)
            believed = part = min(_PART, _USUAL * self.told / total) if total > 0.0 else _PART
            for _ in range(_ROUNDS):
                arrived = sum(
                    count * part * ratio / (part * ratio + 1.0 - part)
                    for count, ratio in zip(self.silent, RATIOS, strict=True)
                    if count
                )
                part = (arrived + believed * _PART_WEIGHT) / (total + _PART_WEIGHT)
            self.part = part
        arrived = self.part * sum(self.silent)
        return (arrived + belief * _WEIGHT) / (arrived + self.told + _WEIGHT)
