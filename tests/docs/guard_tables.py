"""The tables of docs/guards.md: attacks and normal days replayed from seeds, and the list of dear ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from random import Random
from typing import Final

from connector.config.guards import GuardRules, Limit, VelocityCountryGuard
from connector.routing.guards import Guards, GuardSettings
from connector.routing.guards.ranges import ALL
from tests.guards import traces
from tests.guards.replay import KEY, Outcome, example, replay, settings_of, toll_fraud
from tests.guards.traces import MIDNIGHT, Sent

SEEDS: Final = (1, 2, 3)

_COUNTRY: Final = GuardRules(
    velocity_country=VelocityCountryGuard(usual=("XA",), limits=(Limit(jobs=500, within_s=3_600.0),))
)

_EXAMPLE: Final = settings_of(example())
_WILD: Final = settings_of(GuardRules(), 100.0)
_TO_A_COUNTRY: Final = settings_of(_COUNTRY)

ATTACKS: Final[tuple[tuple[str, Callable[[Random], Iterable[Sent]], GuardSettings, bool], ...]] = (
    ("numbers in a row, 5 a second", lambda r: traces.sequential(r, 5.0, 5_000), _EXAMPLE, True),
    ("every other number, 3 a minute", lambda r: traces.sequential(r, 0.05, 500, 2), _EXAMPLE, True),
    (
        "a range of 10,000 in any order, 5 a second",
        lambda r: traces.shuffled(r, 5.0, 10_000), _EXAMPLE, False,
    ),
    ("4,000 prefixes, 1 a second for 4 hours", lambda r: traces.slow(r, 1.0, 4.0, 4_000), _EXAMPLE, True),
    (
        "the same, of an application without `feedback`, 500 an hour to a country",
        lambda r: traces.slow(r, 1.0, 4.0, 4_000), _TO_A_COUNTRY, False,
    ),
    ("one number, 30 a minute", lambda r: traces.one_number(r, 0.5, 2_000), _EXAMPLE, True),
    (
        "an application gone wild, 20 a second, 100 a day at 0.05",
        lambda r: traces.random_numbers(r, 20.0, 5_000), _WILD, False,
    ),
)  # fmt: skip
"""(name, trace, guards, whether the application calls `feedback`)"""

CALLS: Final = (
    ("a call a second to a small island, defaults", GuardRules, "NR", "+674"),
    ("the same, `config/verification`", example, "NR", "+674"),
    ("a call a second to codes of no country, defaults", GuardRules, "", "+882"),
    ("a call a second elsewhere, `config/verification`", example, "XB", "+9992"),
)


def attacks() -> Iterator[tuple[str, ...]]:
    """Worst of the seeds."""
    for name, trace, settings, told in ATTACKS:
        outcomes = [replay(trace(Random(seed)), settings, told=told) for seed in SEEDS]
        guards = sorted({guard for outcome in outcomes for guard in outcome.by_guard})
        yield (
            name,
            ", ".join(f"`{guard}`" for guard in guards),
            f"{max(outcome.attacking for outcome in outcomes):,}",
            f"{max(outcome.stopped_after or 0 for outcome in outcomes):,}",
            f"{max(outcome.passed for outcome in outcomes):,}",
        )


def calls() -> Iterator[tuple[str, ...]]:
    """50,000 calls of which nobody hangs up."""
    for name, rules, country, prefix in CALLS:
        guards = Guards(settings_of(rules()), KEY, MIDNIGHT)
        connected, seconds, most = toll_fraud(guards, Random(SEEDS[0]), country, prefix, 50_000)
        names = sorted(guard for guard, _ in guards.hits)
        yield (
            name, ", ".join(f"`{guard}`" for guard in names), f"{connected:,}", f"{most}",
            f"{seconds / 60.0:,.0f}",
        )  # fmt: skip


def days() -> Iterator[tuple[str, ...]]:
    """Of people alone, and beside attacks."""
    settings = settings_of(example())
    for seed in SEEDS[:2]:
        yield _day(f"a normal day, seed {seed}", replay(traces.normal_day(Random(seed), 0.15, 3.0), settings))
    attacked = merge(
        traces.normal_day(Random(SEEDS[0]), 0.15, 3.0),
        traces.slow(Random(SEEDS[1]), 1.0, 4.0, 4_000),
        traces.sequential(Random(SEEDS[2]), 1.0, 5_000),
        key=lambda sent: sent.at,
    )
    yield _day("a day with 4,000 prefixes and numbers in a row", replay(attacked, settings))


def _day(name: str, outcome: Outcome) -> tuple[str, ...]:
    return name, f"{outcome.genuine:,}", f"{outcome.refused}", f"{outcome.refused / outcome.genuine:.4%}"


def ranges() -> Iterator[tuple[str, ...]]:
    for group in dict.fromkeys(range.group for range in ALL):
        rows = [range for range in ALL if range.group == group]
        prefixes = ", ".join(f"{range.prefix} {range.country}".strip() for range in rows)
        yield f"`{group}`", prefixes
