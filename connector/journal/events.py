"""Events of one commit, numbered for each application and encoded as they leave the socket."""

from __future__ import annotations

import apsw
import msgspec

from connector.journal import bulk
from connector.journal.ops import Acknowledge, Chunk
from connector.journal.sealed import frames_context
from connector.sealing import Seal
from protocols.rpc.event import Event

__all__ = ["EventLog"]

_encode = msgspec.msgpack.Encoder().encode
_NOTIFICATION = 2


class EventLog:
    """Numbers events from where the journal stopped; `save` writes one row for each application.

    Used by the writer thread alone. After a failed commit the process exits, so numbers need no way back.
    """

    def __init__(self, connection: apsw.Connection, seal: Seal) -> None:
        self._connection = connection
        self._seal = seal
        self._last: dict[int, int] = dict(connection.execute("SELECT id, last_seq FROM app"))
        self._cursor: dict[int, int] = dict(connection.execute("SELECT id, cursor FROM app"))
        self._frames: dict[int, list[bytes]] = {}

    def emit(self, app: int, event: Event) -> None:
        """`event.seq` is set here."""
        frames = self._frames.get(app)
        if frames is None:
            frames = self._frames[app] = []
        frames.append(_encode((_NOTIFICATION, "event", (event,))))

    def next_seq(self, app: int) -> int:
        self._last[app] = seq = self._last.get(app, 0) + 1
        return seq

    def acknowledge(self, acknowledges: list[Acknowledge]) -> None:
        """Forget events up to the highest number; what was never sent cannot be acknowledged."""
        newest: dict[int, int] = {}
        for acknowledge in acknowledges:
            newest[acknowledge.app] = max(acknowledge.seq, newest.get(acknowledge.app, 0))
        for app, seq in newest.items():
            seq = min(seq, self._last.get(app, 0))
            if seq > self._cursor.get(app, 0):
                self._cursor[app] = seq
                self._connection.execute("UPDATE app SET cursor = ? WHERE id = ?", (seq, app))
                self._connection.execute("DELETE FROM event WHERE app = ? AND last <= ?", (app, seq))

    def save(self, at: float) -> list[Chunk]:
        chunks = []
        for app, frames in self._frames.items():
            last = self._last[app]
            chunk = Chunk(app, last - len(frames) + 1, last, at, b"".join(frames))
            chunks.append(chunk)
            sealed = self._seal.seal_octets(chunk.frames, frames_context(app, chunk.first))
            self._connection.execute(
                "INSERT INTO event (app, first, last, at, frames) VALUES (?, ?, ?, ?, ?)",
                (app, chunk.first, last, at, sealed),
            )
        bulk.write(
            self._connection,
            "UPDATE app SET last_seq = e.value->>1 FROM jsonb_each(?) e WHERE app.id = e.value->>0",
            [(chunk.app, chunk.last) for chunk in chunks],
        )
        self._frames = {}
        return chunks

    def backlog(self) -> dict[int, int]:
        """Events not acknowledged, by application."""
        return {app: last - self._cursor.get(app, 0) for app, last in self._last.items()}
