"""The detector on sounds by formula: what is a human, a machine, a beep, and what is none of them."""

import math
from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.voice.machine import LIMIT_S, LONG_S, QUIET_S, Detector
from connector.voice.tones import goertzel, tone_of
from protocols.rtp.g711 import PCMA, PCMU

RATE = 8000
Samples = list[int]


def tone(*hertz: float, seconds: float, peak: int = 8000) -> Samples:
    return [
        round(peak / len(hertz) * sum(math.sin(2 * math.pi * each * at / RATE) for each in hertz))
        for at in range(round(seconds * RATE))
    ]


def silence(seconds: float) -> Samples:
    return [0] * round(seconds * RATE)


def talk(seconds: float, random: Random, peak: int = 9000) -> Samples:
    """Noise in syllables: 160 ms loud, 60 ms nearly silent."""
    return [
        round(random.uniform(-peak, peak) * (1.0 if at % 1760 < 1280 else 0.02))
        for at in range(round(seconds * RATE))
    ]


def hear(
    samples: Samples,
    law: str = "PCMU",
    lost: Iterable[int] = (),
    noise: int = 0,
    random: Random | None = None,
) -> list[tuple[str, float]]:
    """All verdicts with their times, for a call of which these frames get lost."""
    random = random or Random(1)
    detector, told, gone = Detector(), [], set(lost)
    codec = PCMU if law == "PCMU" else PCMA
    if noise:
        samples = [sample + round(random.gauss(0, noise)) for sample in samples]
    for number in range(len(samples) // 160):
        if number in gone:
            continue
        part = samples[number * 160 : number * 160 + 160]
        pcm = b"".join(sample.to_bytes(2, "little", signed=True) for sample in part)
        verdict = detector.feed(codec.encode(pcm), law, (number + 1) * 0.02)
        if verdict is not None:
            told.append((verdict, (number + 1) * 0.02))
    return told


def verdicts(samples: Samples, **how: object) -> list[str]:
    return [verdict for verdict, _ in hear(samples, **how)]


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
@pytest.mark.parametrize("noise", [0, 40, 150])
def test_a_word_and_silence_is_a_human(random: Random, law: str, noise: int) -> None:
    said = silence(0.4) + talk(0.5, random) + silence(3.0)
    ((verdict, at),) = hear(said, law=law, noise=noise, random=random)
    assert verdict == "human"
    assert 0.9 + QUIET_S - 0.1 < at < 0.9 + QUIET_S + 0.1


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
@pytest.mark.parametrize("noise", [0, 40, 150])
def test_who_talks_on_is_a_machine(random: Random, law: str, noise: int) -> None:
    said = silence(0.4) + talk(4.0, random)
    ((verdict, at),) = hear(said, law=law, noise=noise, random=random)
    assert verdict == "machine"
    assert 0.4 + LONG_S - 0.2 < at < 0.4 + LONG_S + 0.2


def test_a_pause_does_not_make_a_human_of_a_greeting(random: Random) -> None:
    assert verdicts(talk(1.2, random) + silence(0.5) + talk(2.0, random)) == ["machine"]


def test_a_second_long_utterance_or_a_beep_corrects_the_verdict(random: Random) -> None:
    said = talk(0.8, random) + silence(1.5)
    assert verdicts(said + talk(3.0, random)) == ["human", "machine"]
    assert verdicts(said + tone(1000, seconds=0.4) + silence(0.5)) == ["human", "beep"]
    assert verdicts(said + talk(0.8, random) + silence(2.0)) == ["human"]


@pytest.mark.parametrize("level", [0, 1, 30])
def test_silence_and_steady_noise_stay_undecided(random: Random, level: int) -> None:
    assert verdicts(silence(LIMIT_S + 2), noise=level, random=random) == []


def test_a_click_is_no_utterance(random: Random) -> None:
    assert verdicts(silence(1.0) + talk(0.04, random) + silence(3.0)) == []


@pytest.mark.parametrize("hertz", [400, 425, 440, 600, 800, 950, 1000, 1004, 1400, 1800, 2000, 2100])
@pytest.mark.parametrize("seconds", [0.18, 0.4, 1.2])
def test_a_tone_after_speech_is_a_beep(random: Random, hertz: float, seconds: float) -> None:
    said = talk(3.0, random) + silence(0.4) + tone(hertz, seconds=seconds) + silence(1.0)
    told = hear(said)
    assert [verdict for verdict, _ in told] == ["machine", "beep"]
    assert 3.4 + seconds <= told[1][1] < 3.4 + seconds + 0.3


@pytest.mark.parametrize(("hertz", "seconds"), [(1000, 0.06), (300, 0.4), (3000, 0.4)])
def test_other_tones_are_no_beep(random: Random, hertz: float, seconds: float) -> None:
    assert "beep" not in verdicts(
        talk(1.0, random) + silence(0.4) + tone(hertz, seconds=seconds) + silence(1)
    )


def test_keys_in_the_band_are_no_beep(random: Random) -> None:
    assert "beep" not in verdicts(
        talk(1.0, random) + silence(0.4) + tone(697, 1209, seconds=0.3) + silence(1)
    )


RINGBACKS = {
    "Europe": (tone(425, seconds=1.0) + silence(4.0)) * 2,
    "North America": (tone(440, 480, seconds=2.0) + silence(4.0)) * 2,
    "United Kingdom": ((tone(400, 450, seconds=0.4) + silence(0.2)) * 2 + silence(1.8)) * 3,
}  # fmt: skip
NOBODY = {
    "busy, Europe": (tone(425, seconds=0.5) + silence(0.5)) * 5,
    "busy, North America": (tone(480, 620, seconds=0.5) + silence(0.5)) * 5,
    "congestion": (tone(480, 620, seconds=0.25) + silence(0.25)) * 8,
    "special information": tone(950, seconds=0.33) + tone(1400, seconds=0.33) + tone(1800, seconds=0.33),
    "fax": tone(2100, seconds=3.0),
}


@pytest.mark.parametrize("ringback", RINGBACKS.values(), ids=RINGBACKS)
def test_ringback_after_the_answer_is_nobody_yet(ringback: Samples, random: Random) -> None:
    assert verdicts(silence(0.3) + ringback) == []
    assert verdicts(silence(0.3) + ringback[: 3 * RATE] + talk(0.5, random) + silence(2)) == ["human"]


@pytest.mark.parametrize("sound", NOBODY.values(), ids=NOBODY)
def test_tones_that_no_human_gives_are_a_machine(sound: Samples) -> None:
    assert verdicts(silence(0.3) + sound + silence(0.5)) == ["machine"]


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
def test_lost_packets_change_nothing(random: Random, share: float) -> None:
    lost = [number for number in range(500) if random.random() < share]
    assert verdicts(talk(0.6, random) + silence(3.0), lost=lost) == ["human"]
    assert verdicts(talk(4.0, random), lost=lost) == ["machine"]
    greeting = talk(3.0, random) + silence(0.4) + tone(1000, seconds=0.6) + silence(1.0)
    assert verdicts(greeting, lost=lost) == ["machine", "beep"]


def test_silence_suppression_counts_as_silence(random: Random) -> None:
    said = talk(0.6, random) + silence(3.0)
    assert verdicts(said, lost=range(31, 120)) == ["human"]


def test_after_the_limit_only_beeps_are_told(random: Random) -> None:
    said = silence(LIMIT_S + 1) + talk(4.0, random) + silence(0.5) + tone(1000, seconds=0.4) + silence(0.5)
    assert verdicts(said) == ["beep"]


@given(st.lists(st.tuples(st.binary(max_size=400), st.sampled_from(["PCMU", "PCMA"])), max_size=60))
def test_any_octets_give_a_verdict_or_none(frames: list[tuple[bytes, str]]) -> None:
    detector = Detector()
    for number, (frame, law) in enumerate(frames):
        assert detector.feed(frame, law, number * 0.02) in (None, "human", "machine", "beep")


@given(st.floats(380, 2150), st.floats(0, 2 * math.pi), st.integers(300, 30000))
def test_a_pure_tone_is_measured(hertz: float, phase: float, peak: int) -> None:
    samples = [round(peak * math.sin(2 * math.pi * hertz * at / RATE + phase)) for at in range(160)]
    found = tone_of(samples)
    assert abs(found.hertz - hertz) < 0.04 * hertz
    assert found.share > 0.8
    assert goertzel(samples, hertz) > 0.9
    assert goertzel(samples, hertz + 500) < 0.05


def test_noise_and_silence_are_no_tone(random: Random) -> None:
    assert tone_of([0] * 160).share == 0.0
    assert tone_of([random.randint(-8000, 8000) for _ in range(160)]).share < 0.4
