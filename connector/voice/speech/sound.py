"""From what an engine or a recording gives to what a telephone carries (imports numpy and soxr).

Native PCM → 8,000 samples a second → 300 to 3,400 Hz (the telephone band of ITU-T G.712) → silence at both
ends cut → one loudness → faded edges → both laws of G.711.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from connector.voice.audio import SAMPLE_RATE, Audio
from protocols.rtp.g711 import PCMA, PCMU

from .engines import Pcm
from .errors import EngineError

__all__ = ["PROCESSING", "Samples", "encoded", "loudness_dbov", "telephone"]

PROCESSING: Final = 1
"""Part of every prompt's key: raise it when anything here changes what is heard."""

Samples = NDArray[np.float64]
"""One channel, full scale at ±1."""

_LOW_HZ, _HIGH_HZ = 300, 3400
_TAPS = 255
_PEAK = 0.89
"""-1 dB: what the gain may not take the highest sample over."""
_FRAME = SAMPLE_RATE // 50
_ACTIVE_DB = 30
"""Frames quieter than the loudest by more are pauses, which loudness does not count."""
_SILENT = 10 ** (-45 / 20)
_MARGIN = SAMPLE_RATE // 100
_FADE = SAMPLE_RATE // 200
_MOST_GAIN = 10 ** (30 / 20)


def _band() -> Samples:
    taps = np.arange(_TAPS) - (_TAPS - 1) / 2
    low, high = 2 * _LOW_HZ / SAMPLE_RATE, 2 * _HIGH_HZ / SAMPLE_RATE
    response = high * np.sinc(high * taps) - low * np.sinc(low * taps)
    return np.asarray(response * np.hamming(_TAPS))


_BAND = _band()
_EVERY_SAMPLE = np.arange(65_536, dtype="<u2").tobytes()
_PCMU = np.frombuffer(PCMU.encode(_EVERY_SAMPLE), np.uint8)
_PCMA = np.frombuffer(PCMA.encode(_EVERY_SAMPLE), np.uint8)


def telephone(pcm: Pcm, loudness: float) -> Samples:
    """`pcm` as the far end will hear it, at `loudness` dBov; EngineError when there is nothing to hear."""
    samples = np.frombuffer(pcm.samples, "<i2").astype(np.float64) / 32_768
    if not samples.size:
        raise EngineError("the engine gave no sound")
    at_8k = soxr.resample(samples, pcm.rate, SAMPLE_RATE, quality="HQ")
    banded = _filtered(np.asarray(at_8k, np.float64))
    sound = _trimmed(banded)
    gain = 10 ** ((loudness - loudness_dbov(sound)) / 20)
    sound *= min(gain, _MOST_GAIN, _PEAK / np.abs(sound).max())
    fade = min(_FADE, sound.size // 2)
    ramp = np.sin(np.linspace(0, np.pi / 2, fade)) ** 2
    sound[:fade] *= ramp
    sound[sound.size - fade :] *= ramp[::-1]
    return sound


def loudness_dbov(sound: Samples) -> float:
    """Level of what is active in it (after ITU-T P.56), in dB of the overload point: a full square wave is
    0.
    """
    whole = sound[: sound.size // _FRAME * _FRAME] if sound.size >= _FRAME else sound[None]
    frames = whole.reshape(-1, min(_FRAME, sound.size))
    powers = np.mean(frames**2, axis=1)
    active = powers[powers >= powers.max() * 10 ** (-_ACTIVE_DB / 10)]
    return float(10 * np.log10(active.mean() + 1e-12))


def encoded(sound: Samples) -> Audio:
    """In both laws."""
    indices = np.round(np.clip(sound, -1, 1) * 32_767).astype("<i2").view("<u2")
    return Audio(_PCMU[indices].tobytes(), _PCMA[indices].tobytes())


def _filtered(samples: Samples) -> Samples:
    """By a filter of linear phase, its delay taken out again."""
    size = 1 << (samples.size + _TAPS).bit_length()
    product = np.fft.rfft(samples, size) * np.fft.rfft(_BAND, size)
    delay = (_TAPS - 1) // 2
    return np.asarray(np.fft.irfft(product, size)[delay : delay + samples.size])


def _trimmed(samples: Samples) -> Samples:
    """Pauses between digits are ours to make, so that no engine's silence may lie at the edges."""
    level = np.abs(samples)
    peak = float(level.max())
    if peak < _SILENT / 10:
        raise EngineError("the engine gave silence")
    loud = np.flatnonzero(level > peak * _SILENT * 2)
    start, end = max(int(loud[0]) - _MARGIN, 0), min(int(loud[-1]) + _MARGIN, samples.size)
    return samples[start:end].copy()
