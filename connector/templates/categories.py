"""Plural categories that a language has and a text has no branch for. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from connector.config import Template
from connector.config.message import Branches, message, variables

from . import icu

__all__ = ["Uncovered", "uncovered"]

_CATEGORIES: Final = ("zero", "one", "two", "few", "many", "other")
# Counts that people read in messages. Millions, a category of their own in some languages, are none.
_COUNTS: Final = range(200)


class Uncovered(NamedTuple):
    """A branch of `parameter` lacks `category`, so that the count `example` gets the words of "other"."""

    parameter: str
    category: str
    example: int


def uncovered(template: Template, lang: str) -> Iterator[Uncovered]:
    """What the text in `lang` lacks, each once. Raises ValueError for a text that cannot be read."""
    told: set[tuple[str, str]] = set()
    for use in variables(message(template.text[lang], template.syntax)):
        if not isinstance(use, Branches) or use.how == "select":
            continue
        for category, counts in _counts(lang, use.how).items():
            if category in use.of or (use.name, category) in told:
                continue
            count = next((count for count in counts if f"={count}" not in use.of), None)
            if count is not None:
                told.add((use.name, category))
                yield Uncovered(use.name, category, count)


@lru_cache(256)
def _counts(lang: str, how: str) -> dict[str, list[int]]:
    """The counts of each category that whole numbers have."""
    branches = "".join(f" {category}{{{category}}}" for category in _CATEGORIES)
    choose = icu.choosing(f"{{n, {how},{branches}}}", lang)
    found: dict[str, list[int]] = {}
    for count in _COUNTS:
        found.setdefault(choose({"n": Decimal(count)}), []).append(count)
    return found
