"""[orders]: which events of an order are told to its recipient, and how."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from .fields import END, Days, Flag, Seconds, SenderId

__all__ = ["KEEP_DAYS", "NodeRule", "Orders"]

KEEP_DAYS: Final = 60.0

NodeName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_-]{0,31}" + END,
        title="a name: lower-case letters, digits, _ and -, a letter first, at most 32",
    ),
]
TemplateName = Annotated[str, Meta(min_length=1, max_length=64, title="the name of a file in templates/")]
JourneyName = Annotated[str, Meta(min_length=1, max_length=64, title="a journey's name")]
ClassName = Annotated[str, Meta(min_length=1, max_length=32, title="1 to 32 characters")]


class NodeRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stage that an order may reach, and what its recipient is told then."""

    node: Annotated[NodeName, Meta(description="As `order_event` names it.")]
    rank: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            title="a whole number from 0 to 1,000,000",
            description="Its place in the course of an order: after an event of a higher rank one of a lower "
            "rank is dropped.",
        ),
    ]
    template: Annotated[TemplateName, Meta(description="What is told; absent: nothing is.")] | None = None
    journey: (
        Annotated[JourneyName, Meta(description="How it travels; absent: as the lane's jobs do.")] | None
    ) = None
    deadline_s: (
        Annotated[
            Seconds,
            Meta(
                description="From the event, or from the end of its quiet hours; after it the message is "
                "worthless. Absent: [jobs] default_deadline_s."
            ),
        ]
        | None
    ) = None
    class_: Annotated[ClassName, Meta(description="As `class` of a job.")] | None = field(
        name="class", default=None
    )
    sender: Annotated[SenderId, Meta(description="As `sender` of a job.")] | None = None
    quiet_hours: Annotated[
        Flag, Meta(description="Whether it waits for the end of [quiet_hours]; false: it leaves within them.")
    ] = True
    ends: Annotated[
        Flag,
        Meta(
            description="Whether it stops what has not arrived of the order's nodes of lower rank, and of "
            "this one."
        ),
    ] = True
    repeats: Annotated[
        Flag, Meta(description="Whether it may occur again, told apart by `event`; else it is told once.")
    ] = False


class Orders(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `order_event` tells whom. Without this table the lane takes no such events."""

    keep_days: Annotated[
        Days, Meta(description="So long an order's last event is remembered, to tell it once and in order.")
    ] = KEEP_DAYS
    nodes: Annotated[tuple[NodeRule, ...], Meta(min_length=1, title="at least one [[orders.nodes]]")]
