"""Taking a handset's number out of the journal.

A job that has ended stays, without the number and what may name its owner. One that is open keeps its number
until it ends: it is noted in the table `forgetting`, and its turn comes when it has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import apsw
import msgpack  # type: ignore[import-untyped]
import msgspec

from connector.journal import bulk
from connector.journal.inbound import Inbox
from connector.journal.ops import Forget, Found
from connector.journal.receipts import SAME_DIGITS, Parking, is_of
from connector.journal.sealed import frames_context, opened_frames
from connector.sealing import Seal
from protocols.rpc.event import Event

__all__ = ["Oblivion", "find"]

JOBS_AT_ONCE: Final = 100_000
CHUNKS_AT_ONCE: Final = 2_000
"""Rows of one read: a long one would keep the WAL from being folded back."""

_DUE: Final = """
    SELECT DISTINCT f.number FROM forgetting f LEFT JOIN job j ON j.id = f.job
    WHERE j.id IS NULL OR j.outcome IS NOT NULL LIMIT 100
"""
_JOBS: Final = "SELECT id FROM job WHERE id > ? AND id <= ? AND recipient = ?"
_CHUNKS: Final = "SELECT rowid, app, first, frames FROM event WHERE rowid > ? ORDER BY rowid LIMIT ?"
_CHUNK: Final = "SELECT rowid, app, first, frames FROM event WHERE rowid = ?"
_OPEN: Final = """
    SELECT json_group_array(json_array(j.id, j.outcome IS NULL)) FROM jsonb_each(?) e
    CROSS JOIN job j ON j.id = e.value
"""
# Without a digest a repetition is a conflict: it is not sent again.
_WIPE: Final = (
    """UPDATE job SET recipient = '', digest = '', supersedes = NULL, traceparent = NULL
       WHERE id IN (SELECT value FROM jsonb_each(?))""",
    "UPDATE part SET receipt = NULL WHERE job IN (SELECT value FROM jsonb_each(?))",
    "DELETE FROM unresolved WHERE job IN (SELECT value FROM jsonb_each(?))",
    """UPDATE call SET detail = json_set(detail, '$.keys', json('[]'))
       WHERE job IN (SELECT value FROM jsonb_each(?))""",
)
_NOTE: Final = "INSERT OR IGNORE INTO forgetting SELECT value->>0, value->>1 FROM jsonb_each(?)"
_DONE: Final = """
    DELETE FROM forgetting WHERE number = ? AND job NOT IN (SELECT value FROM jsonb_each(?))
"""
_encode = msgspec.msgpack.Encoder().encode


def find(connection: apsw.Connection, seal: Seal, number: str, after: Found) -> tuple[Found, bool]:
    """Look through the next rows, and say whether there are more. Begin with `Found()`."""
    newest: int = connection.execute("SELECT ifnull(max(id), 0) FROM job").get
    last_job = min(newest, after.last_job + JOBS_AT_ONCE)
    jobs = [row for (row,) in connection.execute(_JOBS, (after.last_job, last_job, number))]
    chunks, last_chunk, read = [], after.last_chunk, 0
    for row, app, first, frames in connection.execute(_CHUNKS, (after.last_chunk, CHUNKS_AT_ONCE)):
        read, last_chunk = read + 1, row
        if _may_name(opened_frames(seal, frames, frames_context(app, first)), number):
            chunks.append(row)
    found = Found((*after.jobs, *jobs), (*after.chunks, *chunks), last_job, last_chunk)
    return found, last_job < newest or read == CHUNKS_AT_ONCE


class Oblivion:
    """Used by the writer thread alone, within its transaction."""

    def __init__(self, connection: apsw.Connection, seal: Seal, parking: Parking, inbox: Inbox) -> None:
        self._connection = connection
        self._seal = seal
        self._parking = parking
        self._inbox = inbox

    def due(self) -> list[str]:
        """Numbers of which a job has ended since they were to be forgotten; asked for until that is done."""
        return [number for (number,) in self._connection.execute(_DUE)]

    def run(self, forgets: Sequence[Forget]) -> None:
        """Forget what can be, and note the rest. What came since the number was looked for is found here."""
        for forget in forgets:
            self._forget(forget)

    def _forget(self, forget: Forget) -> None:
        number, found = forget.number, forget.found
        later = self._connection.execute(_JOBS, (found.last_job, 2**63 - 1, number))
        jobs = [*found.jobs, *(row for (row,) in later)]
        states = bulk.rows(self._connection, _OPEN, jobs)
        ended = [job for job, is_open in states if not is_open]
        waiting = [job for job, is_open in states if is_open]
        for statement in _WIPE:
            bulk.write(self._connection, statement, ended)
        bulk.write(self._connection, _NOTE, [(job, number) for job in waiting])
        self._connection.execute(_DONE, (number, str(waiting)))
        self._inbox.forget(number)
        self._tell_less(number, found)
        if not waiting:  # else one of the receipts may be theirs
            self._parking.forget_handset(number)
        forget.jobs, forget.open = len(ended), len(waiting)

    def _tell_less(self, number: str, found: Found) -> None:
        """Messages of the handset that no application has taken yet lose their text and where they came from;
        that there was one, and its keyword, stays.
        """
        rows = [row for chunk in found.chunks for row in self._connection.execute(_CHUNK, (chunk,))]
        newest: int = self._connection.execute("SELECT ifnull(max(rowid), 0) FROM event").get
        # When all has been acknowledged meanwhile, rows are numbered from the beginning again.
        after = found.last_chunk if newest >= found.last_chunk else 0
        rows += self._connection.execute(_CHUNKS, (after, -1))
        for row, app, first, frames in rows:
            context = frames_context(app, first)
            plain = opened_frames(self._seal, frames, context)
            if _may_name(plain, number):
                sealed = self._seal.seal_octets(_without(plain, number), context)
                self._connection.execute("UPDATE event SET frames = ? WHERE rowid = ?", (sealed, row))


def _may_name(frames: bytes, number: str) -> bool:
    return number[-SAME_DIGITS:].encode() in frames


def _without(frames: bytes, number: str) -> bytes:
    unpacker = msgpack.Unpacker(max_buffer_size=len(frames))
    unpacker.feed(frames)
    rewritten = []
    for kind, method, (fields,) in unpacker:
        event = msgspec.convert(fields, Event)
        if event.type == "received" and is_of(number, event.from_ or ""):
            event = msgspec.structs.replace(event, from_="", text="", data=None)
        rewritten.append(_encode((kind, method, (event,))))
    return b"".join(rewritten)
