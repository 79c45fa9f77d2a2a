"""What nobody's traffic may look like: [guards], against inflated traffic and toll fraud."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from .fields import Flag, Seconds
from .journey import Country, Prefix

__all__ = [
    "BlockLimit",
    "BudgetGuard",
    "ConversionGuard",
    "CountriesGuard",
    "GuardRules",
    "HighCostGuard",
    "KindsGuard",
    "Limit",
    "Money",
    "PrefixesGuard",
    "RangeGroup",
    "SequentialGuard",
    "VelocityCountryGuard",
    "VelocityGuard",
    "VelocityPrefixGuard",
    "VoiceConcurrentGuard",
    "VoiceDailyGuard",
    "VoiceLengthGuard",
]

RangeGroup = Literal["satellite", "global", "remote", "revenue_share"]
"""Of the shipped list, connector/routing/guards/ranges.toml."""

Money = Annotated[
    float, Meta(gt=0, le=1e12, title="an amount of money, more than 0, in the currency of the prices")
]
Amount = Annotated[int, Meta(ge=1, le=10_000_000, title="a whole number from 1 to 10,000,000")]
AmountOrNone = Annotated[int, Meta(ge=0, le=10_000_000, title="a whole number from 0 to 10,000,000")]
CallSeconds = Annotated[float, Meta(gt=0, le=86_400, title="seconds, more than 0 and at most 86,400")]


class _Guard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    dry_run: Annotated[Flag, Meta(description="Whether it only counts what it would have refused.")] = False


class Limit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many jobs at once; then one more in each `within_s / jobs` seconds."""

    jobs: Amount
    within_s: Seconds


class BlockLimit(Limit, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit of numbers that begin alike."""

    last_digits: Annotated[
        int,
        Meta(
            ge=3,
            le=9,
            title="a whole number from 3 to 9",
            description="Numbers that differ in so many last digits only are of one block.",
        ),
    ] = 4


Limits = Annotated[
    tuple[Limit, ...],
    Meta(
        max_length=4, title="at most 4 tables such as { jobs = 5, within_s = 600 }", description="All hold."
    ),
]
BlockLimits = Annotated[
    tuple[BlockLimit, ...],
    Meta(
        max_length=4,
        title="at most 4 tables such as { jobs = 50, within_s = 600, last_digits = 4 }",
        description="All hold.",
    ),
]


class CountriesGuard(_Guard, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where applications may send that name no `countries` of their own."""

    allowed: Annotated[tuple[Country, ...], Meta(description="Empty: everywhere.")] = ()


class PrefixesGuard(_Guard, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Beginnings of numbers that get nothing; the longest that fits a number counts."""

    blocked: tuple[Prefix, ...] = ()
    permitted: Annotated[
        tuple[Prefix, ...], Meta(description="Neither blocked nor subject to [guards.kinds] and high_cost.")
    ] = ()


class KindsGuard(_Guard, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Kinds of number, by the numbering plan of their country."""

    blocked: tuple[Literal["premium", "shared_cost", "satellite", "other"], ...] = (
        "premium",
        "shared_cost",
        "satellite",
    )


class HighCostGuard(_Guard, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Groups of the shipped list of dear ranges; docs/guards.md shows it."""

    messages: Annotated[tuple[RangeGroup, ...], Meta(description="That get no message.")] = ()
    calls: Annotated[tuple[RangeGroup, ...], Meta(description="That get no call.")] = ("satellite", "global")
    capped: Annotated[
        tuple[RangeGroup, ...], Meta(description="Whose countries have the limits `listed` for calls.")
    ] = ("remote",)


class VelocityGuard(_Guard, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many jobs in how much time. Without limits it is off."""

    limits: Limits = ()


class VelocityPrefixGuard(_Guard, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many jobs of one application to numbers that begin alike. Without limits it is off."""

    limits: BlockLimits = ()


class VelocityCountryGuard(VelocityGuard, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many jobs of one application to a country where it usually has few. Without limits it is off."""

    usual: Annotated[tuple[Country, ...], Meta(description="Countries that are not counted.")] = ()


class SequentialGuard(_Guard, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers that stand next to each other: a machine counts them through. Without `numbers` it is off."""

    numbers: Annotated[
        int,
        Meta(
            ge=0,
            le=500,
            title="a whole number from 0 to 500",
            description="So many next to each other are permitted; 0: it is off.",
        ),
    ] = 0
    distance: Annotated[
        int,
        Meta(
            ge=1,
            le=20,
            title="a whole number from 1 to 20",
            description="Numbers are next to each other that differ by no more.",
        ),
    ] = 2
    within_s: Annotated[Seconds, Meta(description="So long, to twice that, a number is remembered.")] = 900.0


class BudgetGuard(_Guard, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an application may spend in a day of UTC that has no `budget_per_day` of its own."""

    per_day: Annotated[Money, Meta(description="Absent: any amount.")] | None = None


class ConversionGuard(_Guard, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Destinations whose codes are hardly ever used. Only where the application calls `feedback`."""

    floor: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            title="a number from 0 to 1",
            description="A smaller used share is refused; 0: it is off.",
        ),
    ] = 0.0
    after: Annotated[
        Amount,
        Meta(
            description="Jobs to a block of 10,000 numbers before it is judged; for a network or a country "
            "four times as many."
        ),
    ] = 50
    wait_s: Annotated[Seconds, Meta(description="So long a code has to be used.")] = 180.0
    half_life_s: Annotated[Seconds, Meta(description="After it a job counts half.")] = 21_600.0
    trial_every_s: Annotated[
        Seconds, Meta(description="One job in this time passes all the same: it may be used.")
    ] = 60.0


class VoiceConcurrentGuard(_Guard, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calls to one country at the same time."""

    most: Annotated[AmountOrNone, Meta(description="To each country; 0: as many as there are lines.")] = 0
    listed: Annotated[
        AmountOrNone, Meta(description="To a country of high_cost.capped; 0: as to others.")
    ] = 2
    countries: Annotated[dict[Country, Amount], Meta(description="To these.")] = {}


class VoiceDailyGuard(_Guard, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calls to one country in a day of UTC."""

    most: Annotated[AmountOrNone, Meta(description="To each country; 0: any number.")] = 0
    listed: Annotated[
        AmountOrNone, Meta(description="To a country of high_cost.capped; 0: as to others.")
    ] = 50
    countries: Annotated[dict[Country, Amount], Meta(description="To these.")] = {}


class VoiceLengthGuard(_Guard, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a call may last; with dry_run no call is cut."""

    most_s: Annotated[CallSeconds, Meta(description="Of any call; absent: as the trunk says.")] | None = None
    listed_s: (
        Annotated[CallSeconds, Meta(description="Of a call to a country of high_cost.capped.")] | None
    ) = 120.0
    countries: Annotated[dict[Country, CallSeconds], Meta(description="To these.")] = {}


class GuardRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Each may refuse a job, and names itself then. In this order."""

    countries: CountriesGuard = CountriesGuard()
    prefixes: PrefixesGuard = PrefixesGuard()
    kinds: KindsGuard = KindsGuard()
    high_cost: HighCostGuard = HighCostGuard()
    budget: BudgetGuard = BudgetGuard()
    sequential: SequentialGuard = SequentialGuard()
    velocity_number: VelocityGuard = VelocityGuard()
    velocity_prefix: VelocityPrefixGuard = VelocityPrefixGuard()
    velocity_country: VelocityCountryGuard = VelocityCountryGuard()
    velocity_application: VelocityGuard = VelocityGuard()
    conversion: ConversionGuard = ConversionGuard()
    voice_concurrent: VoiceConcurrentGuard = VoiceConcurrentGuard()
    voice_daily: VoiceDailyGuard = VoiceDailyGuard()
    voice_length: VoiceLengthGuard = VoiceLengthGuard()
