"""Counts of a group of flights, and the hazards that follow from them and from the group above.

The estimate is a life table in discrete time: of the `n` flights that were silent when an interval began,
`d` got their receipt in it and `f` a definite failure (the product-limit estimate of Kaplan and Meier, 1958,
with competing risks, and counts that fade). It looks at the recent past of every age, not at the recent
flights: what is silent now counts now. A level is shrunk to its parent twice: by one factor for all ages (a
gamma-distributed ratio of the hazards, so that a few silent flights lower all of it), and then each interval
by itself.
"""

from __future__ import annotations

from itertools import accumulate
from operator import mul
from typing import Final

from connector.routing.arrival.curve import Curve
from connector.routing.arrival.grid import BINS
from connector.routing.arrival.shift import Shift
from connector.routing.arrival.watch import Slot

__all__ = ["Leaf", "Level"]

_LN2: Final = 0.6931471805599453
_MOST: Final = 0.98  # a hazard of 1 would rule out what has only not been seen
_TINY: Final = 1e-9
_OLD_S: Final = 2.0  # hazards of a group that changes little are as old as this at most
_IDLE: Final = 0.02  # of a half-life: a group without flights forgets at such steps
_MUCH: Final = 0.02  # of the flights: a change that does not wait


class Level:
    """A group of flights: fading counts by age, and what is believed of the group."""

    __slots__ = (
        "at", "changed", "curve", "curve_of", "d", "epoch", "estimated_at", "f", "failing", "half_life_s",
        "hazards", "key", "n", "new_d", "new_f", "new_n", "parent", "ratio", "shift", "used_at", "usual",
        "usual_of", "version",
    )  # fmt: skip

    def __init__(
        self, key: tuple[str, ...], parent: Level | None, ratio: float, half_life_s: float, now: float
    ) -> None:
        """`ratio`: weight, in receipts, of the belief that it is as quick as its parent."""
        self.key = key
        self.parent = parent
        self.ratio = ratio
        self.half_life_s = half_life_s
        self.d = [0.0] * BINS
        self.f = [0.0] * BINS
        self.n = [0.0] * BINS
        self.new_d: list[float] | None = None
        self.new_f: list[float] = []
        self.new_n: list[float] = []
        self.at = self.used_at = now
        self.hazards: list[float] = []
        self.failing: list[float] = []
        """The same of definite failures."""
        self.estimated_at = -1e300
        self.changed = 1.0
        self.version = 0
        self.epoch = -1
        self.shift: Shift | None = None
        self.curve: Curve | None = None
        self.curve_of: tuple[int, ...] = ()
        self.usual: Curve | None = None
        self.usual_of = -1

    def add(self, d: list[float], f: list[float], n: list[float]) -> bool:
        """Counts of this refresh; True for the first ones."""
        if self.new_d is None:
            self.new_d, self.new_f, self.new_n = d, f, n
            return True
        self.new_d = [a + b for a, b in zip(self.new_d, d, strict=True)]
        self.new_f = [a + b for a, b in zip(self.new_f, f, strict=True)]
        self.new_n = [a + b for a, b in zip(self.new_n, n, strict=True)]
        return False

    def fade(self, now: float, few: float) -> float:
        """The factor by which the counts fade by `now`; slower where there are fewer than `few` flights."""
        passed_s = now - self.at
        if passed_s <= 0.0:
            return 1.0
        self.at = now
        weight = self.n[0]
        rate = _LN2 / self.half_life_s * (min(1.0, (weight + 1.0) / few) if few > 0.0 else 1.0)
        return float(2.0 ** (-rate * passed_s / _LN2))

    def absorb(self, now: float, few: float) -> None:
        """Forget, then add what came since."""
        factor = self.fade(now, few)
        if self.new_d is None:
            self.d = [a * factor for a in self.d]
            self.f = [a * factor for a in self.f]
            self.n = [a * factor for a in self.n]
            return
        self.d = [a * factor + b for a, b in zip(self.d, self.new_d, strict=True)]
        self.f = [a * factor + b for a, b in zip(self.f, self.new_f, strict=True)]
        self.n = [a * factor + b for a, b in zip(self.n, self.new_n, strict=True)]
        self.changed += sum(self.new_d) + sum(self.new_f) + abs(self.new_n[0]) + abs(self.new_n[BINS // 2])
        self.new_d = None

    def estimate(self, now: float, pooling: float, few: float) -> list[float]:
        """Hazards by interval, renewed where there is reason."""
        parent = self.parent
        if parent is None:
            return self.hazards
        above = parent.estimate(now, pooling, few)
        if now - self.estimated_at < _OLD_S and self.changed < _MUCH * self.n[0]:
            return self.hazards
        if now - self.at > self.half_life_s * _IDLE and self.new_d is None:
            self.absorb(now, few)
        self.changed = 0.0
        self.estimated_at = now
        self.version += 1
        expected = sum(map(mul, self.n, above))
        ratio = self.ratio
        factor = (ratio + sum(self.d)) / (ratio + expected) if ratio + expected > 0.0 else 1.0
        weight, base = pooling * factor, pooling + _TINY
        hazards = [(d + weight * h) / (n + base) for d, n, h in zip(self.d, self.n, above, strict=True)]
        if max(hazards) > _MOST:
            hazards = [h if h < _MOST else _MOST for h in hazards]
        self.hazards = hazards
        self.failing = [
            (f + pooling * h) / (n + base) for f, n, h in zip(self.f, self.n, parent.failing, strict=True)
        ]
        return hazards


class Leaf(Level):
    """One destination of one route, where flights are counted as they happen.

    The new counts are differences: a flight that was silent through intervals a … b is +1 at a, -1 at b + 1.
    """

    __slots__ = (
        "apart", "dirty", "events", "failures", "full", "route", "silent", "slots", "told", "weighed_at",
        "weights",
    )  # fmt: skip

    def __init__(
        self, key: tuple[str, ...], parent: Level, route: Level, ratio: float, half_life_s: float, now: float
    ) -> None:
        super().__init__(key, parent, ratio, half_life_s, now)
        self.route = route
        self.shift = Shift(half_life_s / 5.0, now)
        self.events = [0.0] * BINS
        self.failures = [0.0] * BINS
        self.full = [0.0] * (BINS + 1)
        self.silent = ([0.0] * (BINS + 1), [0.0] * (BINS + 1))
        """Flights that are silent still or were so to the end: later ones to a handset, first ones."""
        self.slots: list[Slot | None] = [None, None]
        self.weights = ([1.0] * BINS, [1.0] * BINS)
        """P(the handset can be reached | silent when the interval began), for both."""
        self.weighed_at = -1e300
        self.apart = False
        """What changes here suddenly says nothing of the whole route."""
        self.dirty = False
        self.told = 0
        """First flights with a receipt since the last refresh."""

    def take(self) -> tuple[list[float], list[float], list[float]]:
        """The new counts (d, f, n) since the last time."""
        full, later, first = accumulate(self.full), accumulate(self.silent[0]), accumulate(self.silent[1])
        counts = zip(full, later, self.weights[0], first, self.weights[1], strict=False)
        n = [a + b * v + c * w for a, b, v, c, w in counts]
        d, f = self.events, self.failures
        self.events = [0.0] * BINS
        self.failures = [0.0] * BINS
        self.full = [0.0] * (BINS + 1)
        self.silent = ([0.0] * (BINS + 1), [0.0] * (BINS + 1))
        self.dirty = False
        return d, f, n
