"""What is believed of a channel before anything was seen (healthy routes, as the trade describes them)."""

from __future__ import annotations

from itertools import pairwise
from math import erf, log, sqrt
from typing import Final

from connector.routing.arrival.grid import EDGES

__all__ = ["hazards_of"]

_P95: Final = 1.6448536269514722


def _hazards(p50_s: float, p95_s: float, ever: float) -> list[float]:
    """Log-normal, with a part that never comes."""
    sigma = log(p95_s / p50_s) / _P95
    by_then = [0.0, *(ever * 0.5 * (1.0 + erf(log(t / p50_s) / sigma / sqrt(2.0))) for t in EDGES[1:])]
    return [(b - a) / (1.0 - a) for a, b in pairwise(by_then)]


_Hazards = tuple[list[float], list[float]]


def _competing(receipts: list[float], failures: list[float]) -> _Hazards:
    """Hazards of both where either may come first: the first ones as they are, the second among the rest."""
    return receipts, [min(f, 1.0 - r) for r, f in zip(receipts, failures, strict=True)]


_CHANNELS: Final = {
    # Of the handsets that can be reached.
    "sms": _competing(_hazards(4.0, 12.0, 0.95), _hazards(6.0, 15.0, 0.012)),
    # Set-up, ringing and the code; the others do not answer.
    "voice": _competing(_hazards(11.0, 19.0, 0.73), _hazards(30.0, 40.0, 0.9)),
}


def hazards_of(channel: str) -> _Hazards:
    """Hazards of receipts and of failures by interval; an unknown channel is taken for sms."""
    return _CHANNELS.get(channel, _CHANNELS["sms"])
