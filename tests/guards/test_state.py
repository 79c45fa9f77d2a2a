"""What was counted survives a restart; nothing else is taken for it."""

from random import Random

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config.guards import (
    BlockLimit,
    BudgetGuard,
    ConversionGuard,
    GuardRules,
    Limit,
    SequentialGuard,
    VelocityCountryGuard,
    VelocityGuard,
    VelocityPrefixGuard,
    VoiceDailyGuard,
)
from connector.routing.guards import Guards, GuardSettings, meter
from tests.guards.conftest import XA, ask, name
from tests.guards.replay import KEY, accustom, replay, settings_of
from tests.guards.traces import MIDNIGHT, normal_day

NOW = MIDNIGHT + 36_000.0
RULES = GuardRules(
    budget=BudgetGuard(per_day=1_000.0),
    sequential=SequentialGuard(numbers=3),
    velocity_number=VelocityGuard(limits=(Limit(jobs=3, within_s=600.0), Limit(jobs=9, within_s=86_400.0))),
    velocity_prefix=VelocityPrefixGuard(limits=(BlockLimit(jobs=40, within_s=3600.0),)),
    velocity_country=VelocityCountryGuard(limits=(Limit(jobs=200, within_s=3600.0),)),
    velocity_application=VelocityGuard(limits=(Limit(jobs=300, within_s=3600.0),)),
    conversion=ConversionGuard(floor=0.2, after=10, wait_s=64.0),
    voice_daily=VoiceDailyGuard(most=10),
)
SETTINGS = GuardSettings(RULES, {}, {})


def used() -> Guards:
    """Guards with something in every table."""
    guards = Guards(SETTINGS, KEY, NOW)
    accustom(guards)
    for index in range(60):
        guards.admit(ask(f"+9991{index % 3:04d}{index * 7 % 31:04d}", price=2.0), NOW + index)
        guards.spent("login", 1.5, NOW + index)
    for _ in range(2):
        guards.admit(ask("+999177770000"), NOW + 70.0)
    for index in range(5):
        guards.admit(ask(f"+99918888001{index}"), NOW + 71.0)
    guards.admit(ask(), NOW + 300.0)
    guards.call_started("XA", NOW)
    return guards


def dumped(guards: Guards) -> bytes:
    return b"".join(guards.dump())


def after(guards: Guards, data: bytes, at: float) -> Guards:
    fresh = Guards(guards._settings, KEY, at)
    fresh.restore(data, at)
    return fresh


def test_a_restart_forgets_no_more_than_it_says() -> None:
    guards = used()
    data = dumped(guards)
    fresh = after(guards, data, NOW + 301.0)
    overviews = [{row["guard"]: row for row in each.overview(NOW + 301.0)} for each in (guards, fresh)]
    for guard, key in (
        ("budget", "applications"),
        ("velocity_prefix", "fullest"),
        ("velocity_country", "fullest"),
        ("velocity_application", "fullest"),
        ("conversion", "refused_destinations"),
        ("voice_daily", "countries"),
    ):
        assert overviews[0][guard][key] == overviews[1][guard][key] != []
    assert overviews[1]["voice_concurrent"]["countries"] == []
    states = [msgpack.unpackb(dumped(each), strict_map_key=False)[1] for each in (guards, fresh)]
    assert states[0].keys() == states[1].keys()
    for guard in states[0].keys() - {"budget"}:
        assert states[0][guard] == states[1][guard], guard
    assert name(fresh, ask("+999188880015"), NOW + 302.0) == "sequential"
    # Two of three were counted of this number, and one has come back since.
    taken = [name(fresh, ask("+999177770000"), NOW + 302.0) for _ in range(3)]
    assert taken == [None, None, "velocity_number"]


def test_no_number_is_in_it() -> None:
    data = dumped(used())
    for digits in (b"99917777", b"77770000", b"88880011", b"0000"):
        assert digits + b"0" not in data
    text = repr(msgpack.unpackb(data, strict_map_key=False))
    assert "+999177770000" not in text and "177770000" not in text


def test_numbers_hashed_with_another_key_are_others() -> None:
    guards = used()
    fresh = Guards(SETTINGS, b"another key", NOW + 301.0)
    fresh.restore(dumped(guards), NOW + 301.0)
    assert [name(fresh, ask("+999177770000"), NOW + 302.0) for _ in range(3)] == [None] * 3


def test_what_is_over_is_not_taken_up_again() -> None:
    fresh = after(used(), dumped(used()), NOW + 10 * 86_400.0)
    rows = {row["guard"]: row for row in fresh.overview(NOW + 10 * 86_400.0)}
    assert rows["velocity_country"]["fullest"] == []
    assert rows["budget"]["applications"][0]["spent"] == 0.0
    assert rows["voice_daily"]["countries"] == []


def test_another_version_is_refused() -> None:
    version, *rest = msgpack.unpackb(dumped(used()), strict_map_key=False)
    with pytest.raises(ValueError, match="not what guards have counted"):
        Guards(SETTINGS, KEY, NOW).restore(msgpack.packb([version + 1, *rest]), NOW)


def test_a_sketch_survives(monkeypatch: pytest.MonkeyPatch, random: Random) -> None:
    monkeypatch.setattr(meter.VelocityNumber.__init__, "__defaults__", (10,))
    rules = GuardRules(velocity_number=VelocityGuard(limits=(Limit(jobs=2, within_s=600.0),)))
    guards = Guards(GuardSettings(rules, {}, {}), KEY, NOW)
    numbers = [f"+9991{random.randrange(10**8):08d}" for _ in range(100)]
    for number in numbers * 2:
        guards.admit(ask(number), NOW)
    fresh = after(guards, dumped(guards), NOW + 1.0)
    assert {name(fresh, ask(number), NOW + 1.0) for number in numbers} == {"velocity_number"}


def test_a_lane_of_default_guards_keeps_next_to_nothing() -> None:
    guards = Guards(GuardSettings(GuardRules(), {}, {}), KEY, NOW)
    for index in range(1_000):
        guards.admit(ask(f"+9991{index:08d}"), NOW)
    assert len(dumped(guards)) < 100


def restore(data: bytes) -> None:
    """A ValueError or guards that work, nothing else."""
    guards = Guards(SETTINGS, KEY, NOW)
    try:
        guards.restore(data, NOW)
    except ValueError:
        assert dumped(guards) == dumped(Guards(SETTINGS, KEY, NOW))
    guards.admit(ask(), NOW + 1.0)
    guards.spent("login", 1.0, NOW + 1.0)
    guards.feedback("login", "+999100000001", XA, True, NOW + 1.0)
    guards.call_may_start("+999100000001", "XA", NOW + 1.0)
    guards.overview(NOW + 1.0)
    dumped(guards)


@given(st.binary(max_size=200))
def test_garbage_is_refused(data: bytes) -> None:
    restore(data)


SHORT = st.text(max_size=5)
PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.binary(max_size=5)
VALUES = st.recursive(
    PLAIN | SHORT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SHORT | st.integers(0, 9), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=150)
@given(st.data())
def test_a_state_with_one_other_value_is_refused_or_harmless(data: st.DataObject) -> None:
    state = msgpack.unpackb(STATE, strict_map_key=False)
    here, keys = state, list(range(len(state)))
    while True:
        key = data.draw(st.sampled_from(keys))
        inner = here[key]
        inside = (
            list(inner)
            if isinstance(inner, dict)
            else list(range(len(inner)))
            if isinstance(inner, list)
            else []
        )
        if not inside or data.draw(st.integers(0, 4)) == 0:
            break
        here, keys = inner, inside
    here[key] = data.draw(VALUES)
    restore(msgpack.packb(state))


STATE = dumped(used())


def test_a_restart_in_a_normal_day_refuses_nobody_more(random: Random) -> None:
    day = [*normal_day(random, per_s=0.03, launch_per_s=0.5)]
    from tests.guards.replay import example

    whole = replay(day, settings_of(example()))
    torn = replay(day, settings_of(example()), restart_every=200)
    assert torn.refused <= whole.refused
