"""Which of a trunk's addresses may be used now. Pure: the time is an argument."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from connector.voice.resolve import Target

__all__ = ["REST_S", "Health"]

REST_S: Final = 30.0
"""After a failure, where no OPTIONS finds out earlier that the address answers again."""

_LONGEST_S: Final = 600.0
"""A Retry-After beyond it is a mistake, or malice."""
_MOST: Final = 256


class _Rest(NamedTuple):
    until: float
    asked: bool


class Health:
    """Addresses rest after no answer, a broken connection, or a 503 with Retry-After (RFC 3261 §21.5.4)."""

    def __init__(self) -> None:
        self._rests: dict[Target, _Rest] = {}
        self._heard: dict[Target, float] = {}

    def failed(self, target: Target, now: float, retry_after: float | None = None) -> None:
        """`retry_after`: seconds for which the peer itself asked; an answer to OPTIONS does not end these."""
        asked = retry_after is not None
        rest = _Rest(now + min(REST_S if retry_after is None else retry_after, _LONGEST_S), asked)
        before = self._rests.pop(target, rest)
        if len(self._rests) >= _MOST:
            del self._rests[next(iter(self._rests))]
        self._rests[target] = max(rest, before)

    def worked(self, target: Target, now: float) -> None:
        """It answered."""
        self._heard.pop(target, None)
        if len(self._heard) >= _MOST:
            del self._heard[next(iter(self._heard))]
        self._heard[target] = now
        rest = self._rests.get(target)
        if rest is not None and (not rest.asked or rest.until <= now):
            del self._rests[target]

    def heard_since(self, target: Target, moment: float) -> bool:
        """It has answered after that."""
        return self._heard.get(target, -math.inf) > moment

    def rests(self, target: Target, now: float) -> bool:
        rest = self._rests.get(target)
        return rest is not None and now < rest.until

    def usable(self, targets: Iterable[Target], now: float) -> tuple[Target, ...]:
        """Those that do not rest, in the order given."""
        return tuple(target for target in targets if not self.rests(target, now))

    def usable_at(self, targets: Sequence[Target], now: float) -> float:
        """When one of them will be; `now` when one is, infinity of none."""
        ends = (self._rests[target].until if self.rests(target, now) else now for target in targets)
        return min(ends, default=math.inf)
