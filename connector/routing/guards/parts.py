"""Large tables written down part by part: jobs go on between the parts, and change the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final, NamedTuple, TypeVar

__all__ = ["PART", "Parts", "joined", "merged", "parts_of"]

PART: Final = 1_000
"""Entries of a table that are written down at once: a millisecond."""
_STRETCH: Final = 10 * PART
"""Keys that are looked up at once: all of 100,000 take 5 ms, and 1 ms to skip."""

K = TypeVar("K")


class Parts(NamedTuple):
    """How many there are, and each of them as it is when it is asked for: what msgpack takes."""

    length: int
    each: Iterator[Any]


def parts_of(table: Mapping[K, Any], most: int, part: Callable[[Sequence[K]], Any]) -> Parts:
    """The first `most` of the keys that `table` has now, given to `part` by no more than PART at once. The
    table is one that keys never leave.
    """
    length = min(len(table), most)
    return Parts(-(-length // PART), map(part, _keys(table, length)))


def _keys(table: Mapping[K, Any], length: int) -> Iterator[Sequence[K]]:
    for start in range(0, length, _STRETCH):
        keys = [*islice(table, start, min(start + _STRETCH, length))]
        for at in range(0, len(keys), PART):
            yield keys[at : at + PART]


def joined(*parts: Parts) -> Parts:
    """The ones after the others."""
    return Parts(sum(each.length for each in parts), chain.from_iterable(each.each for each in parts))


def merged(parts: Iterable[Any], most: int) -> dict[Any, Any]:
    """The table again; a key's last entry counts. Raises ValueError for more than `most`, or for no parts."""
    whole: dict[Any, Any] = {}
    for part in parts:
        if not isinstance(part, Mapping):
            raise ValueError("no part of a table")
        whole.update(part)
        if len(whole) > most:
            raise ValueError("too many entries")
    return whole
