"""Times since a message left: 48 intervals, evenly spaced in the logarithm."""

from __future__ import annotations

from itertools import pairwise
from math import exp, log
from typing import Final

__all__ = [
    "BINS", "EDGES", "END_S", "FIRST_S", "LAST_S", "LOG_FIRST", "PER_LOG", "PER_WIDTH", "STARTS", "WIDTHS",
    "bin_of", "interpolate", "interpolate_both",
]  # fmt: skip

FIRST_S: Final = 0.2
LAST_S: Final = 600.0
BINS: Final = 48
"""Interval 0 is 0 … FIRST_S; the others grow by a factor of 1.18 up to LAST_S."""

LOG_FIRST: Final = log(FIRST_S)
END_S: Final = LAST_S * (1.0 - 1e-9)  # the logarithm rounds
PER_LOG: Final = (BINS - 1) / log(LAST_S / FIRST_S)

EDGES: Final = (0.0, *(FIRST_S * exp(i / PER_LOG) for i in range(BINS - 1)), LAST_S)
WIDTHS: Final = tuple(b - a for a, b in pairwise(EDGES))
STARTS: Final = EDGES[:-1]
PER_WIDTH: Final = tuple(1.0 / width for width in WIDTHS)


def bin_of(t_s: float) -> int:
    """The interval that holds `t_s`; BINS for anything later than LAST_S."""
    if not t_s >= FIRST_S:
        return 0
    if t_s >= END_S:
        return BINS
    return int((log(t_s) - LOG_FIRST) * PER_LOG) + 1


def interpolate(values: list[float], t_s: float) -> float:
    """`values` at the ends of the intervals (0 at time 0), straight lines between them; flat after LAST_S."""
    if not t_s >= FIRST_S:
        return values[0] * t_s * PER_WIDTH[0] if t_s > 0.0 else 0.0
    if t_s >= END_S:
        return values[-1]
    i = int((log(t_s) - LOG_FIRST) * PER_LOG) + 1
    low = values[i - 1]
    return low + (values[i] - low) * (t_s - STARTS[i]) * PER_WIDTH[i]


def interpolate_both(receipts: list[float], silent: list[float], t_s: float) -> tuple[float, float]:
    """Two such lists at once; the second one is 1 at time 0."""
    if not t_s >= FIRST_S:
        part = t_s * PER_WIDTH[0] if t_s > 0.0 else 0.0
        return receipts[0] * part, 1.0 + (silent[0] - 1.0) * part
    if t_s >= END_S:
        return receipts[-1], silent[-1]
    i = int((log(t_s) - LOG_FIRST) * PER_LOG) + 1
    part = (t_s - STARTS[i]) * PER_WIDTH[i]
    low, before = receipts[i - 1], silent[i - 1]
    return low + (receipts[i] - low) * part, before + (silent[i] - before) * part
