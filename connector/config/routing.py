"""How routes are chosen: what a message in time is worth, who may carry what, when nobody may be woken."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from .fields import END, FileName, Flag, Seconds
from .journey import CarrierName, Country, Prefix

__all__ = ["JobClass", "LookupSettings", "QuietHours", "RouteRule", "RoutingSettings"]

TimeOfDay = Annotated[
    str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]" + END, title='a time of day such as "21:30"')
]
Messages = Annotated[float, Meta(ge=0, le=1_000_000, title="a number of average messages, 0 or more")]


class RoutingSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is learned of carriers."""

    half_life_s: Annotated[
        float,
        Meta(
            ge=10,
            le=604_800,
            title="seconds from 10 to 604,800 (7 days)",
            description="After it an observation counts half. Carriers change by the hour.",
        ),
    ] = 600.0


class JobClass(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What jobs of one class are worth. The unit is the price of the lane's average message."""

    value: Annotated[Messages, Meta(description="Of a message that arrives before its deadline.")] = 40.0
    annoyance: Annotated[
        Messages, Meta(description="What a further message of the same job costs besides its price.")
    ] = 1.0
    extra_sends: Annotated[
        float,
        Meta(
            ge=0,
            le=16,
            title="a number from 0 to 16",
            description="Most further messages a job, on average over ten minutes.",
        ),
    ] = 1.0
    cost: Annotated[Messages, Meta(description="Most that a job may cost, on average over ten minutes.")] = (
        1_000.0
    )


class RouteRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may carry what goes to a destination: the longest prefix counts, then the country, else all may."""

    prefix: Annotated[Prefix, Meta(description="Of the number.")] | None = None
    country: Annotated[Country, Meta(description="In place of `prefix`.")] | None = None
    carriers: Annotated[
        tuple[CarrierName, ...], Meta(min_length=1, title="a list of names of carriers and trunks")
    ]


class QuietHours(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When nothing leaves, in the recipient's local time. Without this table there are none."""

    from_: Annotated[TimeOfDay, Meta(description="They begin.")] = field(name="from")
    until: Annotated[TimeOfDay, Meta(description="They end; earlier than `from`: on the next day.")]
    meanwhile: Annotated[
        Literal["wait", "refuse"], Meta(description="What a job does that comes within them.")
    ] = "wait"
    zone: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z][A-Za-z0-9_+/-]{1,63}" + END,
            title='a time zone such as "Europe/Berlin"',
            description="For numbers that do not tell theirs.",
        ),
    ] = "UTC"
    jobs: Annotated[
        Flag,
        Meta(
            description="Whether what `submit` brings keeps them; false: only what events of orders tell."
        ),
    ] = True


class LookupSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A program of yours that knows a number's network (HLR, MNP). Without this table nobody asks."""

    socket: Annotated[FileName, Meta(description="Its Unix socket, MessagePack-RPC; see docs/lanes.md.")]
    timeout_s: Annotated[Seconds, Meta(description="Then the job goes on without it.")] = 0.3
    cache_s: Annotated[Seconds, Meta(description="How long an answer is kept.")] = 86_400.0
    cache_entries: Annotated[
        int, Meta(ge=0, le=10_000_000, title="a number of entries from 0 to 10,000,000")
    ] = 100_000
