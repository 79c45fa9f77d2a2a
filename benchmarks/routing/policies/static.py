"""Rules that learn nothing."""

from __future__ import annotations

import math
from typing import ClassVar

from benchmarks.routing.job import Flight, Job
from benchmarks.routing.policies.base import Policy, Scene

__all__ = ["RoundRobin", "Static", "Voice20", "Voice125"]

_AGAIN_S = 0.5  # all lines are busy


class Static(Policy):
    """The first carrier of the file that is up and did not refuse; the next one on an error or a failure."""

    name = "static"

    def choose(self, job: Job, now: float) -> int:
        usable = self.usable(job, now)
        return usable[0] if usable else -1

    def plan(self, job: Job, now: float) -> float:
        return now if self._failover(job, now) >= 0 else math.inf

    def follow(self, job: Job, now: float) -> int:
        return self._failover(job, now)

    def _failover(self, job: Job, now: float) -> int:
        """The next carrier, once every attempt is known to have failed."""
        if job.hopeless or any(flight.state != "failed" for flight in job.flights):
            return -1
        tried = {flight.route for flight in job.flights}
        return next((route for route in self.usable(job, now) if route not in tried), -1)


class RoundRobin(Static):
    """Each job by the next carrier in turn."""

    name = "round_robin"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._next = 0

    def choose(self, job: Job, now: float) -> int:
        usable = self.usable(job, now)
        if not usable:
            return -1
        self._next += 1
        return usable[self._next % len(usable)]


class _TimedVoice(Static):
    """Static priority, and a call when nothing was heard for a fixed time."""

    after_s: ClassVar[float]

    def _due(self, job: Job) -> float:
        if job.hopeless or any(_over(flight, self.trunks) for flight in job.flights):
            return math.inf
        return job.accepted_at + self.after_s

    def plan(self, job: Job, now: float) -> float:
        return now if self._failover(job, now) >= 0 else max(now + _AGAIN_S, self._due(job))

    def follow(self, job: Job, now: float) -> int:
        if self._due(job) > now:
            return self._failover(job, now)
        return next((route for route in self.trunks if self.desk.wait(route, now) < math.inf), -1)


def _over(flight: Flight, trunks: range) -> bool:
    return flight.state == "arrived" or flight.route in trunks


class Voice20(_TimedVoice):
    """Static priority, and a call after 20 s without a receipt."""

    name = "voice_20s"
    after_s = 20.0


class Voice125(_TimedVoice):
    """Static priority, and a call after 125 s without a receipt."""

    name = "voice_125s"
    after_s = 125.0
