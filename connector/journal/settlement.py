"""What ends a job: the receipts of its parts, or a decision of the daemon. A final state never goes back."""

from __future__ import annotations

from collections import Counter

import apsw

from connector.journal import bulk
from connector.journal.addresses import Place
from connector.journal.events import EventLog
from connector.journal.ops import Batch, Finish, Receipt, no_key
from connector.journal.receipts import Match, Parking, match
from connector.journal.timelines import Timelines
from protocols.rpc.event import Event
from protocols.smpp.id_keys import lookup_keys

__all__ = ["Settlement"]

_END = """
    UPDATE job SET outcome = e.value->>1, reason = e.value->>2, finished_at = e.value->>3, body = NULL
    FROM jsonb_each(?) e WHERE job.id = e.value->>0
"""
_COMPLETE = """
    SELECT json_group_array(json_array(job, attempt)) FROM (
        SELECT p.job, p.attempt
        FROM (SELECT DISTINCT value->>0 AS job FROM jsonb_each(?)) e CROSS JOIN part p ON p.job = e.job
        WHERE p.result = 'delivered' GROUP BY p.job, p.attempt HAVING count(DISTINCT p.part) = min(p.parts))
"""
# Jobs that the failure of a part does not end: its attempt was refused before, in another part, or another
# attempt may still deliver: it is under way, unknown, or sent without a final receipt.
_HOPE = """
    SELECT json_group_array(DISTINCT e.value->>0) FROM jsonb_each(?) e
    CROSS JOIN attempt a ON a.job = e.value->>0
    WHERE CASE WHEN a.n = e.value->>1 THEN a.result IN ('refused', 'deferred') ELSE
          (a.result IS NULL OR a.result = 'unknown') AND NOT EXISTS
          (SELECT 1 FROM part p WHERE p.job = a.job AND p.attempt = a.n AND p.result <> 'delivered') END
"""
_ANSWERED = """
    SELECT (SELECT count(DISTINCT p.part) FROM part p WHERE p.job = a.job AND p.attempt = a.n), a.parts
    FROM attempt a WHERE a.job = ? AND a.n = ?
"""
_OPEN = """
    SELECT json_group_array(j.id) FROM jsonb_each(?) e CROSS JOIN job j ON j.id = e.value
    WHERE j.outcome IS NULL
"""
_FINAL = _OPEN.replace("IS NULL", "IS NOT NULL")


class Settlement:
    """Applies receipts and endings, and tells the applications."""

    def __init__(self, connection: apsw.Connection, events: EventLog, parking: Parking) -> None:
        self._connection = connection
        self._events = events
        self.parking = parking
        self._outcomes: Counter[str] = Counter()
        self._missed = 0
        self._ended: list[tuple[int, str]] = []
        self._found: list[Receipt] = []
        self._recalled: set[int] = set()

    def recall(self, jobs: list[int]) -> None:
        """Carriers are asked to take these back: a receipt that says "deleted" is then our doing."""
        self._recalled.update(jobs)

    def report(self, batch: Batch) -> None:
        """Fill in what came of `batch`."""
        parking = self.parking
        batch.outcomes, self._outcomes = self._outcomes, Counter()
        batch.missed, self._missed = self._missed, 0
        batch.ended, self._ended = self._ended, []
        batch.found, self._found = self._found, []
        batch.unmatched, parking.unmatched = parking.unmatched, Counter()
        batch.parked = parking.count

    def open(self, jobs: list[int]) -> set[int]:
        """Those of `jobs` that are known and have not ended."""
        return set(bulk.rows(self._connection, _OPEN, jobs))

    def final(self, jobs: list[int]) -> set[int]:
        """Those of `jobs` that have ended; nothing more may be told of them."""
        return set(bulk.rows(self._connection, _FINAL, jobs))

    def receipts(self, receipts: list[Receipt]) -> None:
        """Match and apply; what matches nothing is parked."""
        if not receipts:
            return
        found = match(self._connection, receipts)
        self.parking.park([r for i, r in enumerate(receipts) if i not in found and r.kind != "query"])
        decisive: list[tuple[Receipt, Match]] = []
        lines = Timelines()
        for i, receipt in enumerate(receipts):
            if (message := found.get(i)) is None:
                continue
            receipt.accepted_at = message.accepted_at
            receipt.match = "late" if message.outcome else "id"
            if lines.add(receipt, message) and receipt.result is not None and message.outcome is None:
                decisive.append((receipt, message))
        lines.save(self._connection)
        self._decide(decisive)

    def second_look(self, parked_before: float) -> None:
        """Receipts that found nothing under the form of their carrier: the others count with the handset."""
        receipts = self.parking.take_narrow(parked_before)
        for receipt in receipts:
            receipt.keys, receipt.narrow = lookup_keys(bytes.fromhex(receipt.message_id)), False
        self.parked(receipts)

    def parked(self, receipts: list[Receipt]) -> None:
        """The same for receipts that left the parking because their message may be known now."""
        self.receipts(receipts)
        self._found += [receipt for receipt in receipts if receipt.match != "parked"]

    def by_address(self, receipt: Receipt, place: Place) -> None:
        """A receipt of a part whose id never came: give the part this id, and the attempt its answers."""
        key = receipt.keys[0][1] or no_key(*place)
        receipt.keys, receipt.trusted = (("address", key),), "address"
        self._connection.execute(
            """INSERT OR IGNORE INTO part
               SELECT ?, ?, a.job, a.n, ?, a.parts, '', a.at, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL
               FROM attempt a WHERE a.job = ? AND a.n = ?""",
            (receipt.account, key, place.part, place.job, place.attempt),
        )
        attempt = (place.job, place.attempt)
        (answered, parts) = next(self._connection.execute(_ANSWERED, attempt))
        if answered == parts:
            self._connection.execute("DELETE FROM unresolved WHERE job = ? AND attempt = ?", attempt)
            self._connection.execute("UPDATE attempt SET result = NULL WHERE job = ? AND n = ?", attempt)
        self.parked([receipt])
        if receipt.match == "id":
            receipt.match = "address"

    def finish(self, finishes: list[Finish]) -> None:
        if not finishes:
            return
        open_jobs = self.open([finish.key for finish in finishes])
        for finish in finishes:
            finish.applied = finish.key in open_jobs
            if finish.applied:
                open_jobs.discard(finish.key)
                self._recalled.discard(finish.key)
                self._events.emit(finish.app, Event(
                    seq=self._events.next_seq(finish.app), id=finish.id, at=finish.at, type=finish.type,
                    channel=finish.channel if finish.carrier else None, carrier=finish.carrier,
                    attempt=finish.attempt, final=True, outcome=finish.outcome, reason=finish.reason,
                    traceparent=finish.traceparent,
                ))  # fmt: skip
                self._outcomes[finish.outcome] += 1
                # A call is answered before the deadline, or not at all: one that was heard was in time.
                self._missed += finish.outcome in ("expired", "unknown", "undelivered")
        bulk.write(
            self._connection, _END, [(f.key, f.outcome, f.reason, f.at) for f in finishes if f.applied]
        )
        for finish in finishes:
            if finish.outcome == "cancelled" and not finish.applied:
                finish.cancelled_before = self._is_cancelled(finish.key)

    def _is_cancelled(self, job: int) -> bool:
        outcome = self._connection.execute("SELECT outcome FROM job WHERE id = ?", (job,)).get
        return bool(outcome == "cancelled")

    def _decide(self, decisive: list[tuple[Receipt, Match]]) -> None:
        several = [(message.job,) for _, message in decisive if message.parts > 1]
        complete = {tuple(pair) for pair in bulk.rows(self._connection, _COMPLETE, several)}
        failed = [(m.job, m.attempt) for receipt, m in decisive if receipt.result != "delivered"]
        hopeful = set(bulk.rows(self._connection, _HOPE, failed))
        ended: dict[int, tuple[int, str, str, float]] = {}
        for receipt, message in decisive:
            if message.job in ended:
                continue
            if receipt.result == "delivered":
                if message.parts > 1 and (message.job, message.attempt) not in complete:
                    continue
                outcome = "delivered"
            elif message.job in hopeful:
                continue
            elif receipt.state == "DELETED" and message.job in self._recalled:
                outcome = "cancelled"
            else:
                outcome = "expired" if receipt.result == "expired" else "undelivered"
            self._recalled.discard(message.job)
            ended[message.job] = (message.job, outcome, _reason(receipt), receipt.at)
            self._emit(receipt, message, outcome)
        bulk.write(self._connection, _END, list(ended.values()))

    def _emit(self, receipt: Receipt, message: Match, outcome: str) -> None:
        self._outcomes[outcome] += 1
        self._missed += outcome != "delivered" or receipt.at > message.deadline_at
        self._ended.append((message.app, message.ext))
        self._events.emit(message.app, Event(
            seq=self._events.next_seq(message.app), id=message.ext, at=receipt.at,
            type=outcome, channel="sms", carrier=receipt.carrier,  # type: ignore[arg-type]
            attempt=message.attempt, final=True, outcome=outcome,  # type: ignore[arg-type]
            reason=None if outcome == "delivered" else _reason(receipt),
            traceparent=message.traceparent,
        ))  # fmt: skip


def _reason(receipt: Receipt) -> str:
    what = "answer to query_sm" if receipt.kind == "query" else "receipt"
    return f"{what} {receipt.state} {receipt.error}".rstrip()
