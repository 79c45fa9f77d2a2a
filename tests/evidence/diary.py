"""A journal with evidence, driven by hand through several days."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from connector.evidence import keys
from connector.evidence.redaction import spans_of
from connector.evidence.verify import Report, verify
from connector.journal.evidence import Evidence, Keeping
from connector.journal.ops import Batch, CallRecord, Feedback, Redact
from connector.model import Content, LiveJob, Proof, Voice
from tests.journal.book import Book

DAY = 86_400.0
NOON = 1_700_000_000.0 - 1_700_000_000.0 % DAY + DAY / 2
DECISION = '{"candidates":["north"],"chosen":"north","rule":"only_candidate"}'


class AtOnce(Executor):
    """Runs what it is given before `submit` returns."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def seeded(seed: int) -> Callable[[int], bytes]:
    """Octets as os.urandom gives them, the same for each seed."""
    return Random(seed).randbytes


class Diary(Book):
    """`state` is the state folder. Jobs are those of tests.journal.book, with a proof of their words."""

    def __init__(self, state: Path, *, personal_days: int = 0, keep_days: int = 0) -> None:
        self.state = state
        state.mkdir(exist_ok=True)
        self.personal_days = personal_days
        self.keep_days = keep_days
        super().__init__(state / "journal.db", retention_s=100 * DAY)
        self.now = NOON
        self._messages = 0

    def open(self) -> None:
        super().open()
        self.store.connection.pragma("synchronous", "OFF")  # no power fails here
        self.keeping = Keeping(
            self.state, keys.load(self.state, random=seeded(1)), "verification", "0.0",
            self.personal_days, self.keep_days,
        )  # fmt: skip
        self.evidence = Evidence(self.store.connection, self.keeping, random=seeded(2), background=AtOnce())
        self.store._evidence = self.evidence

    def job(self, id: str = "j1", to: str = "+447700900001", **more: Any) -> LiveJob:
        proof = Proof("login-code", 3, hashlib.sha256(b"t").hexdigest(), "en", "GB", ("ab" * 32,))
        return super().job(id, to, proof=proof, **more)

    def delivered(self, id: str, to: str = "+447700900001", parts: int = 1) -> LiveJob:
        """A message from its acceptance to its receipts."""
        job = self.accept(id, to)
        self.intend(job, parts)
        first = self._messages
        self._messages += parts
        ids = [b"%d" % (first + part) for part in range(1, parts + 1)]
        for part, message_id in enumerate(ids, 1):
            self.answer(job, message_id, part, parts)
        self.now += 2.25
        for message_id in ids:
            self.receipt(message_id, address=to[1:])
        return job

    def called(self, id: str, to: str = "+447700900002") -> LiveJob:
        """A call that was heard, with a key pressed."""
        content = Content("", "", voice=Voice("", "en", "482917"))
        job = LiveJob(
            key=next(self._rows), app=self.app, id=id, recipient=to, content=content,
            accepted_at=self.now, deadline_at=self.now + 60.0,
        )  # fmt: skip
        self.commit(accepts=[self.accept_op(job)])
        self.intend(job)
        detail = {
            "trunk": "west", "call_id": "c1", "at": self.now, "answered": 3.5, "ended": 20.0,
            "keys": [["1", 5.0], ["2", 6.5]], "result": "confirmed", "delivered": True,
        }  # fmt: skip
        self.commit(
            settles=[self.settle_op(job, "completed")],
            call_records=[CallRecord(job.key, 1, msgspec.json.encode(detail).decode())],
            finishes=[self.finish_op(job, "delivered", "completed")],
        )
        return job

    def feedback(self, job: LiveJob, converted: bool = True) -> Batch:
        return self.commit(feedbacks=[Feedback(job.key, converted, 1, self.now)])

    def redact(self, *spans: tuple[int, int], number: str = "", looked: int = 0) -> Redact:
        (redact,) = self.commit(redacts=[Redact(list(spans), "forget", None, number, looked)]).redacts
        return redact

    def forget(self, number: str) -> Redact:
        spans, looked = spans_of(self.state, number)
        return self.redact(*spans, number=number, looked=looked)

    def file(self) -> None:
        """All that is due now."""
        self.store.file_evidence(self.now)

    def next_day(self) -> None:
        """The next noon, and what the night closes."""
        self.now += DAY - (self.now - NOON) % DAY
        self.file()

    def verify(self, **more: Any) -> Report:
        return verify(self.state, keys.load_verifying(self.state), **more)


def written(state: Path) -> Diary:
    """Six days with all that evidence has: the first is dropped, the second without personal parts, somebody
    is forgotten, some of today's records are in the table.
    """
    diary = Diary(state, personal_days=3, keep_days=4)
    for day in range(6):
        for number in range(4):
            diary.delivered(f"d{day}-{number}", f"+44770090{day:02}{number:02}", 1 + (number == 3))
        diary.feedback(diary.called(f"c{day}"))
        late = diary.sent(b"late%d" % day, f"l{day}")
        diary.finish(late)
        diary.receipt(b"late%d" % day)
        if day == 4:
            diary.forget("+447700900302")
            diary.forget("+447700900402")
        if day < 5:
            diary.file()
            diary.delivered(f"e{day}")
            diary.next_day()
    diary.file()
    diary.delivered("last-1")
    diary.delivered("last-2", parts=2)
    return diary


def copied(state: Path, to: Path) -> Path:
    shutil.copytree(state, to)
    return to
