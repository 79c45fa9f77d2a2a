"""Approved replacements of characters that an alphabet lacks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

import msgspec


class Substitution(msgspec.Struct, frozen=True, gc=False):
    """A text with replacements.

    ``made`` says what became what and how often, in the order of first appearance. ``spans`` are the places
    of the replacements: (index in the original, its length, length of what stands there now).
    """

    text: str
    made: tuple[tuple[str, str, int], ...]
    spans: tuple[tuple[int, int, int], ...]

    def original(self, position: int) -> int:
        """The index in the original text of what is at ``position`` in ``text``."""
        shift = 0
        for start, before, after in self.spans:
            if position < start + shift:
                break
            if position < start + shift + after:
                return start
            shift += after - before
        return position - shift


def substitute(text: str, replacements: Mapping[str, str]) -> Substitution:
    """Replace the keys where they occur, the longest first and each place once."""
    pattern = _any_of(tuple(replacements))
    found = list(pattern.finditer(text))
    counts = Counter(match[0] for match in found)
    made = tuple((key, replacements[key], count) for key, count in counts.items())
    spans = tuple((match.start(), len(match[0]), len(replacements[match[0]])) for match in found)
    return Substitution(pattern.sub(lambda match: replacements[match[0]], text), made, spans)


@lru_cache(maxsize=256)
def _any_of(keys: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(keys, key=len, reverse=True))))
