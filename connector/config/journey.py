"""Journeys: the steps that a job may take over carriers and channels, and what stops it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from .fields import END, Seconds

__all__ = ["CarrierName", "Country", "Journey", "JourneyFile", "Prefix", "Start", "Step", "StepFile", "Stop"]

Start = Literal["at_once", "on_failure", "on_predicted_miss", "after"]
Stop = Literal["delivered", "converted"]

CarrierName = Annotated[
    str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}" + END, title="the name of a file in carriers/ or trunks/")
]
Country = Annotated[
    str, Meta(pattern=r"^[A-Z]{2}" + END, title='a country by its two letters of ISO 3166 such as "DE"')
]
Prefix = Annotated[
    str, Meta(pattern=r"^\+[1-9][0-9]{0,14}" + END, title='the start of a number in E.164, such as "+49"')
]
ScriptName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_-]{0,63}" + END,
        title="a name: lower-case letters, digits, _ and -, a letter first, at most 64",
    ),
]
Attempts = Annotated[int, Meta(ge=1, le=16, title="a whole number from 1 to 16")]


class StepFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of a journey; it opens when the step before it has been started."""

    channel: Literal["sms", "voice"]
    start: (
        Annotated[
            Start,
            Meta(
                description="at_once; on_failure: when all before it has failed for good; on_predicted_miss: "
                "when a further message is worth more than waiting, or all has failed; after: `after_s` "
                "after the step before it. Absent: at_once for the first step, on_predicted_miss for others."
            ),
        ]
        | None
    ) = None
    after_s: Annotated[Seconds, Meta(description='For start = "after".')] | None = None
    attempts: Annotated[Attempts, Meta(description="How often it may be started.")] = 1
    carriers: Annotated[
        tuple[CarrierName, ...], Meta(description="By these alone; empty: by all of the channel.")
    ] = ()
    countries: Annotated[
        tuple[Country, ...], Meta(description="The step exists for these only; empty: for all.")
    ] = ()
    prefixes: Annotated[
        tuple[Prefix, ...], Meta(description="The same by the beginning of the number; either will do.")
    ] = ()
    script: Annotated[ScriptName, Meta(description="Of [scripts]; for calls.")] | None = None


class Step(StepFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step after loading: how it starts is known."""

    start: Start = "at_once"


class JourneyFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The way of a job; `journey` of a job names it. With `channel` in place of `steps` it has one step."""

    channel: Annotated[Literal["sms", "voice"], Meta(description="Of the only step.")] | None = None
    script: Annotated[ScriptName, Meta(description="Of [scripts], for the only step.")] | None = None
    steps: Annotated[
        tuple[StepFile, ...], Meta(max_length=16, title="at most 16 tables [[journeys.NAME.steps]]")
    ] = ()
    stop: Annotated[
        tuple[Stop, ...],
        Meta(
            description='What ends it, besides its deadline and being cancelled. Without "delivered" a '
            "receipt alone ends nothing: for carriers whose receipts cannot be trusted."
        ),
    ] = ("delivered", "converted")
    max_attempts: Annotated[Attempts, Meta(description="Over all steps.")] = 4
    max_cost: Annotated[
        float,
        Meta(gt=0, le=1_000_000, title="a number of average messages, more than 0"),
        Meta(description="Nothing more is sent for a job that has cost so much, in average messages."),
    ] = 1_000.0


class Journey(Struct, frozen=True, kw_only=True):
    """A journey after loading; `steps` has one at least, and `channels` are theirs."""

    steps: tuple[Step, ...]
    stop: tuple[Stop, ...] = ("delivered", "converted")
    max_attempts: int = 4
    max_cost: float = 1_000.0

    @property
    def channels(self) -> frozenset[Literal["sms", "voice"]]:
        return frozenset(step.channel for step in self.steps)


def resolved(file: JourneyFile) -> Journey:
    """The journey with its short form and its defaults written out."""
    steps: tuple[Step, ...]
    if file.channel is not None:
        steps = (Step(channel=file.channel, script=file.script),)
    else:
        steps = tuple(
            Step(
                channel=step.channel,
                start=step.start or ("on_predicted_miss" if index else "at_once"),
                after_s=step.after_s,
                attempts=step.attempts,
                carriers=step.carriers,
                countries=step.countries,
                prefixes=step.prefixes,
                script=step.script,
            )
            for index, step in enumerate(file.steps)
        )
    return Journey(steps=steps, stop=file.stop, max_attempts=file.max_attempts, max_cost=file.max_cost)
