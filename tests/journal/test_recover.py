"""What a start finds: each open job in the one state that sends nothing twice and forgets nothing."""

import pytest

from connector.journal.reader import Recovered
from connector.model import LiveJob
from tests.journal.book import Book


def recover(book: Book) -> Recovered:
    book.reopen()
    reader = book.reader()
    found = reader.recover()
    reader.close()
    return found


def where(book: Book, job: LiveJob) -> tuple[str, LiveJob | None]:
    found = recover(book)
    for waiting in found.waiting:
        if waiting.key == job.key:
            return "waiting", waiting
    for outstanding, account, carrier in found.outstanding:
        if outstanding.key == job.key:
            assert (account, carrier) == (book.account, "north")
            return "outstanding", outstanding
    assert found.awaiting_receipt <= 1
    return "awaiting" if found.awaiting_receipt else "gone", None


def test_accepted_only(book: Book) -> None:
    job = book.accept(traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01", on_unknown="resend_once")
    state, found = where(book, job)
    assert state == "waiting"
    assert found is not None
    for name in ("key", "app", "id", "recipient", "content", "accepted_at", "deadline_at", "on_unknown"):
        assert getattr(found, name) == getattr(job, name), name
    assert (found.attempts, found.tried, found.resent) == (0, frozenset(), False)


def test_most_urgent_first(book: Book) -> None:
    book.accept("late", deadline_s=90)
    book.accept("soon", deadline_s=10)
    assert [job.id for job in recover(book).waiting] == ["soon", "late"]


def test_intent_without_answer(book: Book) -> None:
    job = book.accept()
    book.intend(job)
    state, found = where(book, job)
    assert state == "outstanding"
    assert found is not None
    assert found.attempts == 1


@pytest.mark.parametrize(("answered", "state"), [(0, "outstanding"), (1, "outstanding"), (2, "awaiting")])
def test_several_parts(book: Book, answered: int, state: str) -> None:
    job = book.accept()
    book.intend(job, 2)
    for part in range(1, answered + 1):
        book.answer(job, b"%d" % part, part, 2)
    assert where(book, job)[0] == state


def test_refused_goes_on_elsewhere(book: Book) -> None:
    job = book.accept()
    book.intend(job)
    book.settle(job, "refused")
    state, found = where(book, job)
    assert state == "waiting"
    assert found is not None
    assert (found.tried, found.barred, found.attempts) == ({"north"}, {"north"}, 1)


@pytest.mark.parametrize("result", ["deferred", "unsent"])
def test_may_go_the_same_way_again(book: Book, result: str) -> None:
    job = book.accept()
    book.intend(job)
    book.settle(job, result)
    state, found = where(book, job)
    assert state == "waiting"
    assert found is not None
    assert (found.tried, found.attempts) == (frozenset(), 1)


def test_unknown_and_report(book: Book) -> None:
    job = book.accept()
    book.intend(job)
    book.settle(job, "unknown")
    assert where(book, job)[0] == "awaiting"


def unknown_once(book: Book) -> LiveJob:
    job = book.accept(on_unknown="resend_once")
    book.intend(job)
    book.settle(job, "unknown")
    return job


def test_unknown_and_resend_once_that_was_not_made(book: Book) -> None:
    state, found = where(book, unknown_once(book))
    assert state == "waiting"
    assert found is not None
    assert found.resent


@pytest.mark.parametrize(
    ("result", "state"), [(None, "outstanding"), ("unknown", "awaiting"), ("refused", "waiting")]
)
def test_the_resend_is_made_once(book: Book, result: str | None, state: str) -> None:
    job = unknown_once(book)
    book.intend(job)
    if result is not None:
        book.settle(job, result)
    found_state, found = where(book, job)
    assert found_state == state
    assert found is None or found.resent


def test_unknown_and_answered_late(book: Book) -> None:
    job = unknown_once(book)
    book.answer(job, b"1", late=True)
    assert where(book, job)[0] == "awaiting"


@pytest.mark.parametrize(
    ("result", "state"), [(None, "outstanding"), ("unknown", "awaiting"), ("refused", "awaiting")]
)
def test_answered_late_after_the_resend_is_never_sent_again(
    book: Book, result: str | None, state: str
) -> None:
    job = unknown_once(book)
    book.intend(job)
    book.answer(job, b"1", attempt=1, late=True)
    if result is not None:
        book.settle(job, result)
    found_state, found = where(book, job)
    assert found_state == state
    assert found is None or found.resent


def test_the_first_refused_late_leaves_the_second_its_resend(book: Book) -> None:
    job = unknown_once(book)
    book.settle(job, "refused")
    state, found = where(book, job)
    assert state == "waiting"
    assert found is not None
    assert not found.resent


def test_ended_jobs_are_gone(book: Book) -> None:
    job = book.sent(b"1")
    book.receipt(b"1")
    assert where(book, job)[0] == "gone"


def test_numbers_go_on(book: Book) -> None:
    job = book.accept()
    book.reopen()
    assert book.store.last_job() == job.key
    assert book.store.app("shop") == book.app
    assert book.store.account("smsc.example|acme") == book.account
