"""From a text as it was written to the letters a reader sees, and back to where they stand. Pure.

Folding takes away case, accents, compatibility forms (NFKC: full width, half width, styled letters),
characters that nobody sees, and the difference between letters that look alike. Lexicon and text are folded
by the same tables, so what the folded letters are matters less than that they are the same.

A folded text has letters, digits, `%`, `¤` for any sign of a currency, spaces, and BREAK where a sentence of
a script without spaces ends.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

from .confusables import lookalikes

__all__ = ["BREAK", "Folding", "Spelling", "clusters", "traced", "visible"]

BREAK: Final = "\x1f"
"""A separator for str.split(), and unlike a space never taken out when words are joined."""

_SENTENCE_ENDS: Final = frozenset("、。「」『』【】《》｡､\uff08\uff09\uff0c\uff0e\uff01\uff1f\uff1b\uff1a")

# Nothing of these is seen: formats (Cf), variation selectors, fillers of Hangul, tags.
_UNSEEN: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_INVISIBLE: Final = re.compile(f"[{_UNSEEN}]+")

# Marks that a reader may miss, or that writers leave out: accents, points and vowels of Arabic and Hebrew,
# nuktas. The vowel signs of the Indic scripts and the tones of Thai are letters to us.
_DROPPED_MARKS: Final = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u093c\u09bc\u0a3c\u0abc\u0b3c\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
# What NFKC may join to the character before it.
_EXTENDS: Final = re.compile(f"[{_UNSEEN}\uff9e\uff9f\u1161-\u1175\u11a8-\u11c2]")
_KEPT_CHARACTERS: Final = 20_000

# Letters of one sound with several forms; the forms differ between writers, not between words.
_SAME: Final = str.maketrans("أإآٱىةکیگھہۀؤئ", "اااايهكيكههةوي")


class Spelling(dict[int, str]):
    """A table for str.translate that works out a character when it first meets it, and keeps 20,000.

    `digits` are the letters that digits and signs stand for in this spelling; without them digits are digits.
    """

    def __init__(self, alike: Mapping[str, str], signs: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._alike = alike
        self._signs = signs or {}

    def __missing__(self, code: int) -> str:
        folded = self._fold(chr(code))
        if len(self) < _KEPT_CHARACTERS:
            self[code] = folded
        return folded

    def _fold(self, character: str) -> str:
        if character in self._signs:
            return self._signs[character]
        if character.isascii():
            return _ascii(character)
        if character.isdecimal():
            digit = str(unicodedata.decimal(character))
            return self._signs.get(digit, digit)
        if character in _SENTENCE_ENDS:
            return BREAK
        bare = _DROPPED_MARKS.sub("", unicodedata.normalize("NFKD", character)).translate(_SAME)
        folded = "".join(self._letter(part) for part in unicodedata.normalize("NFC", bare))
        if not bare or folded.isspace():
            return folded and " "
        return folded

    def _letter(self, character: str) -> str:
        if character in self._signs:
            return self._signs[character]
        if character in self._alike:
            return _ascii(self._alike[character])
        if character.isascii():
            return _ascii(character)
        category = unicodedata.category(character)
        if category == "Sc":
            return " ¤ "
        if category[0] in "LMN":
            # ß is two letters; what casefold makes of a letter may look like another one.
            return "".join(
                _ascii(self._alike.get(part, part)) for part in _DROPPED_MARKS.sub("", character.casefold())
            )
        return " "


def _ascii(character: str) -> str:
    if character == "%":
        return " % "
    if character == "$":
        return " ¤ "
    if character in "lLI|":
        return "i"
    if character.isalnum():
        return character.lower()
    return " " if character.isascii() else character


class Folding:
    """The spellings of one gate: plain, and those in which digits and signs stand for letters."""

    def __init__(self) -> None:
        alike = lookalikes()
        self.plain: Final = Spelling(alike)
        latin = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g"}
        signs = {"@": "a", "$": "s", "|": "i", "€": "e", "£": "i", "¢": "c", "¥": "y"}
        self.latin: Final = Spelling(alike, {**latin, **signs})
        # Cyrillic letters that look like digits: ze, che, be; and i and v.
        digits = zip("34618", "зч\u0431ив", strict=True)
        cyrillic = {digit: self.plain[ord(letter)] for digit, letter in digits}
        self.cyrillic: Final = Spelling(alike, {**latin, **signs, **cyrillic})


def visible(text: str) -> str:
    """The text without what nobody sees, in NFKC: what a Spelling translates."""
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))


def traced(text: str, spelling: Spelling) -> Iterator[tuple[str, int, int]]:
    """(folded character, start, end) of every character but separators, in order; start and end in `text`.

    The characters are those of visible(text).translate(spelling).
    """
    for start, end in clusters(text):
        for folded in visible(text[start:end]).translate(spelling):
            if not folded.isspace():
                yield folded, start, end


def clusters(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of every character with what NFKC may join to it: each can be folded alone."""
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and _extends(text[end]):
            end += 1
        yield start, end
        start = end


def _extends(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" or bool(_EXTENDS.match(character))
