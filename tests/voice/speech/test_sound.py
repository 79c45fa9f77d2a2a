"""From an engine's sound to the telephone's."""

import numpy as np
import pytest

from connector.voice.speech.engines import Pcm
from connector.voice.speech.engines.espeak import Espeak
from connector.voice.speech.errors import EngineError
from connector.voice.speech.names import languages, vocabulary
from connector.voice.speech.sound import encoded, loudness_dbov, telephone
from connector.voice.speech.timing import LOUDNESS_DBOV
from protocols.rtp.g711 import PCMA, PCMU

RATE = 22_050


def tone(*hertz: float, seconds: float = 1.0, level: float = 0.1) -> Pcm:
    at = np.arange(round(seconds * RATE)) / RATE
    wave = sum(level * np.sin(2 * np.pi * each * at) for each in hertz)
    return Pcm((wave * 32_767).astype("<i2").tobytes(), RATE)


def power_at(sound: np.ndarray, hertz: float) -> float:
    """In dB of the whole."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size))) ** 2
    bins = np.fft.rfftfreq(sound.size, 1 / 8000)
    near = spectrum[np.abs(bins - hertz) < 20].sum()
    return float(10 * np.log10(near / spectrum.sum() + 1e-20))


def test_only_the_telephone_band_passes() -> None:
    sound = telephone(tone(100, 1000, 3800, 6000), LOUDNESS_DBOV)
    assert power_at(sound, 1000) > -0.1
    assert power_at(sound, 100) < -30
    assert power_at(sound, 3800) < -40
    # What an engine has over 4,000 Hz would come back as 2,000 if it were not filtered first.
    assert power_at(sound, 2000) < -40
    both = telephone(tone(400, 3200), LOUDNESS_DBOV)
    assert abs(power_at(both, 400) - power_at(both, 3200)) < 1


@pytest.mark.parametrize("level", [0.01, 0.1, 0.9])
def test_everything_is_equally_loud(level: float) -> None:
    assert abs(loudness_dbov(telephone(tone(1000, level=level), LOUDNESS_DBOV)) - LOUDNESS_DBOV) < 0.5


def test_pauses_do_not_count_as_quiet() -> None:
    loud = np.frombuffer(tone(1000).samples, "<i2")
    with_pause = Pcm(np.concatenate([loud, np.zeros(RATE * 2, "<i2"), loud]).tobytes(), RATE)
    sound = telephone(with_pause, LOUDNESS_DBOV)
    assert abs(loudness_dbov(sound) - LOUDNESS_DBOV) < 0.5
    assert abs(sound.size / 8000 - 4) < 0.05


def test_silence_at_the_ends_goes_and_edges_are_soft() -> None:
    loud = np.frombuffer(tone(1000, seconds=0.5).samples, "<i2")
    padded = Pcm(np.concatenate([np.zeros(RATE, "<i2"), loud, np.zeros(RATE, "<i2")]).tobytes(), RATE)
    sound = telephone(padded, LOUDNESS_DBOV)
    assert 0.49 < sound.size / 8000 < 0.55
    assert abs(sound[0]) < 0.001 > abs(sound[-1])


def test_a_click_cannot_drive_it_over_the_top() -> None:
    samples = np.frombuffer(tone(1000, level=0.02).samples, "<i2").copy()
    samples[RATE // 2 : RATE // 2 + 40] = 30_000
    assert np.abs(telephone(Pcm(samples.tobytes(), RATE), LOUDNESS_DBOV)).max() <= 0.9


@pytest.mark.parametrize("samples", [b"", bytes(2000)])
def test_no_sound_is_an_error(samples: bytes) -> None:
    with pytest.raises(EngineError, match="the engine gave"):
        telephone(Pcm(samples, RATE), LOUDNESS_DBOV)


def test_both_laws_are_those_of_the_tables() -> None:
    sound = telephone(tone(700), LOUDNESS_DBOV)
    audio = encoded(sound)
    pcm = np.round(sound * 32_767).astype("<i2").tobytes()
    assert audio.pcmu == PCMU.encode(pcm)
    assert audio.pcma == PCMA.encode(pcm)


@pytest.mark.parametrize("language", languages())
def test_every_digit_can_be_heard(language: str, espeak: Espeak) -> None:
    """Neither silent, clipped, nor cut: in each language, at both paces, the second one longer."""
    for word in vocabulary(language).words:
        normal = telephone(espeak.speak(word, language, "normal"), LOUDNESS_DBOV)
        slow = telephone(espeak.speak(word, language, "slow"), LOUDNESS_DBOV)
        for sound in (normal, slow):
            assert 0.12 < sound.size / 8000 < 1.6, sound.size / 8000
            assert abs(loudness_dbov(sound) - LOUDNESS_DBOV) < 4
            assert 0.1 < np.abs(sound).max() <= 0.9
        assert slow.size > 1.08 * normal.size


def test_slower_keeps_the_pitch(espeak: Espeak) -> None:
    """The first peak of the autocorrelation of a long vowel."""
    pitches = []
    for pace in ("normal", "slow"):
        sound = telephone(espeak.speak("aaaa", "it", pace), LOUDNESS_DBOV)
        middle = sound[sound.size // 3 : sound.size // 3 + 1600]
        correlation = np.correlate(middle, middle, "full")[middle.size :]
        pitches.append(8000 / (np.argmax(correlation[30:160]) + 31))
    assert abs(pitches[0] - pitches[1]) / pitches[0] < 0.15, pitches
