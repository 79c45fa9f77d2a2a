"""The journal as the event loop sees it: operations go in, committed batches come back.

One thread writes. While it commits a batch, the next one fills: the busier the daemon, the larger the
groups. Nothing waits in between: an idle journal commits at the end of the loop's turn.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from connector.journal.evidence import Keeping
from connector.journal.inbound import NOBODY, Reception
from connector.journal.ops import Batch
from connector.journal.store import Store
from connector.sealing import Seal

__all__ = ["Committed", "Journal"]

Committed = Callable[[Batch], None]


class Journal:
    """Group commit. `batch` is the open one: append operations to its lists and call `touch`.

    `on_commit` gets every batch after its fsync, in order, in the event loop. `on_failure` gets the error
    that ends the journal: after a failed fsync nobody knows what is on the disk, so the process must exit
    without answering anybody, and not try again. `head`: of the evidence, when the journal was opened.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], float],
        on_commit: Committed,
        on_failure: Callable[[BaseException], None],
        retention_s: float,
        answer_timeout_s: float,
        reception: Reception = NOBODY,
        seal: Seal | None = None,
        keep_orders_s: float = 60 * 86_400.0,
        keeping: Keeping | None = None,
    ) -> None:
        self._store = Store(
            path, retention_s=retention_s, answer_timeout_s=answer_timeout_s, reception=reception,
            seal=seal, keep_orders_s=keep_orders_s, keeping=keeping,
        )  # fmt: skip
        self.app = self._store.app
        self.account = self._store.account
        self.last_job = self._store.last_job
        self.digest_key = self._store.digest_key
        self.head = self._store.head
        self.batch = Batch()
        self.commit_s = 0.0  # how long the last commit took
        self._now = now
        self._on_commit = on_commit
        self._on_failure = on_failure
        self._queue: SimpleQueue[Batch | Callable[[], None] | None] = SimpleQueue()
        self._busy = False
        self._scheduled = False
        self._committing = self.batch
        self._settling: list[tuple[Batch, asyncio.Future[None]]] = []
        self._closed: asyncio.Future[None] | None = None
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)

    def start(self) -> None:
        """Begin to commit; `app`, `account` and `last_job` must be left to `identify` from now on."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def touch(self) -> None:
        """The open batch has something in it."""
        if not self._scheduled and not self._busy:
            self._scheduled = True
            self._loop.call_soon(self._hand_over)

    async def identify(self, find: Callable[[str], int], name: str) -> int:
        """What `find`, which is `app` or `account`, gives for a name; in the thread that writes."""
        found: asyncio.Future[int] = self._loop.create_future()

        def look() -> None:
            self._loop.call_soon_threadsafe(found.set_result, find(name))

        self._queue.put(look)
        return await found

    async def settled(self) -> None:
        """Return when all that was said so far is committed and acted on."""
        if len(self.batch) or self._busy:
            settled: asyncio.Future[None] = self._loop.create_future()
            self._settling.append((self.batch if len(self.batch) else self._committing, settled))
            await settled

    async def close(self) -> None:
        """Commit what is open, check-point, and end the thread."""
        self._closed = self._loop.create_future()
        self.touch()
        await self._closed
        await self._loop.run_in_executor(None, self._thread.join)

    def _hand_over(self) -> None:
        self._scheduled = False
        if self._busy:
            return
        if len(self.batch):
            batch, self.batch = self.batch, Batch()
            self._committing = batch
            self._busy = True
            self._queue.put(batch)
        elif self._closed is not None and not self._closed.done():
            self._queue.put(None)
            self._closed.set_result(None)

    def _committed(self, batch: Batch, took: float) -> None:
        self.commit_s = took
        self._busy = False
        if self._closed is None:
            self._hand_over()  # first: the thread works while this loop's turn handles the results
        try:
            self._on_commit(batch)
        except Exception as error:  # what is committed must be acted on: the next start will do it
            self._on_failure(error)
        for of, settled in self._settling:
            if of is batch and not settled.done():
                settled.set_result(None)
        self._settling = [each for each in self._settling if each[0] is not batch]
        self._hand_over()

    def _write(self) -> None:
        try:
            while (batch := self._queue.get()) is not None:
                if not isinstance(batch, Batch):
                    batch()
                    continue
                began = time.perf_counter()
                self._store.commit(batch, self._now())
                took = time.perf_counter() - began
                self._loop.call_soon_threadsafe(self._committed, batch, took)
            self._store.close()
        except BaseException as error:
            self._loop.call_soon_threadsafe(self._on_failure, error)
