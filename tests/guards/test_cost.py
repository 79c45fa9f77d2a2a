"""What guards cost a job. The guide's figure is of a calm machine; here the order of magnitude counts."""

from collections.abc import Iterator
from random import Random
from time import process_time

import pytest

from connector.config.guards import (
    BlockLimit,
    BudgetGuard,
    ConversionGuard,
    CountriesGuard,
    GuardRules,
    HighCostGuard,
    Limit,
    PrefixesGuard,
    SequentialGuard,
    VelocityCountryGuard,
    VelocityGuard,
    VelocityPrefixGuard,
)
from connector.routing.guards import Ask, Guards, GuardSettings, chain, velocity
from tests.guards.conftest import XA, ask, made, name
from tests.guards.replay import KEY, SMS, accustom
from tests.guards.traces import MIDNIGHT

JOBS, PART = 30_000, 500

EVERYTHING = GuardRules(
    countries=CountriesGuard(allowed=("XA", "XB")),
    prefixes=PrefixesGuard(blocked=("+4470", "+4490")),
    high_cost=HighCostGuard(messages=("satellite", "global", "remote")),
    budget=BudgetGuard(per_day=1e9),
    sequential=SequentialGuard(numbers=12),
    velocity_number=VelocityGuard(
        limits=(Limit(jobs=50, within_s=600.0), Limit(jobs=150, within_s=86_400.0))
    ),
    velocity_prefix=VelocityPrefixGuard(limits=(BlockLimit(jobs=10_000, within_s=3_600.0),)),
    velocity_country=VelocityCountryGuard(limits=(Limit(jobs=10**6, within_s=3_600.0),)),
    velocity_application=VelocityGuard(limits=(Limit(jobs=10**6, within_s=3_600.0),)),
    conversion=ConversionGuard(floor=0.05, after=10**6),
)


def numbers(random: Random) -> Iterator[str]:
    """Of ten million; every fifth had a job before."""
    seen: list[str] = []
    while True:
        fresh = not seen or random.random() < 0.8
        number = f"+99910{random.randrange(10**7):07d}" if fresh else random.choice(seen)
        seen.append(number)
        yield number


@pytest.mark.parametrize(
    ("rules", "most_us"), [(EVERYTHING, 40.0), (GuardRules(), 8.0)], ids=["all", "default"]
)
def test_a_job_costs_microseconds(random: Random, rules: GuardRules, most_us: float) -> None:
    guards = Guards(GuardSettings(rules, {"login": frozenset({"XA"})}, {}), KEY, MIDNIGHT)
    accustom(guards)
    some = numbers(random)
    costs: list[float] = []
    for part in range(0, JOBS, PART):
        asks = [Ask("login", next(some), XA, SMS, 0.05) for _ in range(PART)]
        before = process_time()
        for index, each in enumerate(asks, part):
            guards.admit(each, MIDNIGHT + index * 0.01)
        costs.append((process_time() - before) / PART * 1e6)
    assert not guards.hits
    later = sorted(costs[len(costs) // 2 :])
    print(f"{later[len(later) // 4]:.2f} µs a job, at best {later[0]:.2f}")
    assert later[len(later) // 4] < most_us


def test_more_blocks_than_there_are_gauges_and_places_loosen_no_limit(
    monkeypatch: pytest.MonkeyPatch, random: Random
) -> None:
    monkeypatch.setattr(velocity, "MOST_GAUGES", 20)
    monkeypatch.setattr(chain, "MOST_PLACES", 10)
    limits = tuple(
        BlockLimit(jobs=jobs, within_s=1e5, last_digits=digits) for jobs, digits in ((5, 4), (8, 5))
    )
    guards = made(velocity_prefix=VelocityPrefixGuard(limits=limits))
    passed = 0
    for index in range(2_000):
        passed += (
            name(guards, ask(f"+9991{random.randrange(5):04d}{random.randrange(10**4):04d}"), MIDNIGHT)
            is None
        )
        guards.admit(ask(f"+9992{index:04d}0000"), MIDNIGHT)
        assert len(guards._places) <= 10
        assert len(guards._velocities[0].gauges.entries) <= 21
    # Eight of all five blocks; what was taken once is the first that is forgotten.
    assert passed <= 16
