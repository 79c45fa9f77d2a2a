"""A table with a limit: when it is full, the half that matters less goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Book"]

V = TypeVar("V")


class Book(Generic[V]):
    """`weight` says how much is lost with a value, 0 or less: nothing. Whoever holds a value that has gone
    holds it alone: `turned` counts how often that may have happened.
    """

    __slots__ = ("_most", "_weight", "entries", "turned")

    def __init__(self, most: int, weight: Callable[[V, float], float]) -> None:
        self.entries: dict[str, V] = {}
        self.turned = 0
        self._most = most
        self._weight = weight

    def get(self, key: str, make: Callable[[], V], now: float) -> V:
        """The value of `key`, made where there is none."""
        value = self.entries.get(key)
        if value is None:
            if len(self.entries) >= self._most:
                self._make_room(now)
            value = self.entries[key] = make()
        return value

    def _make_room(self, now: float) -> None:
        weights = {key: self._weight(value, now) for key, value in self.entries.items()}
        heavy = sorted((key for key, weight in weights.items() if weight > 0.0), key=weights.__getitem__)
        self.entries = {key: self.entries[key] for key in heavy[-(self._most // 2) :]}
        self.turned += 1
