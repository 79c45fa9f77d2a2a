"""What is true of each route and network at a time: what a policy has to learn and the oracle knows."""

from __future__ import annotations

import math
from bisect import bisect_right
from random import Random
from typing import NamedTuple

from benchmarks.routing.world import Carrier, Outage, World

__all__ = ["Fate", "Limits", "Truth", "busyness"]

_SLOW_SIGMA = 0.5
_BUSIEST_HOUR = 19.0


class Fate(NamedTuple):
    """How one SMS that leaves now fares in one network, its handset reachable.

    mu, sigma      of the logarithm of its time, with probability 1 - slow; slow_mu, slow_sigma otherwise
    loss           probability that it never arrives, where no receipt is faked
    fake           probability that it never arrives and has a receipt that says so
    told, told_s   of the lost ones, how many have a receipt, and how long after leaving on average
    no_receipt     of the arrived ones
    """

    mu: float
    sigma: float
    slow: float
    slow_mu: float
    slow_sigma: float
    loss: float
    fake: float
    told: float
    told_s: float
    no_receipt: float


class Limits(NamedTuple):
    """What a carrier takes now. refuses: answers every submit with an error; up: its binds are there."""

    tps: float
    refuses: bool
    up: bool


def busyness(world: World, now: float) -> float:
    """-1 at the quietest hour of the day, 1 at the busiest."""
    hour = world.hour + now / world.day_s * 24.0
    return math.cos((hour - _BUSIEST_HOUR) / 24.0 * math.tau)


class Truth:
    """Constant between two of `edges`: the steps of rhythm and drift, and where outages begin and end."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.first_trunk = len(world.carriers)
        steps = {number * world.step_s for number in range(math.ceil(world.duration_s / world.step_s) + 1)}
        for outage in world.outages:
            steps |= {outage.at_s, outage.at_s + outage.for_s}
        self.edges = sorted(steps)
        self._own = _own_draws(world)
        self._fates: dict[tuple[int, int], Fate] = {}
        self.epoch = -1
        self.limits: list[Limits] = []
        self._active: list[Outage] = []
        self.move(0.0)

    def move(self, now: float) -> float:
        """To the epoch of `now`; gives the time at which it ends."""
        self.epoch = bisect_right(self.edges, now) - 1
        self._now = self.edges[self.epoch]
        self._fates.clear()
        self._active = [
            outage for outage in self.world.outages if outage.at_s <= self._now < outage.at_s + outage.for_s
        ]
        self.limits = [self._limits(carrier) for carrier in self.world.carriers]
        return self.edges[self.epoch + 1] if self.epoch + 1 < len(self.edges) else math.inf

    def fate(self, carrier: int, network: int) -> Fate:
        """Of an SMS that leaves by this carrier now."""
        found = self._fates.get((carrier, network))
        if found is None:
            found = self._fates[carrier, network] = self._fate(carrier, network)
        return found

    def _fate(self, number: int, network: int) -> Fate:
        carrier, where = self.world.carriers[number], self.world.networks[network]
        cell = carrier.networks.get(where.name)
        own_median, own_sigma, own_loss = self._own[number][network]
        busy = 1.0 + carrier.rhythm * (1.0 + busyness(self.world, self._now)) / 2.0
        phase = (self._now / carrier.drift_s + number / len(self.world.carriers)) * math.tau
        factor = own_median * where.slower * busy * math.exp(carrier.drift * math.sin(phase))
        median, sigma = carrier.median_s, carrier.sigma * own_sigma
        loss, slow = min(1.0, carrier.loss * where.loss * own_loss * busy), carrier.slow
        if cell is not None:
            median = cell.median_s if cell.median_s is not None else median
            sigma = cell.sigma if cell.sigma is not None else sigma
            loss = cell.loss if cell.loss is not None else loss
            slow = cell.slow if cell.slow is not None else slow
        fake, told, slow_factor = carrier.fake, carrier.told, 1.0
        for outage in self._active:
            if carrier.name not in outage.routes or (outage.networks and where.name not in outage.networks):
                continue
            if outage.kind == "silent":
                told *= loss * (1.0 - outage.share) / max(1e-9, 1.0 - (1.0 - loss) * (1.0 - outage.share))
                loss = 1.0 - (1.0 - loss) * (1.0 - outage.share)
            elif outage.kind == "fake":
                fake = 1.0 - (1.0 - fake) * (1.0 - outage.share)
            elif outage.kind == "slow":
                factor *= outage.factor
                slow_factor *= outage.factor
        return Fate(
            math.log(median * factor), sigma, slow, math.log(carrier.slow_s * slow_factor), _SLOW_SIGMA, loss,
            fake, told, carrier.told_s, carrier.no_receipt,
        )  # fmt: skip

    def _limits(self, carrier: Carrier) -> Limits:
        tps, refuses, up = carrier.tps, False, True
        for outage in self._active:
            if carrier.name in outage.routes:
                refuses = refuses or outage.kind == "hard"
                up = up and outage.kind != "down"
                if outage.kind == "throttle":
                    tps = min(tps, outage.tps)
        return Limits(tps, refuses, up)


def _own_draws(world: World) -> list[list[tuple[float, float, float]]]:
    """Factors of median, sigma and loss, for each carrier and network."""
    own = []
    for carrier in world.carriers:
        rows = []
        for network in world.networks:
            random = Random(f"{world.spread_seed} {carrier.name} {network.name}")
            median, sigma, loss = (
                math.exp(random.gauss(0.0, 1.0) * world.spread * part) for part in (1.0, 1 / 3, 1.0)
            )
            rows.append((median, sigma, loss))
        own.append(rows)
    return own
