"""Hearing a code in a recording, by the digit prompts it was made of (imports numpy; never of the daemon).

A matched filter: the normalised cross-correlation of the recording with each of the ten prompts is near 1
where that very prompt was spoken, whatever its loudness, and far below it elsewhere. Lost packets and noise
lower it a little. The code is the chain of peaks with the gaps of a code between them that adds up to most.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["CERTAIN_MARGIN", "CERTAIN_SCORE", "HeardCode", "hear"]

CERTAIN_SCORE: Final = 0.5
CERTAIN_MARGIN: Final = 0.1
"""What the worst digit of a code must reach, and by how much it must be ahead of any other digit at its
place.
"""

_RATE = 8000
_GAP_S = (0.2, 0.38)
"""Between the end of a digit and the start of the next: both paces of a code, and what a jitter buffer
shifts.
"""

_FAINTEST_PEAK = 0.45
_NEIGHBOURHOOD = round(0.04 * _RATE)
_MOST_PEAKS = 80
"""Of one digit: the highest ones."""
_LEAST_BLOCK = 16_384
_QUIET = 1e-4
"""Power, as a share of the recording's highest, under which a stretch counts as silence: it correlates with
nothing.
"""

_Sound = NDArray[np.float32]


class HeardCode(NamedTuple):
    """A code and how surely it was heard.

    score          the lowest correlation of its digits, 0 to 1
    margin         the least lead of a digit over any other at its place
    start_s/end_s  where it was said, in seconds of the recording
    """

    code: str
    score: float
    margin: float
    start_s: float
    end_s: float

    @property
    def certain(self) -> bool:
        """Whether it may be taken as proof that the code was said."""
        return self.score >= CERTAIN_SCORE and self.margin >= CERTAIN_MARGIN


class _Peak(NamedTuple):
    start: int
    end: int
    digit: str
    score: float


def hear(recording: bytes, digits: Mapping[str, bytes], length: int) -> HeardCode | None:
    """The code of `length` digits that is most likely somewhere in `recording`; None when there is none at
    all.

    recording  PCM of 16 bits, little-endian, 8,000 samples a second; anything may come before and after the
    code
    digits     the prompt of each digit, in the same form: those of one pace, so that one reading is heard
    """
    if length < 1:
        raise ValueError("a code has at least one digit")
    heard = _samples(recording)
    prompts = {digit: _samples(prompt) for digit, prompt in digits.items()}
    curves = _correlations(heard, prompts)
    peaks = sorted(
        peak for digit, curve in curves.items() for peak in _peaks(digit, curve, len(prompts[digit]))
    )
    chain = _best_chain(peaks, length)
    if chain is None:
        return None
    return HeardCode(
        "".join(peak.digit for peak in chain),
        min(peak.score for peak in chain),
        min(peak.score - _rival(peak, curves) for peak in chain),
        chain[0].start / _RATE,
        chain[-1].end / _RATE,
    )


def _samples(pcm: bytes) -> _Sound:
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32_768)


def _correlations(heard: _Sound, prompts: Mapping[str, _Sound]) -> dict[str, _Sound]:
    """By digit: at each sample how alike the prompt is to what begins there."""
    size, spectra, places_each = _blocks(heard, max(map(len, prompts.values())))
    energy = np.concatenate(([0.0], np.cumsum(heard**2, dtype=np.float64)))
    loudest = float(np.max(np.abs(heard), initial=0.0)) ** 2
    curves: dict[str, _Sound] = {}
    for digit, prompt in prompts.items():
        places = len(heard) - len(prompt) + 1
        if places < 1:
            continue
        products = np.fft.irfft(spectra * _spectrum(prompt.tobytes(), size), size)
        product = products[:, :places_each].reshape(-1)[:places]
        within = energy[len(prompt) :] - energy[:places]
        floor = loudest * _QUIET * len(prompt)
        norm = np.sqrt(np.maximum(within, floor) * np.sum(prompt**2))
        curves[digit] = (product / np.maximum(norm, 1e-12)).astype(np.float32)
    return curves


def _blocks(heard: _Sound, longest: int) -> tuple[int, NDArray[np.complexfloating], int]:
    """The spectra of blocks that overlap by a prompt, their size, and the places that each block is for.

    Overlap-save: a size of its own for each recording would make every prompt's spectrum anew.
    """
    size = max(_LEAST_BLOCK, 1 << (4 * longest - 1).bit_length())
    places = size - longest + 1
    count = max(-(-len(heard) // places), 1)
    padded = np.zeros((count - 1) * places + size, np.float32)
    padded[: len(heard)] = heard
    return size, np.fft.rfft(sliding_window_view(padded, size)[::places]), places


@lru_cache(maxsize=256)
def _spectrum(prompt: bytes, size: int) -> NDArray[np.complexfloating]:
    return np.conj(np.fft.rfft(np.frombuffer(prompt, np.float32), size))


def _peaks(digit: str, curve: _Sound, length: int) -> list[_Peak]:
    """The highest places, no two in one neighbourhood."""
    found: list[_Peak] = []
    left = curve.copy()
    while len(found) < _MOST_PEAKS:
        start = int(np.argmax(left))
        score = float(left[start])
        if score < _FAINTEST_PEAK:
            break
        found.append(_Peak(start, start + length, digit, score))
        left[max(start - _NEIGHBOURHOOD, 0) : start + _NEIGHBOURHOOD] = 0
    return found


def _best_chain(peaks: list[_Peak], length: int) -> list[_Peak] | None:
    """`peaks` in order of time; the chain of `length` that has the highest sum, by dynamic programming."""
    by_end = sorted(range(len(peaks)), key=lambda index: peaks[index].end)
    ends = [peaks[index].end for index in by_end]
    shortest, longest = (round(gap * _RATE) for gap in _GAP_S)
    totals = [peak.score for peak in peaks]
    steps: list[list[int | None]] = []
    for _ in range(length - 1):
        longer = [float("-inf")] * len(peaks)
        before: list[int | None] = [None] * len(peaks)
        for index, peak in enumerate(peaks):
            first, last = bisect_left(ends, peak.start - longest), bisect_right(ends, peak.start - shortest)
            best = max(by_end[first:last], key=totals.__getitem__, default=None)
            if best is not None:
                longer[index], before[index] = totals[best] + peak.score, best
        totals = longer
        steps.append(before)
    last_peak = max(range(len(peaks)), key=totals.__getitem__, default=None)
    if last_peak is None or totals[last_peak] == float("-inf"):
        return None
    chain = [last_peak]
    for before in reversed(steps):
        previous = before[chain[-1]]
        assert previous is not None, "a finite total has a way to it"
        chain.append(previous)
    return [peaks[index] for index in reversed(chain)]


def _rival(peak: _Peak, curves: Mapping[str, _Sound]) -> float:
    """The best score of another digit around the start of `peak`."""
    first, last = max(peak.start - _NEIGHBOURHOOD, 0), peak.start + _NEIGHBOURHOOD
    return max(
        (
            float(np.max(curve[first:last], initial=0.0))
            for digit, curve in curves.items()
            if digit != peak.digit
        ),
        default=0.0,
    )
