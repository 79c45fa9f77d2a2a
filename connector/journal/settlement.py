"""What ends a job: the receipts of its parts, or a decision of the daemon. A final state never goes back.

A job that is followed may be sent again while a receipt is awaited. Until its deadline, or until nothing
more will be sent, the failure of an attempt is only told (`follow` 1), and so is a delivery where even that
is no end (`follow` 2). Afterwards its receipts decide alone, as they do of any other job.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import apsw

from connector.journal import bulk
from connector.journal.addresses import Place
from connector.journal.closing import UNHEARD, last_words
from connector.journal.events import EventLog
from connector.journal.ops import Batch, Finish, Intend, Receipt, Told, no_key
from connector.journal.receipts import Match, Parking, match
from connector.journal.timelines import MOST_KEPT, Timelines
from connector.journal.verdicts import Decisive, Hope, Verdict, hopes, reason, verdicts
from protocols.rpc.event import Event
from protocols.smpp.id_keys import lookup_keys

__all__ = ["Settlement"]

_END = """
    UPDATE job SET outcome = e.value->>1, reason = e.value->>2, finished_at = e.value->>3, body = NULL
    FROM jsonb_each(?) e WHERE job.id = e.value->>0
"""
_ANSWERED = """
    SELECT (SELECT count(DISTINCT p.part) FROM part p WHERE p.job = a.job AND p.attempt = a.n), a.parts
    FROM attempt a WHERE a.job = ? AND a.n = ?
"""
# Should their answers get lost with the process, nobody would ask again: the jobs have ended.
_LEFT_BEHIND = """
    INSERT OR IGNORE INTO unresolved
    SELECT a.account, substr(j.recipient, 2), a.job, a.n
    FROM jsonb_each(?) e CROSS JOIN attempt a ON a.job = e.value CROSS JOIN job j ON j.id = a.job
    WHERE a.channel = 'sms' AND a.result IS NULL
    AND a.parts > (SELECT count(DISTINCT p.part) FROM part p WHERE p.job = a.job AND p.attempt = a.n)
"""
_OPEN = """
    SELECT json_group_array(j.id) FROM jsonb_each(?) e CROSS JOIN job j ON j.id = e.value
    WHERE j.outcome IS NULL
"""
_FINAL = _OPEN.replace("IS NULL", "IS NOT NULL")


# A call that was heard was in time, whenever it ended.
_BY_CLASS = """
    SELECT json_group_array(json_array(class, finished, missed)) FROM (
        SELECT j.class AS class, count(*) AS finished,
               count(*) FILTER (WHERE j.outcome IN ('expired', 'unknown', 'undelivered')
                   OR j.outcome = 'delivered' AND j.finished_at > j.deadline_at AND j.reason LIKE 'receipt %')
               AS missed
        FROM jsonb_each(?) e CROSS JOIN job j ON j.id = e.value WHERE j.class IS NOT NULL GROUP BY j.class)
"""


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
        self._now = 0.0
        self._ended_now: set[int] = set()  # by this commit
        self._told: list[Told] = []
        self.late: list[tuple[int, int, str]] = []  # what this commit brought of jobs that had ended before

    def begin(self, now: float) -> None:
        """A commit begins at `now`."""
        self._now = now
        self._ended_now = set()
        self.late = []

    def recall(self, jobs: list[int]) -> None:
        """Carriers are asked to take these back: a receipt that says "deleted" is then our doing."""
        self._recalled.update(jobs)

    @property
    def ended_now(self) -> set[int]:
        """Rows of the jobs that this commit has ended so far."""
        return self._ended_now

    def by_class(self) -> list[tuple[str, int, int]]:
        """(class, jobs ended by this commit, how many of them were not delivered in time); those with one."""
        ended = sorted(self._ended_now)
        return [
            (name, finished, missed)
            for name, finished, missed in bulk.rows(self._connection, _BY_CLASS, ended)
        ]

    def report(self, batch: Batch) -> None:
        """Fill in what came of `batch`."""
        parking = self.parking
        batch.outcomes, self._outcomes = self._outcomes, Counter()
        batch.missed, self._missed = self._missed, 0
        batch.ended, self._ended = self._ended, []
        batch.told = [
            told if told.ended or told.key not in self._ended_now else told._replace(ended=True)
            for told in self._told
        ]
        self._told = []
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
            if message.outcome and message.receipts <= MOST_KEPT:
                self.late.append((message.job, message.attempt, "receipt"))
            if lines.add(receipt, message) and receipt.result is not None:
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
                self._ended_now.add(finish.key)
                self._events.emit(finish.app, Event(
                    seq=self._events.next_seq(finish.app), id=finish.id, at=finish.at, type=finish.type,
                    channel=finish.channel if finish.carrier else None, carrier=finish.carrier,
                    attempt=finish.attempt, final=True, outcome=finish.outcome, reason=finish.reason,
                    traceparent=finish.traceparent,
                ))  # fmt: skip
                self._outcomes[finish.outcome] += 1
                # A call is answered before the deadline, or not at all: one that was heard was in time.
                self._missed += finish.outcome in ("expired", "unknown", "undelivered")
        ends = [(f.key, f.outcome, f.reason, f.at) for f in finishes if f.applied]
        bulk.write(self._connection, _END, ends)
        bulk.write(self._connection, _LEFT_BEHIND, [key for key, *_ in ends])
        for finish in finishes:
            if finish.outcome == "cancelled" and not finish.applied:
                finish.cancelled_before = self._is_cancelled(finish.key)

    def _is_cancelled(self, job: int) -> bool:
        outcome = self._connection.execute("SELECT outcome FROM job WHERE id = ?", (job,)).get
        return bool(outcome == "cancelled")

    def withdraw(self, intends: list[Intend]) -> None:
        """Nothing leaves for a job that ended in the very commit of the intent."""
        late = [intend for intend in intends if intend.applied and intend.job.key in self._ended_now]
        for intend in late:
            intend.applied = False
        bulk.write(
            self._connection,
            """DELETE FROM attempt WHERE (job, n) IN (SELECT value->>0, value->>1 FROM jsonb_each(?))""",
            [(intend.job.key, intend.attempt) for intend in late],
        )

    def unfollow(self, jobs: list[int]) -> None:
        """Nothing more is sent of these: what is known now may end them, and any receipt from now on."""
        if jobs:
            bulk.write(
                self._connection,
                """UPDATE job SET follow = -1 FROM jsonb_each(?) e
                   WHERE job.id = e.value AND job.outcome IS NULL""",
                jobs,
            )
            self.close(jobs)

    def close(self, jobs: Sequence[int]) -> None:
        """End those that have arrived, or failed in every attempt. The others wait for their receipts."""
        self.end(last_words(self._connection, jobs, self._now))

    def end(self, ends: list[Finish]) -> None:
        """What the journal itself decides to end; the dispatcher is told of it."""
        self.finish(ends)
        self._ended += [(end.app, end.id) for end in ends]

    def _decide(self, decisive: list[Decisive]) -> None:
        if not decisive:
            return
        said = verdicts(self._connection, decisive)
        hope = hopes(self._connection, decisive)
        ends, several = [], []
        for index, (receipt, message) in enumerate(decisive):
            verdict, why = said.get(index), reason(receipt)
            ended = message.outcome is not None or message.job in self._ended_now
            if not ended and self._is_followed(receipt, message):
                if verdict is not None:
                    self._tell(receipt, message, "delivered" if verdict == "delivered" else "failed", why)
            elif not ended and (outcome := self._outcome(receipt, message, verdict, hope)):
                ended = True
                if outcome == "unknown":
                    why = f"{why}; {UNHEARD}"
                ends.append((message.job, outcome, why, receipt.at))
                if message.follow:
                    several.append(message.job)
                self._end(receipt, message, outcome, why)
            if verdict is not None:
                self._told.append(Told(
                    message.job, message.app, message.ext, message.attempt, verdict, receipt.error, why,
                    receipt.at, ended, message.left_at,
                ))  # fmt: skip
        bulk.write(self._connection, _END, ends)
        bulk.write(self._connection, _LEFT_BEHIND, several)

    def _is_followed(self, receipt: Receipt, message: Match) -> bool:
        """What comes next is the dispatcher's to say."""
        if message.follow <= 0 or self._now >= message.deadline_at:
            return False
        if receipt.result == "delivered":
            return message.follow > 1
        return not self._is_taken_back(receipt, message)

    def _outcome(
        self, receipt: Receipt, message: Match, verdict: Verdict | None, hope: dict[int, Hope]
    ) -> str | None:
        """That of the job; None: another part or attempt may still deliver."""
        if receipt.result == "delivered":
            return verdict
        if message.job in hope:
            return "unknown" if hope[message.job] == "doubt" else None
        if self._is_taken_back(receipt, message):
            return "cancelled"
        return "expired" if receipt.result == "expired" else "undelivered"

    def _is_taken_back(self, receipt: Receipt, message: Match) -> bool:
        return receipt.state == "DELETED" and message.job in self._recalled

    def _end(self, receipt: Receipt, message: Match, outcome: str, why: str) -> None:
        self._recalled.discard(message.job)
        self._ended_now.add(message.job)
        self._outcomes[outcome] += 1
        self._missed += outcome != "delivered" or receipt.at > message.deadline_at
        self._ended.append((message.app, message.ext))
        self._tell(receipt, message, outcome, why, outcome)

    def _tell(
        self, receipt: Receipt, message: Match, type: str, why: str, outcome: str | None = None
    ) -> None:
        """Without an outcome it is of the attempt alone."""
        self._events.emit(message.app, Event(
            seq=self._events.next_seq(message.app), id=message.ext, at=receipt.at,
            type=type, channel="sms", carrier=receipt.carrier,  # type: ignore[arg-type]
            attempt=message.attempt, final=outcome is not None, outcome=outcome,  # type: ignore[arg-type]
            reason=None if type == "delivered" else why,
            traceparent=message.traceparent,
        ))  # fmt: skip
