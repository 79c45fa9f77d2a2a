"""How a code is paced, and how loud everything is."""

from __future__ import annotations

from typing import Final

from .names import Pace

__all__ = ["AROUND_READING_S", "DIGIT_GAP_S", "LOUDNESS_DBOV"]

DIGIT_GAP_S: Final[dict[Pace, float]] = {"normal": 0.26, "slow": 0.30}
"""Silence between two digits of a code: long enough to write one down, short enough to stay one code."""

AROUND_READING_S: Final = 0.5
"""Before and after each reading: clearly longer than a gap, so that no digit said next to a code seems to be
one of its own, to people or to the matched filter."""

LOUDNESS_DBOV: Final = -20.0
"""Active level: 6 dB over the nominal -26 dBov of telephone speech, for mobile phones in the street."""
