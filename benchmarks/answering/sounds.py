"""What can be heard after an answer: speech of espeak-ng, tones by formula, and the line that carries both.

Samples are numpy arrays of floats, 8,000 a second, ±1.
"""

from __future__ import annotations

import io
import subprocess
import wave
from collections.abc import Sequence
from random import Random
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from benchmarks.processes import BenchmarkError

__all__ = [
    "RATE", "Sound", "beep", "busy", "fax", "frames", "music", "on_the_line", "ringback", "silence", "sit",
    "speech", "tones",
]  # fmt: skip

Sound = NDArray[np.float64]

RATE: Final = 8000
_FRAME: Final = 160
_TIMEOUT_S: Final = 20.0


def speech(text: str, voice: str, *, speed: int, pitch: int) -> Sound:
    """As espeak-ng says it, without the silence at both ends, at a level of -20 dB below full scale."""
    try:
        done = subprocess.run(
            ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", text],
            capture_output=True, check=True, timeout=_TIMEOUT_S,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise BenchmarkError(f"espeak-ng said nothing for {voice}: {error}") from error
    with wave.open(io.BytesIO(done.stdout)) as file:
        rate = file.getframerate()
        pcm = np.frombuffer(file.readframes(1 << 30), dtype="<i2") / 32768
    sound = soxr.resample(pcm, rate, RATE)
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    if not len(loud):
        raise BenchmarkError(f"espeak-ng said nothing for {voice}")
    return _level(sound[loud[0] : loud[-1] + 1], -20.0)


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE))


def tones(hertz: Sequence[float], seconds: float, level_db: float = -16.0) -> Sound:
    at = np.arange(round(seconds * RATE)) / RATE
    return _level(sum((np.sin(2 * np.pi * each * at) for each in hertz), np.zeros(len(at))), level_db)


def beep(random: Random) -> Sound:
    return tones((random.choice((440, 800, 1000, 1050, 1400, 1800)),), random.uniform(0.15, 1.0))


def ringback(random: Random) -> Sound:
    """Of Europe, North America or the United Kingdom (ITU-T E.180 Supplement 2)."""
    kind = random.randrange(3)
    if kind == 0:
        return np.concatenate([tones((425,), 1.0), silence(4.0)] * 2)
    if kind == 1:
        return np.concatenate([tones((440, 480), 2.0), silence(4.0)] * 2)
    ring = [tones((400, 450), 0.4), silence(0.2), tones((400, 450), 0.4), silence(2.0)]
    return np.concatenate(ring * 3)


def busy(random: Random) -> Sound:
    hertz, length = random.choice((((425,), 0.5), ((480, 620), 0.5), ((480, 620), 0.25), ((425,), 0.25)))
    return np.concatenate([tones(hertz, length), silence(length)] * round(4 / length))


def sit(random: Random) -> Sound:
    first, second = random.choice((913.8, 950.0, 985.2)), random.choice((1370.6, 1400.0, 1428.5))
    return np.concatenate([tones((hertz,), 0.33) for hertz in (first, second, 1776.7)])


def fax(random: Random) -> Sound:
    """CED (ITU-T T.30): 2100 Hz for 2.6 to 4 s."""
    return tones((2100,), random.uniform(2.6, 4.0))


def music(random: Random, seconds: float = 8.0) -> Sound:
    """Chords of plucked tones, as a melody that waits for somebody."""
    sound = silence(seconds)
    at = 0.0
    while at < seconds - 0.5:
        root = random.choice((220.0, 246.9, 261.6, 293.7, 329.6, 392.0))
        chord = [root * step for step in (1, 1.25, 1.5, 2)]
        note = tones(chord, 0.8, -20.0)
        note *= np.exp(-np.arange(len(note)) / (0.35 * RATE))
        start = round(at * RATE)
        note = note[: len(sound) - start]
        sound[start : start + len(note)] += note
        at += random.choice((0.2, 0.4, 0.4))
    return sound


def on_the_line(
    sound: Sound, random: Random, *, level_db: float, snr_db: float | None, babble: bool
) -> Sound:
    """Quieter or louder, cut to the telephone's band, with noise of a room or of other people."""
    sound = sound * 10 ** ((level_db + 20) / 20)
    if snr_db is not None:
        generator = np.random.default_rng(random.getrandbits(32))
        noise = generator.standard_normal(len(sound))
        if babble:
            swell = np.abs(generator.standard_normal(len(sound) // 2000 + 2))
            noise *= np.interp(np.arange(len(sound)) / 2000, np.arange(len(swell)), 0.5 + 0.5 * swell)
        noise = np.convolve(noise, np.ones(3) / 3, "same")
        sound = sound + _level(noise, level_db - snr_db)
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum[(hertz < 250) | (hertz > 3500)] = 0
    return np.clip(np.fft.irfft(spectrum, len(sound)), -1.0, 1.0)


def frames(sound: Sound) -> list[bytes]:
    """Linear samples of 16 bits, 20 ms each."""
    pcm = (sound * 32767).astype("<i2").tobytes()
    return [pcm[at : at + 2 * _FRAME] for at in range(0, len(pcm) - 2 * _FRAME + 1, 2 * _FRAME)]


def _level(sound: Sound, level_db: float) -> Sound:
    """Scaled so that its mean power is at `level_db` below full scale."""
    power = float(np.sqrt(np.mean(sound**2))) or 1.0
    return sound * (10 ** (level_db / 20) / power)
