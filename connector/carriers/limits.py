"""Rates below the account's own: what one sender, or one destination, may have of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from connector.carriers.throttle import TokenBucket

__all__ = ["Limit", "SubLimits"]


class Limit(Protocol):
    """One `[[limits]]` of a carrier: `sender`, or the beginning of a `destination` such as "+91"; the other
    is None. `tps` is PDUs a second.
    """

    @property
    def sender(self) -> str | None: ...
    @property
    def destination(self) -> str | None: ...
    @property
    def tps(self) -> float: ...


class SubLimits:
    """A message counts against every limit that matches it; those of the same limits form a group.

    Jobs of a group that has nothing left must wait without being in the way of other groups, so a group is
    a value to sort them by: the indices of its limits, in the order of the configuration.
    """

    def __init__(self, limits: Sequence[Limit], now: float) -> None:
        self._buckets = [TokenBucket(limit.tps, now) for limit in limits]
        self._senders: dict[str, list[int]] = {}
        self._prefixes: dict[str, list[int]] = {}
        for index, limit in enumerate(limits):
            if limit.sender is not None:
                self._senders.setdefault(limit.sender, []).append(index)
            if limit.destination is not None:
                self._prefixes.setdefault(_digits(limit.destination), []).append(index)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})

    def __bool__(self) -> bool:
        return bool(self._buckets)

    def group(self, sender: str, recipient: str) -> tuple[int, ...]:
        """The limits that hold for this message; () when it has only the account's."""
        if not self._buckets:
            return ()
        found = list(self._senders.get(sender, ()))
        if self._lengths:
            digits = _digits(recipient)
            for length in self._lengths:
                found += self._prefixes.get(digits[:length], ())
        found.sort()
        return tuple(found)

    def tokens_at(self, group: tuple[int, ...], now: float) -> float:
        """When one more PDU of this group may leave; `now` when it may at once."""
        at = now
        for index in group:
            at = max(at, self._buckets[index].next_at(now))
        return at

    def take(self, group: tuple[int, ...], now: float, pdus: int = 1) -> None:
        """Count `pdus` that leave. A long message may take more than there is: the next one waits longer."""
        for index in group:
            self._buckets[index].spend(pdus, now)


def _digits(number: str) -> str:
    return number.removeprefix("+")
