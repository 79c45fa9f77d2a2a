"""Handsets that no route reaches: switched off, without coverage, gone."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

__all__ = ["COUNTRIES", "LIKELY", "Handsets", "Silence"]

_WEIGHT: Final = 100.0
_COUNTRY_WEIGHT: Final = 60.0
LIKELY: Final = (0.0, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.12, 0.25, 0.5, 1.0)
_ROUNDS: Final = 6
_MOST: Final = 0.5
COUNTRIES: Final = 300
_LONGER: Final = 10.0  # handsets change less than routes
_LATER: Final = 0.12
_LATER_WEIGHT: Final = 30.0


class Silence:
    """Jobs of which nothing arrived, by how unlikely that is where the handset can be reached."""

    __slots__ = ("at", "share", "silent", "stale", "total")

    def __init__(self, now: float) -> None:
        self.at = now
        self.total = 0.0
        self.silent = [0.0] * len(LIKELY)
        self.share = -1.0
        self.stale = True

    def add(self, lost: float | None, jobs: float, now: float, half_life_s: float) -> None:
        """`lost` as for `Handsets.job`."""
        passed_s = now - self.at
        if passed_s > 0.0:
            factor = 0.5 ** (passed_s / half_life_s)
            self.total *= factor
            self.silent = [count * factor for count in self.silent]
            self.at = now
        self.total += jobs
        if lost is not None:
            self.silent[bisect_left(LIKELY, lost)] += jobs
        self.stale = True

    def mean(self, belief: float, weight: float) -> float:
        """The share of handsets that is the mean of its own consequences (expectation and maximisation), from
        a belief that weighs as much as `weight` jobs.
        """
        if self.stale:
            self.stale = False
            share = belief if self.share < 0.0 else max(self.share, belief * 0.1)
            for _ in range(_ROUNDS):
                hits = sum(
                    count * share / (share + (1.0 - share) * likely)
                    for count, likely in zip(self.silent, LIKELY, strict=True)
                    if count
                )
                share = (hits + belief * weight) / (self.total + weight)
            self.share = min(share, _MOST)
        return self.share


class Handsets:
    """The share of handsets that nothing reaches, by country, and among those that are tried once more."""

    def __init__(self, belief: float, half_life_s: float, now: float) -> None:
        self._belief = belief
        self._half_life_s = half_life_s * _LONGER
        self.all = Silence(now)
        self.later = Silence(now)
        self.countries: dict[str, Silence] = {}

    def unreachable(self, country: str) -> float:
        """Of the handsets of a country; "" is all of them."""
        whole = self.all.mean(self._belief, _WEIGHT)
        silence = self.countries.get(country)
        return whole if silence is None else silence.mean(whole, _COUNTRY_WEIGHT)

    def unreachable_later(self) -> float:
        """Of the handsets to which something else left before and was silent."""
        return self.later.mean(_LATER, _LATER_WEIGHT)

    def reached(self, country: str, jobs: int, now: float) -> None:
        """So many handsets told of the message that left first."""
        self._add(country, None, jobs, now)

    def job(self, country: str, lost: float | None, now: float) -> None:
        """A job is over whose first flight was silent.

        `lost`: P(nothing is heard | the handset can be reached); None: something arrived.
        """
        self._add(country, lost, 1.0, now)

    def tried_again(self, lost: float | None, now: float) -> None:
        """The same of the later flights of a job."""
        self.later.add(lost, 1.0, now, self._half_life_s)

    def _add(self, country: str, lost: float | None, jobs: float, now: float) -> None:
        self.all.add(lost, jobs, now, self._half_life_s)
        silence = self.countries.get(country)
        if silence is None:
            if len(self.countries) >= COUNTRIES:
                del self.countries[min(self.countries, key=lambda name: self.countries[name].total)]
            silence = self.countries[country] = Silence(now)
        silence.add(lost, jobs, now, self._half_life_s)
