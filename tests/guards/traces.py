"""Attacks and a normal day as generators of jobs, from seeds. All numbers are of +999, which is nobody's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from heapq import merge
from random import Random
from typing import Final, NamedTuple

from connector.routing.destination import Destination

__all__ = [
    "HOME",
    "MIDNIGHT",
    "Sent",
    "normal_day",
    "one_number",
    "random_numbers",
    "sequential",
    "shuffled",
    "slow",
]

MIDNIGHT: Final = 1_790_000_000.0 // 86_400.0 * 86_400.0
HOME: Final = tuple(Destination("XA", "mobile", network, True) for network in ("Alpha", "Beta", "Gamma"))
AWAY: Final = tuple(Destination("XB", "mobile", network, True) for network in ("Delta", "Epsilon"))


class Sent(NamedTuple):
    """One request of an application. `used_s`: its code is used so long after it; None: never."""

    at: float
    number: str
    destination: Destination
    used_s: float | None
    attack: bool


def _attack(at: float, number: str, destination: Destination) -> Sent:
    return Sent(at, number, destination, None, True)


def sequential(random: Random, per_s: float, jobs: int, step: int = 1) -> Iterator[Sent]:
    """One number after the other from a random one on."""
    first, at = random.randrange(10**7, 5 * 10**7), MIDNIGHT + 3_600.0
    for index in range(jobs):
        at += random.expovariate(per_s)
        yield _attack(at, f"+9992{first + step * index:08d}", AWAY[0])


def shuffled(random: Random, per_s: float, jobs: int) -> Iterator[Sent]:
    """All numbers of ranges of 10,000 in any order."""
    at = MIDNIGHT + 3_600.0
    for index in range(jobs):
        if index % 10_000 == 0:
            rest = random.sample(range(10_000), 10_000)
            block = random.randrange(10**4)
        at += random.expovariate(per_s)
        yield _attack(at, f"+9992{block:04d}{rest.pop():04d}", AWAY[0])


def slow(random: Random, per_s: float, hours: float, blocks: int) -> Iterator[Sent]:
    """Random numbers of very many blocks of two networks, each block now and then."""
    prefixes = random.sample(range(10_000), blocks)
    at = MIDNIGHT + 3_600.0
    end = at + hours * 3_600.0
    while (at := at + random.expovariate(per_s)) < end:
        block = random.choice(prefixes)
        yield _attack(at, f"+9992{block:04d}{random.randrange(10**4):04d}", AWAY[block % 2])


def one_number(random: Random, per_s: float, jobs: int) -> Iterator[Sent]:
    """A person who is to be annoyed, or a number that earns with every message."""
    number, at = f"+9991{random.randrange(10**8):08d}", MIDNIGHT + 3_600.0
    for _ in range(jobs):
        at += random.expovariate(per_s)
        yield _attack(at, number, HOME[0])


def random_numbers(random: Random, per_s: float, jobs: int) -> Iterator[Sent]:
    """An application that was taken over, or runs in a circle: numbers of people who exist."""
    at = MIDNIGHT + 3_600.0
    for _ in range(jobs):
        at += random.expovariate(per_s)
        yield _attack(at, f"+9991{random.randrange(10**7):08d}", HOME[random.randrange(3)])


def normal_day(random: Random, per_s: float, launch_per_s: float) -> Iterator[Sent]:
    """What people do in a day: more at noon than at night, in bursts, with second tries, families whose
    numbers stand next to each other, a company that signs up together, an hour after a launch, ten minutes in
    which no code arrives. `per_s`: the mean of the day.
    """
    return merge(
        _people(Random(random.random()), per_s),
        _launch(Random(random.random()), launch_per_s),
        _families(Random(random.random()), 200),
        _company(Random(random.random())),
        key=lambda sent: sent.at,
    )


def _home(random: Random) -> tuple[str, Destination]:
    """Ten million numbers of three networks; half of the people have numbers of the first tenth."""
    number = random.randrange(10**6 if random.random() < 0.5 else 10**7)
    return f"+9991{number:08d}", HOME[number % 7 % 3]


def _person(random: Random, at: float, number: str, destination: Destination) -> Iterator[Sent]:
    """One who signs in, and asks again when nothing comes."""
    outage = 14.0 <= (at - MIDNIGHT) / 3_600.0 < 14.17
    weak = destination is HOME[2]
    while True:
        used = not outage and random.random() < (0.35 if weak else 0.75)
        yield Sent(at, number, destination, random.lognormvariate(3.0, 0.8) if used else None, False)
        if used or random.random() < 0.6:
            return
        at += random.uniform(30.0, 90.0)


def _in_order(waiting: list[Sent], until: float) -> Iterator[Sent]:
    waiting.sort(key=lambda sent: -sent.at)
    while waiting and waiting[-1].at <= until:
        yield waiting.pop()


def _people(random: Random, per_s: float) -> Iterator[Sent]:
    waiting: list[Sent] = []
    at, end = MIDNIGHT, MIDNIGHT + 86_400.0
    while at < end:
        hour = (at - MIDNIGHT) / 3_600.0
        rate = per_s * (1.0 + 0.9 * math.sin((hour - 9.0) / 24.0 * 2.0 * math.pi))
        at += random.expovariate(rate)
        burst = random.choices((1, 3, 10), (96, 3, 1))[0]  # a train arrives, a lesson ends
        for _ in range(burst):
            waiting.extend(_person(random, at + random.uniform(0.0, 5.0) * (burst > 1), *_home(random)))
        yield from _in_order(waiting, at)
    yield from _in_order(waiting, math.inf)


def _launch(random: Random, per_s: float) -> Iterator[Sent]:
    waiting: list[Sent] = []
    at = MIDNIGHT + 18.0 * 3_600.0
    end = at + 3_600.0
    while at < end:
        at += random.expovariate(per_s)
        waiting.extend(_person(random, at, *_home(random)))
        yield from _in_order(waiting, at)
    yield from _in_order(waiting, math.inf)


def _families(random: Random, count: int) -> Iterator[Sent]:
    """Two to six numbers in a row, within some minutes."""
    sent: list[Sent] = []
    for _ in range(count):
        at = MIDNIGHT + random.uniform(0.0, 86_000.0)
        number, destination = _home(random)
        for member in range(random.randint(2, 6)):
            one = f"+9991{int(number[5:]) + member:08d}"
            sent.extend(_person(random, at + random.uniform(0.0, 300.0), one, destination))
    yield from sorted(sent, key=lambda one: one.at)


def _company(random: Random) -> Iterator[Sent]:
    """Twenty numbers of one hundred, half an hour."""
    base = random.randrange(10**5) * 100
    sent: list[Sent] = []
    for number in random.sample(range(100), 20):
        at = MIDNIGHT + 9.0 * 3_600.0 + random.uniform(0.0, 1_800.0)
        sent.extend(_person(random, at, f"+9991{base + number:08d}", HOME[0]))
    yield from sorted(sent, key=lambda one: one.at)
