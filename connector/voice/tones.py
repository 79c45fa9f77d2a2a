"""Whether a frame of telephone audio is one steady tone, and which."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul
from typing import Final, NamedTuple

__all__ = ["Tone", "goertzel", "tone_of"]

_RATE: Final = 8000


class Tone(NamedTuple):
    """`share` is how much of the frame's power lies at `hertz`: 1 for a pure tone, far less for speech."""

    hertz: float
    share: float


def goertzel(samples: Sequence[int], hertz: float) -> float:
    """Share of the power of `samples` (8,000 a second) that lies at one frequency, 0–1.

    Goertzel 1958, in the form for any frequency: the window is the frame, so that in 20 ms tones closer than
    50 Hz are not told apart.
    """
    energy = sum(map(mul, samples, samples))
    if not energy:
        return 0.0
    turn: float = 2 * math.cos(2 * math.pi * hertz / _RATE)
    newer: float = 0.0
    older: float = 0.0
    for sample in samples:
        newer, older = sample + turn * newer - older, newer
    power = newer * newer + older * older - turn * newer * older
    return float(min(2 * power / (len(samples) * energy), 1.0))


def tone_of(samples: Sequence[int]) -> Tone:
    """The tone that explains a frame best, by its autocorrelation at one and two samples' distance.

    Of a sinusoid r1 = r0·cos w and r2 = r0·cos 2w; solved for w without r0, in which white noise would be
    counted (Pisarenko's method for one tone), the frequency follows without a search. Both are taken around
    the same samples, or the ends of a short frame would shift it.
    """
    middle = samples[2:-2]
    near = sum(map(mul, middle, samples[1:])) + sum(map(mul, middle, samples[3:]))
    far = sum(map(mul, middle, samples)) + sum(map(mul, middle, samples[4:]))
    if not near:
        return Tone(_RATE / 4, goertzel(samples, _RATE / 4))
    cosine = (far + math.sqrt(far * far + 8 * near * near)) / (4 * near)
    hertz = math.acos(max(-1.0, min(1.0, cosine))) * _RATE / (2 * math.pi)
    return Tone(hertz, goertzel(samples, hertz))
