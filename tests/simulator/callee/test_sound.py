import io
import itertools
import random
import wave
from array import array
from typing import Literal, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.simulator.callee import sounds
from connector.simulator.callee.disorder import Disorder
from connector.simulator.callee.ear import Ear
from connector.simulator.callee.recording import Recording
from connector.voice.machine import Detector
from protocols.rtp.g711 import PCMA, PCMU, Law

FRAME = 160


def frames(samples: int = FRAME, count: int = 50) -> list[bytes]:
    """Frames that can be told apart: each sample is its own number."""
    return [array("h", range(n * samples + 1, (n + 1) * samples + 1)).tobytes() for n in range(count)]


@given(
    start=st.integers(0, 2**32 - 1),
    lost=st.sets(st.integers(1, 48), max_size=20),
    seed=st.integers(0, 2**16),
)
def test_what_is_lost_or_out_of_order_does_not_move_the_rest(start: int, lost: set[int], seed: int) -> None:
    packets = [(n, frame) for n, frame in enumerate(frames()) if n not in lost]
    tail = packets[1:]
    random.Random(seed).shuffle(tail)
    recording = Recording(10)
    for n, frame in [packets[0], *tail, *tail[:3]]:
        recording.place(7, (start + n * FRAME) % 2**32, frame, now=n * 0.02)
    heard = array("h", recording.pcm)
    for n, frame in enumerate(frames()):
        expected = array("h", bytes(2 * FRAME) if n in lost else frame)
        assert heard[n * FRAME : (n + 1) * FRAME] == expected


def test_another_source_or_another_clock_goes_on_where_the_time_is() -> None:
    recording = Recording(10)
    one, two = frames()[1], frames()[2]
    recording.place(1, 1000, one, now=50.0)
    recording.place(2, 77, two, now=51.0)
    recording.place(2, 77 + 10**9, one, now=52.0)
    heard = recording.pcm
    assert heard[: len(one)] == one
    assert heard[16000 : 16000 + len(two)] == two
    assert heard[32000:] == one


def test_a_recording_has_an_end() -> None:
    recording = Recording(0.05)
    for n, frame in enumerate(frames()):
        recording.place(1, n * FRAME, frame, now=n * 0.02)
    assert recording.seconds == 0.05
    recording.place(1, 0xFFFFFF00, frames()[0], now=0.1)  # from before the first one
    assert recording.seconds == 0.05
    with wave.open(io.BytesIO(recording.wav())) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert file.readframes(1000) == recording.pcm


@pytest.mark.parametrize("law", [PCMU, PCMA])
def test_the_ear_hears_speech_and_the_silence_behind_it(law: Law) -> None:
    ear = Ear()
    now = 0.0

    def hear(pcm: bytes) -> None:
        nonlocal now
        for at in range(0, len(pcm), 2 * FRAME):
            ear.hear(law.encode(pcm[at : at + 2 * FRAME]), law.name, now)
            now += 0.02

    hear(sounds.silence(1))
    assert ear.quiet_s(now) is None
    hear(sounds.voice(2, seed=5))
    quiet = ear.quiet_s(now)
    assert quiet is not None and quiet < 0.5
    hear(sounds.silence(1))
    quiet = ear.quiet_s(now)
    assert quiet is not None and quiet >= 1
    ear.forget()
    assert ear.quiet_s(now) is None


@pytest.mark.parametrize("name", sounds.NAMED)
def test_every_sound_is_loud_enough_and_does_not_clip(name: str) -> None:
    samples = array("h", sounds.greeting(name, 3.0, 1000, 0.4))
    if name == "none":
        assert not samples
    else:
        assert 3000 < max(samples) < 20000
        assert -20000 < min(samples) < -3000


def test_voicemail_is_words_a_pause_and_the_beep() -> None:
    said = sounds.greeting("voicemail", 3.0, 1000, 0.4)
    assert len(said) == 2 * round(8000 * (3.0 + 0.3 + 0.4))
    beep = array("h", said[-2 * 3200 :])
    crossings = sum(1 for a, b in itertools.pairwise(beep) if a < 0 <= b)
    assert crossings == pytest.approx(400, abs=3)  # 1000 Hz for 0.4 s
    assert sounds.greeting("voicemail", 3.0, 0, 0.4) == said[: 2 * 24000]


@pytest.mark.parametrize("law", [PCMU, PCMA])
@pytest.mark.parametrize(
    ("name", "verdicts"),
    [("hello", ["human"]), ("voicemail", ["machine", "beep"]), ("announcement", ["machine"]), ("none", [])],
)
def test_who_listens_for_machines_takes_each_for_what_it_is(law: Law, name: str, verdicts: list[str]) -> None:
    detector = Detector()
    line = law.encode(sounds.silence(0.3) + sounds.greeting(name, 4.0, 1000, 0.4) + sounds.silence(3))
    told = [
        detector.feed(line[at : at + FRAME], cast(Literal["PCMU", "PCMA"], law.name), at / 8000)
        for at in range(0, len(line), FRAME)
    ]
    assert [verdict for verdict in told if verdict] == verdicts


def test_disorder_is_repeatable_and_as_frequent_as_asked_for() -> None:
    def run(**shares: float) -> tuple[list[int], Disorder[int]]:
        disorder: Disorder[int] = Disorder(
            random.Random(3), **{"drop": 0, "duplicate": 0, "reorder": 0} | shares
        )
        return [arrived for n in range(4000) for arrived in disorder.passed(n)], disorder

    assert run()[0] == list(range(4000))
    arrived, disorder = run(drop=0.1)
    assert 320 < disorder.dropped < 480 and len(arrived) == 4000 - disorder.dropped
    arrived, disorder = run(duplicate=0.1)
    assert len(arrived) == 4000 + disorder.duplicated and 320 < disorder.duplicated < 480
    arrived, disorder = run(reorder=0.1)
    assert arrived != sorted(arrived) and set(range(3999)) <= set(arrived)
    assert run(drop=0.1, reorder=0.2)[0] == run(drop=0.1, reorder=0.2)[0]
