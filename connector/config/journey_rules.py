"""Rules of journeys and routes that no schema can say, and how the built-in ones come in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from .document import Document
from .journey import Journey, JourneyFile, Step, resolved
from .model import ConnectorFile
from .problem import Path, Problem, did_you_mean
from .routing import JobClass
from .template import TemplateFile

__all__ = [
    "all_classes",
    "all_journeys",
    "country_problems",
    "journey_problems",
    "pin_problems",
    "routing_problems",
]

_BUILT_IN: Final = ("sms", "voice")
# What people write in place of the code of ISO 3166.
_OTHER_NAMES: Final = {"UK": "GB", "EL": "GR"}
_MISSING: Final = {"sms": "carrier in carriers/", "voice": "trunk in trunks/"}
_NOBODY: Final = "is false without `carriers`, expected the carriers and trunks to stay with"
DEFAULT_CLASS: Final = "default"


def all_journeys(file: ConnectorFile, channels: Mapping[str, str]) -> dict[str, Journey]:
    """Those of the file and the built-in ones of `channels`, each of them one step of its channel."""
    journeys = {name: resolved(journey) for name, journey in file.journeys.items()}
    present = set(channels.values())
    if "sms" in present:
        journeys["sms"] = Journey(steps=(Step(channel="sms"),))
    if "voice" in present:
        journeys["voice"] = Journey(steps=(Step(channel="voice"),))
    return journeys


def all_classes(file: ConnectorFile) -> dict[str, JobClass]:
    """Those of the file, and the one that all others are of."""
    return {DEFAULT_CLASS: JobClass(), **file.classes}


def journey_problems(
    document: Document, file: ConnectorFile, channels: Mapping[str, str]
) -> Iterator[Problem]:
    """What contradicts itself in [journeys], and what nobody can carry.

    channels  of each enabled carrier and trunk, by its name
    """
    for name, journey in file.journeys.items():
        path: Path = ("journeys", name)
        if name in _BUILT_IN:
            yield document.problem(path, "is built in, expected another name")
        elif (journey.channel is None) == (not journey.steps):
            yield document.problem(path, "has both or neither of `channel` and `steps`, expected one of them")
        elif journey.channel is not None:
            yield from _script_problems(document, file, path, journey.channel, journey.script)
            yield from _channel_problems(document, path, journey.channel, channels)
        else:
            yield from _steps_problems(document, file, path, journey, channels)
    known = {*file.journeys, *channels.values()}
    if file.jobs.journey is not None and file.jobs.journey not in known:
        near = did_you_mean(file.jobs.journey, known)
        yield document.problem(
            ("jobs", "journey"),
            f'"{file.jobs.journey}" is no journey, expected one of {", ".join(sorted(known))}{near}',
        )


def _steps_problems(
    document: Document, file: ConnectorFile, path: Path, journey: JourneyFile, channels: Mapping[str, str]
) -> Iterator[Problem]:
    if journey.script is not None:
        yield document.problem((*path, "script"), "is for a journey without steps, expected it in a step")
    for index, step in enumerate(journey.steps):
        here: Path = (*path, "steps", index)
        yield from _script_problems(document, file, here, step.channel, step.script)
        yield from _channel_problems(document, here, step.channel, channels)
        if (step.start == "after") != (step.after_s is not None):
            yield document.problem(
                (*here, "after_s"), 'and `start` do not go together, expected start = "after" with `after_s`'
            )
        if index == 0 and step.start not in (None, "at_once"):
            yield document.problem((*here, "start"), 'is the first step\'s, expected "at_once" or nothing')
        for at, country in enumerate(step.countries):
            yield from country_problems(document, (*here, "countries", at), country)
        for at, carrier in enumerate(step.carriers):
            yield from _carrier_problems(
                document, (*here, "carriers", at), carrier, channels, channel=step.channel
            )
    calls = [(index, step.script) for index, step in enumerate(journey.steps) if step.channel == "voice"]
    for index, script in calls:
        if script != calls[0][1]:
            yield document.problem(
                (*path, "steps", index, "script"),
                f"differs from that of steps[{calls[0][0]}], expected one script for all calls of a journey",
            )
    if journey.steps and (journey.steps[0].countries or journey.steps[0].prefixes):
        elsewhere = [step for step in journey.steps if not step.countries and not step.prefixes]
        if not elsewhere:
            yield document.problem(
                (*path, "steps"), "has no step for other destinations, expected one for all of them"
            )


def _script_problems(
    document: Document, file: ConnectorFile, path: Path, channel: str, script: str | None
) -> Iterator[Problem]:
    if script is None:
        return
    if channel != "voice":
        yield document.problem((*path, "script"), 'is for calls, expected channel = "voice" with it')
    if script not in file.scripts:
        near = did_you_mean(script, file.scripts)
        yield document.problem(
            (*path, "script"), f"there is no [scripts.{script}], expected one of the scripts{near}"
        )


def _channel_problems(
    document: Document, path: Path, channel: str, channels: Mapping[str, str]
) -> Iterator[Problem]:
    if channel not in channels.values():
        yield document.problem(
            (*path, "channel"), f'"{channel}" goes nowhere, expected an enabled {_MISSING[channel]} for it'
        )


def routing_problems(
    document: Document, file: ConnectorFile, channels: Mapping[str, str]
) -> Iterator[Problem]:
    """What contradicts itself in [[routes]], [quiet_hours] and the applications' pins."""
    seen: dict[tuple[str | None, str | None], int] = {}
    for index, rule in enumerate(file.routes):
        if (rule.prefix is None) == (rule.country is None):
            yield document.problem(
                ("routes", index), "has both or neither of `prefix` and `country`, expected exactly one"
            )
        elif (first := seen.setdefault((rule.prefix, rule.country), index)) != index:
            yield document.problem(("routes", index), f"is for the same as entry {first}, expected it once")
        if rule.country is not None:
            yield from country_problems(document, ("routes", index, "country"), rule.country)
        for at, carrier in enumerate(rule.carriers):
            yield from _carrier_problems(document, ("routes", index, "carriers", at), carrier, channels)
    for index, application in enumerate(file.applications):
        for at, carrier in enumerate(application.carriers):
            path: Path = ("application", index, "carriers", at)
            yield from _carrier_problems(document, path, carrier, channels)
        if not application.fallback and not application.carriers:
            yield document.problem(("application", index, "fallback"), _NOBODY)
    if file.jobs.min_deadline_s > file.jobs.default_deadline_s:
        yield document.problem(
            ("jobs", "min_deadline_s"),
            f"{file.jobs.min_deadline_s:g} exceeds default_deadline_s, "
            f"expected at most {file.jobs.default_deadline_s:g}",
        )
    if file.quiet_hours is None:
        return
    if file.quiet_hours.from_ == file.quiet_hours.until:
        yield document.problem(("quiet_hours", "until"), "equals `from`, expected another time of day")
    try:
        ZoneInfo(file.quiet_hours.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = file.quiet_hours.zone
        near = did_you_mean(zone, available_timezones())
        yield document.problem(
            ("quiet_hours", "zone"), f'"{zone}" is no time zone, expected one such as "Europe/Berlin"{near}'
        )


def pin_problems(
    document: Document, template: TemplateFile, channels: Mapping[str, str]
) -> Iterator[Problem]:
    """Pins of a template to what is not there."""
    for index, carrier in enumerate(template.carriers):
        yield from _carrier_problems(document, ("carriers", index), carrier, channels)
    if not template.fallback and not template.carriers:
        yield document.problem(("fallback",), _NOBODY)


def country_problems(document: Document, path: Path, country: str) -> Iterator[Problem]:
    """A country that no number belongs to: what is said of it would never count."""
    from phonenumbers import SUPPORTED_REGIONS  # 20 ms, which only files with countries pay for

    if country not in SUPPORTED_REGIONS:
        meant = _OTHER_NAMES.get(country)
        near = f', did you mean "{meant}"?' if meant else ""
        yield document.problem(
            path, f'"{country}" is no country that numbers belong to, expected one of ISO 3166{near}'
        )


def _carrier_problems(
    document: Document, path: Path, name: str, channels: Mapping[str, str], *, channel: str | None = None
) -> Iterator[Problem]:
    known = [other for other, of in channels.items() if channel is None or of == channel]
    if name not in known:
        what = "carrier or trunk" if channel is None else {"sms": "carrier", "voice": "trunk"}[channel]
        yield document.problem(
            path,
            f'"{name}" is no enabled {what}, expected one of {", ".join(sorted(known)) or "none"}'
            f"{did_you_mean(name, known)}",
        )
