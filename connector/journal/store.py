"""One batch, one transaction: the only code that writes to the journal. Runs in the writer thread."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

import apsw
import msgspec

from connector.journal import bulk
from connector.journal.events import EventLog
from connector.journal.evidence import Evidence, Keeping
from connector.journal.forgetting import Oblivion
from connector.journal.inbound import NOBODY, Inbox, Reception
from connector.journal.ops import (
    Accept,
    Answer,
    Batch,
    CallRecord,
    CallStep,
    Finish,
    Intend,
    OrderNode,
    Settle,
    no_key,
)
from connector.journal.orders import OrderBook
from connector.journal.queries import Queries
from connector.journal.receipts import Parking
from connector.journal.schema import migrate
from connector.journal.sealed import body_context, unlock
from connector.journal.settlement import Settlement
from connector.journal.sweep import Sweep
from connector.log import event as log_event
from connector.sealing import Seal
from connector.state_folder import digest_key, seal_of
from protocols.rpc.event import Event

__all__ = ["Store", "connect"]

_log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_WARN_EVERY_S = 60.0
_BUSY_MS = 5_000

_PartRow = tuple[int, str, int, int, int, int, str, float]
_PART = """
    INSERT INTO part
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7,
           NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL
    FROM jsonb_each(?) WHERE true ON CONFLICT (account, key) DO NOTHING
"""


def connect(path: Path, *, read_only: bool = False) -> apsw.Connection:
    """A connection as the journal needs it: WAL, every commit on the disk before it counts.

    synchronous=NORMAL would lose acknowledged jobs when the power fails; FULL loses none.
    """
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(path), flags=flags)
    connection.set_busy_timeout(_BUSY_MS)
    if not read_only:
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "FULL")
        connection.pragma("secure_delete", "ON")  # a wiped body is gone from the file, free pages included
        connection.pragma("wal_autocheckpoint", 4_000)  # pages: 16 MB
        # What a statement may have to take back would lie in /var/tmp otherwise, numbers and all.
        connection.pragma("temp_store", "MEMORY")
    connection.pragma("cache_size", -500 if read_only else -4_000)  # KiB
    return connection


class Store:
    """The open journal, for one thread."""

    def __init__(
        self,
        path: Path,
        *,
        retention_s: float,
        answer_timeout_s: float,
        reception: Reception = NOBODY,
        seal: Seal | None = None,
        keep_orders_s: float = 60 * 86_400.0,
        keeping: Keeping | None = None,
    ) -> None:
        """`seal`: absent, by the key of the state folder. Raises SchemaTooNew and SealError."""
        self.connection = connect(path)
        migrate(self.connection)
        self._seal = seal or seal_of(path.parent)
        unlock(self.connection, self._seal)
        self._events = EventLog(self.connection, self._seal)
        self._parking = Parking(self.connection, self._seal)
        self._settlement = Settlement(self.connection, self._events, self._parking)
        self._queries = Queries(self.connection, self._seal)
        self._sweep = Sweep(self.connection, self._settlement, retention_s, answer_timeout_s)
        self._orders = OrderBook(self.connection, self._settlement, keep_orders_s)
        self.digest_key = digest_key(path.parent, self._seal)
        self._inbox = Inbox(
            self.connection, self._events, self._parking, reception, self._seal, self.digest_key
        )
        self._oblivion = Oblivion(self.connection, self._seal, self._parking, self._inbox)
        self._evidence = None if keeping is None else Evidence(self.connection, keeping)
        # Most applications name no class, and need not pay for it.
        self._classes: bool = self.connection.execute(
            "SELECT EXISTS (SELECT 1 FROM job WHERE outcome IS NULL AND class IS NOT NULL)"
        ).get
        self._warn_at = 0.0
        self._changes = 0
        self._folded = 0

    def app(self, name: str) -> int:
        return self._identify("app", name)

    def account(self, name: str) -> int:
        return self._identify("account", name)

    def _identify(self, table: str, name: str) -> int:
        with self.connection:
            self.connection.execute(f"INSERT OR IGNORE INTO {table} (name) VALUES (?)", (name,))  # noqa: S608
            found: int = self.connection.execute(f"SELECT id FROM {table} WHERE name = ?", (name,)).get  # noqa: S608
        return found

    def last_job(self) -> int:
        last: int = self.connection.execute("SELECT ifnull(max(id), 0) FROM job").get
        return last

    def commit(self, batch: Batch, now: float) -> None:
        """Write `batch` and fill in its *out* fields. An error leaves nothing of it behind; exit then."""
        connection, settlement = self.connection, self._settlement
        # Not `with connection`: apsw keeps the GIL while that commits, and the event loop would stand still
        # for every fsync. A statement lets it go.
        connection.execute("BEGIN IMMEDIATE")
        settlement.begin(now)
        try:
            self._events.acknowledge(batch.acknowledges)
            self._accept(batch.accepts, batch.order_nodes, now)
            self._intend(batch.intends)
            self._call(batch.call_steps, batch.call_records)
            self._settle(batch.settles, batch.finishes)
            self._answer(batch.answers, now)
            settlement.recall(batch.recalls)
            settlement.receipts(batch.receipts)
            settlement.finish(batch.finishes)
            settlement.unfollow(batch.unfollows)
            self._inbox.take(batch.inbound)
            self._queries.expect(batch.accepts)
            if batch.sweep_at is not None:
                batch.queries = self._queries.due(batch.sweep_at)
                self._sweep.run(batch.sweep_at)
                self._orders.sweep(batch.sweep_at)
                self._inbox.sweep(batch.sweep_at)
                batch.forgettable = self._oblivion.due()
            settlement.withdraw(batch.intends)
            if self._classes:
                batch.classes = settlement.by_class()
            batch.chunks = self._events.save(now)
            self._oblivion.run(batch.forgets)
            if self._evidence is not None:
                self._evidence.write(batch, now, settlement.ended_now, settlement.late)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if self._evidence is not None:
            self._evidence.work()
        settlement.report(batch)
        self._inbox.report(batch)
        batch.backlog = self._events.backlog()
        if batch.sweep_at is not None and len(batch) == 1:
            self._fold()

    def _fold(self) -> None:
        """When a whole second brought nothing, empty the WAL: it holds the bodies of what has ended.

        Not sooner: the jobs of a busy second would wait for it.
        """
        changes = self.connection.total_changes()
        quiet, self._changes = changes == self._changes, changes
        if not quiet or changes == self._folded:
            return
        self.connection.set_busy_timeout(0)
        with contextlib.suppress(apsw.BusyError):  # somebody reads: at the next sweep, then
            self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            self._folded = changes
        self.connection.set_busy_timeout(_BUSY_MS)

    @property
    def head(self) -> tuple[int, str]:
        """Number and MAC of the newest record of evidence; number 0: there is none."""
        return (0, "") if self._evidence is None else self._evidence.head

    def file_evidence(self, now: float) -> None:
        """Bring evidence into its files and carry out what is due there: where no daemon does it."""
        if self._evidence is not None:
            self._evidence.file(now)

    def close(self) -> None:
        """Fold the WAL into the file, so that the next start is quick."""
        if self._evidence is not None:
            self._evidence.close()
        self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        self.connection.close()

    def _accept(self, accepts: list[Accept], nodes: list[OrderNode], now: float) -> None:
        known: dict[tuple[int, str], tuple[str, str | None]] = {}
        for app, ext, digest, outcome in bulk.rows(
            self.connection,
            """SELECT json_group_array(json_array(j.app, j.ext, j.digest, j.outcome)) FROM jsonb_each(?) e
               CROSS JOIN job j ON j.app = e.value->>0 AND j.ext = e.value->>1""",
            [(a.job.app, a.job.id) for a in accepts],
        ):
            known[app, ext] = (digest, outcome)
        if nodes:
            self._orders.decide(nodes, known)
        rows = []
        for accept in accepts:
            if accept.verdict == "dropped":
                continue
            job = accept.job
            held = known.get((job.app, job.id))
            if held is not None:
                accept.verdict = "duplicate" if held[0] == accept.digest else "conflict"
                accept.outcome = held[1]
                continue
            known[job.app, job.id] = (accept.digest, None)
            traceparent = job.content.traceparent
            self._classes = self._classes or bool(job.klass)
            rows.append((
                job.key, job.app, job.id, accept.digest, job.recipient, job.accepted_at, job.deadline_at,
                accept.give_up_at, job.on_unknown, traceparent,
                self._seal.seal(accept.body.encode(), body_context(job.key)), job.follow,
                job.journey_name or None, job.klass or None, job.supersedes,
                None if job.proof is None else _encode(job.proof).decode(),
            ))  # fmt: skip
            self._emit(job.app, Event(
                seq=self._events.next_seq(job.app), id=job.id, at=job.accepted_at, type="accepted",
                traceparent=traceparent,
            ))  # fmt: skip
        bulk.write(
            self.connection,
            """INSERT INTO job
               SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7,
                      value->>8, value->>9, value->>10, NULL, NULL, NULL, value->>11, value->>12, value->>13,
                      value->>14, value->>15 FROM jsonb_each(?)""",
            rows,
        )
        if nodes:
            self._orders.save(nodes, now)

    def _emit(self, app: int, event: Event) -> None:
        self._events.emit(app, event)

    def _intend(self, intends: list[Intend]) -> None:
        if not intends:
            return
        bulk.write(
            self.connection,
            """INSERT INTO attempt
               SELECT j.id, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, NULL, NULL,
                      value->>7, value->>8
               FROM jsonb_each(?) e CROSS JOIN job j ON j.id = e.value->>0 WHERE j.outcome IS NULL""",
            [
                (
                    i.job.key,
                    i.attempt,
                    i.account,
                    i.carrier,
                    i.parts,
                    i.at,
                    i.decision,
                    i.channel,
                    i.step,
                )
                for i in intends
            ],
        )
        if self.connection.changes() < len(intends):
            still_open = self._settlement.open([i.job.key for i in intends])
            for intend in intends:
                intend.applied = intend.job.key in still_open

    def _answer(self, answers: list[Answer], now: float) -> None:
        if not answers:
            return
        rows = [
            (
                a.account, a.key or no_key(a.job.key, a.attempt, a.part), a.job.key, a.attempt, a.part,
                a.parts, a.raw, a.at,
            )
            for a in answers
        ]  # fmt: skip
        late = [answer for answer in answers if answer.late]
        if late:
            self._take_places([row for row, answer in zip(rows, answers, strict=True) if answer.late])
        bulk.write(self.connection, _PART, rows)
        if self.connection.changes() < len(rows):
            self._use_again(rows, now)
        self._resolve(late)
        final = self._settlement.final([a.job.key for a in answers if a.complete])
        self._settlement.late += [
            (a.job.key, a.attempt, "answer") for a in answers if a.complete and a.job.key in final
        ]
        self._known([a for a in answers if a.complete and a.job.key in final])
        for answer in answers:
            if answer.complete and answer.job.key not in final:
                job = answer.job
                self._emit(job.app, Event(
                    seq=self._events.next_seq(job.app), id=job.id, at=answer.at, type="sent", channel="sms",
                    carrier=answer.carrier, attempt=answer.attempt, parts=answer.parts,
                    substituted=answer.substituted or None,
                    traceparent=job.content.traceparent,
                ))  # fmt: skip
        self._settlement.parked(self._parking.take([(a.account, a.key) for a in answers if a.key]))

    def _use_again(self, rows: list[_PartRow], now: float) -> None:
        """A carrier that starts its ids anew gives old ones again: the newest message owns the id."""
        still_open = 0
        for row in rows:
            at, place = row[:2], row[2:5]
            (*held, result) = next(
                self.connection.execute(
                    "SELECT job, attempt, part, result FROM part WHERE account = ? AND key = ?", at
                )
            )
            if (*held,) == place:
                continue
            still_open += result is None and bool(self._settlement.open(held[:1]))
            self.connection.execute(
                "UPDATE part SET key = ? WHERE account = ? AND key = ?", (no_key(*held), *at)
            )
            self._take_places([row])
            bulk.write(self.connection, _PART, [row])
        if still_open and now >= self._warn_at:
            self._warn_at = now + _WARN_EVERY_S
            log_event(_log, "message ids given again while open", level=logging.WARNING, messages=still_open)

    def _take_places(self, late: list[_PartRow]) -> None:
        """A part that a receipt was given to by the handset's number alone has its true id now."""
        bulk.write(
            self.connection,
            """UPDATE OR IGNORE part SET key = e.value->>1, raw = e.value->>6, sent_at = e.value->>7
               FROM jsonb_each(?) e WHERE part.job = e.value->>2 AND part.attempt = e.value->>3
               AND part.part = e.value->>4 AND part.raw = '' AND part.key <> e.value->>1""",
            late,
        )

    def _resolve(self, late: list[Answer]) -> None:
        """The answer came after its time-out: the attempt is known again."""
        complete = [answer for answer in late if answer.complete]
        bulk.write(
            self.connection,
            """UPDATE attempt SET result = NULL FROM jsonb_each(?) e
               WHERE attempt.job = e.value->>0 AND attempt.n = e.value->>1""",
            [(answer.job.key, answer.attempt) for answer in complete],
        )
        self._known(complete)

    def _known(self, answered: list[Answer]) -> None:
        bulk.write(
            self.connection,
            "DELETE FROM unresolved WHERE (job, attempt) IN (SELECT value->>0, value->>1 FROM jsonb_each(?))",
            [(answer.job.key, answer.attempt) for answer in answered],
        )

    def _call(self, steps: list[CallStep], records: list[CallRecord]) -> None:
        bulk.write(
            self.connection,
            """INSERT OR REPLACE INTO call SELECT value->>0, value->>1, value->>2 FROM jsonb_each(?)""",
            [(record.job, record.attempt, record.detail) for record in records],
        )
        ended = self._settlement.final([record.job for record in records])
        self._settlement.late += [(r.job, r.attempt, "call") for r in records if r.job in ended]
        final = self._settlement.final([step.job.key for step in steps]) if steps else set()
        for step in steps:
            job = step.job
            if job.key not in final:
                self._emit(job.app, Event(
                    seq=self._events.next_seq(job.app), id=job.id, at=step.at, type=step.type,
                    channel="voice", carrier=step.carrier, attempt=step.attempt, digit=step.digit,
                    traceparent=job.content.traceparent,
                ))  # fmt: skip

    def _settle(self, settles: list[Settle], finishes: list[Finish]) -> None:
        if not settles:
            return
        bulk.write(
            self.connection,
            """UPDATE attempt SET result = e.value->>2, status = e.value->>3 FROM jsonb_each(?) e
               WHERE attempt.job = e.value->>0 AND attempt.n = e.value->>1""",
            [(s.job.key, s.attempt, s.result, s.status) for s in settles],
        )
        bulk.write(
            self.connection,
            """INSERT OR IGNORE INTO unresolved
               SELECT value->>0, value->>1, value->>2, value->>3 FROM jsonb_each(?)""",
            [
                (s.account, s.job.recipient[1:], s.job.key, s.attempt)
                for s in settles
                if s.result == "unknown" and s.channel == "sms"
            ],
        )
        bulk.write(
            self.connection,
            "DELETE FROM unresolved WHERE (job, attempt) IN (SELECT value->>0, value->>1 FROM jsonb_each(?))",
            [(s.job.key, s.attempt) for s in settles if s.result in ("refused", "deferred")],
        )
        final = self._settlement.final([s.job.key for s in settles])
        self._settlement.late += [(s.job.key, s.attempt, "attempt") for s in settles if s.job.key in final]
        ends = {(finish.key, finish.attempt) for finish in finishes if finish.carrier is not None}
        for settle in settles:
            job = settle.job
            if (
                settle.result in ("unsent", "completed")
                or job.key in final
                or (job.key, settle.attempt) in ends
            ):
                continue
            self._emit(job.app, Event(
                seq=self._events.next_seq(job.app), id=job.id, at=settle.at,
                type="unknown" if settle.result == "unknown" else "failed", channel=settle.channel,
                carrier=settle.carrier, attempt=settle.attempt, reason=settle.reason,
                traceparent=job.content.traceparent,
            ))  # fmt: skip
