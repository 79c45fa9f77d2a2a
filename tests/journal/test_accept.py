"""Acceptance: the id is the idempotency key, within one commit and for as long as the journal remembers."""

import pytest

from tests.journal.book import Book


def verdicts(book: Book, *jobs: tuple[str, str]) -> list[str]:
    accepts = [book.accept_op(book.job(id), digest) for id, digest in jobs]
    return [accept.verdict for accept in book.commit(accepts=accepts).accepts]


def test_within_one_batch_the_first_wins(book: Book) -> None:
    assert verdicts(book, ("a", "x"), ("a", "x"), ("a", "y"), ("b", "x")) == [
        "new", "duplicate", "conflict", "new",
    ]  # fmt: skip
    assert book.row("SELECT count(*) FROM job") == (2,)
    assert [event.id for event in book.told[book.app]] == ["a", "b"]


def test_across_batches_and_a_restart(book: Book) -> None:
    assert verdicts(book, ("a", "x")) == ["new"]
    assert verdicts(book, ("a", "x"), ("a", "y")) == ["duplicate", "conflict"]
    book.reopen()
    assert verdicts(book, ("a", "x"), ("a", "y")) == ["duplicate", "conflict"]


def test_a_duplicate_of_an_ended_job_says_how_it_ended(book: Book) -> None:
    book.finish(book.accept("a"), "expired")
    again, open_one = book.commit(
        accepts=[book.accept_op(book.job("a")), book.accept_op(book.job("b"))]
    ).accepts
    assert (again.verdict, again.outcome) == ("duplicate", "expired")
    assert (open_one.verdict, open_one.outcome) == ("new", None)


def test_ids_belong_to_their_application(book: Book) -> None:
    other = book.store.app("bank")
    book.accept("a")
    assert book.accept("a", app=other).app == other
    assert [event.seq for app in (book.app, other) for event in book.told[app]] == [1, 1]


@pytest.mark.parametrize("id", ["a b", "ü", "漢字😀", '"\\', "%s", "x" * 64])
def test_ids_and_texts_are_stored_as_they_are(book: Book, id: str) -> None:
    job = book.accept(id, text='{"\\u0000": "\'"}\t\0 ü😀\n')
    assert verdicts(book, (id, "d")) == ["duplicate"]
    (recovered,) = book.reader().recover(book.now).waiting
    assert (recovered.id, recovered.content.text) == (id, job.content.text)
    assert (recovered.accepted_at, recovered.deadline_at) == (job.accepted_at, job.deadline_at)


def test_ended_jobs_are_counted_by_their_class(book: Book) -> None:
    kept, late, without = book.accept("a", klass="login"), book.accept("b", klass="login"), book.accept("c")
    finishes = [
        book.finish_op(kept, "delivered", "completed"),
        book.finish_op(late, "expired", "expired"),
        book.finish_op(without, "expired", "expired"),
    ]
    batch = book.commit(finishes=finishes)
    assert (batch.classes, batch.outcomes) == ([("login", 2, 1)], {"delivered": 1, "expired": 2})
    assert book.commit().classes == []
