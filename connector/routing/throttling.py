"""How often routes answer that they are too fast."""

from __future__ import annotations

__all__ = ["Throttling"]

_HALF_LIFE_S = 30.0
_LITTLE = 0.01


class Throttling:
    """Submits and "too fast" answers of each route, the old ones forgotten."""

    def __init__(self, now: float) -> None:
        self._counts: dict[str, list[float]] = {}  # submits, throttled ones
        self._faded_at = now

    def left(self, route: str) -> None:
        """A submit has left."""
        counts = self._counts.get(route)
        if counts is None:
            counts = self._counts[route] = [0.0, 0.0]
        counts[0] += 1.0

    def throttled(self, route: str) -> None:
        """One was answered so."""
        self._counts.setdefault(route, [1.0, 0.0])[1] += 1.0

    def share(self, route: str) -> float:
        """Of the submits of the last minute or so, those that were throttled."""
        counts = self._counts.get(route)
        return min(1.0, counts[1] / max(counts[0], 1.0)) if counts else 0.0

    def tick(self, now: float) -> None:
        """Forget."""
        keep = 0.5 ** ((now - self._faded_at) / _HALF_LIFE_S)
        self._faded_at = now
        for route, counts in [*self._counts.items()]:
            counts[0] *= keep
            counts[1] *= keep
            if counts[0] < _LITTLE and counts[1] < _LITTLE:
                del self._counts[route]
