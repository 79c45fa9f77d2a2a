"""One seed of one world under one policy, in virtual time."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final

from benchmarks.routing.desk import Desk
from benchmarks.routing.draws import Draws
from benchmarks.routing.job import Flight, Job
from benchmarks.routing.policies.base import Policy, Scene
from benchmarks.routing.truth import Truth
from benchmarks.routing.world import World

__all__ = ["AFTER_S", "simulate"]

AFTER_S: Final = 60.0
"""What comes so long after a job's deadline is still evidence."""

_TICK_S: Final = 0.25
_AGAIN_S: Final = 0.5  # a job that no route takes
_ROUNDED_S: Final = 1e-4  # a slot does not come at once
_LEAST_S: Final = 0.05  # a plan that is not carried out is not looked at again at once

_RECEIPT, _FAILED, _CONVERTED, _PLAN, _TURNED_AWAY, _ACCEPTED, _SLOT, _EDGE, _TICK = range(9)


def simulate(world: World, draws: Draws, policy: type[Policy], seed: int) -> list[Job]:
    """All jobs, in the order of their arrival, with what became of them."""
    return _Simulation(world, draws, policy, seed).run()


class _Simulation:
    def __init__(self, world: World, draws: Draws, policy: type[Policy], seed: int) -> None:
        self.truth = Truth(world)
        self.desk = Desk(self.truth, policy.clairvoyant)
        self.draws = draws
        self.users = draws.users
        self.policy = policy(Scene(world, self.desk, self.truth if policy.clairvoyant else None, seed))
        self.first_trunk = self.truth.first_trunk
        self.max_attempts = world.max_attempts
        self.prices = [price / world.mean_price for price in self.desk.prices]
        self.trunks = world.trunks
        self.answers_s = [carrier.answers_s for carrier in world.carriers]
        self.told_s = world.users.told_s
        self.heap: list[tuple[float, int, int, Any, Any]] = []
        self.number = count()
        self.slots = [math.inf] * len(self.prices)
        self.closing: dict[float, deque[Job]] = {deadline.s: deque() for deadline in world.traffic.deadlines}
        self.handlers: dict[int, Callable[..., None]] = {
            _RECEIPT: self.receipt, _FAILED: self.failed, _CONVERTED: self.converted, _PLAN: self.planned,
            _TURNED_AWAY: self.turned_away, _ACCEPTED: self.policy.accepted, _SLOT: self.slot,
            _EDGE: self.edge, _TICK: self.tick,
        }  # fmt: skip
        self.end = world.duration_s + max(self.closing)

    def at(self, time: float, code: int, job: Any = None, flight: Any = None) -> None:
        heappush(self.heap, (time, next(self.number), code, job, flight))

    def run(self) -> list[Job]:
        heap, handlers, jobs = self.heap, self.handlers, []
        self.edge(None, None, 0.0)
        self.at(_TICK_S, _TICK)
        for index, user in enumerate(self.users):
            now = user.at
            while heap[0][0] <= now:
                time, _, code, job, flight = heappop(heap)
                handlers[code](job, flight, time)
            job = Job(index, now, now + user.patience_s, user.network)
            jobs.append(job)
            self.closing[user.patience_s].append(job)
            self.begin(job, now)
        while heap and heap[0][0] <= self.end:
            time, _, code, job, flight = heappop(heap)
            handlers[code](job, flight, time)
        return jobs

    # The way of a job

    def begin(self, job: Job, now: float) -> None:
        """The first attempt, or the first after it was turned away."""
        route = self.policy.choose(job, now)
        if route < 0:
            self.later(job, now)
        else:
            self.towards(job, route, now, follow=False)

    def towards(self, job: Job, route: int, now: float, *, follow: bool) -> None:
        wait = self.desk.wait(route, now)
        if wait <= 0.0:
            self.send(job, route, now)
            return
        queue = self.desk.queues[route]
        if now + wait < job.deadline_at or not follow:
            job.queued = True
            queue.append((job, follow))
            if len(queue) == 1:
                self.slots[route] = max(now + _ROUNDED_S, self.desk.slot_at(route, now))
                self.at(self.slots[route], _SLOT, route)

    def send(self, job: Job, route: int, now: float) -> None:
        flight = Flight(route, len(job.flights) + 1, now)
        taken = self.desk.leave(route, now)
        job.flights.append(flight)
        self.policy.left(job, flight, now)
        if route >= self.first_trunk:
            self.call(job, flight, now)
        elif not taken or self.desk.limits(route).refuses:
            self.at(now + self.answers_s[route], _TURNED_AWAY, job, (flight, not taken))
            return
        else:
            self.at(now + self.answers_s[route], _ACCEPTED, job, flight)
            self.message(job, flight, now)
        job.cost += self.prices[route]
        job.sends += 1
        self.plan(job, now)

    def message(self, job: Job, flight: Flight, now: float) -> None:
        """What becomes of an SMS that the carrier takes."""
        route, user = flight.route, self.users[job.index]
        again = sum(other.route == route for other in job.flights) - 1
        chance, normal, receipt = self.draws.of(job.index, route, again)
        fate = self.truth.fate(route, job.network)
        if chance < fate.fake:
            self.at(now + math.exp(fate.mu + fate.sigma * normal) + 0.2 + receipt, _RECEIPT, job, flight)
            return
        if not user.reachable:
            if user.told:
                self.at(now + self.told_s * (0.5 + receipt), _FAILED, job, (flight, True))
            return
        chance = (chance - fate.fake) / (1.0 - fate.fake)
        if chance < fate.loss:
            if receipt < fate.told:
                self.at(now + fate.told_s * (0.5 + receipt / fate.told), _FAILED, job, (flight, False))
            return
        slow = (chance - fate.loss) / (1.0 - fate.loss) < fate.slow
        passed = math.exp(fate.slow_mu + fate.slow_sigma * normal if slow else fate.mu + fate.sigma * normal)
        self.arrives(job, flight, now + passed)
        if receipt >= fate.no_receipt:
            lag = 0.2 + (receipt - fate.no_receipt) / (1.0 - fate.no_receipt)
            self.at(now + passed + lag, _RECEIPT, job, flight)

    def call(self, job: Job, flight: Flight, now: float) -> None:
        trunk, user = self.trunks[flight.route - self.first_trunk], self.users[job.index]
        again = sum(other.route == flight.route for other in job.flights) - 1
        chance, normal, ring = self.draws.of(job.index, flight.route, again)
        at = now + trunk.setup_s * math.exp(trunk.setup_sigma * normal)
        if not user.reachable:
            self.at(at, _FAILED, job, (flight, True))
        elif chance >= trunk.answers:
            self.at(at + trunk.rings_s, _FAILED, job, (flight, False))
        else:
            at += trunk.ring_s * (0.5 + ring) + trunk.heard_s
            self.arrives(job, flight, at)
            self.at(at, _RECEIPT, job, flight)

    def arrives(self, job: Job, flight: Flight, at: float) -> None:
        if at >= job.first_arrival:
            return
        job.first_arrival, job.first_number = at, flight.number
        if at <= job.deadline_at:
            converts_at = at + self.users[job.index].converts_s
            if converts_at < job.converts_at and converts_at < math.inf:
                job.converts_at = converts_at
                self.at(converts_at, _CONVERTED, job)

    # What is heard of it

    def receipt(self, job: Job, flight: Flight, now: float) -> None:
        if flight.route >= self.first_trunk:
            self.hang_up(flight.route, now)
        if now <= job.deadline_at + AFTER_S:
            flight.state, flight.told_at = "arrived", now
            self.policy.receipt(job, flight, now)
            self.plan(job, now)

    def failed(self, job: Job, what: tuple[Flight, bool], now: float) -> None:
        flight, everywhere = what
        if flight.route >= self.first_trunk:
            self.hang_up(flight.route, now)
        flight.state, flight.told_at = "failed", now
        job.hopeless = job.hopeless or everywhere
        self.policy.failed(job, flight, now, everywhere)
        self.plan(job, now)

    def converted(self, job: Job, _flight: None, now: float) -> None:
        if now == job.converts_at:
            self.policy.converted(job, job.first_number, now)
            self.close(job, now)

    def turned_away(self, job: Job, what: tuple[Flight, bool], now: float) -> None:
        flight, throttled = what
        job.flights.remove(flight)
        if throttled:
            self.desk.slow(flight.route, now, flight.left_at)
        else:
            job.refused = (*job.refused, flight.route)
        self.policy.turned_away(job, flight, now, throttled)
        if job.closed or now >= job.deadline_at:
            return
        if job.flights:
            self.plan(job, now)
        else:
            self.begin(job, now)

    def plan(self, job: Job, now: float) -> None:
        """Ask for the next look, after anything that happened to the job."""
        if job.closed or job.queued or len(job.flights) >= self.max_attempts:
            return
        at = self.policy.plan(job, now)
        if at >= job.deadline_at:
            job.plan_at = math.inf
        elif at <= now:
            self.follow(job, now)
        elif at != job.plan_at:
            job.plan_at = at
            self.at(at, _PLAN, job)

    def planned(self, job: Job, _flight: None, now: float) -> None:
        if now != job.plan_at or job.closed or job.queued:
            return
        job.plan_at = math.inf
        if job.flights:
            self.follow(job, now)
        else:
            self.begin(job, now)

    def follow(self, job: Job, now: float) -> None:
        if job.closed or job.queued or len(job.flights) >= self.max_attempts or now >= job.deadline_at:
            return
        job.plan_at = math.inf
        route = self.policy.follow(job, now)
        if route >= 0:
            self.towards(job, route, now, follow=True)
        else:
            at = max(self.policy.plan(job, now), now + _LEAST_S)
            if at < job.deadline_at:
                job.plan_at = at
                self.at(at, _PLAN, job)

    # Queues, lines, time

    def slot(self, route: int, _flight: None, now: float) -> None:
        if now == self.slots[route]:
            self.serve(route, now)

    def serve(self, route: int, now: float) -> None:
        """Those at the head of the queue leave, as long as there is room, or choose anew."""
        queue = self.desk.queues[route]
        while queue:
            job, follow = queue[0]
            at = self.desk.slot_at(route, now)
            if now < at < math.inf and not job.closed:
                self.slots[route] = max(at, now + _ROUNDED_S)
                self.at(self.slots[route], _SLOT, route)
                return
            queue.popleft()
            job.queued = False
            if not job.closed and now < job.deadline_at:
                self.served(job, route, now, follow)
        self.slots[route] = math.inf

    def served(self, job: Job, route: int, now: float, follow: bool) -> None:
        self.desk.turn = route
        chosen = self.policy.follow(job, now) if follow else self.policy.choose(job, now)
        ready = chosen == route and self.desk.wait(route, now) <= 0.0
        self.desk.turn = -1
        if ready:
            self.send(job, route, now)
        elif chosen >= 0 and chosen != route:
            self.towards(job, chosen, now, follow=follow)
        elif follow:
            self.plan(job, now)
        else:
            self.later(job, now)

    def later(self, job: Job, now: float) -> None:
        job.refused = ()
        job.plan_at = now + _AGAIN_S
        if job.plan_at < job.deadline_at:
            self.at(job.plan_at, _PLAN, job)

    def hang_up(self, route: int, now: float) -> None:
        self.desk.hung_up(route)
        if self.desk.queues[route]:
            self.serve(route, now)

    def edge(self, _job: None, _flight: None, now: float) -> None:
        end = self.truth.move(now)
        self.desk.moved(now)
        if end < math.inf:
            self.at(end, _EDGE)

    def tick(self, _job: None, _flight: None, now: float) -> None:
        for waiting in self.closing.values():
            while waiting and waiting[0].deadline_at <= now:
                self.close(waiting.popleft(), now)
        for job in self.policy.tick(now):
            self.follow(job, now)
        if now + _TICK_S <= self.end:
            self.at(now + _TICK_S, _TICK)

    def close(self, job: Job, now: float) -> None:
        if not job.closed:
            job.closed = True
            self.policy.closed(job, now)
