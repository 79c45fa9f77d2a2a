"""Events to applications, each from its own cursor: pulled from the journal, never held for a slow reader."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from connector.jobs.connection import Connection
from connector.journal.lookup import Lookup
from connector.journal.ops import Chunk

__all__ = ["Subscriptions"]


class Subscriptions:
    """A subscriber who has everything gets a commit's events from memory; any other gets them from the disk,
    as fast as it reads.
    """

    def __init__(self, lookup: Lookup, on_error: Callable[[BaseException], None]) -> None:
        self._lookup = lookup
        self._on_error = on_error
        self._by_app: dict[int, set[Connection]] = {}
        self._newest: dict[int, int] = {}
        self._pulls: set[asyncio.Task[None]] = set()

    def add(self, connection: Connection, after: int, newest: int) -> None:
        """Events with a number above `after` follow; nothing for a connection that has ended meanwhile."""
        if not connection.open:
            return
        connection.position = after
        self._by_app.setdefault(connection.app, set()).add(connection)
        self._newest[connection.app] = max(newest, self._newest.get(connection.app, 0))
        self.pull(connection)

    def remove(self, connection: Connection) -> None:
        self._by_app.get(connection.app, set()).discard(connection)

    def committed(self, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            self._newest[chunk.app] = chunk.last
            for connection in self._by_app.get(chunk.app, ()):
                if connection.paused or connection.pulling:
                    continue
                if connection.position == chunk.first - 1:
                    connection.position = chunk.last
                    connection.push(chunk.frames)
                    connection.flush()
                else:
                    self.pull(connection)

    def pull(self, connection: Connection) -> None:
        """Read on for a subscriber who lags behind."""
        if connection.position is None or connection.pulling or connection.paused:
            return
        if connection.position >= self._newest.get(connection.app, 0):
            return
        connection.pulling = True
        task = asyncio.create_task(self._pull(connection))
        self._pulls.add(task)
        task.add_done_callback(self._pulled)

    def _pulled(self, task: asyncio.Task[None]) -> None:
        self._pulls.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_error(error)

    async def _pull(self, connection: Connection) -> None:
        try:
            while not connection.paused and connection.position is not None:
                if connection.position >= self._newest[connection.app]:
                    break
                frames, last = await self._lookup.events(connection.app, connection.position)
                if not frames:
                    break
                connection.position = last
                connection.push(frames)
                connection.flush()
        finally:
            connection.pulling = False

    async def close(self) -> None:
        for task in self._pulls:
            task.cancel()
        await asyncio.gather(*self._pulls, return_exceptions=True)
