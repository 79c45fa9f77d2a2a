"""What a callee can be heard saying: synthetic, or read from a file. All of it 16-bit PCM at 8 kHz.

The voice is no speech but behaves like it on the line: voiced syllables of 120 to 260 ms with a gliding
pitch and formants, pauses between them and longer ones between phrases.
"""

from __future__ import annotations

import functools
import math
import random
import wave
from array import array
from pathlib import Path

RATE = 8000
NAMED = ("none", "hello", "voicemail", "announcement", "ringback")

_PEAK = 9000
_TONE_PEAK = 6000
_PERIOD = 1024
_FORMANTS = ((550.0, 180.0, 1.0), (1400.0, 250.0, 0.5), (2500.0, 300.0, 0.25))
_RINGBACK_HZ, _RINGBACK_ON_S, _RINGBACK_OFF_S = 425.0, 1.0, 4.0
_ANNOUNCEMENT_S = 4.0
_SIT_HZ = (950.0, 1400.0, 1800.0)  # special information tone, ITU-T E.180 §7
_SIT_S = 0.33
_EDGE = RATE // 200


def check_sound(name: str) -> None:
    """Raises ValueError unless `name` is one of NAMED or a WAV file that can be played."""
    if name not in NAMED:
        read_wav(name)


def read_wav(path: str) -> bytes:
    """The samples of a WAV file, 8 kHz, 16 bits, mono. Raises ValueError."""
    try:
        with wave.open(str(Path(path)), "rb") as file:
            form = (file.getframerate(), file.getsampwidth(), file.getnchannels())
            samples = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise ValueError(f"{path!r} is not one of {', '.join(NAMED)}, nor a WAV file: {error}") from None
    if form != (RATE, 2, 1):
        raise ValueError(f"{path!r} must be a WAV file of 8000 Hz, 16 bits, mono")
    return samples


def greeting(name: str, voicemail_s: float, beep_hz: int, beep_s: float) -> bytes:
    """What is said by this name; the last three matter to `voicemail` alone. Raises ValueError."""
    if name == "none":
        return b""
    if name == "hello":
        return _hello()
    if name == "announcement":
        return announcement()
    if name == "ringback":
        return ringback()
    if name == "voicemail":
        beep = silence(0.3) + tone(beep_hz, beep_s) if beep_hz else b""
        return voice(voicemail_s, seed=2) + beep
    return read_wav(name)


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


@functools.lru_cache(maxsize=16)
def tone(hertz: float, seconds: float) -> bytes:
    """A sine without clicks at its ends."""
    count = round(seconds * RATE)
    step = 2 * math.pi * hertz / RATE
    samples = array("h", (int(_TONE_PEAK * math.sin(step * n)) for n in range(count)))
    for n in range(min(_EDGE, count // 2)):
        for place in (n, count - 1 - n):
            samples[place] = samples[place] * n // _EDGE
    return samples.tobytes()


def ringback() -> bytes:
    """One ring and the pause behind it."""
    return tone(_RINGBACK_HZ, _RINGBACK_ON_S) + silence(_RINGBACK_OFF_S)


def announcement() -> bytes:
    """Three rising tones, then words: a network that explains why the call fails."""
    return b"".join(tone(hertz, _SIT_S) for hertz in _SIT_HZ) + voice(_ANNOUNCEMENT_S, seed=3)


@functools.lru_cache(maxsize=16)
def voice(seconds: float, seed: int) -> bytes:
    """Words for so long: phrases of syllables, the same ones every time."""
    rng = random.Random(seed)
    samples = array("h")
    while len(samples) < seconds * RATE:
        for _ in range(rng.randint(4, 9)):
            samples.extend(_syllable(rng, rng.uniform(0.12, 0.26)))
            samples.frombytes(silence(rng.uniform(0.02, 0.07)))
        samples.frombytes(silence(rng.uniform(0.2, 0.35)))
    return samples[: round(seconds * RATE)].tobytes()


@functools.lru_cache(maxsize=1)
def _hello() -> bytes:
    rng = random.Random(1)
    return b"".join(
        (_syllable(rng, 0.18).tobytes(), silence(0.03), _syllable(rng, 0.32).tobytes(), silence(0.1))
    )


def _syllable(rng: random.Random, seconds: float) -> array[int]:
    """A voiced syllable: the pitch falls, the formants glide from one vowel to another, and the loudness
    rises fast and falls slowly.
    """
    count = round(seconds * RATE)
    pitch = rng.uniform(105, 150)
    first = _glottal(round(pitch), round(rng.uniform(0.6, 0.9), 1))
    second = _glottal(round(pitch), round(rng.uniform(1.0, 1.5), 1))
    if rng.random() < 0.5:
        first, second = second, first
    loudness = _PEAK * rng.uniform(0.6, 1.0)
    samples = array("h", bytes(2 * count))
    phase = 0.0
    for n in range(count):
        place = n / count
        envelope = min(1.0, place * 8) * min(1.0, (1 - place) * 2.5)
        at = int(phase) % _PERIOD
        samples[n] = int(loudness * envelope * (first[at] * (1 - place) + second[at] * place))
        phase += pitch * (1 - 0.15 * place) * _PERIOD / RATE
    return samples


@functools.lru_cache(maxsize=256)
def _glottal(pitch: int, shift: float) -> list[float]:
    """One period of a voice whose formants are moved by `shift`; the peak is 1."""
    harmonics = range(1, 3400 // pitch)
    weights = [
        sum(
            gain * math.exp(-(((pitch * k - hertz * shift) / width) ** 2)) for hertz, width, gain in _FORMANTS
        )
        + 0.3 / k
        for k in harmonics
    ]
    step = 2 * math.pi / _PERIOD
    wave_ = [
        sum(weight * math.sin(step * k * n) for k, weight in zip(harmonics, weights, strict=True))
        for n in range(_PERIOD)
    ]
    peak = max(map(abs, wave_))
    return [sample / peak for sample in wave_]
