"""Toll fraud on voice, and what guards of calls say."""

from random import Random

from connector.config.guards import (
    GuardRules,
    HighCostGuard,
    VoiceConcurrentGuard,
    VoiceDailyGuard,
    VoiceLengthGuard,
)
from connector.routing.guards import Ask, Guards
from tests.guards.conftest import XA, made, name
from tests.guards.replay import KEY, example, settings_of, toll_fraud
from tests.guards.traces import MIDNIGHT

VOICE = frozenset(["voice"])
BOTH = frozenset(["sms", "voice"])


def test_toll_fraud_to_a_remote_island_costs_fifty_short_calls_a_day_by_default(random: Random) -> None:
    guards = Guards(settings_of(GuardRules()), KEY, MIDNIGHT)
    calls, seconds, most = toll_fraud(guards, random, "NR", "+674", 50_000)
    assert (calls, seconds, most) == (50, 50 * 120.0, 2)
    assert set(guards.hits) == {("voice_concurrent", "refused"), ("voice_daily", "refused")}


def test_toll_fraud_to_a_remote_island_costs_nothing_with_the_example(random: Random) -> None:
    guards = Guards(settings_of(example()), KEY, MIDNIGHT)
    assert toll_fraud(guards, random, "NR", "+674", 2_000) == (0, 0.0, 0)


def test_toll_fraud_to_codes_of_no_country_never_leaves(random: Random) -> None:
    guards = Guards(settings_of(GuardRules()), KEY, MIDNIGHT)
    for prefix in ("+882", "+883", "+979", "+881"):
        assert toll_fraud(guards, random, "", prefix, 500)[0] == 0


def test_toll_fraud_elsewhere_stops_at_the_caps_of_the_example(random: Random) -> None:
    guards = Guards(settings_of(example()), KEY, MIDNIGHT)
    calls, seconds, most = toll_fraud(guards, random, "XB", "+9992", 80_000)
    assert calls == 5_000
    assert most == 50
    assert seconds <= 5_000 * 240.0


def test_the_day_ends_at_midnight_of_utc(now: float) -> None:
    guards = made(voice_daily=VoiceDailyGuard(most=1))
    guards.call_started("XA", now)
    refusal = guards.call_may_start("+999100000001", "XA", now)
    assert refusal is not None and refusal.guard == "voice_daily"
    assert refusal.retry_after_s == MIDNIGHT + 86_400.0 - now
    assert guards.call_may_start("+999100000001", "XA", MIDNIGHT + 86_400.0) is None


def test_countries_may_have_limits_of_their_own(now: float) -> None:
    guards = made(
        voice_concurrent=VoiceConcurrentGuard(most=1, countries={"XA": 2, "NR": 3}),
        voice_length=VoiceLengthGuard(most_s=60.0, countries={"XA": 90.0}),
    )
    for country, most in (("XA", 2), ("XB", 1), ("NR", 3), ("TK", 2)):
        for _ in range(most):
            assert guards.call_may_start("+9991", country, now) is None
            guards.call_started(country, now)
        refusal = guards.call_may_start("+9991", country, now)
        assert refusal is not None and refusal.guard == "voice_concurrent"
        guards.call_ended(country, now)
        assert guards.call_may_start("+9991", country, now) is None
    assert [guards.longest_call_s(country) for country in ("XA", "XB", "NR")] == [90.0, 60.0, 120.0]


def test_a_dry_run_cuts_and_refuses_no_call(now: float) -> None:
    guards = made(
        voice_concurrent=VoiceConcurrentGuard(most=1, dry_run=True),
        voice_length=VoiceLengthGuard(most_s=60.0, dry_run=True),
        high_cost=HighCostGuard(calls=("global",), dry_run=True),
    )
    guards.call_started("", now)
    assert guards.call_may_start("+8821000000", "", now) is None
    assert guards.longest_call_s("") is None
    assert guards.hits == {("voice_concurrent", "dry_run"): 1, ("high_cost", "dry_run"): 1}
    assert [refusal.guard for refusal in guards.dry_runs()] == ["high_cost", "voice_concurrent"]
    assert guards.dry_runs() == []


def test_a_message_may_go_where_no_call_may(now: float) -> None:
    """The job goes, its call does not; a job that can only be a call is refused at once."""
    guards = made(high_cost=HighCostGuard(calls=("remote",)))
    number = "+6740000001"
    assert name(guards, Ask("login", number, XA, BOTH, 1.0), now) is None
    assert name(guards, Ask("login", number, XA, VOICE, 1.0), now) == "high_cost"
    refusal = guards.call_may_start(number, "NR", now)
    assert refusal is not None and (refusal.guard, refusal.field) == ("high_cost", "to")


def test_an_end_without_a_start_counts_nothing(now: float) -> None:
    guards = made(voice_concurrent=VoiceConcurrentGuard(most=1))
    guards.call_ended("XA", now)
    guards.call_started("XA", now)
    assert guards.call_may_start("+9991", "XA", now) is not None
