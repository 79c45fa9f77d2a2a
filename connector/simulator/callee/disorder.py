"""A bad network: datagrams that are lost, that come twice, or after the next one."""

from __future__ import annotations

import random
from typing import Generic, TypeVar

T = TypeVar("T")


class Disorder(Generic[T]):
    """Decides what comes of each datagram of one direction; nothing happens to them while all shares are 0.

    One draw for each fault that is on: the same seed and the same datagrams meet the same fate.
    """

    def __init__(self, rng: random.Random, drop: float, duplicate: float, reorder: float) -> None:
        self._rng = rng
        self._held: list[T] = []
        self.dropped = self.duplicated = self.reordered = 0
        self.configure(drop, duplicate, reorder)

    def configure(self, drop: float, duplicate: float, reorder: float) -> None:
        self._drop, self._duplicate, self._reorder = drop, duplicate, reorder

    def passed(self, datagram: T) -> list[T]:
        """What arrives at the other end now: nothing, this datagram, one that was held back, or more."""
        if self._hits(self._drop):
            self.dropped += 1
            return []
        if not self._held and self._hits(self._reorder):
            self.reordered += 1
            self._held.append(datagram)
            return []
        arriving = [datagram]
        if self._hits(self._duplicate):
            self.duplicated += 1
            arriving.append(datagram)
        arriving += self._held
        self._held.clear()
        return arriving

    def _hits(self, share: float) -> bool:
        return share > 0 and self._rng.random() < share
