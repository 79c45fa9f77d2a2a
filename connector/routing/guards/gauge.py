"""How many in how much time, for a thing that is counted often."""

from __future__ import annotations

__all__ = ["TOLERANCE_S", "Gauge"]

TOLERANCE_S = 1e-6  # of times of this century as float


class Gauge:
    """`jobs` at once, then one more in each `within_s / jobs` seconds (the generic cell rate algorithm, ITU-T
    I.371): what was taken is kept as the time `at` which all of them are there again.

    Whoever had fewer than `jobs` in the last `within_s` seconds always passes: there is room while
    `at - now <= room_s`. Nobody gets more than twice `jobs` within them.
    """

    __slots__ = ("at", "room_s", "step_s", "within_s")

    def __init__(self, jobs: int, within_s: float) -> None:
        self.within_s = within_s
        self.step_s = within_s / jobs
        self.room_s = within_s - self.step_s + TOLERANCE_S
        self.at = 0.0

    def wait_s(self, now: float) -> float:
        """How long until one more passes; 0.0: now."""
        # Never more than a full measure: the clock may have been put back.
        self.at = min(self.at, now + self.within_s)
        return max(0.0, self.at - now - self.room_s)

    def take(self, now: float) -> None:
        self.at = (self.at if self.at > now else now) + self.step_s

    def give_back(self) -> None:
        self.at -= self.step_s
