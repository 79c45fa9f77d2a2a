"""Direction marks in texts that hold letters written from right to left (Unicode Standard Annex 9). Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

__all__ = ["Value", "direction_faults"]

_RIGHT: Final = frozenset({"R", "AL"})
_MARKS: Final = frozenset("\u061c\u200e\u200f")
_LEFT_TO_RIGHT: Final = frozenset("\u200e\u202a\u2066\u2068")
_EMBEDDINGS: Final = frozenset({"LRE", "RLE"})
_OVERRIDES: Final = frozenset({"LRO", "RLO"})
_ISOLATES: Final = frozenset({"LRI", "RLI", "FSI"})


class Value(NamedTuple):
    """A value in a text.

    name    what it is, as a fault names it
    falls   whether it falls apart without a mark among letters from right to left: codes in groups, links,
            telephone numbers
    """

    name: str
    start: int
    falls: bool


class _Letters(NamedTuple):
    """How many run each way, and the class of the first strong character, marks among them."""

    left: int
    right: int
    first: str


def direction_faults(text: str, values: Iterable[Value] = ()) -> Iterator[str]:
    """What a handset may show in another order than it is read."""
    kinds = [unicodedata.bidirectional(character) for character in text]
    yield from _unbalanced(kinds)
    letters = _letters(text, kinds)
    if not letters.right:
        if _MARKS.intersection(text) or (_EMBEDDINGS | _OVERRIDES | _ISOLATES).intersection(kinds):
            yield "has a direction mark and no letter from right to left, expected none"
        return
    if letters.right <= letters.left and letters.first == "L":
        return
    if letters.first == "L":
        yield (
            "begins with what runs from left to right, and handsets set the whole text so; expected a word "
            "of its own language first, or \\u200f"
        )
    for value in values:
        if text[value.start - 1 : value.start] in _LEFT_TO_RIGHT:
            continue
        if value.falls:
            yield (
                f"{value.name} may be shown in another order (123 456 as 456 123, a plus at the wrong end), "
                "expected \\u200e before and after it"
            )
        elif kinds[value.start : value.start + 1] == ["EN"] and _strong_before(kinds, value.start) == "L":
            yield (
                f"{value.name} begins with a figure and joins what runs from left to right before it, "
                "expected a word of its own language between them, or \\u200f"
            )


def _letters(text: str, kinds: list[str]) -> _Letters:
    words = [kind for kind, character in zip(kinds, text, strict=True) if character not in _MARKS]
    right = sum(kind in _RIGHT for kind in words)
    first = next((kind for kind in kinds if kind == "L" or kind in _RIGHT), "")
    return _Letters(words.count("L"), right, first)


def _strong_before(kinds: list[str], start: int) -> str:
    """The rule by which figures take the direction of what was before them (W7)."""
    return next((kind for kind in reversed(kinds[:start]) if kind in ("L", "R", "AL")), "")


def _unbalanced(kinds: list[str]) -> Iterator[str]:
    """Embeddings and isolates that are not closed in order, or stand in one text."""
    if _OVERRIDES.intersection(kinds):
        yield "has a direction override (U+202D or U+202E), expected \\u200e or \\u200f"
    if _EMBEDDINGS.intersection(kinds) and _ISOLATES.intersection(kinds):
        yield "mixes embeddings (U+202A, U+202B) with isolates (U+2066 to U+2068), expected one of them"
    opened: list[str] = []
    for kind in kinds:
        if kind in _EMBEDDINGS or kind in _OVERRIDES:
            opened.append("PDF")
        elif kind in _ISOLATES:
            opened.append("PDI")
        elif kind in ("PDF", "PDI") and (not opened or opened.pop() != kind):
            yield f"closes a direction ({kind}) that is not open, expected them in pairs"
            return
    if opened:
        yield f"leaves a direction open, expected {' and '.join(reversed(opened))} at its end"
