"""Does a human or an answering machine take the call? Heuristics on what comes in, 20 ms at a time.

A human says a word or two and waits; a machine talks on, then beeps. The error rates are measured by
`python -m benchmarks machine`; no such detector is free of errors, so that only a key that was pressed (the
script's gate) keeps a code off a machine for certain.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, Literal

from connector.voice.cadence import Cadence
from connector.voice.tones import tone_of
from protocols.rtp.g711 import PCMA, PCMU, Law

__all__ = ["Detector", "Verdict"]

Verdict = Literal["human", "machine", "beep"]

LONG_S: Final = 2.0
"""A first utterance of this length is a machine's greeting."""

QUIET_S: Final = 1.1
"""Silence of this length after a shorter utterance is a human's who waits for an answer."""

PAUSE_S: Final = 0.6
"""A shorter silence does not end an utterance."""

TALK_S: Final = 3.0
"""So much speech in several utterances is a machine's as well."""

SHORTEST_S: Final = 0.1
"""Less is a click and no utterance."""

LIMIT_S: Final = 10.0
"""After this, only beeps and the like are told."""

_TALKED_S: Final = 0.8
_FULL: Final = 255.0
_ABOVE_NOISE: Final = 1.7
_QUIETEST: Final = 12.0  # about -53 dB below full scale
_NOISE_MEMORY: Final = 75
_STEADY: Final = 0.08
_PURE: Final = 0.8


def _levels(law: Law) -> bytes:
    """Octet → square root of its sample's magnitude, so that one octet holds quiet and loud ones."""
    return bytes(round(_FULL * math.sqrt(min(abs(sample) / 32768, 1.0))) for sample in law.samples)


_LEVELS: Final = {"PCMU": _levels(PCMU), "PCMA": _levels(PCMA)}
_SIGNS: Final = {law.name: bytes(sample > 0 for sample in law.samples) for law in (PCMU, PCMA)}
_SAMPLES: Final = {law.name: law.samples for law in (PCMU, PCMA)}


class Detector:
    """Feed it every frame of the callee from the answer on; each new verdict is given once.

    human    a short utterance, then silence
    machine  a long one, or tones that no telephone with a human behind it gives (SIT, busy, fax)
    beep     the tone after which a machine records has just ended; may come without `machine` before

    A human whose next utterance is long, or is followed by a beep, was a machine: that verdict is changed.
    Silence, ringback and single clicks leave it undecided. Times are taken from `now` (monotonic seconds), so
    that lost packets and those held back by silence suppression count as the time they would have filled.
    """

    def __init__(self) -> None:
        self.verdict: Verdict | None = None
        self._cadence = Cadence()
        self._noise: deque[float] = deque(maxlen=_NOISE_MEMORY)
        self._level = 0.0
        self._crossings = 0
        self._began: float | None = None
        self._at = 0.0
        self._frame_s = 0.0
        self._first: float | None = None
        self._last = 0.0
        self._voiced_s = 0.0
        self._talk_s = 0.0

    def feed(self, frame: bytes, codec: Literal["PCMU", "PCMA"], now: float) -> Verdict | None:
        """One packet's payload; a verdict when there is a new one."""
        if not frame:
            return None
        if self._began is None:
            self._began = now
        self._at = now
        self._frame_s = len(frame) / 8000
        level = sum(frame.translate(_LEVELS[codec])) / len(frame)
        crossings = frame.translate(_SIGNS[codec]).count(b"\0\1")
        self._noise.append(level)
        hertz = self._tone(frame, codec, level, crossings)
        self._level, self._crossings = level, crossings
        talked = self._talk_s >= _TALKED_S
        told: Verdict | None = self._cadence.feed(
            hertz, level > _QUIETEST, crossings, talked, now, self._frame_s
        )
        if told is None and now - self._began <= LIMIT_S:
            told = self._judge(hertz is not None or self._cadence.tonal, level)
        if told is None or told == self.verdict or (told == "human" and self.verdict is not None):
            return None
        self.verdict = told
        return told

    def _tone(self, frame: bytes, codec: str, level: float, crossings: int) -> float | None:
        """The frequency of a pure tone; measured only where two frames are alike, for it takes a while."""
        if level < _QUIETEST or abs(level - self._level) > _STEADY * level:
            return None
        if abs(crossings - self._crossings) > 1:
            return None
        tone = tone_of([_SAMPLES[codec][octet] for octet in frame])
        return tone.hertz if tone.share >= _PURE else None

    def _judge(self, tonal: bool, level: float) -> Verdict | None:
        if tonal:
            self._first = None
            self._voiced_s = 0.0
            return None
        voiced = level > max(_QUIETEST, _ABOVE_NOISE * min(self._noise))
        now = self._at
        if self._first is not None and now - self._last > PAUSE_S and self._voiced_s < SHORTEST_S:
            self._first = None
        if voiced:
            if self._first is None or now - self._last > PAUSE_S:
                self._first = now - self._frame_s
                self._voiced_s = 0.0
            self._last = now
            self._voiced_s += self._frame_s
            self._talk_s += self._frame_s
            if now - self._first >= LONG_S or (self.verdict is None and self._talk_s >= TALK_S):
                return "machine"
        elif self._first is not None and now - self._last >= QUIET_S:
            return "human"
        return None
