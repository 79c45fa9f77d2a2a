"""What is read from the journal: events for a cursor, one job's story, and what was open at the last end.

Readers have a connection of their own and see committed rows only. A read is short: a long one would keep
the WAL from being folded back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import msgpack  # type: ignore[import-untyped]

from connector.journal.forgetting import find
from connector.journal.ops import Found
from connector.journal.recovery import Recovered, recover
from connector.journal.sealed import body_context, frames_context, opened_frames, opened_text
from connector.journal.store import connect
from connector.sealing import Seal
from connector.state_folder import seal_of

__all__ = ["Reader", "Recovered"]

_EVENT_BYTES = 262_144
_NEWEST = 2_000


class Reader:
    """A read-only view, for one thread at a time."""

    def __init__(self, path: Path, seal: Seal | None = None) -> None:
        """`seal`: absent, by the key of the state folder."""
        self._connection = connect(path, read_only=True)
        self._seal = seal or seal_of(path.parent)

    def close(self) -> None:
        self._connection.close()

    def events(self, app: int, after: int) -> tuple[bytes, int]:
        """Frames of the events that follow `after`, at most about 256 KB, and the number of the last one."""
        frames, last = [], after
        size = 0
        for first, chunk_last, blob in self._connection.execute(
            "SELECT first, last, frames FROM event WHERE app = ? AND last > ? ORDER BY last LIMIT 64",
            (app, after),
        ):
            opened = opened_frames(self._seal, blob, frames_context(app, first))
            piece = _skip(opened, after + 1 - first) if first <= after else opened
            frames.append(piece)
            last = chunk_last
            size += len(piece)
            if size >= _EVENT_BYTES:
                break
        return b"".join(frames), last

    def cursor(self, app: int) -> tuple[int, int]:
        """(acknowledged up to, newest event)."""
        row = self._connection.execute("SELECT cursor, last_seq FROM app WHERE id = ?", (app,)).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def job(self, app: int, ext: str) -> dict[str, Any] | None:
        """One job with its attempts, their parts and receipts, as columns; None when it is not known."""
        cursor = self._connection.execute("SELECT * FROM job WHERE app = ? AND ext = ?", (app, ext))
        job = _one(cursor)
        if job is None:
            return None
        key = job["id"]
        if job["body"] is not None:
            job["body"] = opened_text(self._seal, job["body"], body_context(key))
        job["attempts"] = _all(
            self._connection.execute("SELECT * FROM attempt WHERE job = ? ORDER BY n", (key,))
        )
        parts = _all(
            self._connection.execute("SELECT * FROM part WHERE job = ? ORDER BY attempt, part", (key,))
        )
        calls = dict(self._connection.execute("SELECT attempt, detail FROM call WHERE job = ?", (key,)))
        for attempt in job["attempts"]:
            attempt["call"] = calls.get(attempt["n"])
            attempt["answers"] = [part for part in parts if part["attempt"] == attempt["n"]]
        job["timeline"] = _all(
            self._connection.execute("SELECT * FROM timeline WHERE job = ? ORDER BY id", (key,))
        )
        return job

    def find(self, number: str, after: Found) -> tuple[Found, bool]:
        """See journal.forgetting.find."""
        return find(self._connection, self._seal, number, after)

    def orphans(self, limit: int, now: float) -> list[dict[str, Any]]:
        """The newest receipts that match nothing, raw; behind them what handsets wrote, but not its text.

        `message_id` is hexadecimal, as `raw`.
        """
        return _all(
            self._connection.execute(
                """SELECT p.carrier, a.name AS account, p.at, max(0.0, ? - p.at) AS age_s, p.state, p.error,
                          p.message_id, iif(p.keys = '[]', '', p.raw) AS raw
                   FROM parked p JOIN account a ON a.id = p.account
                   ORDER BY p.keys = '[]', p.id DESC LIMIT ?""",
                (now, limit),
            )
        )

    def orphan_counts(self, now: float) -> list[dict[str, Any]]:
        """How many receipts of each carrier match nothing, and how long the oldest has waited."""
        return _all(
            self._connection.execute(
                """SELECT carrier, count(*) AS receipts, max(0.0, ? - min(at)) AS oldest_s FROM parked
                   WHERE keys != '[]' GROUP BY carrier ORDER BY carrier""",
                (now,),
            )
        )

    def recover(self, now: float) -> Recovered:
        """What was under way when the daemon last ended, however it ended."""
        return recover(self._connection, self._seal, now, self.id_forms())

    def id_forms(self) -> dict[int, dict[str, int]]:
        """See `Recovered`."""
        forms: dict[int, dict[str, int]] = {}
        for account, form, number in self._connection.execute(
            """SELECT account, form, count(*) FROM part INDEXED BY part_job
               WHERE job > (SELECT max(id) FROM job) - ? AND form IS NOT NULL GROUP BY account, form""",
            (_NEWEST,),
        ):
            forms.setdefault(account, {})[form] = number
        return forms


def _skip(frames: bytes, count: int) -> bytes:
    unpacker = msgpack.Unpacker(max_buffer_size=len(frames))
    unpacker.feed(frames)
    for _ in range(count):
        unpacker.skip()
    return frames[unpacker.tell() :]


def _all(cursor: apsw.Cursor) -> list[dict[str, Any]]:
    return [dict(zip((name for name, *_ in cursor.description), row, strict=True)) for row in cursor]


def _one(cursor: apsw.Cursor) -> dict[str, Any] | None:
    rows = _all(cursor)
    return rows[0] if rows else None
