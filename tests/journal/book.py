"""A journal driven by hand: operations by keyword, events as they were told, rows by SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgpack
import msgspec

from connector.journal.inbound import NOBODY, Reception
from connector.journal.ops import Accept, Acknowledge, Answer, Batch, Finish, Intend, Receipt, Settle
from connector.journal.reader import Reader
from connector.journal.store import Store
from connector.model import Channel, Content, LiveJob
from connector.sealing import Seal
from protocols.rpc.event import Event
from protocols.smpp.id_keys import lookup_keys, stored_key

HANDSET = "+4915112345678"
ANSWER_TIMEOUT_S = 11.0
RETENTION_S = 1000.0
START = 1_700_000_000.0
RESULTS = {"DELIVERED": "delivered", "EXPIRED": "expired", "ENROUTE": None, "ACCEPTED": None, "UNKNOWN": None}


def events_in(frames: bytes) -> list[Event]:
    """The events of a chunk, each one an `event` notification."""
    unpacker = msgpack.Unpacker()
    unpacker.feed(frames)
    found = []
    for kind, method, (event,) in unpacker:
        assert (kind, method) == (2, "event")
        found.append(msgspec.convert(event, Event))
    return found


class Book:
    """`now` is moved by hand; every commit's chunks are kept in `told`."""

    def __init__(
        self,
        path: Path,
        retention_s: float = RETENTION_S,
        reception: Reception = NOBODY,
        seal: Seal | None = None,
    ) -> None:
        self.path = path
        self.reception = reception
        self.retention_s = retention_s
        self.seal = seal
        self.now = START
        self.told: dict[int, list[Event]] = {}
        self.open()
        self.app = self.store.app("shop")
        self.account = self.store.account("smsc.example|acme")

    def open(self) -> None:
        self.store = Store(
            self.path, retention_s=self.retention_s, answer_timeout_s=ANSWER_TIMEOUT_S,
            reception=self.reception, seal=self.seal,
        )  # fmt: skip
        self._rows = iter(range(self.store.last_job() + 1, 1_000_000))

    def reopen(self) -> None:
        """As after a crash: nothing is folded back first."""
        self.store.connection.close()
        self.open()

    def reader(self) -> Reader:
        return Reader(self.path, self.seal)

    def commit(self, **kinds: Any) -> Batch:
        return self.commit_batch(Batch(**kinds))

    def commit_batch(self, batch: Batch) -> Batch:
        self.store.commit(batch, self.now)
        for chunk in batch.chunks:
            self.told.setdefault(chunk.app, []).extend(events_in(chunk.frames))
        return batch

    def sweep(self, at: float | None = None) -> Batch:
        return self.commit(sweep_at=self.now if at is None else at)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return list(self.store.connection.execute(sql, values))

    def row(self, sql: str, *values: Any) -> tuple[Any, ...]:
        (found,) = self.rows(sql, *values)
        return found

    def story(self, job: LiveJob) -> list[str]:
        """Types of the events of one job; the final one with its outcome."""
        return [
            f"{event.type}/{event.outcome}" if event.final else event.type
            for event in self.told.get(job.app, [])
            if event.id == job.id
        ]

    def outcome(self, job: LiveJob) -> str | None:
        (found,) = self.row("SELECT outcome FROM job WHERE id = ?", job.key)
        return found

    # Operations

    def job(self, id: str = "j1", to: str = HANDSET, **more: Any) -> LiveJob:
        content = Content(more.pop("text", "Your code is 482917"), "Acme", more.pop("traceparent", None))
        return LiveJob(
            key=next(self._rows), app=more.pop("app", self.app), id=id, recipient=to, content=content,
            accepted_at=self.now, deadline_at=self.now + more.pop("deadline_s", 60.0), **more,
        )  # fmt: skip

    def accept_op(self, job: LiveJob, digest: str = "d", give_up_s: float = 300.0) -> Accept:
        body = msgspec.json.encode(job.body).decode()
        return Accept(job, digest, body, job.deadline_at + give_up_s, None)

    def accept(self, *args: Any, **more: Any) -> LiveJob:
        job = self.job(*args, **more)
        batch = self.commit(accepts=[self.accept_op(job)])
        assert batch.accepts[0].verdict == "new"
        return job

    def intend_op(
        self,
        job: LiveJob,
        parts: int = 1,
        carrier: str = "north",
        channel: Channel | None = None,
        step: int = 0,
    ) -> Intend:
        job.attempts += 1
        channel = channel or job.channel
        return Intend(job, self.account, carrier, parts, self.now, "{}", None, channel, step)

    def intend(self, job: LiveJob, parts: int = 1, carrier: str = "north", **more: Any) -> Batch:
        return self.commit(intends=[self.intend_op(job, parts, carrier, **more)])

    def answer_op(
        self, job: LiveJob, id: bytes, part: int = 1, parts: int = 1, *, complete: bool | None = None,
        late: bool = False, attempt: int | None = None,
    ) -> Answer:  # fmt: skip
        complete = part == parts if complete is None else complete
        return Answer(
            job, attempt or job.attempts, part, parts, self.account, "north", stored_key(id), id.hex(),
            self.now, complete, late,
        )  # fmt: skip

    def answer(self, job: LiveJob, id: bytes, *args: Any, **more: Any) -> Batch:
        return self.commit(answers=[self.answer_op(job, id, *args, **more)])

    def settle_op(
        self, job: LiveJob, result: str, attempt: int | None = None, status: int = 0x0A,
        channel: Channel | None = None,
    ) -> Settle:  # fmt: skip
        return Settle(
            job, attempt or job.attempts, self.account, "north", result,  # type: ignore[arg-type]
            status if result == "refused" else None, self.now, f"it was {result}",
            channel or job.channel,
        )  # fmt: skip

    def settle(self, job: LiveJob, result: str, attempt: int | None = None, **more: Any) -> Batch:
        return self.commit(settles=[self.settle_op(job, result, attempt, **more)])

    def receipt_op(
        self, id: bytes, state: str = "DELIVERED", address: str = HANDSET[1:], account: int | None = None,
        **more: Any,
    ) -> Receipt:  # fmt: skip
        result = RESULTS.get(state, "failed")
        return Receipt(
            account or self.account, "north", more.pop("keys", lookup_keys(id)), address, state, result,
            b"id:".hex() + id.hex(), self.now, None, id.hex(), **more,
        )  # fmt: skip

    def receipt(self, id: bytes, *args: Any, **more: Any) -> Batch:
        return self.commit(receipts=[self.receipt_op(id, *args, **more)])

    def handset_message(self, address: str = HANDSET[1:]) -> Receipt:
        """A deliver_sm that is no receipt: the subscriber wrote something."""
        return Receipt(self.account, "north", (), address, "MO", None, b"STOP".hex(), self.now, None)

    def finish_op(self, job: LiveJob, outcome: str, type: str, carrier: str | None = None) -> Finish:
        return Finish(
            job.key, job.app, job.id, outcome, type, f"it is {outcome}", self.now,  # type: ignore[arg-type]
            job.content.traceparent, job.attempts or None, None, carrier,
        )  # fmt: skip

    def finish(self, job: LiveJob, outcome: str = "expired", type: str = "expired") -> Batch:
        return self.commit(finishes=[self.finish_op(job, outcome, type)])

    def acknowledge(self, *seqs: int) -> Batch:
        return self.commit(acknowledges=[Acknowledge(self.app, seq) for seq in seqs])

    def sent(self, id: bytes, job_id: str = "j1", **more: Any) -> LiveJob:
        """A job of one part that the carrier has accepted under `id`."""
        job = self.accept(job_id, **more)
        self.intend(job)
        self.answer(job, id)
        return job
