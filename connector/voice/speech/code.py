"""A code as sound: digit prompts one after the other, never anything kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.voice.audio import Audio

from .names import PACES, Pace
from .timing import AROUND_READING_S, DIGIT_GAP_S

__all__ = ["SpokenCode", "spoken_code"]


@dataclass(frozen=True, slots=True)
class SpokenCode(Audio):
    """Both readings of a code.

    readings  start and end of each, in seconds from the beginning
    """

    readings: tuple[tuple[float, float], ...] = ()


def spoken_code(digits: str, prompts: Mapping[Pace, Mapping[str, Audio]], again: Audio) -> SpokenCode:
    """`digits` read at the normal pace, then `again` ("Once more"), then the slow reading.

    prompts  by pace and digit; KeyError for a digit without a prompt
    """
    around = Audio.silence(AROUND_READING_S)
    parts: list[Audio] = []
    readings: list[tuple[float, float]] = []
    for pace in PACES:
        if readings:
            parts.append(again)
        parts.append(around)
        reading = _reading(digits, prompts[pace], DIGIT_GAP_S[pace])
        start = sum(part.seconds for part in parts)
        readings.append((start, start + reading.seconds))
        parts += [reading, around]
    whole = Audio.join(parts)
    return SpokenCode(whole.pcmu, whole.pcma, tuple(readings))


def _reading(digits: str, prompts: Mapping[str, Audio], gap_s: float) -> Audio:
    gap = Audio.silence(gap_s)
    parts: list[Audio] = []
    for digit in digits:
        if parts:
            parts.append(gap)
        parts.append(prompts[digit])
    return Audio.join(parts)
