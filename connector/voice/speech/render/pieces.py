"""What an engine is asked to say, one after the other: texts, digits of a code, silence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from connector.segments import Amount, Date, Digits, Pause, Segment, Text
from connector.voice.speech.errors import RenderError
from connector.voice.speech.names import match

from .amounts import amount
from .cardinals import figures_in_words
from .dates import date
from .figures import without_figures

__all__ = ["Piece", "SayDigits", "SayText", "Silence", "pieces"]

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# Characters of Chinese and Japanese: of the Unicode blocks of radicals, of ideographs and their marks.
_IDEOGRAPHS = re.compile(
    r"[\u2e80-\u2fdf\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_LONGEST_TEXT = 2000
_MOST_DIGITS = 32
_LONGEST_PAUSE_S = 10.0


class SayText(NamedTuple):
    """Words of one language; the only figures in it are whole numbers of few digits."""

    text: str


class SayDigits(NamedTuple):
    """Each by itself."""

    digits: str


class Silence(NamedTuple):
    """A pause that was asked for."""

    seconds: float


Piece = SayText | SayDigits | Silence


def pieces(segments: Iterable[Segment], tag: str) -> list[Piece]:
    """Texts, amounts and dates that follow each other become one text, for the melody of a sentence.

    `tag` is BCP 47. Raises RenderError for a language without digit words, for an amount or a date that is
    none, for characters that no engine reads, and for more than anyone would listen to.
    """
    language = match(tag)
    if language is None:
        raise RenderError(f"no digit words for the language {tag!r}")
    found: list[Piece] = []
    words: list[str] = []
    for segment in segments:
        said = _said(segment, tag, language)
        if isinstance(said, str):
            words.append(_readable(figures_in_words(said, language), language))
            continue
        _flush(words, found)
        found.append(said)
    _flush(words, found)
    return found


def _said(segment: Segment, tag: str, language: str) -> Piece | str:
    match segment:
        case Text(text=text):
            return without_figures(text, tag, language)
        case Amount(value=value, currency=currency):
            return amount(value, currency, tag, language)
        case Date(date=day):
            return date(day, language)
        case Digits(digits=digits):
            if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS):
                raise RenderError(f"digits: 1 to {_MOST_DIGITS} of 0 to 9 are expected")
            return SayDigits(digits)
        case Pause(seconds=seconds):
            return Silence(min(max(seconds, 0.0), _LONGEST_PAUSE_S))


def _readable(text: str, language: str) -> str:
    if language == "ja" and _IDEOGRAPHS.search(text):
        raise RenderError(
            "Japanese is read in kana alone: no kanji is expected, nor a currency named in them"
        )
    return text


def _flush(words: list[str], found: list[Piece]) -> None:
    # A NUL ends a text for an engine in C.
    text = " ".join(_CONTROLS.sub(" ", " ".join(words)).split())
    words.clear()
    if len(text) > _LONGEST_TEXT:
        raise RenderError(f"a text of {len(text)} characters; at most {_LONGEST_TEXT} are expected")
    if text:
        found.append(SayText(text))
