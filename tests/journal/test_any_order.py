"""Jobs, attempts, answers, receipts, ends, sweeps and crashes in any order that the dispatcher permits.

Whatever the order: each job has one end and nothing is told after it, no receipt touches a job of another
handset, every receipt is matched, parked or given up, and a body is gone exactly when its job has ended. What
receipts decide of an attempt is told once. A failure ends no job that may be sent again, and a job that
arrived has no other end.
"""

import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connector.journal.ops import Batch, Receipt, Told
from connector.model import Channel, LiveJob
from tests.journal.book import ANSWER_TIMEOUT_S, Book, events_in

HANDSETS = ("+4915112345678", "+4915187654321", "+861012345678")
STATES = ("DELIVERED", "UNDELIVERABLE", "EXPIRED", "ENROUTE", "ACCEPTED")
pytestmark = pytest.mark.timeout(240)  # a failure is made smaller first

pick = st.integers(0, 10_000)


class Attempt:
    """One attempt, as carrier and dispatcher see it. `ids` are of its parts; a call has none."""

    def __init__(self, job: LiveJob, number: int, ids: list[bytes]) -> None:
        self.job, self.number, self.ids = job, number, ids
        self.left = list(range(len(ids)))  # parts without answer
        self.result: str | None = None


class AnyOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.book = Book(self.folder / "journal.db", retention_s=1e9)
        self.batch = Batch()
        self.jobs: list[LiveJob] = []
        self.attempts: list[Attempt] = []
        self.next_id = 9  # counted up in decimal: many a number is another one's hexadecimal
        self.reported: Counter[bytes] = Counter()
        self.owner: dict[bytes, LiveJob] = {}
        self.outcomes: dict[int, str | None] = {}
        self.received = self.matched = self.unmatched = 0
        self.decided: dict[tuple[int, int], Told] = {}
        self.unfollowed: set[int] = set()

    def teardown(self) -> None:
        self.nothing_stays_open()
        self.book.store.connection.close()
        shutil.rmtree(self.folder)

    def commit(self) -> None:
        batch, self.batch = self.batch, Batch()
        self.book.store.commit(batch, self.book.now)
        for chunk in batch.chunks:
            told = self.book.told.setdefault(chunk.app, [])
            told += events_in(chunk.frames)
            assert (chunk.first, chunk.last) == (told[-1].seq - (chunk.last - chunk.first), told[-1].seq)
        self.received += sum(bool(receipt.keys) for receipt in batch.receipts)
        self.matched += sum(receipt.match != "parked" for receipt in batch.receipts) + len(batch.found)
        self.unmatched += sum(batch.unmatched.values())
        rows, waiting = self.book.row("SELECT count(*), count(*) FILTER (WHERE keys != '[]') FROM parked")
        assert batch.parked == rows
        assert self.received == self.matched + self.unmatched + waiting
        for told in batch.told:
            assert (told.key, told.attempt) not in self.decided, "an attempt is decided once"
            self.decided[told.key, told.attempt] = told
        self.unfollowed.update(batch.unfollows)
        for intend in batch.intends:
            if not intend.applied:
                self.attempts = [
                    a for a in self.attempts if (a.job, a.number) != (intend.job, intend.context)
                ]
        self.check_ends(batch)

    def check_ends(self, batch: Batch) -> None:
        for key, outcome, body in self.book.rows("SELECT id, outcome, body FROM job"):
            assert (outcome is None) == (body is not None)
            if outcome is not None and self.outcomes.get(key) is None:
                self.check_end(key, outcome)
            assert outcome == self.outcomes.setdefault(key, outcome) or self.outcomes[key] is None
            self.outcomes[key] = outcome
        for told in batch.told:
            assert told.ended == (self.outcomes[told.key] is not None)

    def check_end(self, key: int, outcome: str) -> None:
        job = next(job for job in self.jobs if job.key == key)
        results = {told.result for (owner, _), told in self.decided.items() if owner == key}
        followed = key not in self.unfollowed and self.book.now < job.deadline_at
        if outcome in ("undelivered", "expired"):
            assert not (followed and job.follow)
            assert results or self.called(key, "missed", "refused")
            assert "delivered" not in results
        elif outcome == "delivered":
            assert not (followed and job.follow == 2)
            assert "delivered" in results or self.called(key, "completed")
        elif outcome == "unknown":
            assert "delivered" not in results
            assert not self.called(key, "completed")

    def called(self, key: int, *results: str) -> bool:
        """A call for it ended so: no receipt tells of one."""
        return any(a.job.key == key and not a.ids and a.result in results for a in self.attempts)

    def nothing_stays_open(self) -> None:
        """When all is over, no job is left without an end, whether its deadline passed before or not."""
        for attempt in self.attempts:
            if attempt.result is None and (attempt.left or not attempt.ids):
                self.settle_as(attempt, "unknown")
        self.commit()
        for at in (3.0, 400.0):
            self.book.now = max(job.deadline_at for job in self.jobs) + at if self.jobs else self.book.now
            self.batch.sweep_at = self.book.now
            self.commit()
        assert self.book.rows("SELECT id FROM job WHERE outcome IS NULL") == []

    # What happens

    @rule(handset=st.sampled_from(HANDSETS), again=st.booleans(), which=pick, follow=st.integers(0, 2))
    def accept(self, handset: str, again: bool, which: int, follow: int) -> None:
        if again and self.jobs:
            known = self.jobs[which % len(self.jobs)]
            self.batch.accepts.append(self.book.accept_op(self.book.job(known.id, to=handset)))
            return
        job = self.book.job(f"j{len(self.jobs)}", to=handset, follow=follow)
        self.jobs.append(job)
        self.batch.accepts.append(self.book.accept_op(job))
        self.commit()

    @precondition(lambda self: self.jobs)
    @rule(which=pick, parts=st.integers(0, 3))
    def attempt(self, which: int, parts: int) -> None:
        """Without parts it is a call."""
        job = self.jobs[which % len(self.jobs)]
        earlier = [a for a in self.attempts if a.job is job]
        if job.follow and (job.key in self.unfollowed or self.book.now >= job.deadline_at):
            return
        if not job.follow and (not parts or any(a.result is None for a in earlier)):
            return  # under way, or accepted
        channel: Channel = "sms" if parts else "voice"
        intend = self.book.intend_op(job, parts or 1, channel=channel)
        intend.context = job.attempts
        ids = [str(self.next_id + n).encode() for n in range(parts)]
        self.next_id += parts
        self.attempts.append(Attempt(job, job.attempts, ids))
        self.owner |= dict.fromkeys(ids, job)
        self.batch.intends.append(intend)
        self.commit()

    def open_attempt(self, which: int) -> Attempt | None:
        found = [a for a in self.attempts if a.left and a.result in (None, "unknown")]
        return found[which % len(found)] if found else None

    @rule(which=pick, part=pick)
    def answer(self, which: int, part: int) -> None:
        if (attempt := self.open_attempt(which)) is None:
            return
        index = attempt.left.pop(part % len(attempt.left))
        late = attempt.result == "unknown"
        self.batch.answers.append(
            self.book.answer_op(
                attempt.job, attempt.ids[index], index + 1, len(attempt.ids), late=late,
                attempt=attempt.number, complete=not attempt.left,
            )
        )  # fmt: skip
        if not attempt.left:
            attempt.result = None

    @rule(which=pick, result=st.sampled_from(["refused", "unknown", "unsent"]))
    def settle(self, which: int, result: str) -> None:
        attempt = self.open_attempt(which)
        if attempt is None or attempt.result == result:
            return
        if result == "unsent" and (attempt.result or len(attempt.left) < len(attempt.ids)):
            return
        self.settle_as(attempt, result)

    def settle_as(self, attempt: Attempt, result: str) -> None:
        attempt.result = result
        channel: Channel = "sms" if attempt.ids else "voice"
        self.batch.settles.append(
            self.book.settle_op(attempt.job, result, attempt.number, channel=channel)
        )  # fmt: skip

    @rule(which=pick, result=st.sampled_from(["completed", "missed", "unknown", "refused"]))
    def call_ends(self, which: int, result: str) -> None:
        calls = [a for a in self.attempts if not a.ids and a.result is None]
        if calls:
            self.settle_as(calls[which % len(calls)], result)

    @precondition(lambda self: self.jobs)
    @rule(which=pick)
    def unfollow(self, which: int) -> None:
        job = self.jobs[which % len(self.jobs)]
        if all(a.job is not job or (a.ids and not a.left) or a.result for a in self.attempts):
            self.batch.unfollows.append(job.key)

    @precondition(lambda self: self.attempts)
    @rule(
        which=pick, part=pick, state=st.sampled_from(STATES), parked=st.booleans(),
        how=st.sampled_from(["", "same", "narrow"]),
    )  # fmt: skip
    def receipt(self, which: int, part: int, state: str, parked: bool, how: str) -> None:
        attempt = self.attempts[which % len(self.attempts)]
        if not attempt.ids or (attempt.result in ("refused", "unsent") and not parked):
            return
        index = part % len(attempt.ids)
        if attempt.result in ("refused", "unsent") and index in attempt.left:
            return  # the carrier never took it
        id = attempt.ids[index]
        self.reported[id] += 1
        receipt = self.book.receipt_op(id, state, attempt.job.recipient[1:], trusted="same" if how else "")
        if how == "narrow":
            receipt.keys, receipt.narrow = receipt.keys[:1], True
        self.batch.receipts.append(receipt)

    @rule(id=st.binary(max_size=8), handset=st.sampled_from([*HANDSETS, "+999"]))
    def handset_message_or_stray_receipt(self, id: bytes, handset: str) -> None:
        kept = self.book.handset_message(handset[1:])
        stray: Receipt = self.book.receipt_op(b"stray" + id, "ENROUTE", "999")
        self.batch.receipts.append(stray)
        self.batch.receipts.append(kept)

    @precondition(lambda self: self.jobs)
    @rule(which=pick, how=st.sampled_from([("cancelled", "cancelled"), ("rejected", "failed")]))
    def finish(self, which: int, how: tuple[str, str]) -> None:
        self.batch.finishes.append(self.book.finish_op(self.jobs[which % len(self.jobs)], *how))

    @rule()
    def commit_now(self) -> None:
        self.commit()

    @rule()
    def crash(self) -> None:
        self.commit()
        self.book.reopen()
        for job in self.jobs:
            job.key = self.book.row("SELECT id FROM job WHERE ext = ?", job.id)[0]

    @rule(seconds=st.sampled_from([0.5, 2 * ANSWER_TIMEOUT_S, 400.0]))
    def sweep(self, seconds: float) -> None:
        if seconds > 1 and any(a.left and a.result is None for a in self.attempts):
            return  # an answer is awaited no longer than its time-out: then it is unknown
        self.commit()
        self.book.now += seconds
        self.batch.sweep_at = self.book.now
        self.commit()

    # What holds

    @invariant()
    def each_job_has_one_end(self) -> None:
        told = self.book.told.get(self.book.app, [])
        assert [event.seq for event in told] == list(range(1, len(told) + 1))
        for job in self.jobs:
            finals = [event.final for event in told if event.id == job.id]
            assert sum(finals) == (self.outcomes.get(job.key) is not None)
            assert not sum(finals) or finals[-1]

    @invariant()
    def receipts_stay_with_their_handset(self) -> None:
        """Not with their job: an id that no answer gave may be another spelling of the next one's."""
        heard = {self.owner[id].recipient for id in self.reported}
        by_key = {job.key: job for job in self.jobs}
        for job, raw, state in self.book.rows("SELECT job, raw, state FROM part"):
            assert not raw or self.owner[bytes.fromhex(raw)].key == job
            assert state is None or by_key[job].recipient in heard
        for key, outcome in self.outcomes.items():
            told = by_key[key].recipient in heard or self.called(key, "completed", "missed", "refused")
            assert outcome not in ("delivered", "undelivered", "expired") or told

    @invariant()
    def delivered_is_told(self) -> None:
        for parts, delivered in self.book.rows(
            "SELECT min(p.parts), count(*) FROM part p JOIN job j ON j.id = p.job"
            " WHERE j.outcome IS NULL AND j.follow < 2 AND p.result = 'delivered' GROUP BY p.job, p.attempt"
        ):
            assert delivered < parts

    @invariant()
    def what_receipts_decide_is_told(self) -> None:
        for job, attempt, parts, delivered, failed in self.book.rows(
            """SELECT job, attempt, parts, count(DISTINCT part) FILTER (WHERE result = 'delivered'),
                      count(*) FILTER (WHERE result <> 'delivered') FROM part GROUP BY job, attempt"""
        ):
            told = self.decided.get((job, attempt))
            assert (told is not None) == bool(failed or delivered == parts)
            assert told is None or (told.result == "delivered") == (not failed)

    @invariant()
    def every_receipt_that_matched_is_kept(self) -> None:
        counted, most = self.book.row("SELECT ifnull(sum(receipts), 0), max(receipts) FROM part")
        assert counted == self.matched
        kept = self.book.row("SELECT count(*) FROM timeline") + self.book.row(
            "SELECT count(*) FROM part WHERE receipt_at IS NOT NULL"
        )
        assert sum(kept) == counted or most > 16

    @invariant()
    def keys_of_parked_receipts_only(self) -> None:
        assert self.book.rows("SELECT * FROM parked_key WHERE parked NOT IN (SELECT id FROM parked)") == []


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40)
