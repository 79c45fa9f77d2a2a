"""Each guard by itself, their order, dry runs, and what is counted when."""

import pytest

from connector.config.guards import (
    BlockLimit,
    BudgetGuard,
    ConversionGuard,
    CountriesGuard,
    GuardRules,
    HighCostGuard,
    KindsGuard,
    Limit,
    PrefixesGuard,
    SequentialGuard,
    VelocityCountryGuard,
    VelocityGuard,
    VelocityPrefixGuard,
)
from connector.routing.destination import Destination, analyse
from connector.routing.guards import Ask, Guards, GuardSettings
from tests.guards.conftest import XA, ask, made, name
from tests.guards.replay import KEY, SMS, accustom
from tests.guards.traces import MIDNIGHT

XB = Destination("XB", "mobile", "Delta", True)


def limits(*pairs: tuple[int, float]) -> VelocityGuard:
    return VelocityGuard(limits=tuple(Limit(jobs=jobs, within_s=within_s) for jobs, within_s in pairs))


def real(number: str, app: str = "login") -> Ask:
    return Ask(app, number, analyse(number), SMS, 1.0)


def test_by_default_only_what_is_never_a_mobile_is_refused(now: float) -> None:
    guards = made()
    refused = {
        number: name(guards, real(number), now)
        for number in ("+447700900123", "+881600000000", "+870773111632", "+499001234567", "+491805123456")
    }
    assert refused == {
        "+447700900123": None, "+881600000000": "kinds", "+870773111632": "kinds", "+499001234567": "kinds",
        "+491805123456": "kinds",
    }  # fmt: skip
    for index in range(3_000):  # thousands of jobs a second in numerical order are nobody's concern
        assert guards.admit(ask(f"+4477{index:08d}", to=XA), now) is None
    assert guards.hits == {("kinds", "refused"): 4}


def test_countries_of_the_application_come_before_those_of_all(now: float) -> None:
    rules = GuardRules(countries=CountriesGuard(allowed=("XA",)))
    guards = Guards(GuardSettings(rules, {"shop": frozenset({"XB"})}, {}), KEY, now)
    assert name(guards, ask(to=XA), now) is None
    assert name(guards, ask(to=XB), now) == "countries"
    assert name(guards, ask(app="shop", to=XB), now) is None
    assert name(guards, ask(app="shop", to=XA), now) == "countries"
    assert name(guards, ask(to=Destination("", "other", "", False)), now) == "countries"


def test_the_longest_prefix_counts(now: float) -> None:
    guards = made(prefixes=PrefixesGuard(blocked=("+9991", "+99912345678"), permitted=("+999123",)))
    numbers = ("+999123000000", "+999130000000", "+999123456789", "+999200000000", "+999123000001")
    refused = [name(guards, ask(number), now) for number in numbers]
    assert refused == [None, "prefixes", "prefixes", None, None]


def test_what_is_permitted_is_no_matter_for_kinds_and_dear_ranges(now: float) -> None:
    satellite = real("+881600000000")
    rules = {"kinds": KindsGuard(), "high_cost": HighCostGuard(messages=("satellite",))}
    assert name(made(**rules), satellite, now) == "kinds"
    assert name(made(**{**rules, "kinds": KindsGuard(blocked=())}), satellite, now) == "high_cost"
    assert name(made(**rules, prefixes=PrefixesGuard(permitted=("+8816",))), satellite, now) is None


def test_velocity_of_a_number_is_that_of_all_applications(now: float) -> None:
    guards = made(velocity_number=limits((2, 100.0), (3, 1_000.0)))
    assert name(guards, ask(), now) is None
    assert name(guards, ask(app="shop"), now) is None
    refusal = guards.admit(ask(), now)
    assert refusal == ("velocity_number", "this number has had too many jobs of late", "to", 50.0, False)
    assert name(guards, ask("+999100000002"), now) is None
    assert name(guards, ask(), now + 50.0) is None
    assert guards.admit(ask(), now + 50.0).retry_after_s == pytest.approx(333.333 - 50.0)  # type: ignore[union-attr]


def test_velocity_of_a_block_is_of_one_application(now: float) -> None:
    rules = VelocityPrefixGuard(
        limits=(
            BlockLimit(jobs=2, within_s=100.0, last_digits=3),
            BlockLimit(jobs=3, within_s=100.0, last_digits=6),
        )
    )
    guards = made(velocity_prefix=rules)
    assert [name(guards, ask(f"+9991000{end}"), now) for end in ("10001", "10002", "10003")] == [
        None, None, "velocity_prefix",
    ]  # fmt: skip
    assert name(guards, ask("+999100010003", app="shop"), now) is None
    assert name(guards, ask("+999100020001"), now) is None
    assert name(guards, ask("+999100030001"), now) == "velocity_prefix"  # the third of the last six digits
    assert name(guards, ask("+999101030001"), now) is None


def test_velocity_of_a_country_leaves_the_usual_ones_alone(now: float) -> None:
    rules = VelocityCountryGuard(usual=("XA",), limits=(Limit(jobs=1, within_s=60.0),))
    guards = made(velocity_country=rules)
    assert [name(guards, ask(to=XA), now) for _ in range(3)] == [None] * 3
    assert [name(guards, ask(to=XB), now) for _ in range(2)] == [None, "velocity_country"]


def test_velocity_of_an_application_names_no_field(now: float) -> None:
    guards = made(velocity_application=limits((2, 10.0)))
    assert guards.admit(ask("+999100000001"), now) is None
    assert guards.admit(ask("+999200000001", to=XB), now) is None
    refusal = guards.admit(ask("+999300000001"), now)
    assert refusal is not None
    assert (refusal.guard, refusal.field, refusal.retry_after_s) == ("velocity_application", "", 5.0)
    assert guards.admit(ask("+999300000001", app="shop"), now) is None


def test_the_budget_is_of_the_day_and_counts_what_is_under_way(now: float) -> None:
    rules = GuardRules(budget=BudgetGuard(per_day=10.0))
    guards = Guards(GuardSettings(rules, {}, {"shop": 1.0}), KEY, now)
    assert [name(guards, ask(price=4.0), now) for _ in range(3)] == [None, None, "budget"]
    guards.spent("login", 1.0, now + 1)  # they were cheaper than they might have been
    guards.spent("login", 1.0, now + 1)
    assert name(guards, ask(price=4.0), now + 2) == "budget"  # nobody knows yet that no more comes
    assert name(guards, ask(price=4.0), now + 700) is None
    guards.spent("login", 7.0, now + 701)
    refusal = guards.admit(ask(price=4.0), now + 702)
    assert refusal is not None and refusal.guard == "budget"
    assert refusal.retry_after_s == pytest.approx(MIDNIGHT + 86_400.0 - now - 702)
    assert name(guards, ask(price=4.0), MIDNIGHT + 86_400.0) is None
    assert name(guards, ask(app="shop", price=1.5), now + 702) == "budget"


def test_numbers_next_to_each_other_are_seen_over_the_edge_of_a_block(now: float) -> None:
    guards = made(sequential=SequentialGuard(numbers=3, distance=2))
    ends = ("0996", "0998", "1000", "1001", "5000", "0995", "1000")
    refused = [name(guards, ask(f"+99910000{end}"), now) for end in ends]
    assert refused == [None, None, None, "sequential", None, "sequential", "sequential"]
    assert name(guards, ask("+999100000997", app="shop"), now) is None
    assert name(guards, ask("+999100000999"), now + 10_000.0) is None


def test_a_retry_is_no_neighbour(now: float) -> None:
    guards = made(sequential=SequentialGuard(numbers=1, distance=1))
    assert [name(guards, ask(), now + index) for index in range(20)] == [None] * 20


def conversion(after: int = 10, **rules: float) -> ConversionGuard:
    return ConversionGuard(floor=0.2, after=after, wait_s=64.0, **rules)  # type: ignore[arg-type]


def test_codes_that_nobody_uses_close_a_block_and_one_that_is_used_may_open_it(now: float) -> None:
    guards = made(now, conversion=conversion(trial_every_s=30.0))
    accustom(guards)
    for index in range(10):
        assert guards.admit(ask(f"+99910000{index:04d}"), now) is None
    # Not before their time is over.
    assert guards.admit(ask("+999100008000"), now + 63.0) is None
    assert guards.admit(ask("+999100008001"), now + 70.0) is None  # the trial
    refusal = guards.admit(ask("+999100008002"), now + 71.0)
    assert refusal is not None and refusal.guard == "conversion"
    assert refusal.retry_after_s == pytest.approx(29.0)
    assert guards.admit(ask("+999100010001"), now + 71.0) is None  # another block
    for _ in range(3):
        guards.feedback("login", "+999100008000", XA, True, now + 72.0)
    assert guards.admit(ask("+999100008002"), now + 72.0) is None


def test_whoever_never_tells_of_conversions_is_not_judged_by_them(now: float) -> None:
    guards = made(now, conversion=conversion())
    for index in range(200):
        assert guards.admit(ask(f"+99910000{index:04d}"), now + index) is None
    guards.feedback("login", "+999100000001", XA, False, now)
    assert guards.hits == {}


def test_a_network_is_judged_after_four_times_as_many(now: float) -> None:
    guards = made(now, conversion=conversion(trial_every_s=600.0))
    accustom(guards)
    passed = [
        guards.admit(ask(f"+9991{index:04d}0000", to=XB), now + 70.0 * (index // 10)) is None
        for index in range(100)
    ]
    assert passed[:40] == [True] * 40
    assert sum(passed[40:]) <= 12  # those that were under way, and a trial


def test_the_first_guard_refuses_and_the_others_count_nothing(now: float) -> None:
    guards = made(velocity_number=limits((1, 60.0)), velocity_application=limits((2, 60.0)))
    assert [name(guards, ask(), now) for _ in range(5)] == [None, *["velocity_number"] * 4]
    assert name(guards, ask("+999100000002"), now) is None
    assert name(guards, ask("+999100000003"), now) == "velocity_application"
    assert name(guards, ask("+999100000003"), now + 30.0) is None  # it had taken nothing of its number


@pytest.mark.parametrize(
    "rules",
    [
        {"countries": CountriesGuard(allowed=("XC",), dry_run=True)},
        {"prefixes": PrefixesGuard(blocked=("+999",), dry_run=True)},
        {"kinds": KindsGuard(blocked=("other",), dry_run=True)},
        {"budget": BudgetGuard(per_day=0.5, dry_run=True)},
        {"sequential": SequentialGuard(numbers=1, dry_run=True)},
        {"velocity_number": VelocityGuard(limits=(Limit(jobs=1, within_s=60.0),), dry_run=True)},
        {"velocity_prefix": VelocityPrefixGuard(limits=(BlockLimit(jobs=1, within_s=60.0),), dry_run=True)},
        {"velocity_country": VelocityCountryGuard(limits=(Limit(jobs=1, within_s=60.0),), dry_run=True)},
        {"velocity_application": VelocityGuard(limits=(Limit(jobs=1, within_s=60.0),), dry_run=True)},
    ],
    ids=lambda rules: next(iter(rules)),
)
def test_on_a_dry_run_a_guard_only_counts(rules: dict[str, object], now: float) -> None:
    (guard,) = rules
    guards = made(now, **rules)
    numbers = ["+999100000001", "+999100000002", "+999100000001", "+999100000002"]
    kind = "other" if guard == "kinds" else "mobile"
    to = Destination("XA", kind, "Alpha", True)  # type: ignore[arg-type]
    assert [name(guards, ask(number, to=to), now) for number in numbers] == [None] * 4
    would_have = guards.hits[guard, "dry_run"]
    assert would_have >= 2
    assert [refusal.guard for refusal in guards.dry_runs()] == [guard] * would_have
    assert all(refusal.dry_run for refusal in guards.dry_runs())
    assert guards.hits[guard, "refused"] == 0


def test_a_guard_on_a_dry_run_counts_what_it_would_have_refused_in_earnest(now: float) -> None:
    """As many hits, not more: what does not fit takes nothing."""
    hits = []
    for dry_run in (False, True):
        rules = VelocityGuard(limits=(Limit(jobs=3, within_s=60.0),), dry_run=dry_run)
        guards = made(velocity_number=rules)
        for index in range(100):
            guards.admit(ask(), now + index)
        hits.append(sum(guards.hits.values()))
    assert hits[0] == hits[1]


def test_a_repetition_takes_nothing(now: float) -> None:
    guards = made(
        now,
        velocity_number=limits((2, 60.0)),
        velocity_application=limits((2, 60.0)),
        budget=BudgetGuard(per_day=2.0),
        conversion=conversion(),
    )
    for _ in range(20):
        assert guards.admit(ask(), now) is None
        guards.release(ask(), now)
    assert [name(guards, ask(), now) for _ in range(3)] == [None, None, "budget"]


def test_a_clock_that_is_put_back_refuses_nobody_for_long(now: float) -> None:
    guards = made(now, velocity_number=limits((2, 60.0)), velocity_application=limits((3, 60.0)))
    for _ in range(2):
        guards.admit(ask(), now)
    earlier = now - 86_400.0
    refusal = guards.admit(ask(), earlier)
    assert refusal is not None and refusal.retry_after_s is not None
    assert refusal.retry_after_s <= 60.0
    assert guards.admit(ask(), earlier + 31.0) is None


def test_another_configuration_keeps_what_was_counted(now: float) -> None:
    guards = made(now, velocity_number=limits((3, 60.0)), sequential=SequentialGuard(numbers=2))
    for number in ("1", "1", "1", "2"):
        guards.admit(ask(f"+99910000000{number}"), now)
    rules = GuardRules(
        velocity_number=limits((3, 60.0)),
        sequential=SequentialGuard(numbers=2),
        budget=BudgetGuard(per_day=1e6),
    )
    guards.configure(GuardSettings(rules, {}, {}))
    assert name(guards, ask(), now) == "velocity_number"
    assert name(guards, ask("+999100000003"), now) == "sequential"
    guards.configure(GuardSettings(GuardRules(), {}, {}))
    assert name(guards, ask(), now) is None


@pytest.mark.parametrize(
    "number", ["", "+", "+9", "+99", "+999", "abc", "+99912345678901234567890", "+99910000٣٤٥"]
)
def test_no_number_raises(number: str, now: float) -> None:
    guards = made(
        now,
        sequential=SequentialGuard(numbers=1),
        velocity_number=limits((1, 60.0)),
        velocity_prefix=VelocityPrefixGuard(limits=(BlockLimit(jobs=9, within_s=60.0),)),
        conversion=conversion(),
    )
    guards.admit(ask(number), now)
    guards.release(ask(number), now)
    guards.feedback("login", number, XA, True, now)
    guards.call_may_start(number, "", now)


def test_the_overview_shows_every_guard_and_no_number(now: float) -> None:
    guards = made(
        now,
        velocity_number=limits((1, 60.0)),
        velocity_prefix=VelocityPrefixGuard(limits=(BlockLimit(jobs=3, within_s=60.0),)),
        budget=BudgetGuard(per_day=9.0),
        sequential=SequentialGuard(numbers=5),
        conversion=conversion(),
    )
    for index in (1, 1, 2, 3):
        guards.admit(ask(f"+99910000000{index}"), now)
    guards.call_started("XA", now)
    rows = guards.overview(now)
    assert [row["guard"] for row in rows] == list(GuardRules.__struct_fields__)
    by_guard = {row["guard"]: row for row in rows}
    assert by_guard["velocity_number"]["refused"] == 1
    assert by_guard["velocity_prefix"]["fullest"] == [{"what": "login +99910000xxxx", "used": 1.0}]
    assert by_guard["budget"]["applications"] == [{"application": "login", "spent": 3.0, "limit": 9.0}]
    assert by_guard["voice_daily"]["countries"] == [{"country": "XA", "calls": 1, "limit": None}]
    assert "99910000000" not in repr(rows)


def test_short_numbers_are_judged_by_their_whole_prefix(now: float) -> None:
    """Of +881 and of +88212 that begin alike but for the last four digits."""
    guards = made(high_cost=HighCostGuard(messages=("satellite",)), kinds=KindsGuard(blocked=()))
    numbers = ("+88212345", "+88213345", "+88216345", "+88217345")
    refused = [name(guards, ask(number), now) for number in numbers for _ in range(2)]
    assert refused == [None, None, *["high_cost"] * 4, None, None]
