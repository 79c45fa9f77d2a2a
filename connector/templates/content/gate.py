"""Judges one text. Pure; nothing is ever edited."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Collection
from itertools import accumulate, chain
from typing import Final

from .addresses import Addresses, is_address
from .finding import Finding, Rule
from .fold import Folding, Spelling, clusters, traced, visible
from .lexicon import Entry
from .scan import Hit, Scan, spaced, stretched

__all__ = ["ContentGate"]

_SAYS_SOMETHING: Final = re.compile(r"[A-Za-z%]").search
# Letters and their marks, roughly: this only decides whether to look closer.
_LETTERS: Final = r"[A-Za-z\u00c0-\u1fff\u20d0-\U0010ffff]"
_LETTER_WITH_SIGN: Final = re.compile(f"[0-9@$|€£¢!](?:(?={_LETTERS})|(?<={_LETTERS}[^!]))").search
_LETTERS_APART: Final = re.compile(r" [\w¤]  [\w¤]  [\w¤] ").search
_POINT_IN_WORD: Final = re.compile(r"(?<=\w)!(?=\w)")
_ADDRESS_SIGN: Final = re.compile(r"/|[wW]{3}\.").search
_DIGIT: Final = re.compile(r"[0-9]").search
_CYRILLIC: Final = re.compile(r"[\u0400-\u04ff]").search
_MIN_SIGNED_LETTERS: Final = 4

# Scripts in which nothing invisible has a use inside a word; soft hyphens are not held against anybody.
_PLAIN: Final = "A-Za-z\u00c0-\u024f\u0370-\u058f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_HIDDEN: Final = re.compile(
    f"(?<=[{_PLAIN}])[\u034f\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]+(?=[{_PLAIN}])"
    "|[\u202d\u202e]+|(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0001-\U000e007f]+"
)
_ONE_WIDTH: Final = {"FULLWIDTH": "LATIN", "HALFWIDTH": "KATAKANA"}
_MIXES_SCRIPTS: Final = frozenset({"LATIN", "CYRILLIC", "GREEK"})


class ContentGate:
    """Finds marketing wording in a text, also where confusable, invisible or styled characters, spaces, line
    breaks, digits or repeated letters hide it.

    Built once for an instance: 50 ms, a few MB. Thread-safe.

    allow   what is never refused: phrases ("Free Mobile"), and beginnings of addresses
            ("https://t.acme.example/"), those that templates allow their parameters among them
    """

    def __init__(self, allow: Collection[str] = ()) -> None:
        self._folding: Final = Folding()
        self._addresses: Final = Addresses([phrase for phrase in allow if is_address(phrase)])
        self._scan: Final = Scan(self._folding.plain, [phrase for phrase in allow if not is_address(phrase)])

    def judge(self, text: str, lang: str | None = None) -> Finding | None:
        """What marks the text as marketing, None when nothing does.

        lang is the text's, as a BCP 47 tag; without it words count that are marketing in any language.
        """
        if text.isascii():
            if not _SAYS_SOMETHING(text):
                return None
            seen = text
        else:
            seen = visible(text)
        refused = None
        if _ADDRESS_SIGN(seen):
            text, refused = self._without_addresses(text)
            seen = text if text.isascii() else visible(text)
        language = None if lang is None else lang.partition("-")[0].lower()
        return self._wording(text, seen, language) or refused or _hidden(text)

    def passes(self, shape: str, lang: str | None = None) -> bool:
        """Whether nothing marks any text of this `shape_of`, whatever its numbers are. True is certain; False
        says nothing yet.
        """
        seen = visible(shape)
        line = spaced(seen.translate(self._folding.plain).split())
        numbers_matter = (
            _ADDRESS_SIGN(seen) or _LETTER_WITH_SIGN(seen) or _LETTERS_APART(line) or "\n" in seen
            or stretched(line) or self._scan.knows_numbers(line)
        )  # fmt: skip
        return not numbers_matter and self.judge(shape, lang) is None

    def _without_addresses(self, text: str) -> tuple[str, Finding | None]:
        """The text with spaces for every allowed address, and the first one that is not allowed."""
        if text.isascii():
            cells = [(character, start, start + 1) for start, character in enumerate(text)]
        else:
            cells = [
                (character, start, end)
                for start, end in clusters(text)
                for character in visible(text[start:end])
            ]
        refused = None
        for first, last, allowed in self._addresses.find("".join(character for character, _, _ in cells)):
            start, end = cells[first][1], cells[last - 1][2]
            if allowed:
                text = f"{text[:start]}{' ' * (end - start)}{text[end:]}"
            elif refused is None:
                refused = Finding("url", "an address that is not allowed", "", start, end)
        return text, refused

    def _wording(self, text: str, seen: str, lang: str | None) -> Finding | None:
        plain = self._folding.plain
        folded = seen.translate(plain)
        words = folded.split()
        line = spaced(words)
        hits = self._scan.words(line)
        if hits and (found := self._weighed(text, line, hits, lang)):
            return found
        if _DIGIT(line):
            cleared = _Cleared(hits, lang)
            for hit in self._scan.prices(line):
                if not cleared.touches(hit):
                    return _finding("price", hit, text, plain)
        for hit in chain(self._scan.letters(folded, words), self._scan.drawn_out(line)):
            if self._counts_hidden(hit.form.entry, lang):
                return _finding(_rule(hit.form.entry), hit, text, plain)
        if _LETTER_WITH_SIGN(seen) or "\n" in seen or _LETTERS_APART(line):
            return self._signed(text, seen, lang)
        return None

    def _weighed(self, text: str, line: str, hits: list[Hit], lang: str | None) -> Finding | None:
        """Of the forms that stand in a text as they are written: what they come to together."""
        cleared = _Cleared(hits, lang)
        weak: list[Hit] = []
        hiding = None
        company = " % " in line
        for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
            if cleared.covers(hit):
                continue
            entry = hit.form.entry
            if entry.kind in ("strong", "opt_out"):
                return _finding(_rule(entry), hit, text, self._folding.plain)
            counts = self._counts_in(entry, lang)
            if entry.kind == "weak":
                if hiding is None and not text.isascii() and self._counts_hidden(entry, lang):
                    finding = _finding("lexicon", hit, text, self._folding.plain)
                    hiding = finding if _mixes_scripts(text[finding.start : finding.end], entry) else None
                if counts:
                    weak.append(hit)
            elif entry.kind == "cues" and counts:
                company = True
        if hiding is not None or not weak:
            return hiding
        first = weak[0]
        if company or any(hit.form.letters != first.form.letters for hit in weak):
            return _finding("lexicon", first, text, self._folding.plain)
        return None

    def _counts_in(self, entry: Entry, lang: str | None) -> bool:
        """Whether a word that needs company counts in a text of this language."""
        if lang is None or lang == entry.lang:
            return True
        return entry.lang == "en" and lang in self._scan.far_from_latin

    def _counts_hidden(self, entry: Entry, lang: str | None) -> bool:
        """Whether an entry counts by itself where it hides. English weak words do in every language."""
        if entry.kind == "weak":
            return entry.lang == "en" or self._counts_in(entry, lang)
        return entry.kind in ("strong", "opt_out")

    def _signed(self, text: str, seen: str, lang: str | None) -> Finding | None:
        """Digits and signs read as letters. A number is no word: there must be a letter and a sign."""
        spellings = [self._folding.latin]
        if _CYRILLIC(seen):
            spellings.append(self._folding.cyrillic)
        text = _POINT_IN_WORD.sub("1", text)
        for spelling in spellings:
            folded = visible(text).translate(spelling)
            words = folded.split()
            hits = [*self._scan.words(spaced(words)), *self._scan.letters(folded, words)]
            for hit in sorted(hits, key=lambda hit: hit.start - hit.end):
                entry = hit.form.entry
                if len(hit.form.letters) < _MIN_SIGNED_LETTERS or not self._counts_hidden(entry, lang):
                    continue
                finding = _finding(_rule(entry), hit, text, spelling)
                if _has_letter_and_sign(text[finding.start : finding.end]):
                    return finding
        return None


class _Cleared:
    """Where no word counts: what the operator allows, and what is harmless in the text's language."""

    def __init__(self, hits: list[Hit], lang: str | None) -> None:
        clean = sorted(
            (hit.start, hit.end)
            for hit in hits
            if hit.form.entry.kind == "clean" and (lang is None or hit.form.entry.lang in (lang, ""))
        )
        self._starts: Final = [start for start, _ in clean]
        # The furthest end of all that start no later: one look-up tells, however many there are.
        self._ends: Final = list(accumulate((end for _, end in clean), max))

    def covers(self, hit: Hit) -> bool:
        before = bisect_right(self._starts, hit.start)
        return before > 0 and self._ends[before - 1] >= hit.end

    def touches(self, hit: Hit) -> bool:
        before = bisect_left(self._starts, hit.end)
        return before > 0 and self._ends[before - 1] > hit.start


def _rule(entry: Entry) -> Rule:
    return "opt_out" if entry.kind == "opt_out" else "lexicon"


def _finding(rule: Rule, hit: Hit, text: str, spelling: Spelling) -> Finding:
    """The hit, with its place in the text as it was given."""
    start = end = 0
    for ordinal, (_, first, last) in enumerate(traced(text, spelling)):
        if ordinal == hit.start:
            start = first
        end = last
        if ordinal == hit.end - 1:
            break
    return Finding(rule, hit.form.entry.text, hit.form.entry.lang, start, end)


def _mixes_scripts(written: str, entry: Entry) -> bool:
    """Whether a word was written with letters of another script, or with letters made for ornament."""
    if entry.script not in _MIXES_SCRIPTS:
        return False
    letters = {character for character in written if character.isalpha()}
    names = {unicodedata.name(letter, "").partition(" ")[0] for letter in letters}
    return {_ONE_WIDTH.get(name, name) for name in names} != {entry.script} or bool(_HIDDEN.search(written))


def _has_letter_and_sign(written: str) -> bool:
    seen = visible(written)
    signs = any(character.isdecimal() or character in "@$|€£¢¥" for character in seen)
    return signs and any(character.isalpha() for character in seen)


def _hidden(text: str) -> Finding | None:
    """Characters nobody sees, inside a word that has no use for them, and those that turn the direction."""
    found = None if text.isascii() else _HIDDEN.search(text)
    return found and Finding("hidden", "characters that nobody sees", "", found.start(), found.end())
