"""`status`: a job's rows as the application sees them."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from connector.jobs.views import job_view
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


def test_ids_that_are_not_ascii(book: Book) -> None:
    job = book.sent(b"\xff\x00id")
    assert view(book, job)["attempts"][0]["answers"][0]["message_id"] == "\xff\x00id"


def test_an_unknown_job(book: Book) -> None:
    assert book.reader().job(book.app, "nobody's") is None
