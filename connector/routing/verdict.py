"""What one flight says about its route: a log likelihood ratio of an outage against what is usual.

What is usual comes from the arrival model, and from how its forecasts have turned out: where it knows little,
as at the start, it is these that keep a breaker closed.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import log
from typing import Any

from connector.routing.arrival import Curve
from connector.routing.breaker import Kind, Question

__all__ = ["AGES_S", "Forecasts", "Ratios", "late_or_not", "receipt", "refusal", "told", "unused"]

AGES_S = (2.0, 4.0, 7.0, 11.0, 17.0, 26.0, 40.0)
"""When a flight is asked whether its receipt has come: silence is evidence long before the deadline."""
MOST = 2.0
"""One flight says no more than this."""

_OUTAGE = 0.3  # part that still arrives as usual in the outage that is looked for
_LATER = (3.0, 10.0)  # and how many times later the rest, each alike
_UNUSED = 0.2  # part of the usual conversions that is left when receipts are invented
_WORSE = 1.15  # so much more may go wrong than usual before it counts: a forecast is never quite right
_A_LITTLE = 0.01
_LEAST_TOLD = 0.2  # where fewer receipts are usual by then, their absence says nothing
_KEPT = 2_000.0  # verdicts that a forecast's record remembers
_LEARNT = 60.0  # verdicts after which a record need not learn from what may be an outage
_FEW = 5.0  # misses that a record must have to be believed by half
_SURE = 20.0  # verdicts, or flights, after which what is unusual counts by half
_LIMIT = 20_000

Ratios = tuple[float, float]
"""Of good news (below 0) and of bad news."""


class _Record:
    """Verdicts so far: how many, how many of them bad, how many of them were expected to be."""

    __slots__ = ("bad", "expected", "n")

    def __init__(self) -> None:
        self.n = self.bad = self.expected = 0.0

    def add(self, bad: bool, expected: float) -> None:
        if self.n >= _KEPT:
            keep = 1.0 - 1.0 / _KEPT
            self.n *= keep
            self.bad *= keep
            self.expected *= keep
        self.n += 1.0
        self.bad += bad
        self.expected += expected


class Forecasts:
    """By route and question, how forecasts have turned out."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, Question], _Record] = {}

    def corrected(self, route: str, question: Question, expected: float) -> tuple[float, float]:
        """The probability of bad news, from the one that is expected, and how sure that is, from 0 to 1."""
        record = self._records.get((route, question))
        if record is None:
            return expected, 0.0
        factor = (record.bad + _FEW) / (record.expected + _FEW)
        return min(expected * factor, 1.0), record.n / (record.n + _SURE)

    def turned_out(
        self, route: str, question: Question, expected: float, *, bad: bool, suspected: bool
    ) -> None:
        """The verdict of one flight; `suspected`: of an outage, which must not become what is usual."""
        record = self._records.get((route, question))
        if suspected and record is not None and record.n >= _LEARNT:
            return
        if record is None:
            if len(self._records) >= _LIMIT:
                return
            record = self._records[route, question] = _Record()
        record.add(bad, expected)

    def dump(self) -> list[object]:
        """What `restore` takes."""
        return [
            [route, str(kind), look, r.n, r.bad, r.expected]
            for (route, (kind, look)), r in self._records.items()
        ]

    def restore(self, rows: Iterable[Any]) -> None:
        """What `dump` gave. Raises ValueError, TypeError on anything else."""
        self._records = {}
        for route, kind, look, n, bad, expected in rows:
            record = self._records[str(route), (Kind(kind), int(look))] = _Record()
            record.n, record.bad, record.expected = float(n), float(bad), float(expected)


def told(curve: Curve, s: float) -> float:
    """P(receipt within `s` of leaving)."""
    return curve.p(s) / (curve.trust + curve.unannounced)


def late_or_not(curve: Curve, s: float, silent: float) -> Ratios | None:
    """Of a receipt within `s`, and of none; `silent`: how likely that is as usual. None: it says nothing."""
    usual = min(1.0 - silent * _WORSE - _A_LITTLE, 0.97)
    if usual < _LEAST_TOLD:
        return None
    later = sum(told(curve, s / factor) for factor in _LATER) / len(_LATER)
    left = _OUTAGE + (1.0 - _OUTAGE) * min(later / max(told(curve, s), 1e-6), 1.0)
    return log(left), min(MOST, log((1.0 - left * usual) / (1.0 - usual)))


def refusal(usual: float) -> Ratios:
    """Of a submit that was accepted, and of a refused one."""
    refused = min(usual * _WORSE + _A_LITTLE, 0.97)
    return log(_OUTAGE), min(MOST, log((1.0 - _OUTAGE * (1.0 - refused)) / refused))


def unused(usual: float) -> Ratios:
    """Of a code that was used, and of one that was not; `usual`: the share that is not used."""
    share = max(1.0 - usual * _WORSE - _A_LITTLE, 0.0)
    return log(_UNUSED), min(MOST, log((1.0 - _UNUSED * share) / (1.0 - share)))


def receipt(curve: Curve, s: float) -> float:
    """Of a receipt after `s`, of the densities there."""
    usual = _density(curve, s)
    late = sum(_density(curve, s / factor) / factor for factor in _LATER) / len(_LATER)
    if usual <= 0.0:
        return MOST if late > 0.0 else 0.0
    return min(MOST, log(_OUTAGE + (1.0 - _OUTAGE) * late / usual))


def _density(curve: Curve, s: float) -> float:
    return (told(curve, s * 1.25) - told(curve, s * 0.8)) / (0.45 * s)
