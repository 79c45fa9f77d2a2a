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
    return _compare(_VARIABLE.split(pattern), text, registration.max_variable)


def _registered(registration: Registration, lang: str) -> str | None:
    pattern = registration.pattern.get(lang)
    if pattern is None:
        wanted = lang.casefold()
        pattern = next((of for tag, of in registration.pattern.items() if tag.casefold() == wanted), None)
    return pattern


def _compare(parts: list[str], text: str, longest: int) -> Mismatch | None:
    """`parts` are fixed at even places. All places that the text may have been read up to are followed."""
    places = [0]
    for index, part in enumerate(parts):
        if index % 2:
            reached = _after_variable(places, len(text), longest)
            if not reached:
                return Mismatch((len(text), len(text)), "ends where a variable is registered")
        else:
            reached = [place + len(part) for place in places if text.startswith(part, place)]
            if not reached:
                return _difference(part, places, text, longest)
        places = reached
    if places[-1] == len(text):
        return None
    # Only the end is open: the last part was fixed, or a variable is over its length.
    at = places[-1]
    what = "goes on where the registered text ends" if parts[-1] else _too_long(longest)
    return Mismatch((at, len(text)), what)


def _after_variable(places: list[int], end: int, longest: int) -> list[int]:
    reached: list[int] = []
    next_free = 0
    for place in places:
        first = max(place + 1, next_free)
        next_free = min(place + longest, end) + 1
        reached.extend(range(first, next_free))
    return reached


def _difference(part: str, places: list[int], text: str, longest: int) -> Mismatch:
    """Where the reading ends that has most of these words; of several the one that goes furthest."""
    shared, place = max((_common(part, text, place), place) for place in places)
    at = place + shared
    if at == len(text):
        return Mismatch((at, at), "ends before the registered text")
    if len(places) > 1 and not shared:
        # Nothing of the words after a variable was found: they are others, or the variable is longer.
        what = f"differs from the registered text, or {_too_long(longest)}"
    else:
        what = f"differs from the registered text, which has {_shown(part[shared])}"
    return Mismatch((at, at + 1), what)


def _too_long(longest: int) -> str:
    return f"a variable has more than the {longest} characters that are registered"


def _common(part: str, text: str, place: int) -> int:
    """How many characters of `part` stand at `place`."""
    length = min(len(part), len(text) - place)
    return next((at for at in range(length) if part[at] != text[place + at]), length)


@lru_cache(256)
def _shown(character: str) -> str:
    return f'"{character}" (U+{ord(character):04X})' if character.isprintable() else f"U+{ord(character):04X}"
