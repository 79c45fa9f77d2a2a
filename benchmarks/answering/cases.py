"""One labelled call after another, reproducible by a seed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Final, Literal, NamedTuple

import numpy as np

from benchmarks.answering import sounds
from benchmarks.answering.lines import LANGUAGES, Spoken
from benchmarks.answering.sounds import Sound
from connector.voice.machine import Detector, Verdict
from protocols.rtp.g711 import PCMA, PCMU

__all__ = ["Case", "Heard", "Label", "cases", "hear"]

Label = Literal["human", "office", "machine", "nobody"]

_SENTENCES: Final = re.compile(r"[^.।]+[.।]")

# The engine's voice variants, apart for tuning and report.
_VARIANTS: Final = (
    ("m1", "m3", "f1", "f3", "Andy", "Alicia", "klatt", "linda"),
    ("m2", "m7", "f2", "f4", "Gene", "Annie", "Lee", "steph"),
)
_NOBODY: Final = {
    "silence": lambda random: sounds.silence(8.0),
    "ringback": sounds.ringback,
    "music": sounds.music,
    "busy": sounds.busy,
    "special information tone": sounds.sit,
    "fax": sounds.fax,
}


class Case(NamedTuple):
    """`kind` says what it is within its label; `beep_at` is where a beep ends, in seconds from the answer."""

    label: Label
    kind: str
    language: str
    sound: Sound
    speech_at: float
    beep_at: float | None
    loss: float
    law: Literal["PCMU", "PCMA"]
    snr_db: float | None
    seed: int


class Heard(NamedTuple):
    """`first` is the first verdict, `last` the newest before any beep; times are seconds from the answer."""

    first: Verdict | None
    first_at: float
    last: Verdict | None
    beep_at: float | None


def cases(seed: int, half: Literal[0, 1], each: int) -> Iterator[Case]:
    """`each` humans and as many machines a language, and some calls with nobody on the line."""
    random = Random(f"{seed} {half}")
    for language in LANGUAGES:
        for _ in range(each):
            yield _human(language, half, random)
            yield _machine(language, half, random)
            if language.office:
                yield _office(language, half, random)
    for kind, make in _NOBODY.items():
        for _ in range(each):
            sound = np.concatenate([sounds.silence(random.uniform(0.1, 1.0)), make(random)])
            yield _case("nobody", kind, "", sound, 0.0, None, random)


def _human(language: Spoken, half: int, random: Random) -> Case:
    """Says a word or two; some say it again when they hear nothing they answer to."""
    said = _said(random.choice(language.human[half::2]), language, half, random)
    lead = random.uniform(0.1, 1.5)
    parts = [sounds.silence(lead), said, sounds.silence(random.uniform(1.5, 3.5))]
    again = random.random() < 0.3
    if again:
        parts += [said, sounds.silence(3.0)]
    parts.append(sounds.silence(3.0))
    kind = "twice" if again else "once"
    return _case("human", kind, language.voice, np.concatenate(parts), lead, None, random)


def _office(language: Spoken, half: int, random: Random) -> Case:
    """A human who says a sentence before he waits: nothing in the sound's shape tells him from a machine."""
    said = _said(random.choice(language.office[half::2]), language, half, random)
    lead = random.uniform(0.1, 1.5)
    sound = np.concatenate([sounds.silence(lead), said, sounds.silence(5.0)])
    return _case("office", "once", language.voice, sound, lead, None, random)


def _machine(language: Spoken, half: int, random: Random) -> Case:
    """Sentence by sentence, some with long pauses, then its beep."""
    text = random.choice(language.greeting[half::2])
    lead, speed, pitch = random.uniform(0.1, 1.5), random.randint(130, 190), random.randint(30, 70)
    voice = f"{language.voice}+{random.choice(_VARIANTS[half])}"
    parts = [sounds.silence(lead)]
    for sentence in _SENTENCES.findall(text):
        parts.append(sounds.speech(sentence, voice, speed=speed, pitch=pitch))
        longest = 1.2 if random.random() < 0.25 else 0.6
        parts.append(sounds.silence(random.uniform(0.2, longest)))
    parts += [sounds.beep(random)]
    beep_at = sum(map(len, parts)) / sounds.RATE
    parts.append(sounds.silence(3.0))
    return _case("machine", "greeting", language.voice, np.concatenate(parts), lead, beep_at, random)


def _said(text: str, language: Spoken, half: int, random: Random) -> Sound:
    voice = f"{language.voice}+{random.choice(_VARIANTS[half])}"
    return sounds.speech(text, voice, speed=random.randint(130, 190), pitch=random.randint(30, 70))


def _case(
    label: Label,
    kind: str,
    language: str,
    sound: Sound,
    speech_at: float,
    beep_at: float | None,
    random: Random,
) -> Case:
    snr = random.choice((None, 30.0, 20.0, 15.0, 10.0))
    line = sounds.on_the_line(
        sound, random, level_db=random.uniform(-34.0, -16.0), snr_db=snr, babble=random.random() < 0.4
    )
    law: Literal["PCMU", "PCMA"] = random.choice(("PCMU", "PCMA"))
    loss = random.choice((0.0, 0.0, 0.02, 0.05))
    return Case(label, kind, language, line, speech_at, beep_at, loss, law, snr, random.getrandbits(32))


def hear(case: Case) -> Heard:
    """Play a case to a new detector, with its loss and with packets that come some milliseconds late."""
    detector, random = Detector(), Random(case.seed)
    encode = (PCMU if case.law == "PCMU" else PCMA).encode
    heard = Heard(None, 0.0, None, None)
    for number, pcm in enumerate(sounds.frames(case.sound)):
        if random.random() < case.loss:
            continue
        now = (number + 1) * 0.02 + random.uniform(0.0, 0.01)
        told = detector.feed(encode(pcm), case.law, now)
        if told is None:
            continue
        if heard.first is None:
            heard = Heard(told, now, told, None)
        if told == "beep":
            return heard._replace(beep_at=now)
        heard = heard._replace(last=told)
    return heard
