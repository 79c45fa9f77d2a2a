"""Whether a text is, character for character, the one that was registered. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from connector.config import Registration

__all__ = ["Mismatch", "mismatch"]

_VARIABLE: Final = re.compile(r"(\{#[A-Za-z]{1,20}#\})")


class Mismatch(NamedTuple):
    """How a text differs from the registered one.

    position  (start, end) in characters of the text
    message   says what is registered there, nothing of the text
    """

    position: tuple[int, int]
    message: str


def mismatch(registration: Registration, lang: str, text: str) -> Mismatch | None:
    """The first difference, or None. Nothing is normalised: another form of an apostrophe is another text.

    lang  of the wording. Each variable may be 1 to `max_variable` characters; where several readings are
    possible, one that fits is enough; where none does, the one with most of the registered words tells the
    position.
    """
    if not registration.pattern:
        return None
    pattern = _registered(registration, lang)
    if pattern is None:
        where = registration.country
        return Mismatch((0, len(text)), f'no text is registered in {where} for the language "{lang}"')
    return _compare(_parts(pattern), text, registration.max_variable)


def _registered(registration: Registration, lang: str) -> str | None:
    pattern = registration.pattern.get(lang)
    if pattern is None:
        wanted = lang.casefold()
        pattern = next((of for tag, of in registration.pattern.items() if tag.casefold() == wanted), None)
    return pattern


@lru_cache(1024)
def _parts(pattern: str) -> tuple[str, ...]:
    """Words at even places, variables between them."""
    return tuple(_VARIABLE.split(pattern))


def _compare(parts: tuple[str, ...], text: str, longest: int) -> Mismatch | None:
    """All places are followed that the text may have been read up to, as ranges of them, first to last."""
    places = [(0, 0)]
    for index, part in enumerate(parts):
        if index % 2:
            reached = _after_variable(places, len(text), longest)
            if not reached:
                return Mismatch((len(text), len(text)), "ends where a variable is registered")
        else:
            reached = _after_words(part, places, text) if part else places
            if not reached:
                return _difference(part, places, text, longest)
        places = reached
    at = places[-1][1]
    if at == len(text):
        return None
    # Only the end is open: the last words are there, or a variable is over its length.
    what = "goes on where the registered text ends" if parts[-1] else _too_long(longest)
    return Mismatch((at, len(text)), what)


def _after_variable(places: list[tuple[int, int]], end: int, longest: int) -> list[tuple[int, int]]:
    reached: list[tuple[int, int]] = []
    for first, last in places:
        first, last = first + 1, min(last + longest, end)
        if reached and first <= reached[-1][1] + 1:
            reached[-1] = (reached[-1][0], last)
        elif first <= last:
            reached.append((first, last))
    return reached


def _after_words(words: str, places: list[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    reached: list[tuple[int, int]] = []
    for first, last in places:
        end = last + len(words)
        while (first := text.find(words, first, end)) >= 0:
            reached.append((first + len(words), first + len(words)))
            first += 1
    return reached


def _difference(words: str, places: list[tuple[int, int]], text: str, longest: int) -> Mismatch:
    """Where the reading ends that has most of these words; of several the one that goes furthest."""
    every = [place for first, last in places for place in range(first, last + 1)]
    shared, place = max((_common(words, text, place), place) for place in every)
    at = place + shared
    if at == len(text):
        return Mismatch((at, at), "ends before the registered text")
    if len(every) > 1 and not shared:
        # Nothing of the words after a variable was found: they are others, or the variable is longer.
        what = f"differs from the registered text, or {_too_long(longest)}"
    else:
        what = f"differs from the registered text, which has {_shown(words[shared])}"
    return Mismatch((at, at + 1), what)


def _too_long(longest: int) -> str:
    return f"a variable has more than the {longest} characters that are registered"


def _common(words: str, text: str, place: int) -> int:
    """How many characters of `words` stand at `place`."""
    length = min(len(words), len(text) - place)
    return next((at for at in range(length) if words[at] != text[place + at]), length)


@lru_cache(256)
def _shown(character: str) -> str:
    return f'"{character}" (U+{ord(character):04X})' if character.isprintable() else f"U+{ord(character):04X}"
