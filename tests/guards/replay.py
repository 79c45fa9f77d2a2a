"""Traces sent through guards, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from heapq import heappop, heappush
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import msgspec

from connector.config.guards import GuardRules
from connector.config.model import ConnectorFile
from connector.routing.destination import Destination
from connector.routing.guards import Ask, Guards, GuardSettings, guard_settings
from tests.guards.traces import MIDNIGHT, Sent

KEY: Final = b"key of this test"
SMS: Final = frozenset(["sms"])
EXAMPLE: Final = Path(__file__).parents[2] / "config" / "verification" / "connector.toml"
PRICE: Final = 0.05


def example() -> GuardRules:
    """The guards of config/verification."""
    return msgspec.toml.decode(EXAMPLE.read_bytes(), type=ConnectorFile).guards


def settings_of(rules: GuardRules, budget: float | None = None) -> GuardSettings:
    settings = guard_settings(rules, ())
    return settings if budget is None else settings._replace(budgets={"login": budget})


class Outcome(NamedTuple):
    """passed       attacking jobs that were accepted, of `attacking`
    stopped_after  how many of them had been accepted when the first one was refused
    refused        jobs of people that were refused, of `genuine`; by guard
    hits           of all guards
    """

    attacking: int
    passed: int
    stopped_after: int | None
    genuine: int
    refused: int
    by_guard: Counter[str]
    hits: Counter[tuple[str, str]]


def replay(
    trace: Iterable[Sent], settings: GuardSettings, *, told: bool = True, restart_every: int = 0
) -> Outcome:
    """told           whether the application calls `feedback`
    restart_every  jobs after which the guards go on from their dump in a new process
    """
    guards = Guards(settings, KEY, MIDNIGHT)
    used: list[tuple[float, str, Destination]] = []
    attacking = passed = genuine = refused = 0
    stopped_after: int | None = None
    by_guard: Counter[str] = Counter()
    if told:
        accustom(guards)
    for index, sent in enumerate(trace):
        now = sent.at
        while used and used[0][0] <= now:
            at, number, destination = heappop(used)
            guards.feedback("login", number, destination, True, at)
        if restart_every and index % restart_every == restart_every - 1:
            state, guards = b"".join(guards.dump()), Guards(settings, KEY, now)
            guards.restore(state, now)
        refusal = guards.admit(Ask("login", sent.number, sent.destination, SMS, PRICE), now)
        attacking += sent.attack
        genuine += not sent.attack
        if refusal is None:
            passed += sent.attack
            guards.spent("login", PRICE, now)
            if told and sent.used_s is not None:
                heappush(used, (now + sent.used_s, sent.number, sent.destination))
            continue
        by_guard[refusal.guard] += 1
        if sent.attack and stopped_after is None:
            stopped_after = passed
        refused += not sent.attack
    return Outcome(attacking, passed, stopped_after, genuine, refused, by_guard, guards.hits)


def accustom(guards: Guards) -> None:
    """The application has called `feedback` before."""
    for _ in range(30):
        guards.feedback("login", "+999300000000", Destination("XC", "mobile", "", True), True, MIDNIGHT)


def toll_fraud(
    guards: Guards, random: Random, country: str, prefix: str, calls: int
) -> tuple[int, float, int]:
    """A call a second whose callee never hangs up. (calls, seconds on the line, most at once)"""
    at, connected, seconds, most = MIDNIGHT + 60.0, 0, 0.0, 0
    ends: list[float] = []
    for _ in range(calls):
        at += random.expovariate(1.0)
        while ends and ends[0] <= at:
            guards.call_ended(country, heappop(ends))
        number = f"{prefix}{random.randrange(10**6):06d}"
        if guards.call_may_start(number, country, at) is not None:
            continue
        guards.call_started(country, at)
        length_s = guards.longest_call_s(country) or 3_600.0
        heappush(ends, at + length_s)
        connected, seconds, most = connected + 1, seconds + length_s, max(most, len(ends))
    return connected, seconds, most
