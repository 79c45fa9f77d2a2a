"""All that the chain holds of one job: its record, what came later, and the head that signs its day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from connector.evidence.canonical import canonical
from connector.evidence.days import octets
from connector.evidence.filters import Line, line_of
from connector.evidence.head import read_head
from connector.evidence.layout import head_file

__all__ = ["Case", "cases"]

_REMOVAL: Final = b'"kind":"redacted"'


class Case(NamedTuple):
    """One ended job.

    line     its record
    where    file and line it stands in
    later    records of what came when it had ended, and of what its application said
    removal  the record by which its personal part was taken out; None: it has it still
    head     the fields of head.Head of its day; None: the day is open yet, or its head cannot be read
    """

    line: Line
    where: str
    later: Sequence[Line]
    removal: Line | None
    head: Mapping[str, Any] | None


def cases(state: Path, job: str, app: str | None = None, seq: int | None = None) -> list[Case]:
    """Those of this id, the newest last; of `app` alone, and the one record `seq`, where they are given.

    Reads the whole chain once. An id may come again when its first job has left the journal.
    """
    found: list[tuple[str, Line]] = []
    further: list[Line] = []
    removals: list[Line] = []
    name = canonical(job)
    for where, text in octets(state):
        # Most are of others, and need not be read.
        if name not in text and _REMOVAL not in text:
            continue
        if (line := line_of(text)) is None:
            continue
        kind, record = line["kind"], line["record"]
        if kind == "job" and record["id"] == job:
            if app in (None, record["app"]) and seq in (None, line["seq"]):
                found.append((where, line))
        elif kind == "late" and record["id"] == job:
            further.append(line)
        elif kind == "redacted" and any(_covers(line, each["seq"]) for _, each in found):
            removals.append(line)
    return [
        Case(
            line, where, [each for each in further if _is_about(each, line)],
            None if line.get("personal") else next((r for r in removals if _covers(r, line["seq"])), None),
            _head(state, where, line),
        )
        for where, line in found
    ]  # fmt: skip


def _is_about(further: Line, line: Line) -> bool:
    return all(further["record"][key] == line["record"][key] for key in ("job", "app"))


def _covers(removal: Line, seq: int) -> bool:
    return any(first <= seq <= last for first, last in removal["record"]["seqs"])


def _head(state: Path, where: str, line: Line) -> Mapping[str, Any] | None:
    day, _, _ = where.partition(".jsonl:")
    try:
        head = read_head(head_file(state, day).read_bytes())
    except (OSError, ValueError):
        return None
    # Of a head that is not of this record nothing may be said; `verify` finds what is wrong with it.
    if not head.first <= line["seq"] <= head.last:
        return None
    fields: Mapping[str, Any] = msgspec.to_builtins(head)
    return fields
