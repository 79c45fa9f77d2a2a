"""A dispatcher on a real event loop whose clock jumps to the next timer, with carriers told what to do."""

from __future__ import annotations

import asyncio
import selectors
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from connector.carriers.contract import Attempt, PartAnswer, Unsendable
from connector.carriers.statuses import Statuses
from connector.dispatch import Dispatcher
from connector.journal.ops import Accept, Batch, Receipt
from connector.metrics import CarrierLive, Metrics
from connector.model import Channel, LiveJob
from protocols.smpp.id_keys import stored_key
from tests.journal.book import Book


class _JumpingSelector(selectors.SelectSelector):
    """Where the loop would sleep, the time passes at once."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.now = start
        self.turns = 0

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "nothing will ever happen again"
        self.turns += 1
        assert self.turns < 100_000, "something happens again and again"
        if timeout > 0:
            self.now += timeout
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self, start: float) -> None:
        self.clock = _JumpingSelector(start)
        super().__init__(self.clock)
        # A timer is due at its time plus this; the usual nanosecond is lost in seconds since 1970.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self.clock.now


class FakeCarrier:
    """Keeps the Carrier contract; `attempts` are those that have left and wait for what the test says."""

    def __init__(
        self, stage: Stage, name: str, *, priority: int = 0, window: int = 1000, parts: int = 1
    ) -> None:
        self.name, self.priority, self.window, self.parts = name, priority, window, parts
        self.channel: Channel = "sms"
        self.account = stage.book.store.account(name)
        self.attempts: list[Attempt] = []
        self.sends: Counter[str] = Counter()
        self.unsendable: set[str] = set()
        self.react: Callable[[Attempt], None] | None = None
        self.limited: Callable[[LiveJob], tuple[int, ...]] = lambda job: ()
        self.limits_end: dict[tuple[int, ...], float] = {}
        self._stage = stage
        self._open: set[Attempt] = set()
        self._handed: list[Attempt] = []
        self._draining = False
        self._ids = 0

    @property
    def outcomes(self) -> Dispatcher:
        return self._stage.dispatcher

    # The contract

    def room(self, now: float) -> int:
        return 0 if self._draining else self.window - len(self._open)

    @property
    def bound(self) -> bool:
        return not self._draining

    def rate(self, now: float) -> float:
        return 100.0

    def room_at(self, now: float) -> float | None:
        return now if self.room(now) > 0 else None

    def limits(self, job: LiveJob) -> tuple[int, ...]:
        return self.limited(job)

    def limited_until(self, limits: tuple[int, ...], now: float) -> float:
        return max(now, self.limits_end.get(limits, now))

    def prepare(self, job: LiveJob, now: float) -> Attempt:
        if job.id in self.unsendable:
            raise Unsendable(f"{self.name} cannot spell it")
        attempt = Attempt(job, self, self.parts)
        self._open.add(attempt)
        return attempt

    def send(self, attempt: Attempt, now: float) -> None:
        assert attempt in self._open
        if attempt.refused or attempt.job.deadline_at <= now:
            self._handed.append(attempt)
            return
        key = (attempt.job.key, attempt.number)
        assert self._stage.book.rows("SELECT 1 FROM attempt WHERE job = ? AND n = ?", *key) == [(1,)]
        attempt.written = attempt.parts
        self.attempts.append(attempt)
        self._handed.append(attempt)
        self.sends[attempt.job.id] += 1

    def pump(self, now: float) -> None:
        handed, self._handed = self._handed, []
        for attempt in handed:
            if not attempt.written:
                self._end(attempt)
                self.outcomes.unsent(attempt, "deadline", now)
            elif self.react is not None:
                self._stage.loop.call_soon(self.react, attempt)

    def receipts_committed(self, receipts: list[Receipt], now: float) -> None:
        assert all(receipt.match for receipt in receipts)

    def receipts_found(self, receipts: list[Receipt], now: float) -> None: ...
    def remember_forms(self, forms: Mapping[str, int]) -> None: ...
    def live(self, now: float) -> CarrierLive:
        return CarrierLive(self.name, (), 0.0)

    def start(self) -> None: ...

    async def drain(self) -> None:
        self._draining = True
        while self._open:
            await asyncio.sleep(0.01)

    async def stop(self) -> None: ...

    def _end(self, attempt: Attempt) -> None:
        attempt.settled = True
        self._open.discard(attempt)

    # What the test tells it to do

    def accept(self, attempt: Attempt, id: bytes | None = None, *, parts: int | None = None) -> bytes:
        """Answer the next parts (all that are missing) with success."""
        first = b""
        for _ in range(parts or attempt.parts - attempt.answered):
            self._ids += 1
            given = id or f"{self.name}{self._ids}".encode()
            first = first or given
            late = attempt.settled
            attempt.answered += 1
            if attempt.answered == attempt.parts:
                self._end(attempt)
            answer = PartAnswer(attempt.answered, stored_key(given), given.hex(), late)
            self.outcomes.sent(attempt, answer, self._stage.now())
        self.outcomes.room()
        return first

    def refuse(self, attempt: Attempt, status: int = 0x0A) -> None:
        assert not attempt.refused
        attempt.refused = True
        self._end(attempt)
        self.outcomes.refused(attempt, status, Statuses({}).classify(status), self._stage.now())
        self.outcomes.room()

    def lose(self, attempt: Attempt) -> None:
        if not attempt.settled:
            self._end(attempt)
            self.outcomes.unknown(attempt, "no answer", self._stage.now())
            self.outcomes.room()

    def give_back(self, attempt: Attempt) -> None:
        attempt.written = 0
        self._end(attempt)
        self.outcomes.unsent(attempt, "the bind went down", self._stage.now())
        self.outcomes.room()

    def report(self, id: bytes, state: str = "DELIVERED", to: str | None = None) -> None:
        receipt = self._stage.book.receipt_op(
            id, state, account=self.account, **({"address": to} if to else {})
        )
        receipt.carrier = self.name
        self.outcomes.receipt(receipt)


class _Journal:
    """As connector.journal.writer, without its thread: commits at the end of the loop's turn."""

    def __init__(self, stage: Stage) -> None:
        self.batch = Batch()
        self._stage = stage
        self._scheduled = False

    def touch(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._stage.loop.call_soon(self._commit)

    async def settled(self) -> None:
        while len(self.batch):
            await asyncio.sleep(0)

    def _commit(self) -> None:
        self._scheduled = False
        batch, self.batch = self.batch, Batch()
        self._stage.book.now = now = self._stage.now()
        self._stage.committed(self._stage.book.commit_batch(batch), now)


class Stage:
    """Use through `play`. Jobs are submitted with `submit`; `book` reads what the journal has."""

    def __init__(self, path: Path, loop: JumpingLoop) -> None:
        self.loop = loop
        self.book = Book(path)
        self.metrics = Metrics()
        self.now = loop.time
        self.journal = _Journal(self)
        self.dispatcher = Dispatcher(self.journal, self.metrics, self.now)  # type: ignore[arg-type]
        self.carriers: list[FakeCarrier] = []
        self.cancelled: dict[str, bool] = {}
        self.missed = 0

    def carrier(self, name: str = "north", **more: Any) -> FakeCarrier:
        self.carriers.append(FakeCarrier(self, name, **more))
        return self.carriers[-1]

    def start(self) -> None:
        self.dispatcher.start(self.carriers)

    def accept(self, id: str = "j1", **more: Any) -> LiveJob:
        """Hand over a job, as the socket does; it is committed at the end of this turn."""
        self.book.now = self.now()
        job = self.book.job(id, **more)
        self.dispatcher.admit(job)
        accept: Accept = self.book.accept_op(job)
        self.journal.batch.accepts.append(accept)
        self.journal.touch()
        return job

    def cancel(self, job: LiveJob) -> bool:
        stopped = self.dispatcher.cancel(job, job.id, self.now())
        if not stopped:
            self.cancelled[job.id] = False
        return stopped

    def committed(self, batch: Batch, now: float) -> None:
        self.missed += batch.missed
        self.dispatcher.intends_committed(batch.intends, now)
        for accept in batch.accepts:
            if accept.verdict == "new":
                self.dispatcher.enqueue(accept.job)
            else:
                self.dispatcher.release(accept.job)
        for finish in batch.finishes:
            if finish.context is not None:
                self.cancelled[finish.context] = finish.applied
        self.dispatcher.acknowledgements.receipts(batch.receipts, now)
        self.dispatcher.acknowledgements.parked(batch.found, batch.unmatched, now)
        self.dispatcher.following.told(batch.told, now)
        self.dispatcher.ended(batch.ended)

    def sweep(self) -> None:
        self.journal.batch.sweep_at = self.now()
        self.journal.touch()

    async def settle(self) -> None:
        """Let everything happen that needs no time."""
        for _ in range(12):
            await asyncio.sleep(0)

    async def submit(self, id: str = "j1", **more: Any) -> LiveJob:
        job = self.accept(id, **more)
        await self.settle()
        return job

    def sends(self, job: LiveJob) -> int:
        return sum(carrier.sends[job.id] for carrier in self.carriers)


def play(path: Path, act: Callable[[Stage], Coroutine[Any, Any, None]]) -> None:
    """Run `act` on a fresh stage, in jumping time."""
    loops: list[JumpingLoop] = []

    def make() -> JumpingLoop:
        loops.append(JumpingLoop(1_700_000_000.0))
        return loops[-1]

    async def main() -> None:
        stage = Stage(path / "journal.db", loops[-1])
        try:
            await act(stage)
        finally:
            stage.book.store.connection.close()

    with asyncio.Runner(loop_factory=make) as runner:
        runner.run(main())
