"""The PDUs of a bind that wait to be written."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import NamedTuple

from connector.carriers.contract import Attempt
from protocols.smpp.pdu import SubmitSm

__all__ = ["Line", "Part"]


class Part(NamedTuple):
    """One submit_sm of an attempt; `number` from 1."""

    attempt: Attempt
    number: int
    pdu: SubmitSm


class Line:
    """In the order in which they were handed over. Those that the carrier turned away go first, and among
    themselves in that same order, whatever the order of its answers.
    """

    def __init__(self) -> None:
        self._ready: deque[Part] = deque()
        self._again: list[tuple[int, int, Part]] = []
        self._attempts = 0

    def __bool__(self) -> bool:
        return bool(self._ready or self._again)

    def add(self, parts: list[Part]) -> None:
        """All parts of one attempt."""
        self._attempts += 1
        parts[0].attempt.order = self._attempts
        self._ready.extend(parts)

    def put_back(self, part: Part) -> None:
        """It was added before, left, and was turned away."""
        heappush(self._again, (part.attempt.order, part.number, part))

    def first(self) -> Part:
        return self._again[0][2] if self._again else self._ready[0]

    def pop(self) -> Part:
        return heappop(self._again)[2] if self._again else self._ready.popleft()

    def clear(self) -> list[Part]:
        """Take all of them."""
        parts = [*(part for _, _, part in sorted(self._again)), *self._ready]
        self._again.clear()
        self._ready.clear()
        return parts
