"""Beginnings of numbers, and the shipped list of those that are dear: ranges.toml says where it is from."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final, Generic, NamedTuple, TypeVar

__all__ = ["ALL", "RANGES", "Prefixed", "Range", "countries_of"]

T = TypeVar("T")


class Range(NamedTuple):
    """country  ISO 3166 where the range is all of a country's, or part of it; "" where it is no country's"""

    prefix: str
    country: str
    group: str
    reason: str


class Prefixed(Generic[T]):
    """The value of the longest prefix that a number begins with."""

    __slots__ = ("_heads", "_lengths", "_table")

    def __init__(self, table: Mapping[str, T]) -> None:
        self._table = dict(table)
        self._lengths = tuple(sorted({len(prefix) for prefix in table}, reverse=True))
        # Most numbers begin like none: one look tells.
        size = min(self._lengths, default=0)
        self._heads = (size, frozenset(prefix[:size] for prefix in table))

    def find(self, number: str) -> T | None:
        size, heads = self._heads
        if number[:size] not in heads:
            return None
        table = self._table
        for length in self._lengths:
            if number[:length] in table:
                return table[number[:length]]
        return None


def _read() -> tuple[Range, ...]:
    file = Path(__file__).with_name("ranges.toml")
    groups = tomllib.loads(file.read_text("utf-8"))["groups"]
    return tuple(
        Range(row["prefix"], row.get("country", ""), name, row.get("reason", group["reason"]))
        for name, group in groups.items()
        for row in group["ranges"]
    )


ALL: Final = _read()
RANGES: Final = Prefixed({range.prefix: range for range in ALL})


def countries_of(groups: Collection[str]) -> frozenset[str]:
    """Countries with a range in one of these groups of the list."""
    return frozenset(range.country for range in ALL if range.country and range.group in groups)
