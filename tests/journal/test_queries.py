"""Which messages carriers are asked for, and when."""

import pytest

from connector.journal.ops import Finish, Query
from connector.model import LiveJob
from tests.journal.book import HANDSET, Book


def sent(book: Book, id: str = "j1", on_unknown: str = "query", ids: tuple[bytes, ...] = (b"A1",)) -> LiveJob:
    job = book.job(id, on_unknown=on_unknown, deadline_s=30.0)
    book.commit(accepts=[book.accept_op(job, give_up_s=600.0)])
    book.intend(job, len(ids))
    for part, message_id in enumerate(ids, 1):
        book.answer(job, message_id, part, len(ids))
    return job


def asked(book: Book, after_s: float) -> list[bytes]:
    book.now += after_s
    return [query.message_id for query in book.sweep().queries]


def test_at_the_deadline_and_at_growing_intervals_until_it_is_given_up(book: Book) -> None:
    job = sent(book)
    assert asked(book, 29.9) == []
    book.now += 0.2
    assert book.sweep().queries == [Query(book.account, "north", "a1", b"A1", "Acme", HANDSET)]
    assert asked(book, 59.0) == []
    assert asked(book, 1.1) == [b"A1"]
    times = []
    for second in range(520):
        if asked(book, 1.0):
            times.append(second)
    assert times == [60, 182, 426]
    assert asked(book, 30.0) == []
    assert book.outcome(job) == "unknown"


def test_only_of_jobs_that_want_it(book: Book) -> None:
    sent(book, on_unknown="report")
    assert asked(book, 31.0) == []


def test_only_while_the_end_is_not_known(book: Book) -> None:
    sent(book)
    book.receipt(b"A1")
    assert asked(book, 31.0) == []
    assert book.rows("SELECT * FROM query_due") == []


def test_only_the_parts_without_a_final_receipt(book: Book) -> None:
    sent(book, ids=(b"A1", b"A2", b"A3"))
    book.receipt(b"A2")
    assert asked(book, 31.0) == [b"A1", b"A3"]


def test_a_message_without_an_id_cannot_be_asked_for(book: Book) -> None:
    job = book.job(on_unknown="query", deadline_s=30.0)
    book.commit(accepts=[book.accept_op(job)])
    book.intend(job)
    book.settle(job, "unknown")
    assert asked(book, 31.0) == []


def test_questions_survive_a_restart_and_are_spread_out(book: Book) -> None:
    for n in range(250):
        sent(book, f"j{n}", ids=(b"%d" % n,))
    book.reopen()
    assert [len(asked(book, after_s)) for after_s in (31.0, 1.0, 1.0)] == [200, 50, 0]


def test_those_whose_receipts_came_are_in_nobodys_way(book: Book) -> None:
    for n in range(450):
        sent(book, f"j{n}", ids=(b"%d" % n,))
    for n in range(449):
        book.receipt(b"%d" % n)
    assert asked(book, 31.0) == [b"449"]
    assert len(book.rows("SELECT * FROM query_due")) == 1


@pytest.mark.parametrize(("state", "outcome"), [("DELIVERED", "delivered"), ("REJECTED", "undelivered")])
def test_an_answer_ends_the_job_as_a_receipt_does(book: Book, state: str, outcome: str) -> None:
    job = sent(book)
    answer = book.receipt_op(b"A1", state)
    answer.kind = "query"
    book.commit(receipts=[answer])
    assert book.outcome(job) == outcome


def test_deleted_is_cancelled_where_we_asked_for_it(book: Book) -> None:
    ours, theirs = sent(book, "j1", ids=(b"A1",)), sent(book, "j2", ids=(b"B1",))
    book.commit(recalls=[ours.key])
    book.receipt(b"A1", "DELETED")
    book.receipt(b"B1", "DELETED")
    assert (book.outcome(ours), book.outcome(theirs)) == ("cancelled", "undelivered")
    assert book.story(ours)[-1] == "cancelled/cancelled"


@pytest.mark.parametrize(("state", "before"), [("DELETED", True), ("DELIVERED", False)])
def test_a_recall_that_comes_too_late_is_told_from_one_that_the_receipt_confirmed(
    book: Book, state: str, before: bool
) -> None:
    job = sent(book)
    book.commit(recalls=[job.key])
    book.receipt(b"A1", state)
    finish = Finish(job.key, job.app, job.id, "cancelled", "cancelled", "", book.now)
    book.commit(finishes=[finish])
    assert (finish.applied, finish.cancelled_before) == (False, before)
