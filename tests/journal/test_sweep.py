"""What time does: jobs given up, rows forgotten."""

from connector.journal.ops import CallRecord
from connector.model import Content, Voice
from tests.journal.book import HANDSET, RETENTION_S, Book


def tables(book: Book) -> dict[str, int]:
    names = ("job", "attempt", "part", "unresolved", "parked", "parked_key", "event", "call")
    return {name: book.row(f"SELECT count(*) FROM {name}")[0] for name in names}


def test_no_receipt_in_time(book: Book) -> None:
    job = book.sent(b"1")  # gives up 60 + 300 s after acceptance
    assert book.sweep(book.now + 359.9).outcomes == {}
    batch = book.sweep(book.now + 360)
    assert (batch.outcomes, batch.missed) == ({"unknown": 1}, 1)
    assert book.story(job) == ["accepted", "sent", "unknown/unknown"]
    assert book.told[book.app][-1].reason == "no receipt came"
    assert book.sweep(book.now + 400).outcomes == {}


def test_a_receipt_in_the_same_commit_comes_first(book: Book) -> None:
    job = book.sent(b"1")
    book.commit(receipts=[book.receipt_op(b"1")], sweep_at=book.now + 400)
    assert book.story(job)[-1] == "delivered/delivered"


def test_nobody_gives_up_a_call_that_lasts(book: Book) -> None:
    job = book.job("call")
    job.content = Content("", "", voice=Voice("", "en", "482917"))
    job.channel = "voice"
    book.commit(accepts=[book.accept_op(job)])
    book.intend(job)
    assert book.sweep(book.now + 10_000).outcomes == {}
    book.settle(job, "completed")
    book.finish(job, "delivered", "completed")
    assert book.outcome(job) == "delivered"


def test_the_oldest_are_given_up_first(book: Book) -> None:
    late, soon = book.accept("late", deadline_s=100), book.accept("soon", deadline_s=1)
    book.sweep(book.now + 301)
    assert (book.outcome(soon), book.outcome(late)) == ("unknown", None)


def test_everything_of_an_old_job_goes(book: Book) -> None:
    done = book.sent(b"1", "done")
    book.receipt(b"1")
    lost = book.accept("lost")
    book.intend(lost)
    book.settle(lost, "unknown")
    book.finish(lost, "unknown", "unknown")
    book.commit(call_records=[CallRecord(lost.key, 1, "{}")])
    book.receipt(b"nothing's", address="4930123456")
    book.commit(receipts=[book.handset_message()])
    assert all(tables(book).values())
    book.now += RETENTION_S - 1
    assert book.sweep().unmatched == {}
    assert all(tables(book).values())
    book.now += 2
    batch = book.sweep()
    assert (batch.unmatched, batch.parked) == ({"north": 1}, 0)
    assert tables(book) == dict.fromkeys(tables(book), 0)
    assert done.key < lost.key


def test_retention_counts_from_the_end(book: Book) -> None:
    job = book.sent(b"1")
    book.now += RETENTION_S - 1
    book.receipt(b"1")
    book.now += 2
    book.sweep()
    assert book.outcome(job) == "delivered"
    book.now += RETENTION_S
    book.sweep()
    assert tables(book)["job"] == 0


def test_an_open_job_stays_and_holds_up_no_other(book: Book) -> None:
    stays = book.accept("stays", deadline_s=10 * RETENTION_S)
    book.finish(book.accept("goes"))
    book.now += RETENTION_S + 1
    book.sweep()
    assert book.rows("SELECT id FROM job") == [(stays.key,)]


def test_events_go_oldest_first(book: Book) -> None:
    book.accept("old", deadline_s=5000)
    book.now += 500
    book.accept("new", deadline_s=5000)
    book.now += 600
    book.sweep()
    assert book.rows("SELECT first, last FROM event") == [(2, 2)]


def test_an_id_may_come_again_after_the_retention(book: Book) -> None:
    book.finish(book.accept("a"))
    book.now += RETENTION_S + 1
    book.sweep()
    again = book.accept("a")
    assert book.story(again)[-1] == "accepted"


def test_rows_after_a_purge_have_new_numbers_and_no_old_parts(book: Book) -> None:
    book.sent(b"1")
    book.receipt(b"1")
    book.now += RETENTION_S + 1
    book.sweep()
    book.reopen()
    job = book.accept("next", to=HANDSET)
    assert book.receipt(b"1").receipts[0].match == "parked"
    assert book.outcome(job) is None
