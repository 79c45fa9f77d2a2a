"""How many submit_sm a bind should have in flight: enough for the rate, and no more to lose than that."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["WindowSizer"]

_SAMPLES: Final = 20
"""Answers before anything is concluded from them."""

_SHRINK: Final = 1 / 128
"""So much of the difference a shorter round trip takes off; a longer one counts whole and at once."""

_MARGIN: Final = 2.0
_FLOOR: Final = 4

_COMMIT_S: Final = 0.02
"""An intent is on its way to the disk for so long, at the most on a good day."""


class WindowSizer:
    """rate × round trip × 2, from 4 up to `cap`, which is what the carrier permits; `cap` itself where the
    window is fixed, and until the round trip is known.
    """

    def __init__(self, cap: int, *, automatic: bool) -> None:
        self.cap = cap
        self._automatic = automatic
        self._answers = 0
        self._round_trip_s = 0.0

    def answered(self, round_trip_s: float) -> None:
        """A submit_sm was answered after so many seconds."""
        self._answers += 1
        if round_trip_s >= self._round_trip_s:
            self._round_trip_s = round_trip_s
        else:
            self._round_trip_s += (round_trip_s - self._round_trip_s) * _SHRINK

    def forget(self) -> None:
        """A new connection may lead elsewhere."""
        self._answers = 0
        self._round_trip_s = 0.0

    def window(self, rate: float) -> int:
        """submit_sm in flight at `rate` PDUs a second."""
        if not self._automatic or self._answers < _SAMPLES:
            return self.cap
        return min(self.cap, _FLOOR + math.ceil(rate * self._round_trip_s * _MARGIN))

    def room(self, window: int, rate: float) -> int:
        """PDUs that a bind may hold, those included whose intent is being committed.

        More than the window, or each answer would leave its slot empty for the length of a commit; but what
        waits here can take no other carrier.
        """
        return min(self.cap, window + math.ceil(rate * _COMMIT_S)) + self.cap // 8 + 1
