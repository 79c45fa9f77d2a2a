"""What `ours` is to reach, against the oracle in the same world with the same draws."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from benchmarks.routing.scores import Interval
from benchmarks.routing.world import Profile

__all__ = ["TARGETS", "Target", "judged"]


class Target(NamedTuple):
    """A score that is to be at least (`least`) or at most the limit."""

    score: str
    least: bool
    limit: float


def _targets(in_time: float, cost: float, duplicates: float, missed: float) -> tuple[Target, ...]:
    return (
        Target("in_time_ratio", True, in_time),
        Target("cost_ratio", False, cost),
        Target("duplicates_ratio", False, duplicates),
        Target("after_outage_missed", False, missed),
    )


TARGETS: Final[dict[Profile, tuple[Target, ...]]] = {
    "usual": _targets(0.995, 1.06, 1.1, 0.02),
    "throttle": _targets(0.99, 1.06, 1.1, 0.02),
    "fake": _targets(0.99, 1.06, 1.2, 0.07),
    "low": _targets(0.98, 1.10, 1.2, 0.02),
}

Verdict = Literal["met", "missed", "unsure", "none"]


def judged(target: Target, found: Interval) -> dict[str, Any]:
    """`verdict`: "unsure" when the limit lies within the interval, "none" when there is no figure."""
    low, high = found.mean - found.half, found.mean + found.half
    if found.mean != found.mean:
        verdict: Verdict = "none"
    elif (low >= target.limit) if target.least else (high <= target.limit):
        verdict = "met"
    elif (high < target.limit) if target.least else (low > target.limit):
        verdict = "missed"
    else:
        verdict = "unsure"
    met = found.mean >= target.limit if target.least else found.mean <= target.limit
    return {"limit": target.limit, "least": target.least, "met": verdict == "none" or met, "verdict": verdict}
