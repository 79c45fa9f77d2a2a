"""Numbers of records as spans: first and last of each row of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

__all__ = ["Span", "in_spans", "merged", "minus"]

Span: TypeAlias = tuple[int, int]

_NO_END: Final = 1 << 63


def in_spans(seq: int, spans: Sequence[Span]) -> bool:
    """Whether one of `spans`, which are as `merged` leaves them, has it."""
    at = bisect_right(spans, (seq, _NO_END)) - 1
    return at >= 0 and spans[at][1] >= seq


def merged(spans: Iterable[Span]) -> list[Span]:
    """In order, those that touch or overlap as one."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def minus(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """What of `spans` is in none of `others`."""
    left: list[Span] = []
    cuts = merged(others)
    at = 0
    for first, last in merged(spans):
        while at < len(cuts) and cuts[at][1] < first:
            at += 1
        for cut_first, cut_last in cuts[at:]:
            if cut_first > last:
                break
            if cut_first > first:
                left.append((first, cut_first - 1))
            first = max(first, cut_last + 1)
        if first <= last:
            left.append((first, last))
    return left
