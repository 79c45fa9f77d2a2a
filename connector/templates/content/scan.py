"""Finds the forms of the lexicons in folded texts, all of them at once. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import accumulate, chain, groupby
from typing import Final, NamedTuple

from ahocorasick_rs import AhoCorasick

from .fold import BREAK, Spelling
from .lexicon import Form, entries, forms

__all__ = ["Hit", "Scan", "numbered", "shape_of", "spaced", "stretched"]

_NUMBER: Final = r"[0-9]++(?: ++[0-9]++)*+"
# Digits with letters on both sides are letters in disguise, no amount.
_NUMBERS: Final = re.compile(f"(?<![a-z0-9]){_NUMBER}|{_NUMBER}(?![a-z])")
_LONG_NUMBER: Final = re.compile("[0-9]{2,}")
_DIGIT_AT_EDGE: Final = re.compile("^[0-9](?![0-9])|(?<![0-9])[0-9]$")
# i stands for l too, and "lli" is no run.
_RUN: Final = re.compile(r"([^\W\d_i])\1\1+|i{4,}")

MIN_LETTERS = 3
WHOLE_LETTERS = 6
"""A word cut in two counts from so many letters on; two short words may be just that."""


class Hit(NamedTuple):
    """A form that was found: from the n-th to before the m-th character that is no separator."""

    form: Form
    start: int
    end: int


def spaced(words: Iterable[str]) -> str:
    """The words with a space on either side of each, which is how Form.spaced looks for them."""
    return f" {'  '.join(words)} "


def numbered(text: str) -> str:
    """A spaced text with `#` for every number, however it is grouped."""
    return spaced(_NUMBERS.sub(" # ", text).split())


def shape_of(text: str) -> str:
    """The text with 00 for every number of two digits or more: codes differ, and the words stay."""
    return _LONG_NUMBER.sub("00", text)


def stretched(text: str) -> tuple[str, ...]:
    """A spaced text whose letters are drawn out ("freeee"), with one and with two of each such letter."""
    if not _RUN.search(text):
        return ()
    return _RUN.sub(lambda run: run[0][0], text), _RUN.sub(lambda run: run[0][:2], text)


class _Forms:
    """Forms by the text that is looked for; several entries may fold to the same."""

    def __init__(self) -> None:
        self._forms: Final[dict[str, list[Form]]] = {}

    def add(self, pattern: str, form: Form) -> None:
        self._forms.setdefault(pattern, []).append(form)

    def forms(self) -> Iterator[Form]:
        return chain.from_iterable(self._forms.values())

    def automaton(self) -> tuple[AhoCorasick, list[list[Form]]]:
        return AhoCorasick(list(self._forms)), list(self._forms.values())


class Scan:
    """All lexicons, ready to be looked for. Built once; nothing changes afterwards."""

    def __init__(self, spelling: Spelling, allow: Collection[str]) -> None:
        worded, packed, priced = _Forms(), _Forms(), _Forms()
        scripts: dict[str, str] = {}
        for entry in entries(allow):
            scripts.setdefault(entry.lang, entry.script)
            for form in forms(entry, spelling):
                if entry.kind == "price":
                    priced.add(form.spaced, form)
                else:
                    worded.add(form.spaced, form)
                    if entry.kind in ("strong", "weak", "opt_out") and _joinable(form):
                        packed.add(form.letters, form)
        self.far_from_latin: Final = frozenset(lang for lang, script in scripts.items() if script != "LATIN")
        """Languages in which an English word is nobody's own."""
        self._words, self._word_forms = worded.automaton()
        self._letters, self._letter_forms = packed.automaton()
        self._prices, self._price_forms = priced.automaton()
        self._with_digits = AhoCorasick([shape for form in worded.forms() for shape in _shapes(form)])

    def words(self, text: str) -> list[Hit]:
        """Forms in a spaced text, as they are written."""
        found = self._words.find_matches_as_indexes(text, overlapping=True)
        if not found:
            return []
        # How many separators stand before each character, so that many hits cost no more than few.
        separators = [0, *accumulate(character == " " for character in text)]
        return [
            Hit(form, start - separators[start], end - separators[end])
            for index, start, end in found
            for form in self._word_forms[index]
        ]

    def knows_numbers(self, text: str) -> bool:
        """Whether forms with digits may stand in a spaced text of the shape of this one."""
        return bool(self._with_digits.find_matches_as_indexes(shape_of(text)))

    def prices(self, text: str) -> Iterator[Hit]:
        """Amounts and shares with a word that sells, in a spaced text."""
        found = self._prices.find_matches_as_indexes(numbered(text), overlapping=True)
        # Each pattern once: looking for its places goes through the text again.
        for index in dict.fromkeys(index for index, _, _ in found):
            for form in self._price_forms[index]:
                words = (_NUMBER if word == "#" else re.escape(word) for word in form.words)
                yield from _located(form, text, " *".join(words))

    def drawn_out(self, text: str) -> Iterator[Hit]:
        """Forms in a spaced text with letters repeated that the form does not repeat."""
        for shorter in stretched(text):
            found = self._words.find_matches_as_indexes(shorter, overlapping=True)
            for index in dict.fromkeys(index for index, _, _ in found):
                for form in self._word_forms[index]:
                    for hit in _located(form, text, _longer(form.spaced)):
                        if hit.end - hit.start > len(form.letters):
                            yield hit

    def letters(self, text: str, words: list[str]) -> Iterator[Hit]:
        """Forms that were taken apart: letters with spaces between them, words cut in two or run together.

        `text` is folded, `words` are text.split().
        """
        packed = text.replace(" ", "")
        found = self._letters.find_matches_as_indexes(packed, overlapping=True)
        if not found:
            return
        places = _Places(words)
        breaks = BREAK in packed
        for index, start, end in found:
            if breaks:
                start -= packed.count(BREAK, 0, start)
                end -= packed.count(BREAK, 0, end)
            for form in self._letter_forms[index]:
                if places.taken_apart(form, start, end):
                    yield Hit(form, start, end)


class _Places:
    """Where the words of a text start among its characters that are no separators."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._word_at: list[int] = [number for number, word in enumerate(words) for _ in word]
        starts = [0]
        for word in words:
            starts.append(starts[-1] + len(word))
        self._starts = starts

    def taken_apart(self, form: Form, start: int, end: int) -> bool:
        """Whether the letters between start and end are the form, in other pieces than its own words."""
        first, last = self._word_at[start], self._word_at[end - 1]
        pieces = self._words[first : last + 1]
        if len(pieces) == 1 and (len(form.words) == 1 or form.entry.spaceless):
            return False
        starts_word = start == self._starts[first]
        ends_word = end == self._starts[last + 1]
        enough = len(form.letters) >= WHOLE_LETTERS
        if form.entry.spaceless:
            enough = len(form.letters) > 2
            if enough:
                return True
        elif form.entry.script == "HANGUL":
            enough = len(form.letters) > MIN_LETTERS
        goes_on = form.open_end and enough and end - self._starts[last] >= MIN_LETTERS
        if not starts_word or not (ends_word or goes_on):
            return False
        if [len(piece) for piece in pieces[:-1]] == [len(word) for word in form.words[:-1]]:
            return False
        return enough or all(_is_letter(piece) for piece in pieces)


def _shapes(form: Form) -> Iterator[str]:
    """Those of a form with digits; none of any other."""
    shape = shape_of(form.spaced)
    if re.search("[0-9]", shape):
        yield shape
        if (longer := _DIGIT_AT_EDGE.sub("00", shape)) != shape:
            yield longer


def _is_letter(piece: str) -> bool:
    """One letter with its vowel signs."""
    return len(piece) == 1 or sum(character.isalnum() for character in piece) == 1


def _joinable(form: Form) -> bool:
    few = 2 if form.entry.spaceless or form.entry.script == "HANGUL" else MIN_LETTERS
    return len(form.letters) >= few and not any(character.isdigit() for character in form.letters)


def _longer(spaced_form: str) -> str:
    """A pattern for the form with each letter once or more; possessive, so that it never goes back."""
    return "".join(
        letter * len(list(run)) if letter == " " else f"{re.escape(letter)}{{{len(list(run))},}}+"
        for letter, run in groupby(spaced_form)
    )


def _ordinal(text: str, index: int) -> int:
    return index - text.count(" ", 0, index)


def _located(form: Form, text: str, pattern: str) -> Iterator[Hit]:
    for match in re.finditer(pattern, text):
        yield Hit(form, _ordinal(text, match.start()), _ordinal(text, match.end()))
