"""What the jobs of one class cost."""

from __future__ import annotations

__all__ = ["ClassMetrics"]


class ClassMetrics:
    """One job class's counters.

    finished         jobs in their final state
    extra_sends      attempts that left beyond the first of their job
    cost             spent on attempts that left, in average messages
    deadline_misses  jobs whose deadline passed before they were delivered
    """

    __slots__ = ("cost", "deadline_misses", "extra_sends", "finished")

    def __init__(self) -> None:
        self.finished = 0
        self.extra_sends = 0
        self.cost = 0.0
        self.deadline_misses = 0
