"""Every receipt of a part is kept, in order and within a bound; the one that counts never goes back."""

import json
from typing import Any

import pytest

from connector.cli.story import story
from connector.jobs.views import job_view
from connector.model import LiveJob
from tests.journal.book import Book


def receipts(book: Book, job: LiveJob) -> list[tuple[Any, ...]]:
    """(seconds since acceptance, state, result, error, kind, late) as `status` tells them."""
    reader = book.reader()
    row = reader.job(job.app, job.id)
    reader.close()
    assert row is not None
    return [
        (
            step["at"] - job.accepted_at,
            step["state"],
            step["result"],
            step["error"],
            step["kind"],
            step["late"],
        )
        for step in job_view(row, None)["timeline"]
        if step["type"] == "receipt"
    ]


def told(book: Book, job: LiveJob) -> list[str]:
    reader = book.reader()
    row = reader.job(job.app, job.id)
    reader.close()
    assert row is not None
    for attempt in row["attempts"]:
        attempt["decision"] = json.dumps(
            {"rule": "only_candidate", "candidates": ["north"], "chosen": "north"}
        )
    return [words for _, words in story(job_view(row, None)) if "north" in words][2:]


STORY: list[tuple[str, dict[str, object]]] = [
    ("ENROUTE", {"kind": "intermediate"}),
    ("ENROUTE", {}),
    ("UNKNOWN", {"kind": "query", "keys": (("same", "42"),)}),
    ("REJECTED", {"error": "err 075"}),
    ("DELIVERED", {}),
    ("ENROUTE", {"kind": "intermediate"}),
]


@pytest.mark.rule("receipts.repeats", "receipts.final-stays")
@pytest.mark.parametrize("groups", [[6], [1, 1, 1, 1, 1, 1], [2, 4], [3, 3], [4, 2], [5, 1], [1, 5]])
def test_each_receipt_is_kept_however_they_are_committed(book: Book, groups: list[int]) -> None:
    job = book.sent(b"42")
    ops = []
    for state, more in STORY:
        book.now += 1
        ops.append(book.receipt_op(b"42", state, **more))
    for number in groups:
        book.commit(receipts=ops[:number])
        del ops[:number]
    assert receipts(book, job) == [
        (1, "ENROUTE", None, None, "intermediate", False),
        (2, "ENROUTE", None, None, "receipt", False),
        (3, "UNKNOWN", None, None, "query", False),
        (4, "REJECTED", "failed", "err 075", "receipt", False),
        (5, "DELIVERED", "delivered", None, "receipt", True),
        (6, "ENROUTE", None, None, "intermediate", True),
    ]
    assert book.story(job) == ["accepted", "sent", "undelivered/undelivered"]
    assert book.told[book.app][-1].reason == "receipt REJECTED err 075"
    assert told(book, job)[:4] == [
        "intermediate notification ENROUTE from north for it: under way to the handset; not final",
        "receipt ENROUTE from north for it: under way to the handset; not final",
        "answer UNKNOWN from north to our query about it: the carrier does not know; not final",
        "receipt REJECTED from north for it with err 075: the network rejected it; counts as failed",
    ]
    assert told(book, job)[4].endswith("the handset has it; too late to change anything")


def test_receipts_that_came_before_the_answer_keep_their_time_and_order(book: Book) -> None:
    job = book.accept()
    book.intend(job)
    for state in ("ENROUTE", "DELIVERED"):
        book.now += 1
        book.receipt(b"42", state, error=f"err {state[:1]}", kind="receipt")
    book.now += 1
    book.reopen()
    book.answer(job, b"42")
    assert [step[:4] for step in receipts(book, job)] == [
        (1, "ENROUTE", None, "err E"), (2, "DELIVERED", "delivered", "err D"),
    ]  # fmt: skip


def test_one_receipt_costs_no_row_of_its_own(book: Book) -> None:
    book.sent(b"42")
    book.receipt(b"42")
    assert book.row("SELECT count(*) FROM timeline") == (0,)
    assert book.row("SELECT receipts, kind, form FROM part") == (1, None, "same")


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("final_at", [3, 30])
def test_a_carrier_that_repeats_itself_fills_no_disk(book: Book, together: bool, final_at: int) -> None:
    job = book.sent(b"42")
    ops = []
    for n in range(40):
        book.now += 1
        ops.append(book.receipt_op(b"42", "DELIVERED" if n == final_at else "ENROUTE"))
    for batch in [ops] if together else [[op] for op in ops]:
        book.commit(receipts=batch)
    kept = receipts(book, job)
    assert len(kept) == 16
    assert [at for at, *_ in kept if at != final_at + 1] == [n for n in range(1, 17) if n != final_at + 1][
        :15
    ]
    assert [step[1:3] for step in kept if step[0] == final_at + 1] == [("DELIVERED", "delivered")]
    assert book.row("SELECT receipts FROM part") == (40,)


def test_each_part_has_its_own(book: Book) -> None:
    job = book.accept()
    book.intend(job, 2)
    book.commit(answers=[book.answer_op(job, b"id%d" % n, n, 2) for n in (1, 2)])
    book.commit(
        receipts=[book.receipt_op(b"id%d" % n, state) for state in ("ENROUTE", "DELIVERED") for n in (1, 2)]
    )
    assert book.rows("SELECT part, state FROM timeline ORDER BY part") == [(1, "ENROUTE"), (2, "ENROUTE")]
    assert sorted(words.partition(": ")[0] for words in told(book, job)[1:]) == [
        f"receipt {state} from north for part {n} of 2" for state in ("DELIVERED", "ENROUTE") for n in (1, 2)
    ]


def test_a_timeline_goes_with_its_job(book: Book) -> None:
    book.sent(b"42")
    book.receipt(b"42", "ENROUTE")
    book.receipt(b"42")
    book.now += book.retention_s + 1
    book.sweep()
    assert book.row("SELECT count(*) FROM timeline") == (0,)


def test_a_word_of_the_carriers_own_is_kept(book: Book) -> None:
    job = book.sent(b"42")
    op = book.receipt_op(b"42", "HANDED-OVER")
    op.result = "delivered"
    book.commit(receipts=[op])
    assert receipts(book, job)[0][1:3] == ("HANDED-OVER", "delivered")
    assert book.row("SELECT reason FROM job") == ("receipt HANDED-OVER",)
