"""The ear: codes in recordings, under noise and loss, and those that were never said."""

from collections.abc import Mapping
from itertools import cycle
from random import Random

import numpy as np
import pytest

from connector.segments import Text
from connector.voice.audio import Audio
from connector.voice.speech import SpokenCode
from connector.voice.speech.code import spoken_code
from connector.voice.speech.engines.espeak import Espeak
from connector.voice.speech.hearing import CERTAIN_SCORE, HeardCode, hear
from connector.voice.speech.names import PACES, Pace, vocabulary
from connector.voice.speech.speaker import Speaker
from connector.voice.speech.wire import Speak
from protocols.rtp.g711 import PCMA, PCMU

LANGUAGES = ("en", "de", "fr", "hi", "ar", "ru", "ko", "tr")
FRAME = 160


class Spoken:
    """What one engine says: digits by language and pace, also as the ear wants them; codes by language."""

    def __init__(self) -> None:
        self.digits: dict[tuple[str, str], Mapping[str, Audio]] = {}
        self.prompts: dict[tuple[str, str], dict[str, bytes]] = {}
        self.greetings: dict[str, Audio] = {}
        self.codes: dict[tuple[str, str], SpokenCode] = {}


class Voice:
    """The engine in this process, as a worker has it. What it has said once it says again."""

    def __init__(self, engine: Espeak) -> None:
        self._speaker = Speaker(engine, None)
        self._said: dict[tuple[str, str, str], Audio] = {}

    def say(self, language: str, text: str, pace: Pace = "normal") -> Audio:
        key = (language, text, pace)
        if key not in self._said:
            self._said[key] = self._speaker.speak(Speak(1, language, (Text(text),), pace))
        return self._said[key]

    def spoken(self, codes: list[tuple[str, str]]) -> Spoken:
        found = Spoken()
        for language in dict.fromkeys(language for language, _ in codes):
            words = vocabulary(language).words
            for pace in PACES:
                digits = {str(at): self.say(language, word, pace) for at, word in enumerate(words)}
                found.digits[language, pace] = digits
                found.prompts[language, pace] = prompts(digits)
            found.greetings[language] = self.say(language, "1 2 3 4 5 6 7 8 9")
        for language, code in codes:
            again = self.say(language, vocabulary(language).phrases["again"])
            digits_of = {pace: found.digits[language, pace] for pace in PACES}
            found.codes[language, code] = spoken_code(code, digits_of, again)
        return found


@pytest.fixture(scope="module")
def voice(espeak: Espeak) -> Voice:
    return Voice(espeak)


def prompts(digits: Mapping[str, Audio]) -> dict[str, bytes]:
    return {digit: PCMU.decode(audio.pcmu) for digit, audio in digits.items()}


def lossy(pcm: bytes, random: Random, share: float) -> bytes:
    """As a receiver has it that plays nothing for what did not come: at an offset of its own."""
    octets = bytearray(bytes(2 * random.randrange(4000)) + pcm)
    for start in range(0, len(octets), 2 * FRAME):
        if random.random() < share:
            octets[start : start + 2 * FRAME] = bytes(len(octets[start : start + 2 * FRAME]))
    return bytes(octets)


def noisy(pcm: bytes, random: Random, snr_db: float) -> bytes:
    """White noise, `snr_db` under the speech."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    loud = samples[np.abs(samples) > 100]
    noise = np.random.default_rng(random.getrandbits(32)).normal(size=samples.size)
    noise *= np.sqrt(np.mean(loud**2)) * 10 ** (-snr_db / 20)
    return np.clip(samples + noise, -32_768, 32_767).astype("<i2").tobytes()


def codes_of(random: Random, count: int, digits: int = 6) -> list[tuple[str, str]]:
    return [
        (LANGUAGES[at % len(LANGUAGES)], "".join(random.choice("0123456789") for _ in range(digits)))
        for at in range(count)
    ]


def heard(
    pcm: bytes, spoken_by: Spoken, language: str, length: int, pace: str = "normal"
) -> HeardCode | None:
    return hear(pcm, spoken_by.prompts[language, pace], length)


@pytest.mark.rule("speech.heard", "speech.heard-wrong")
@pytest.mark.parametrize("damage", ["loss", "noise"])
def test_thirty_of_thirty_and_no_wrong_one(damage: str, random: Random, voice: Voice) -> None:
    """After one law and the other; speech lies before and after, digits among it; of each recording, 16 other
    codes are asked.
    """
    codes = codes_of(random, 30)
    said = voice.spoken(codes)
    accepted_wrong = 0
    for (language, code), law in zip(codes, cycle((PCMU, PCMA, PCMA)), strict=False):
        greeting = said.greetings[language]
        parts = [greeting, said.codes[language, code], greeting]
        pcm = law.decode(b"".join(octets for part in parts for octets in part.pieces(law.name)))
        damaged = lossy(pcm, random, 0.05) if damage == "loss" else noisy(pcm, random, 10)
        result = heard(law.decode(law.encode(damaged)), said, language, 6)
        assert result is not None
        assert (result.code, result.certain) == (code, True), (language, result)
        wrong = {_like(code, random) for _ in range(16)}
        accepted_wrong += sum(result.certain and result.code == other for other in wrong)
    assert accepted_wrong == 0


@pytest.mark.rule("speech.heard-wrong")
def test_480_recordings_of_something_else(random: Random, voice: Voice) -> None:
    """What was said differs from the code in one digit, in the order of two, or in everything."""
    codes = codes_of(random, 32, digits=4)
    said = voice.spoken(codes)
    accepted = 0
    for language, code in codes:
        digits = said.prompts[language, "normal"]
        gap = bytes(2 * round(0.26 * 8000))
        for _ in range(15):
            other = _like(code, random)
            pcm = lossy(b"".join(digits[digit] + gap for digit in other), random, 0.05)
            result = heard(pcm, said, language, 4)
            accepted += result is not None and result.certain and result.code == code
    assert accepted == 0


def test_both_readings_are_heard_where_they_are(random: Random, voice: Voice) -> None:
    codes = codes_of(random, 8)
    said = voice.spoken(codes)
    for language, code in codes:
        audio = said.codes[language, code]
        for pace, (start, end) in zip(("normal", "slow"), audio.readings, strict=True):
            result = heard(PCMA.decode(audio.pcma), said, language, 6, pace)
            assert result is not None
            assert result.code == code
            assert result.score > 0.97
            assert abs(result.start_s - start) < 0.01
            assert abs(result.end_s - end) < 0.01


@pytest.mark.rule("speech.heard-wrong")
def test_no_code_is_heard_where_none_is(random: Random, voice: Voice) -> None:
    said = voice.spoken([(language, "482917") for language in LANGUAGES])
    noise = np.random.default_rng(random.getrandbits(32)).normal(0, 3000, 40_000).astype("<i2").tobytes()
    for language in LANGUAGES:
        for other in (language, *LANGUAGES[:3]):
            speech = PCMU.decode(said.greetings[other].pcmu)
            result = heard(speech, said, language, 6)
            assert result is None or not result.certain, (language, other, result)
        result = heard(noise, said, language, 6)
        assert result is None or not result.certain
        foreign = LANGUAGES[(LANGUAGES.index(language) + 1) % len(LANGUAGES)]
        result = heard(PCMU.decode(said.codes[foreign, "482917"].pcmu), said, language, 6)
        assert result is None or not result.certain, (language, foreign, result)


def test_small_cases(voice: Voice) -> None:
    said = voice.spoken([("en", "7")])
    digits = prompts(said.digits["en", "normal"])
    assert hear(b"", digits, 1) is None
    assert hear(bytes(16_000), digits, 4) is None
    assert hear(digits["7"], digits, 2) is None
    alone = hear(digits["7"], digits, 1)
    assert alone is not None
    assert alone.code == "7"
    assert alone.score > CERTAIN_SCORE
    with pytest.raises(ValueError, match="at least one digit"):
        hear(b"", digits, 0)


def _like(code: str, random: Random) -> str:
    """Another code: one digit changed, two neighbours changed over, or anything."""
    while True:
        at = random.randrange(len(code) - 1)
        kind = random.randrange(3)
        if kind == 0:
            other = code[:at] + random.choice("0123456789") + code[at + 1 :]
        elif kind == 1:
            other = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
        else:
            other = "".join(random.choice("0123456789") for _ in code)
        if other != code:
            return other
