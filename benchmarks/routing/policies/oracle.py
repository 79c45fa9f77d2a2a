"""The clairvoyant: it knows the true distributions of the moment, queues, outages, faked receipts.

It knows neither the draws nor the future. First route and follow-ups are chosen by the same utility as ours.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr  # type: ignore[import-untyped]

from benchmarks.routing.job import Flight, Job
from benchmarks.routing.policies.base import Policy, Scene
from benchmarks.routing.truth import Fate
from benchmarks.routing.world import Trunk, Users

__all__ = ["Oracle", "Table", "call_table", "sms_table"]

Curve = NDArray[np.float64]

_LAG_S: Final = 0.7  # a receipt comes so long after the message
_LEAST_STEP_S: Final = 0.25
_MOST_STEPS: Final = 360
_RINGS: Final = (np.arange(32) + 0.5) / 32  # of the uniform part of ringing


class Table:
    """One route in one network as it is when an attempt leaves; curves over the time since then.

    hit          P(arrives by then), handset reachable
    never        P(never arrives, and nothing was heard by then), handset reachable
    silent       P(nothing was heard by then: no receipt, no failure, no conversion), handset reachable
    unreachable  the same of a handset that cannot be reached
    ever         P(arrives), handset reachable
    fake         P(never arrives and has a receipt), and honest: P(arrives and has a receipt)
    """

    __slots__ = ("ever", "fake", "hit", "honest", "never", "silent", "unreachable")

    def __init__(
        self,
        hit: Curve,
        never: Curve,
        silent: Curve,
        unreachable: Curve,
        ever: float,
        fake: float,
        honest: float,
    ) -> None:
        self.hit = hit
        self.ever = ever
        self.never = never
        self.silent = silent
        self.unreachable = unreachable
        self.fake = fake
        self.honest = honest


def _log_normal(times: Curve, mu: float, sigma: float) -> Curve:
    safe = np.maximum(times, 1e-9)
    return np.where(times > 0.0, ndtr((np.log(safe) - mu) / sigma), 0.0)


def _spread(times: Curve, about: float) -> Curve:
    """Of what comes between half and one and a half times `about`."""
    return np.clip(times / about - 0.5, 0.0, 1.0)


def sms_table(fate: Fate, users: Users, times: Curve) -> Table:
    def arrived(at: Curve) -> Curve:
        fast = _log_normal(at, fate.mu, fate.sigma)
        return (1.0 - fate.slow) * fast + fate.slow * _log_normal(at, fate.slow_mu, fate.slow_sigma)

    come, receipt = arrived(times), arrived(times - _LAG_S)
    faked = _log_normal(times - _LAG_S, fate.mu, fate.sigma)
    entered = _log_normal(times, math.log(users.delay_s), users.sigma)
    converted = users.converts * np.convolve(np.diff(come, prepend=0.0), entered)[: len(times)]
    arrives = (1.0 - fate.fake) * (1.0 - fate.loss)
    lost = (1.0 - fate.fake) * fate.loss
    never = lost * (1.0 - fate.told * _spread(times, fate.told_s)) + fate.fake * (1.0 - faked)
    heard = fate.no_receipt * converted + (1.0 - fate.no_receipt) * receipt
    unreachable = (1.0 - fate.fake) * (1.0 - users.told * _spread(times, users.told_s)) + fate.fake * (
        1.0 - faked
    )
    return Table(
        arrives * come, never, arrives * (1.0 - heard) + never, unreachable, arrives, fate.fake,
        arrives * (1.0 - fate.no_receipt),
    )  # fmt: skip


def call_table(trunk: Trunk, times: Curve) -> Table:
    setup = math.log(trunk.setup_s)
    heard_at = times[:, None] - trunk.heard_s - trunk.ring_s * (0.5 + _RINGS)
    heard = _log_normal(heard_at, setup, trunk.setup_sigma).mean(axis=1)
    given_up = _log_normal(times - trunk.rings_s, setup, trunk.setup_sigma)
    never = (1.0 - trunk.answers) * (1.0 - given_up)
    silent = trunk.answers * (1.0 - heard) + never
    refused = _log_normal(times, setup, trunk.setup_sigma)
    return Table(trunk.answers * heard, never, silent, 1.0 - refused, trunk.answers, 0.0, trunk.answers)


class Oracle(Policy):
    """Everything is computed on a grid of times; for plain jobs it is kept until the truth changes."""

    name = "oracle"
    clairvoyant = True

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        assert scene.truth is not None
        world = scene.world
        self._truth = scene.truth
        self._users = world.users
        patience = max(deadline.s for deadline in world.traffic.deadlines)
        self._step = max(_LEAST_STEP_S, patience / _MOST_STEPS)
        self._times: Curve = np.arange(math.ceil(patience / self._step) + 2, dtype=np.float64) * self._step
        self._entered = _log_normal(self._times, math.log(world.users.delay_s), world.users.sigma)
        self._calls = [call_table(trunk, self._times) for trunk in world.trunks]
        self._value = world.utility.value
        self._prices = [price / world.mean_price for price in self.desk.prices]
        self._extra = [price + world.utility.annoyance for price in self._prices]
        self._epoch = -1
        self._tables: dict[tuple[int, int], Table] = {}
        self._first: dict[tuple[int, float], int] = {}
        self._plans: dict[Any, tuple[float, int]] = {}
        self._routes = (*self.carriers, *self.trunks)
        self._no_waits = [0.0] * len(self._routes)

    def _table(self, route: int, network: int) -> Table:
        if route >= len(self.carriers):
            return self._calls[route - len(self.carriers)]
        found = self._tables.get((route, network))
        if found is None:
            found = sms_table(self._truth.fate(route, network), self._users, self._times)
            self._tables[route, network] = found
        return found

    def _now_true(self) -> None:
        if self._epoch != self._truth.epoch:
            self._epoch = self._truth.epoch
            self._tables.clear()
            self._first.clear()
            self._plans.clear()

    # The first route

    def choose(self, job: Job, now: float) -> int:
        self._now_true()
        waits = [self.desk.wait(route, now) for route in self.carriers or self.trunks]
        usual = not job.refused and not any(waits)
        left_s = job.deadline_at - now
        key = (job.network, left_s)
        if usual and key in self._first:
            return self._first[key]
        best, found = 0.0, -1
        for route, wait in zip(self.carriers or self.trunks, waits, strict=True):
            if route in job.refused or wait >= left_s:
                continue
            utility = self._worth(route, job.network, left_s - wait)
            if utility > best:
                best, found = utility, route
        if usual:
            self._first[key] = found
        return found

    def _worth(self, route: int, network: int, seconds: float) -> float:
        """Of a first attempt by this route and the follow-up after it."""
        table = self._table(route, network)
        steps = int(seconds / self._step)
        chance = (1.0 - self._users.unreachable) * float(table.hit[steps])
        alone = self._value * chance - self._prices[route]
        job, flight = Job(-1, 0.0, seconds, network), Flight(route, 1, 0.0)
        flight.mark = table
        job.flights.append(flight)
        return alone + self._search(job, 0.0, self._no_waits)[2]

    # The follow-up

    def left(self, job: Job, flight: Flight, now: float) -> None:
        self._now_true()
        flight.mark = self._table(flight.route, job.network)

    def plan(self, job: Job, now: float) -> float:
        if job.hopeless:
            return math.inf
        for flight in job.flights:
            if flight.state == "arrived" and flight.mark.fake == 0.0:
                return math.inf
        return self._best(job, now)[0]

    def follow(self, job: Job, now: float) -> int:
        if job.hopeless:
            return -1
        at, route = self._best(job, now)
        return route if at <= now else -1

    def _best(self, job: Job, now: float) -> tuple[float, int]:
        """(when, by which route) a further attempt is worth most; (inf, -1) where none is worth its price."""
        self._now_true()
        waits = [math.inf if route in job.refused else self.desk.wait(route, now) for route in self._routes]
        if len(job.flights) > 1 or job.flights[0].state != "sent" or any(waits):
            at, route, _ = self._search(job, now, waits)
            return now + at, route
        flight = job.flights[0]
        age, left = int((now - flight.left_at) / self._step), int((job.deadline_at - now) / self._step)
        key = (flight.mark, job.network, age, left)
        found = self._plans.get(key)
        if found is None:
            found = self._plans[key] = self._search(job, now, waits)[:2]
        return now + found[0], found[1]

    def _search(self, job: Job, now: float, waits: list[float]) -> tuple[float, int, float]:
        """(seconds from now, route, utility) of the best further attempt."""
        step = self._step
        steps = int((job.deadline_at - now) / step)
        if steps < 1:
            return math.inf, -1, 0.0
        missed, silent, lost = self._joint(job, now, steps)
        unreachable = self._users.unreachable
        if any(flight.state == "failed" for flight in job.flights):
            unreachable = 0.0  # of such a handset the carrier would have said so
        missed = missed * ((1.0 - unreachable) * self._value)
        goes_out = silent * (1.0 - unreachable) + lost * unreachable
        best, when, found = 0.0, math.inf, -1
        for route, wait in zip(self._routes, waits, strict=True):
            room = int((job.deadline_at - now - wait) / step) if wait < math.inf else 0
            if room < 1:
                continue
            hits = self._table(route, job.network).hit[room:0:-1]
            worth = missed[:room] * hits - goes_out[:room] * self._extra[route]
            place = int(worth.argmax())
            if worth[place] > best:
                best, when, found = float(worth[place]), place * step, route
        return when, found, best

    def _joint(self, job: Job, now: float, steps: int) -> tuple[Curve, Curve, Curve]:
        """For each instant until the deadline: P(all miss it, and nothing more was heard), P(nothing more was
        heard), each of a reachable handset, and P(nothing more was heard) of an unreachable one."""
        missed, silent, lost = np.ones(steps + 1), np.ones(steps + 1), np.ones(steps + 1)
        for flight in job.flights:
            if flight.state == "failed":
                continue
            table: Table = flight.mark
            begin = int((now - flight.left_at) / self._step)
            if flight.state == "arrived":
                came = int((now - flight.told_at + _LAG_S) / self._step)
                entered = self._entered[came : came + steps + 1]
                missed = missed * table.fake
                silent = silent * (table.fake + table.honest * (1.0 - self._users.converts * entered))
                lost = lost * table.fake
                continue
            span = slice(begin, begin + steps + 1)
            missed = missed * (table.never[span] + table.ever - float(table.hit[begin + steps]))
            silent = silent * table.silent[span]
            lost = lost * table.unreachable[span]
        return missed, silent, lost
