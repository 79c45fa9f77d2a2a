"""How often, and how soon after its receipt, a code is used: what breakers compare with."""

from __future__ import annotations

from typing import Any

__all__ = ["LOOKS_S", "Conversions"]

LOOKS_S = (6.0, 12.0, 25.0)
"""Seconds after a receipt at which is asked whether the code has been used."""
_KEPT = 1_000.0  # looks that an average remembers
_POOLED = 20.0  # weight of what all routes of the class have, in looks
_TOLD_S = 900.0  # an application that has told nothing for so long does not tell
_ENOUGH = 20.0  # conversions before their absence says anything
_LIMIT = 2_000


class _Share:
    """The used part of what was looked at."""

    __slots__ = ("looks", "used")

    def __init__(self) -> None:
        self.looks = 0.0
        self.used = 0.0

    def add(self, used: bool) -> None:
        if self.looks >= _KEPT:
            keep = 1.0 - 1.0 / _KEPT
            self.looks *= keep
            self.used *= keep
        self.looks += 1.0
        self.used += used


class Conversions:
    """By job class, and by class and route. Routes whose breaker is open are not counted."""

    def __init__(self) -> None:
        self._seen: dict[str, list[float]] = {}  # by class: how many, the last one
        self._shares: dict[tuple[str, str, int], _Share] = {}

    def seen(self, klass: str, at: float) -> None:
        """The application told of one."""
        row = self._seen.setdefault(klass, [0.0, at])
        row[0] += 1.0
        row[1] = at

    def known(self, klass: str, now: float) -> bool:
        """Whether their absence says something: the application tells of them."""
        row = self._seen.get(klass)
        return row is not None and row[0] >= _ENOUGH and now - row[1] < _TOLD_S

    def looked(self, klass: str, route: str, look: int, used: bool) -> None:
        """One look, the number of which in LOOKS_S is `look`."""
        for key in ((klass, "", look), (klass, route, look)):
            share = self._shares.get(key)
            if share is None:
                if len(self._shares) >= _LIMIT:
                    continue
                share = self._shares[key] = _Share()
            share.add(used)

    def expected(self, klass: str, route: str, look: int) -> float:
        """The share that is usually used by this look."""
        pooled = self._shares.get((klass, "", look))
        if pooled is None:
            return 0.0
        usual = pooled.used / (pooled.looks + 2.0)
        own = self._shares.get((klass, route, look))
        if own is None:
            return usual
        return min(0.98, (own.used + _POOLED * usual) / (own.looks + _POOLED))

    def dump(self) -> list[object]:
        """What `restore` takes."""
        shares = [[*key, share.looks, share.used] for key, share in self._shares.items()]
        return [self._seen, shares]

    def restore(self, data: list[Any]) -> None:
        """What `dump` gave. Raises ValueError or TypeError on anything else."""
        seen, rows = data
        self._seen = {str(klass): [float(count), float(at)] for klass, (count, at) in dict(seen).items()}
        for klass, route, look, looks, used in rows[:_LIMIT]:
            share = self._shares[str(klass), str(route), int(look)] = _Share()
            share.looks, share.used = float(looks), float(used)
