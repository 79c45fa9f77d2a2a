"""One request of the daemon to sound: what the worker process does, apart from reading and writing."""

from __future__ import annotations

import numpy as np

from connector.segments import Text
from connector.voice.audio import SAMPLE_RATE, Audio

from .engines import Engine
from .engines.recordings import Recordings
from .errors import RenderError
from .names import Pace, match, narrowed, vocabulary
from .render.pieces import Piece, SayDigits, SayText, Silence, pieces
from .sound import Samples, encoded, telephone
from .timing import DIGIT_GAP_S, LOUDNESS_DBOV
from .wire import Speak

__all__ = ["Speaker"]

_LONGEST_S = 90.0
_BETWEEN_PIECES_S = 0.15


class Speaker:
    """An engine, and the recordings that come before it."""

    def __init__(self, engine: Engine, recordings: Recordings | None) -> None:
        self._engine = engine
        self._recordings = recordings

    def speak(self, request: Speak) -> Audio:
        """Raises SpeechError, whose message holds nothing of the text."""
        if request.recording and (recorded := self._recorded(request.lang, request.pace, request.recording)):
            return encoded(recorded[0])
        sound: list[Samples] = []
        tag = narrowed(request.lang)
        for piece in pieces(request.segments, tag):
            if sound and not isinstance(piece, Silence):
                sound.append(_silence(_BETWEEN_PIECES_S))
            sound += self._said(piece, tag, request.pace)
            if sum(map(len, sound)) > _LONGEST_S * SAMPLE_RATE:
                raise RenderError(f"more than {_LONGEST_S:g} s of speech")
        if not sound:
            raise RenderError("nothing to say")
        return encoded(np.concatenate(sound))

    def _said(self, piece: Piece, lang: str, pace: Pace) -> list[Samples]:
        if isinstance(piece, Silence):
            return [_silence(piece.seconds)]
        if isinstance(piece, SayText):
            return [telephone(self._engine.speak(piece.text, lang, pace), LOUDNESS_DBOV)]
        return self._digits(piece, lang, pace)

    def _digits(self, piece: SayDigits, lang: str, pace: Pace) -> list[Samples]:
        language = match(lang)
        assert language is not None, "pieces() takes no language without digits"
        words = vocabulary(language).words
        said: list[Samples] = []
        for digit in piece.digits:
            if said:
                said.append(_silence(DIGIT_GAP_S[pace]))
            word = pieces((Text(words[int(digit)]),), lang)
            said += self._recorded(lang, pace, digit) or self._said(word[0], lang, pace)
        return said

    def _recorded(self, lang: str, pace: Pace, name: str) -> list[Samples]:
        pcm = self._recordings.of(lang, pace, name) if self._recordings is not None else None
        return [] if pcm is None else [telephone(pcm, LOUDNESS_DBOV)]


def _silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE))
