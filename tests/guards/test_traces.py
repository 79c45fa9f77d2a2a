"""Attacks are stopped within a stated number of messages; a normal day is not touched."""

from collections import deque
from heapq import merge
from random import Random

import pytest

from connector.config.guards import Limit, VelocityCountryGuard
from connector.routing.guards import Ask, Guards
from tests.guards import traces
from tests.guards.replay import KEY, PRICE, SMS, example, replay, settings_of

SETTINGS = settings_of(example())


def test_sequential_pumping_stops_after_twelve(random: Random) -> None:
    outcome = replay(traces.sequential(random, per_s=5.0, jobs=5_000), SETTINGS)
    assert outcome.passed == outcome.stopped_after == 12
    assert set(outcome.by_guard) == {"sequential"}


def test_sequential_pumping_stops_in_steps_of_two_and_slowly(random: Random) -> None:
    outcome = replay(traces.sequential(random, per_s=0.05, jobs=500, step=2), SETTINGS)
    assert outcome.passed <= 13


def test_ranges_in_any_order_stop_by_their_prefix(random: Random) -> None:
    """300 at once and 300 an hour to each block of 10,000; half of them stand next to each other sooner."""
    trace = [*traces.shuffled(random, per_s=5.0, jobs=10_000)]
    outcome = replay(trace, SETTINGS, told=False)
    hours = (trace[-1].at - trace[0].at) / 3_600.0
    assert outcome.stopped_after is not None and outcome.stopped_after <= 310
    assert outcome.passed <= 300 + 300 * hours + 1


def test_slow_pumping_over_many_prefixes_stops_when_nobody_uses_its_codes(random: Random) -> None:
    """200 jobs of a country must have had their time, 183 s; after that one a minute is tried."""
    per_s, hours = 1.0, 4.0
    outcome = replay(traces.slow(random, per_s, hours, blocks=4_000), SETTINGS)
    under_way = per_s * 183.0
    assert outcome.stopped_after is not None and outcome.stopped_after <= 200 + 2 * under_way
    assert outcome.passed <= outcome.stopped_after + 60.0 * hours + 60
    assert set(outcome.by_guard) == {"conversion"}


def test_slow_pumping_stops_by_its_country_where_nobody_tells_of_conversions(random: Random) -> None:
    limit = Limit(jobs=500, within_s=3_600)
    rules = example()
    country = VelocityCountryGuard(usual=("XA",), limits=(limit,))  # type: ignore[arg-type]
    settings = settings_of(type(rules)(velocity_country=country))
    outcome = replay(traces.slow(random, per_s=1.0, hours=2.0, blocks=4_000), settings, told=False)
    assert outcome.passed <= 500 + 2 * 500 + 1
    assert set(outcome.by_guard) == {"velocity_country"}


def test_a_number_is_not_bombed(random: Random) -> None:
    outcome = replay(traces.one_number(random, per_s=0.5, jobs=2_000), SETTINGS)
    assert outcome.stopped_after is not None and outcome.stopped_after <= 7
    assert outcome.passed <= 17  # 15 at once in a day, then one in each 96 minutes


def test_an_application_that_runs_wild_stops_at_its_budget(random: Random) -> None:
    settings = settings_of(type(example())(), budget=100.0)
    outcome = replay(traces.random_numbers(random, per_s=20.0, jobs=5_000), settings, told=False)
    assert outcome.passed == 100.0 / PRICE
    assert set(outcome.by_guard) == {"budget"}


@pytest.mark.parametrize("restart_every", [500])
def test_a_restart_lets_an_attack_go_on_nowhere(random: Random, restart_every: int) -> None:
    trace = [*traces.slow(random, per_s=1.0, hours=3.0, blocks=4_000)]
    whole = replay(trace, SETTINGS)
    torn = replay(trace, SETTINGS, restart_every=restart_every)
    # What had not had its time yet is forgotten, and a trial a restart is tried again.
    restarts = len(trace) // restart_every
    assert torn.passed <= whole.passed + restarts * (183.0 * 1.5) / 2 + restarts
    assert replay(traces.sequential(random, 5.0, 3_000), SETTINGS, restart_every=500).passed == 12


def test_a_normal_day_is_untouched(random: Random) -> None:
    """At most one in 5,000 is refused: who asks for a sixth code within ten minutes."""
    guards = Guards(SETTINGS, KEY, traces.MIDNIGHT)
    asked: dict[str, deque[float]] = {}
    jobs = refused = 0
    for sent in traces.normal_day(random, per_s=0.25, launch_per_s=5.0):
        refusal = guards.admit(Ask("login", sent.number, sent.destination, SMS, PRICE), sent.at)
        jobs += 1
        past = asked.setdefault(sent.number, deque(maxlen=5))
        if refusal is None:
            past.append(sent.at)
            continue
        refused += 1
        assert refusal.guard == "velocity_number"
        assert len(past) == 5 and sent.at - past[0] <= 600.0
    assert jobs > 30_000
    assert refused <= jobs / 5_000


def test_people_are_served_beside_an_attack(random: Random) -> None:
    """Nobody of the countries that are not attacked is refused; the attack is."""
    day = (sent for sent in traces.normal_day(random, per_s=0.1, launch_per_s=1.0))
    attacks = merge(
        traces.slow(Random(random.random()), per_s=0.5, hours=6.0, blocks=3_000),
        traces.sequential(Random(random.random()), per_s=1.0, jobs=3_000),
        key=lambda sent: sent.at,
    )
    outcome = replay(merge(day, attacks, key=lambda sent: sent.at), SETTINGS)
    assert outcome.refused <= outcome.genuine / 5_000 + 3
    assert outcome.passed < 0.1 * outcome.attacking
