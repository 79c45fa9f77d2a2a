"""Nothing of the text, the code or the sender stays behind once a job is final."""

import re
from random import Random

import pytest

from connector.carriers.receipts import kept_text
from connector.journal.ops import Receipt
from connector.model import LiveJob
from protocols.smpp.id_keys import lookup_keys
from tests.journal.book import HANDSET, Book

CODE = re.compile(rb"CODE-[0-9]{6}")
# Its beginning tells it from any other; whatever else is sealed is shorter, or no text.
SEALED_BODY = re.compile(rb"s1:state-folder:[A-Za-z0-9+/]{80}")


def octets_on_disk(book: Book) -> bytes:
    """All of the journal's files, free pages included."""
    files = [book.path.with_name(book.path.name + end) for end in ("", "-wal", "-shm")]
    return b"".join(file.read_bytes() for file in files if file.exists())


def codes_on_disk(book: Book) -> set[bytes]:
    return set(CODE.findall(octets_on_disk(book)))


def bodies_on_disk(book: Book) -> set[bytes]:
    """As they are stored: nobody can read them, and yet they must go."""
    assert codes_on_disk(book) == set()
    return set(SEALED_BODY.findall(octets_on_disk(book)))


def bodies_in_rows(book: Book) -> set[bytes]:
    bodies = book.rows("SELECT body FROM job WHERE body IS NOT NULL")
    return {match[0] for (body,) in bodies if (match := SEALED_BODY.match(body.encode()))}


def fold(book: Book) -> None:
    book.store.connection.wal_checkpoint(mode=3)


def accept_many(book: Book, first: int, count: int) -> list[LiveJob]:
    jobs = [
        book.job(f"job {n}", to=f"+49151{n:08}", text=f"CODE-{n:06} is yours. " + "x" * (n % 700))
        for n in range(first, first + count)
    ]
    book.commit(accepts=[book.accept_op(job) for job in jobs])
    return jobs


def test_open_bodies_are_there_and_sealed(book: Book) -> None:
    accept_many(book, 0, 3)
    fold(book)
    assert bodies_on_disk(book) == bodies_in_rows(book)
    assert len(bodies_in_rows(book)) == 3


def test_what_is_not_sealed_would_be_found(book: Book) -> None:
    accept_many(book, 0, 1)
    book.rows("UPDATE job SET body = 'CODE-000000'")
    assert codes_on_disk(book) == {b"CODE-000000"}


@pytest.mark.parametrize("how", ["receipt", "finish", "sweep"])
def test_each_end_wipes_the_body(book: Book, how: str) -> None:
    (job,) = accept_many(book, 0, 1)
    book.intend(job)
    book.answer(job, b"1")
    if how == "receipt":
        book.receipt(b"1")
    elif how == "finish":
        book.finish(job, "cancelled", "cancelled")
    else:
        book.sweep(book.now + 1000)
    assert book.outcome(job) is not None
    assert book.row("SELECT body FROM job") == (None,)
    fold(book)
    assert bodies_on_disk(book) == set()


def test_no_page_keeps_what_was_wiped(book: Book, random: Random) -> None:
    """Bodies of all sizes ended in any order: pages split, merge and become free meanwhile."""
    open_jobs: list[LiveJob] = []
    for round in range(30):
        open_jobs += accept_many(book, round * 40, 40)
        random.shuffle(open_jobs)
        ended, open_jobs = open_jobs[:35], open_jobs[35:]
        book.commit(finishes=[book.finish_op(job, "expired", "expired") for job in ended])
    fold(book)
    assert len(bodies_in_rows(book)) == 150
    assert bodies_on_disk(book) == bodies_in_rows(book)
    book.commit(finishes=[book.finish_op(job, "expired", "expired") for job in open_jobs])
    book.now += 2000
    book.sweep()
    book.store.close()
    assert bodies_on_disk(book) == set()
    book.open()


def test_an_idle_journal_folds_its_log(book: Book) -> None:
    """The write-ahead log holds the bodies of what was accepted lately: it must not keep them for ever."""
    (job,) = accept_many(book, 0, 1)
    book.finish(job)
    assert bodies_on_disk(book)
    book.sweep()
    book.sweep()
    assert bodies_on_disk(book) == set()


def test_a_reader_does_not_stop_the_idle_journal(book: Book) -> None:
    (job,) = accept_many(book, 0, 1)
    book.finish(job)
    reader = book.reader()
    with reader._connection:
        reader.recover(book.now)  # within a transaction: the log cannot be folded now
        book.sweep()
        book.sweep()
    book.sweep()
    assert bodies_on_disk(book) == set()
    reader.close()


def test_the_receipt_that_repeats_the_text_is_not_kept(book: Book) -> None:
    """Appendix B: the first 20 characters of the message stand at the end of its receipt."""
    raw = b"id:1 sub:001 dlvrd:001 submit date:2401010000 done date:2401010000 stat:DELIVRD err:000 "
    assert kept_text(raw + b"text:CODE-000000 is yours") == raw
    assert kept_text(raw + b"Text:CODE-000000 is yours") == raw
    assert kept_text(b"id:1 stat:DELIVRD") == b"id:1 stat:DELIVRD"
    assert kept_text(b"id:1 stat:DELIVRD CODE-000000 is yours") == b"id:1 stat:DELIVRD", "no label"
    assert kept_text(b"CODE-000000 is yours") == b""
    assert len(kept_text(b"id:" + b"1" * 60_000)) == 1_000
    receipt = Receipt(
        book.account, "north", lookup_keys(b"1"), HANDSET[1:], "DELIVERED", "delivered",
        kept_text(raw + b"text:CODE-000000").hex(), book.now, None,
    )  # fmt: skip
    book.sent(b"1", text="CODE-000000")
    book.commit(receipts=[receipt])
    fold(book)
    assert b"CODE-000000".hex().encode() not in book.path.read_bytes()
    assert codes_on_disk(book) == set()
