"""`status`: a job's rows as the application sees them."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from connector.jobs.views import job_view, parts_to_recall
from connector.model import LiveJob
from tests.journal.book import Book


@pytest.fixture
def book(tmp_path: Path) -> Generator[Book, None, None]:
    opened = Book(tmp_path / "journal.db")
    yield opened
    opened.store.connection.close()


def view(book: Book, job: LiveJob, live: str | None = None) -> dict:
    reader = book.reader()
    row = reader.job(job.app, job.id)
    reader.close()
    assert row is not None
    return job_view(row, live)


def test_a_delivered_job_in_two_attempts(book: Book) -> None:
    job = book.accept(text="Your code is 482917")
    book.now += 1
    book.intend(job)
    book.settle(job, "refused")
    book.now += 1
    book.intend(job, 1, "south")
    book.now += 1
    book.answer(job, b"42")
    book.now += 1
    book.receipt(b"42")
    seen = view(book, job)
    assert (seen["state"], seen["outcome"], seen["reason"]) == ("final", "delivered", "receipt DELIVERED")
    assert [(a["carrier"], a["result"], a["status"]) for a in seen["attempts"]] == [
        ("north", "refused", 0x0A), ("south", None, None),
    ]  # fmt: skip
    (answer,) = seen["attempts"][1]["answers"]
    assert (answer["message_id"], answer["receipt_state"]) == ("42", "DELIVERED")
    assert [step["type"] for step in seen["timeline"]] == [
        "accepted", "intent", "refused", "intent", "sent", "receipt", "final",
    ]  # fmt: skip
    assert [step["at"] for step in seen["timeline"]] == sorted(step["at"] for step in seen["timeline"])
    shown = json.dumps(seen)
    assert "482917" not in shown
    assert job.recipient[1:] not in shown
    assert seen["to"].endswith(job.recipient[-2:])


@pytest.mark.parametrize(
    ("steps", "live", "state"),
    [
        ([], "queued", "queued"),
        (["intend"], "submitting", "submitting"),
        (["intend", "answer"], None, "sent"),
        (["intend", "unknown"], None, "unknown"),
        (["finish"], "queued", "final"),
    ],
)
def test_states(book: Book, steps: list[str], live: str | None, state: str) -> None:
    job = book.accept()
    for step in steps:
        if step == "intend":
            book.intend(job)
        elif step == "answer":
            book.answer(job, b"1")
        elif step == "unknown":
            book.settle(job, "unknown")
        else:
            book.finish(job)
    assert view(book, job, live)["state"] == state


def test_a_followed_job_is_what_its_attempts_are(book: Book) -> None:
    job = book.accept(follow=1, journey_name="code", klass="login", supersedes="k")
    book.intend(job)
    book.settle(job, "refused")
    assert view(book, job)["state"] == "queued"
    book.intend(job)
    book.answer(job, b"1")
    book.intend(job, carrier="west", channel="voice", step=1)
    book.settle(job, "missed", channel="voice")
    seen = view(book, job)
    assert (seen["state"], seen["journey"], seen["class"], seen["supersedes"]) == (
        "sent", "code", "login", "k",
    )  # fmt: skip
    assert [(a["channel"], a["step"]) for a in seen["attempts"]] == [("sms", 0), ("sms", 0), ("voice", 1)]


def test_a_decision_is_a_map(book: Book) -> None:
    job = book.accept()
    intend = book.intend_op(job)
    intend.decision = '{"rule":"only_candidate","chosen":"north","candidates":["north"]}'
    book.commit(intends=[intend])
    seen = view(book, job)
    assert seen["attempts"][0]["decision"] == {
        "rule": "only_candidate", "chosen": "north", "candidates": ["north"],
    }  # fmt: skip
    assert seen["timeline"][1]["decision"] == seen["attempts"][0]["decision"]


class TestPartsToRecall:
    """What must be taken back for a job to be stopped."""

    def parts(self, book: Book, job: LiveJob) -> list[bytes]:
        row = book.reader().job(job.app, job.id)
        assert row is not None
        return [part.message_id for _, part in parts_to_recall(row)]

    def test_all_that_was_accepted_and_has_not_failed(self, book: Book) -> None:
        job = book.accept(follow=1)
        book.intend(job)
        book.settle(job, "refused")
        for attempt in (b"1", b"2", b"3"):
            book.intend(job)
            book.answer(job, attempt)
        book.intend(job, carrier="west", channel="voice")
        book.settle(job, "missed", channel="voice")
        book.receipt(b"2", "UNDELIVERABLE")
        assert self.parts(book, job) == [b"1", b"3"]

    @pytest.mark.parametrize("what", ["under way", "unknown", "arrived", "half", "no id", "calling"])
    def test_what_cannot_be_stopped(self, book: Book, what: str) -> None:
        job = book.accept(follow=2)
        book.intend(job)
        book.answer(job, b"1")
        parts = 2 if what == "half" else 1
        book.intend(job, parts, channel="voice" if what == "calling" else "sms")
        if what == "unknown":
            book.settle(job, "unknown")
        elif what in ("arrived", "half"):
            book.answer(job, b"2", 1, parts)
            book.receipt(b"2")
        elif what == "no id":
            book.answer(job, b"")
        assert self.parts(book, job) == []


def test_ids_that_are_not_ascii(book: Book) -> None:
    job = book.sent(b"\xff\x00id")
    assert view(book, job)["attempts"][0]["answers"][0]["message_id"] == "\xff\x00id"


def test_an_unknown_job(book: Book) -> None:
    assert book.reader().job(book.app, "nobody's") is None
