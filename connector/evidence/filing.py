"""Evidence on its way from the table of the journal to the files of its days, in a thread of its own.

Whatever is interrupted is done again at the next start, with the same result: the journal says how far the
files count, and what of them follows is cut off first.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import shutil
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from connector.evidence.chain import BadLine, mac_of, read_line
from connector.evidence.files import sync_folder, write_whole
from connector.evidence.head import Head, read_head, signed_head
from connector.evidence.keys import FOLDER, Keys
from connector.evidence.layout import JOURNAL, day_file, days_in, head_file
from connector.evidence.redaction import redact_file
from connector.evidence.spans import Span, merged
from connector.evidence.table import State, rows_of

__all__ = [
    "Aged", "Closed", "Filed", "Removed", "Taken", "append", "close", "look", "remove", "set_aside",
    "take_out",
]  # fmt: skip

_MOST_OCTETS: Final = 32 << 20
"""Of one step: while it reads, the WAL cannot be emptied."""

_TAIL_OCTETS: Final = 1 << 20
"""Hold the last record of a file."""


class Filed(NamedTuple):
    """Records up to `last`, whose MAC is `mac`, are on the disk."""

    last: int
    mac: str


class Closed(NamedTuple):
    """The head of a day is on the disk. `fault`: what its file should not be; empty: nothing."""

    day: str
    fault: str


class Taken(NamedTuple):
    """Personal parts are out of the files, for these of the pending spans."""

    spans: list[Span]


class Removed(NamedTuple):
    """Days are deleted whose records were dropped."""

    days: list[str]


class Aged(NamedTuple):
    """Closed days that are due, the oldest first.

    personal  first and last record of what must lose its personal parts
    drop      (days, last record, its MAC) of what must be deleted
    gone      days of records that are dropped already
    """

    personal: Span | None
    drop: tuple[list[str], int, str] | None
    gone: list[str]


def append(state: Path, at: State) -> Filed:
    """Move the oldest records of the table, of the day of `at`, to their file."""
    path = day_file(state, at.file_day)
    last, newest, written = at.filed, b"", 0
    connection = apsw.Connection(str(state / JOURNAL), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(5_000)
    with (
        contextlib.closing(connection),
        os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b") as file,
    ):
        file.truncate(_end_of(file.fileno(), at.filed))
        file.seek(0, os.SEEK_END)
        for row in rows_of(connection):
            if row.day(at.file_day) != at.file_day or written > _MOST_OCTETS:
                break
            written += file.write(row.lines + b"\n")
            last, newest = row.last, row.lines
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
    return Filed(last, read_line(newest.rpartition(b"\n")[2]).mac if newest else at.filed_mac)


def set_aside(state: Path, seq: int) -> int:
    """The newest record of the files. Where the journal, whose newest is `seq`, does not know it, one of both
    is an old copy, and filing would cut off the rest: each such file is copied beside itself first.
    """
    newest = seq
    for day in reversed(days_in(state)):
        path = day_file(state, day)
        last = _last_of(path) if path.exists() else None
        if last is None:
            continue
        if last <= seq:
            break
        newest = max(newest, last)
        copy = path.with_name(f"{path.name}.{seq + 1}-{last}")
        if not copy.exists():
            with os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600), "wb") as file:
                with path.open("rb") as source:
                    shutil.copyfileobj(source, file)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(copy.parent)
    return newest


def _last_of(path: Path) -> int | None:
    """Number of the last line that is a record; None without one."""
    octets = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, octets - _TAIL_OCTETS))
        lines = file.read().splitlines()
    for text in reversed(lines):
        with contextlib.suppress(BadLine):
            return read_line(text).seq
    return None


def _end_of(descriptor: int, filed: int) -> int:
    """Where the line of record `filed` ends, or the last one before it; what follows was not finished."""
    size = os.fstat(descriptor).st_size
    if not size:
        return 0
    with mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) as held:
        end = held.rfind(b"\n") + 1  # a line without its end was cut off
        while end:
            begin = held.rfind(b"\n", 0, end - 1) + 1
            with contextlib.suppress(BadLine):
                if read_line(held[begin : end - 1]).seq <= filed:
                    break
            end = begin
        return end


def close(state: Path, at: State, keys: Keys) -> Closed:
    """Write the head of the open day, all of whose records are in its file."""
    path = day_file(state, at.file_day)
    digest, count, fault, mac = sha256(), 0, "", at.file_before
    for number, text in _counting_lines(path, at.filed):
        try:
            line = read_line(text)
            digest.update(line.public() + b"\n")
            if not fault and line.seq >= at.key_from and mac_of(keys.chain, mac, line) != line.mac:
                fault = f"line {number}: not what was written"
            mac = line.mac
        except (BadLine, ValueError):
            digest.update(text + b"\n")
            fault = fault or f"line {number}: no record"
        count += 1
    if not fault and (count != at.filed - at.file_first + 1 or mac != at.filed_mac):
        fault = f"{count} records, expected {at.filed - at.file_first + 1}"
    head = Head(
        day=at.file_day, first=at.file_first, last=at.filed, count=count, previous_mac=at.file_before,
        mac=at.filed_mac, sha256=digest.hexdigest(), key="",
    )  # fmt: skip
    write_whole(head_file(state, at.file_day), signed_head(head, keys).octets())
    return Closed(at.file_day, fault)


def _counting_lines(path: Path, filed: int) -> Iterator[tuple[int, bytes]]:
    if not path.exists():
        return
    with path.open("r+b") as file:
        file.truncate(_end_of(file.fileno(), filed))
        for number, text in enumerate(file, 1):
            yield number, text.removesuffix(b"\n")


def take_out(state: Path, pending: list[Span]) -> Taken:
    """Rewrite the files that hold personal parts of these records."""
    spans = merged(pending)
    for day in days_in(state):
        path = day_file(state, day)
        if path.exists() and _may_hold(state, day, spans):
            redact_file(path, spans)
    return Taken(pending)


def _may_hold(state: Path, day: str, spans: Sequence[Span]) -> bool:
    head = head_of(state, day)
    return head is None or any(first <= head.last and last >= head.first for first, last in spans)


def head_of(state: Path, day: str) -> Head | None:
    """That of a closed day; None where there is none that can be read."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        return read_head(head_file(state, day).read_bytes())
    return None


def look(state: Path, at: State, personal_before: str, keep_from: str) -> Aged:
    """What is due by age: days before `personal_before` and `keep_from`; empty: none ever is."""
    personal: Span | None = None
    drop: tuple[list[str], int, str] | None = None
    gone: list[str] = []
    for day in days_in(state):
        head = head_of(state, day)
        if head is None:
            continue
        if head.last <= at.dropped:
            gone.append(day)
        elif day < keep_from:
            drop = ([*(drop[0] if drop else ()), day], head.last, head.mac)
        elif day < personal_before and head.last > at.redacted:
            personal = (personal[0] if personal else max(head.first, at.redacted + 1), head.last)
    return Aged(personal, drop, gone)


def remove(state: Path, days: Sequence[str]) -> Removed:
    """Delete days, the oldest first, the records before their head: what is left is always explained."""
    for day in sorted(days):
        day_file(state, day).unlink(missing_ok=True)
        sync_folder(state / FOLDER)
        head_file(state, day).unlink(missing_ok=True)
    sync_folder(state / FOLDER)
    return Removed(list(days))
