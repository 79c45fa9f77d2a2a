"""Receipts with an id that no answer gave: matched by the handset where only one job is possible."""

import pytest

from connector.journal import receipts, sweep
from connector.model import LiveJob
from tests.journal.book import ANSWER_TIMEOUT_S, HANDSET, Book

OTHER = "+4915187654321"


def lost(book: Book, id: str = "j1", to: str = HANDSET, parts: int = 1, answered: int = 0) -> LiveJob:
    """A job whose (last) answers never came."""
    job = book.accept(id, to=to)
    book.intend(job, parts)
    for part in range(1, answered + 1):
        book.answer(job, b"%s-%d" % (id.encode(), part), part, parts)
    book.settle(job, "unknown")
    return job


def sweep_later(book: Book) -> None:
    book.now += ANSWER_TIMEOUT_S + 1
    book.sweep()


def test_the_one_attempt_without_an_id(book: Book) -> None:
    job = lost(book)
    book.receipt(b"77")
    book.sweep()
    assert book.outcome(job) is None  # its answer may still come
    book.now += ANSWER_TIMEOUT_S + 1
    batch = book.sweep()
    assert [(r.match, r.carrier) for r in batch.found] == [("address", "north")]
    assert book.story(job) == ["accepted", "unknown", "delivered/delivered"]
    assert book.row("SELECT result FROM attempt") == (None,)
    assert book.row("SELECT count(*) FROM unresolved") == (0,)


def test_further_receipts_of_that_id_match_by_it(book: Book) -> None:
    job = lost(book)
    book.receipt(b"77", "ENROUTE")
    sweep_later(book)
    assert book.receipt(b"77").receipts[0].match == "id"
    assert book.outcome(job) == "delivered"


def test_two_receipts_of_one_id_are_one_message(book: Book) -> None:
    job = lost(book)
    book.commit(receipts=[book.receipt_op(b"77", state) for state in ("ENROUTE", "DELIVERED", "EXPIRED")])
    sweep_later(book)
    assert book.outcome(job) == "delivered"
    assert book.rows("SELECT state, result FROM part") == [("DELIVERED", "delivered")]


def test_two_jobs_are_a_guess(book: Book) -> None:
    jobs = [lost(book, "a"), lost(book, "b")]
    book.receipt(b"77")
    sweep_later(book)
    assert [book.outcome(job) for job in jobs] == [None, None]


def test_two_ids_for_one_place_are_a_guess(book: Book) -> None:
    job = lost(book)
    book.commit(receipts=[book.receipt_op(b"77"), book.receipt_op(b"78")])
    sweep_later(book)
    assert book.outcome(job) is None


def test_two_attempts_of_one_job_are_not(book: Book) -> None:
    job = lost(book)
    book.intend(job)
    book.settle(job, "unknown")
    book.commit(receipts=[book.receipt_op(b"77", "UNDELIVERABLE")])
    sweep_later(book)
    assert book.outcome(job) is None  # the other attempt may have arrived
    book.receipt(b"78")
    sweep_later(book)
    assert book.outcome(job) == "delivered"


def test_an_attempt_that_was_refused_after_all_is_not_meant(book: Book) -> None:
    refused, job = lost(book, "a"), lost(book, "b")
    book.settle(refused, "refused")
    book.receipt(b"77")
    sweep_later(book)
    assert (book.outcome(refused), book.outcome(job)) == (None, "delivered")


def test_a_late_answer_takes_precedence(book: Book) -> None:
    answered, job = lost(book, "a"), lost(book, "b")
    book.answer(answered, b"1", late=True)
    book.receipt(b"77")
    sweep_later(book)
    assert (book.outcome(answered), book.outcome(job)) == (None, "delivered")


def test_another_handset_is_not_meant(book: Book) -> None:
    job = lost(book, to=OTHER)
    book.receipt(b"77")
    sweep_later(book)
    assert book.outcome(job) is None


@pytest.mark.parametrize("answered", [0, 1, 2])
def test_each_part_without_an_id_gets_one(book: Book, answered: int) -> None:
    job = lost(book, parts=3, answered=answered)
    for part in range(1, answered + 1):
        book.receipt(b"j1-%d" % part)
    missing = 3 - answered
    book.commit(receipts=[book.receipt_op(b"lost%d" % n) for n in range(missing)])
    sweep_later(book)
    assert book.story(job)[-1] == "delivered/delivered"
    assert [part for (part,) in book.rows("SELECT part FROM part ORDER BY part")] == [1, 2, 3]


def test_an_attempt_stays_unknown_until_each_part_has_an_id(book: Book) -> None:
    job = lost(book, parts=2)
    book.receipt(b"77")
    sweep_later(book)
    assert book.row("SELECT result FROM attempt") == ("unknown",)
    book.receipt(b"78")
    sweep_later(book)
    assert book.row("SELECT result FROM attempt") == (None,)
    assert book.outcome(job) == "delivered"


@pytest.mark.rule("receipts.never-mo")
def test_what_a_subscriber_writes_is_no_receipt(book: Book) -> None:
    job = lost(book)
    book.commit(receipts=[book.handset_message()])
    sweep_later(book)
    assert book.outcome(job) is None
    book.receipt(b"77")
    sweep_later(book)
    assert book.outcome(job) == "delivered"


def test_receipts_without_any_id(book: Book) -> None:
    job, other = lost(book, "a"), lost(book, "b", to=OTHER)
    book.receipt(b"")
    sweep_later(book)
    assert (book.outcome(job), book.outcome(other)) == ("delivered", None)
    # The next one without an id is not a repetition of the first.
    book.receipt(b"", address=OTHER[1:])
    sweep_later(book)
    assert book.outcome(other) == "delivered"


def test_a_receipt_that_came_before_the_restart(book: Book) -> None:
    job = book.accept()
    book.intend(job)
    book.receipt(b"77")
    book.now += 200
    book.reopen()
    book.settle(job, "unknown")
    book.sweep()
    assert book.outcome(job) == "delivered"


def test_an_ended_job_stays_as_it_ended(book: Book) -> None:
    job = lost(book)
    book.finish(job, "unknown", "unknown")
    book.receipt(b"77")
    sweep_later(book)
    assert book.story(job) == ["accepted", "unknown", "unknown/unknown"]


def test_many_are_taken_in_turns(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a carrier that answered nothing for an hour: the jobs of one commit must not wait for all."""
    for module in (receipts, sweep):
        monkeypatch.setattr(module, "MOST_TAKEN", 2)
    jobs = [lost(book, f"j{n}", f"+49151000000{n}") for n in range(5)]
    for n in range(5):
        book.receipt(b"id%d" % n, address=f"49151000000{n}")
    book.now += ANSWER_TIMEOUT_S + 1
    taken = []
    while len(taken) < 3:
        taken.append(len(book.sweep().found))
        book.now += 70  # later than a receipt is usually looked at
    assert taken == [2, 2, 1]
    assert [book.outcome(job) for job in jobs] == ["delivered"] * 5


def test_what_was_never_answered_is_not_searched_through(book: Book) -> None:
    """It may be many, and each refusal and each late answer looks there."""
    for statement in (
        "DELETE FROM unresolved WHERE (job, attempt) IN (SELECT value->>0, value->>1 FROM jsonb_each('[]'))",
        "DELETE FROM unresolved WHERE job = 1 AND attempt = 1",
        "DELETE FROM unresolved WHERE job IN (SELECT value FROM jsonb_each('[]'))",
    ):
        steps = [row[3] for row in book.rows(f"EXPLAIN QUERY PLAN {statement}")]
        assert any("INDEX unresolved_job" in step for step in steps), steps
