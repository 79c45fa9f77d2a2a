"""What a run comes to, and what runs over several seeds come to together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.routing.job import Job
from benchmarks.routing.world import World

__all__ = ["FIRST_S", "Interval", "Score", "interval", "score", "timeline"]

FIRST_S = 60.0
"""What counts as the beginning of an outage."""

_BIN_S = 15.0


class Score(NamedTuple):
    """Of the jobs of one run after its warm-up.

    cost_per_job         in average SMS prices
    duplicates_per_job   attempts that were accepted after the first
    after_outage_missed  of the jobs accepted in the first minute of an outage; nan without one
    utility              value × in time - cost - annoyance × duplicates, on average
    """

    jobs: int
    in_time_share: float
    cost_per_job: float
    duplicates_per_job: float
    after_outage_missed: float
    utility: float


class Interval(NamedTuple):
    """The mean over seeds and half of its 95 % confidence interval (Student's t); nan from one seed."""

    mean: float
    half: float

    def rounded(self) -> float | None:
        """The mean for JSON, where nan is null."""
        return round(self.mean, 5) if math.isfinite(self.mean) else None

    def bounds(self) -> list[float] | None:
        """Lower and upper end, for JSON."""
        if not math.isfinite(self.mean) or not math.isfinite(self.half):
            return None
        return [round(self.mean - self.half, 5), round(self.mean + self.half, 5)]


def score(world: World, jobs: Sequence[Job]) -> Score:
    begins = sorted({outage.at_s for outage in world.outages})
    counted = [job for job in jobs if job.accepted_at >= world.warm_up_s]
    count = max(1, len(counted))
    missed = first = 0
    for job in counted:
        if any(at <= job.accepted_at < at + FIRST_S for at in begins):
            first += 1
            missed += job.first_arrival > job.deadline_at
    in_time = sum(job.first_arrival <= job.deadline_at for job in counted) / count
    cost = sum(job.cost for job in counted) / count
    duplicates = sum(job.sends - 1 for job in counted if job.sends > 1) / count
    utility = world.utility.value * in_time - cost - world.utility.annoyance * duplicates
    return Score(len(counted), in_time, cost, duplicates, missed / first if first else math.nan, utility)


def interval(values: Sequence[float]) -> Interval:
    """Of the mean of independent values, one for each seed."""
    number = len(values)
    mean = sum(values) / number
    if number < 2:
        return Interval(mean, math.nan)
    from scipy import stats  # type: ignore[import-untyped]

    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (number - 1))
    return Interval(mean, float(stats.t.ppf(0.975, number - 1)) * deviation / math.sqrt(number))


def timeline(jobs: Sequence[Job]) -> list[tuple[float, float]]:
    """(when accepted, share in time) of each quarter of a minute."""
    bins: dict[int, list[int]] = {}
    for job in jobs:
        counts = bins.setdefault(int(job.accepted_at / _BIN_S), [0, 0])
        counts[0] += 1
        counts[1] += job.first_arrival <= job.deadline_at
    return [((number + 0.5) * _BIN_S, good / count) for number, (count, good) in sorted(bins.items())]
