"""Reading: every line of every day, from the files and, for the newest, from the journal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from connector.evidence.chain import BadLine, read_line
from connector.evidence.layout import JOURNAL, day_file, days_in
from connector.evidence.table import Held, held

__all__ = ["days_of", "held_by", "lines", "octets", "octets_of_file"]


def lines(state: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, line) of every record, the oldest first, whether or not the daemon runs.

    `where` is "2026-11-23.jsonl:17" for line 17 of a day's file, "journal.db:412" for record 412. A line is
    {at, kind, mac, personal?, record, seq}. What cannot be read as a record is passed over: that is for
    `verify` to say.
    """
    for where, text in octets(state):
        with contextlib.suppress(BadLine):
            read_line(text)
            yield where, msgspec.json.decode(text)


def octets(state: Path, journal: Held | None = None, first_day: str = "") -> Iterator[tuple[str, bytes]]:
    """The same as they lie there, without their newlines.

    journal    what it held, where that was read
    first_day  files of earlier days are left out
    """
    journal = journal or held_by(state)
    for day in days_of(state, journal):
        if day >= first_day:
            yield from octets_of_file(state, day, journal)
    for row in journal.rows:
        for text in row.lines.split(b"\n"):
            with contextlib.suppress(BadLine):
                yield f"{JOURNAL}:{read_line(text).seq}", text


def octets_of_file(state: Path, day: str, journal: Held) -> Iterator[tuple[str, bytes]]:
    """(where, line) of a day's file. What is in the table still is left out: it is being filed."""
    path = day_file(state, day)
    last = journal.state.filed if journal.state is not None else None
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:  # it may just be deleted
        for number, text in enumerate(file, 1):
            text = text.removesuffix(b"\n")
            if last is not None:
                with contextlib.suppress(BadLine):
                    if read_line(text).seq > last:
                        return
            yield f"{path.name}:{number}", text


def days_of(state: Path, journal: Held, before: Sequence[str] = ()) -> list[str]:
    """Days of which there is a file, without those that were begun after `journal` was read: its rows have
    them. `before`: what days_in had found by then.
    """
    at = journal.state
    if at is None:
        return days_in(state)
    return sorted(
        {
            *before,
            *(day for day in days_in(state) if (day <= at.file_day if at.file_day else day < at.open_from)),
        }
    )


def held_by(state: Path) -> Held:
    """What the journal of a state folder has of evidence; nothing where there is no journal."""
    path = state / JOURNAL
    return held(path) if path.exists() else Held(None, "", [], [])
