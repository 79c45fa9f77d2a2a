"""The submit_sm that await their answers: how many at once, since when, and those given up on."""

from collections import OrderedDict
from typing import Any


class Window:
    """Outstanding submits by sequence_number, in the order they were sent.

    With one response timeout for all, the oldest is always the first to expire, so that every step takes
    constant time. ``tombstones`` expired ones are remembered: a late response still brings the message_id.
    """

    def __init__(self, limit: int, response_timeout_s: float, tombstones: int) -> None:
        self.limit = limit
        self._timeout_s = response_timeout_s
        self._max_tombstones = tombstones
        self._sent: OrderedDict[int, tuple[Any, float]] = OrderedDict()
        self._tombstones: OrderedDict[int, Any] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sent)

    def __contains__(self, sequence: int) -> bool:
        """True for a sequence_number that an answer may still come for."""
        return sequence in self._sent or sequence in self._tombstones

    def add(self, sequence: int, context: Any, now: float) -> None:
        self._sent[sequence] = (context, now)

    def take(self, sequence: int) -> tuple[Any, float] | None:
        """(context, when it was sent) of a submit that is now answered; None when none is outstanding."""
        return self._sent.pop(sequence, None)

    def take_late(self, sequence: int) -> tuple[Any] | None:
        """(context,) of an expired submit that is now answered after all."""
        if sequence not in self._tombstones:
            return None
        return (self._tombstones.pop(sequence),)

    def next_deadline(self) -> float | None:
        for _, sent_at in self._sent.values():
            return sent_at + self._timeout_s
        return None

    def expire(self, now: float) -> list[tuple[int, Any]]:
        """(sequence, context) of those whose time is up; tombstones from now on."""
        expired = []
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            sequence, (context, _) = self._sent.popitem(last=False)
            expired.append((sequence, context))
            self._bury(sequence, context)
        return expired

    def _bury(self, sequence: int, context: Any) -> None:
        self._tombstones[sequence] = context
        if len(self._tombstones) > self._max_tombstones:
            self._tombstones.popitem(last=False)

    def contexts(self) -> list[Any]:
        return [context for context, _ in self._sent.values()]

    def clear(self) -> None:
        self._sent.clear()
        self._tombstones.clear()
