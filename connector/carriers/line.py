"""The PDUs of a bind that wait: ours to be written, the carrier's to be answered."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import Final, NamedTuple

from connector.carriers.contract import Attempt
from protocols.smpp.pdu import DataSm, DeliverSm, SubmitSm

__all__ = ["Line", "Part", "Unanswered"]

_MOST: Final = 5_000
"""Receipts taken and not yet committed; above, the carrier has to wait."""

_OCTETS: Final = 1_000
"""So many count as one receipt more: 64 kB in each would hold up the journal, and fill the memory."""


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


class Unanswered:
    """What a connection has brought and the journal does not have yet."""

    def __init__(self) -> None:
        self.weight = 0
        self._long: dict[int, int] = {}
        self._full = False

    def add(self, sequence: int, pdu: DeliverSm | DataSm) -> bool:
        """True when nothing more must be read for now."""
        self.weight += 1
        octets = sum(len(value) for _, value in pdu.tlvs) if pdu.tlvs else 0
        if octets >= _OCTETS:
            # A peer may give a number twice; then both end with the first answer.
            extra = octets // _OCTETS
            self._long[sequence] = self._long.get(sequence, 0) + extra
            self.weight += extra
        if self._full or self.weight < _MOST:
            return False
        self._full = True
        return True

    def remove(self, sequence: int) -> bool:
        """It was answered; True when reading may go on."""
        self.weight -= 1
        if self._long:
            self.weight -= self._long.pop(sequence, 0)
        if not self._full or self.weight > _MOST // 2:
            return False
        self._full = False
        return True
