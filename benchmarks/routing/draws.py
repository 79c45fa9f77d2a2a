"""The draws of one seed: the same for every policy, whatever it does."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from benchmarks.routing.truth import busyness
from benchmarks.routing.world import World

__all__ = ["Draws", "User", "draw"]

_STRIDE = 7919
"""A further attempt by the same carrier takes the draws of the job so many places on: independent of its own,
and again the same for every policy."""


class User(NamedTuple):
    """converts_s: how long after the code came it is entered, inf when never."""

    at: float
    network: int
    patience_s: float
    reachable: bool
    told: bool
    converts_s: float


class Draws(NamedTuple):
    """`fate`, `time` and `receipt` by job × route: uniform, normal, uniform."""

    users: list[User]
    fate: list[list[float]]
    time: list[list[float]]
    receipt: list[list[float]]

    def of(self, job: int, route: int, again: int) -> tuple[float, float, float]:
        """The three draws of the attempt of this job by this route, after `again` earlier ones by it."""
        row = (job + again * _STRIDE) % len(self.users) if again else job
        return self.fate[row][route], self.time[row][route], self.receipt[row][route]


def draw(world: World, seed: int) -> Draws:
    """A stream of its own for each purpose, so that a changed world changes no draws but those it must."""

    def stream(purpose: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, purpose])))

    arrivals = _arrivals(world, stream(0))
    jobs, routes = len(arrivals), len(world.carriers) + len(world.trunks)
    networks = _among([network.share for network in world.networks], stream(1), jobs)
    deadlines = [deadline.s for deadline in world.traffic.deadlines]
    which = _among([deadline.share for deadline in world.traffic.deadlines], stream(2), jobs)
    users = world.users
    reachable = (stream(3).random(jobs) >= users.unreachable).tolist()
    told = (stream(4).random(jobs) < users.told).tolist()
    converts = stream(5).random(jobs) < users.converts
    delays = users.delay_s * np.exp(users.sigma * stream(6).standard_normal(jobs))
    converts_s = np.where(converts, delays, math.inf).tolist()
    made = [
        User(at, network, deadlines[patience], there, tell, after)
        for at, network, patience, there, tell, after in zip(
            arrivals, networks, which, reachable, told, converts_s, strict=True
        )
    ]
    return Draws(
        made,
        stream(7).random((jobs, routes)).tolist(),
        stream(8).standard_normal((jobs, routes)).tolist(),
        stream(9).random((jobs, routes)).tolist(),
    )


def _arrivals(world: World, generator: np.random.Generator) -> list[float]:
    """A Poisson process with the rate of each second."""
    seconds = math.ceil(world.duration_s)
    rates = np.array([_rate(world, second + 0.5) for second in range(seconds)])
    counts = generator.poisson(rates)
    times = np.repeat(np.arange(seconds, dtype=float), counts) + generator.random(int(counts.sum()))
    return sorted(time for time in times.tolist() if time < world.duration_s)


def _rate(world: World, at: float) -> float:
    for burst in world.traffic.bursts:
        if burst.at_s <= at < burst.at_s + burst.for_s:
            return burst.rate
    return world.traffic.rate * (1.0 + world.traffic.rhythm * busyness(world, at))


def _among(shares: list[float], generator: np.random.Generator, size: int) -> list[int]:
    edges = np.cumsum(shares) / sum(shares)
    return np.minimum(np.searchsorted(edges, generator.random(size), side="right"), len(shares) - 1).tolist()  # type: ignore[no-any-return]
