"""A code as sound: digit prompts one after the other, never anything kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connector.voice.audio import Audio, AudioSequence

from .names import PACES, Pace
from .timing import AROUND_READING_S, DIGIT_GAP_S

__all__ = ["SpokenCode", "spoken_code"]


_AROUND: Final = Audio.silence(AROUND_READING_S)
_GAPS: Final = {pace: Audio.silence(DIGIT_GAP_S[pace]) for pace in PACES}


@dataclass(frozen=True, slots=True)
class SpokenCode(AudioSequence):
    """Both readings of a code.

    readings  start and end of each, in seconds from the beginning
    """

    readings: tuple[tuple[float, float], ...] = ()


def spoken_code(digits: str, prompts: Mapping[Pace, Mapping[str, Audio]], again: Audio) -> SpokenCode:
    """`digits` read at the normal pace, then `again` ("Once more"), then the slow reading.

    prompts  by pace and digit; KeyError for a digit without a prompt
    """
    parts: list[Audio] = []
    readings: list[tuple[float, float]] = []
    for pace in PACES:
        if readings:
            parts.append(again)
        parts.append(_AROUND)
        start = sum(part.seconds for part in parts)
        parts += _reading(digits, prompts[pace], _GAPS[pace])
        readings.append((start, sum(part.seconds for part in parts)))
        parts.append(_AROUND)
    return SpokenCode(tuple(parts), tuple(readings))


def _reading(digits: str, prompts: Mapping[str, Audio], gap: Audio) -> list[Audio]:
    parts: list[Audio] = []
    for digit in digits:
        if parts:
            parts.append(gap)
        parts.append(prompts[digit])
    return parts
