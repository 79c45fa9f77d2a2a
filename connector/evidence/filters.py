"""Which records of the chain are wanted: by time, application, job, outcome, and where and how they went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from connector.evidence.canonical import day_of
from connector.evidence.chain import BadLine, read_line
from connector.evidence.days import octets

__all__ = ["Filter", "Line", "line_of", "moment"]

Line = Mapping[str, Any]
"""One line of the chain, decoded: `{seq, at, kind, record, personal?, mac}`."""


class Filter(NamedTuple):
    """What a record must be; every part that is not empty must hold, by any one of its values.

    begin, end   seconds since 1970 at which it was recorded, `end` excluded
    recipients   E.164; a record whose personal part was removed fits none
    carriers     of any attempt, as are `channels`

    A record that lacks what is asked for, as a receipt that came late lacks a country, is not wanted.
    """

    begin: float | None = None
    end: float | None = None
    kinds: frozenset[str] = frozenset()
    apps: frozenset[str] = frozenset()
    jobs: frozenset[str] = frozenset()
    outcomes: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    templates: frozenset[str] = frozenset()
    langs: frozenset[str] = frozenset()
    carriers: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    journeys: frozenset[str] = frozenset()
    recipients: frozenset[str] = frozenset()

    def wants(self, line: Line) -> bool:
        at = line["at"]
        if (self.begin is not None and at < self.begin) or (self.end is not None and at >= self.end):
            return False
        if self.kinds and line["kind"] not in self.kinds:
            return False
        record = line["record"]
        template = record.get("template") or {}
        attempts = record.get("attempts") or ()
        return (
            _one_of(record.get("app"), self.apps)
            and _one_of(record.get("id"), self.jobs)
            and _one_of(record.get("outcome"), self.outcomes)
            and _one_of(record.get("country"), self.countries)
            and _one_of(template.get("name"), self.templates)
            and _one_of(template.get("lang"), self.langs)
            and _one_of(record.get("class"), self.classes)
            and _one_of(record.get("journey"), self.journeys)
            and _any_of((attempt["carrier"] for attempt in attempts), self.carriers)
            and _any_of((attempt["channel"] for attempt in attempts), self.channels)
            and _one_of((line.get("personal") or {}).get("to"), self.recipients)
        )

    def wanted(self, state: Path) -> Iterator[Line]:
        """Those of the chain in a state folder, the oldest first."""
        # No record stands in the file of a day before its own, whatever was done to the clock.
        first_day = "" if self.begin is None else day_of(self.begin)
        for _, text in octets(state, first_day=first_day):
            if (line := line_of(text)) is not None and self.wants(line):
                yield line


def line_of(text: bytes) -> Line | None:
    """None for what is no line of a chain, of which `verify` speaks."""
    try:
        read_line(text)
    except BadLine:
        return None
    line: Line = msgspec.json.decode(text)
    return line


def moment(text: str, *, end: bool = False) -> float:
    """`2026-11-23`, `2026-11-23T10:00:00Z` or with another offset, as seconds since 1970.

    A date alone is its first instant in UTC; with `end` the first of the next day, so that a range of dates
    includes its last one. Raises ValueError for anything else, a time without offset included: evidence is
    read in other time zones than its own.
    """
    try:
        found = datetime.fromisoformat(text)
        if "T" not in text.upper() and ":" not in text:
            midnight = found.replace(tzinfo=UTC)
            return (midnight + timedelta(days=1) if end else midnight).timestamp()
    except (ValueError, OverflowError):
        raise ValueError("expected a date as 2026-11-23, or a time as 2026-11-23T10:00:00Z") from None
    if found.tzinfo is None:
        raise ValueError("expected an offset from UTC as well, as in 2026-11-23T10:00:00Z")
    return found.timestamp()


def _one_of(value: object, wanted: frozenset[str]) -> bool:
    return not wanted or value in wanted


def _any_of(values: Iterable[str], wanted: frozenset[str]) -> bool:
    return not wanted or not wanted.isdisjoint(values)
