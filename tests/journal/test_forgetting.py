"""A number is forgotten: nothing that the journal holds names it any more, and nothing else is touched."""

import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from connector.journal import forgetting
from connector.journal.inbound import Reception
from connector.journal.ops import CallRecord, Forget, Found, Inbound, InboundPart
from connector.model import Content, LiveJob, Voice
from protocols.gsm.coding import encode
from tests.journal.book import HANDSET, Book, events_in

OTHER = "+4915198765432"
OURS = "12345"


@pytest.fixture
def book(tmp_path: Path) -> Generator[Book, None, None]:
    receive = Reception(
        lambda recipient: "shop" if recipient == OURS else None,
        lambda text, handset: ("stop", "en") if text == "STOP" else None,
    )
    opened = Book(tmp_path / "journal.db", reception=receive)
    yield opened
    opened.store.connection.close()


def find(book: Book, number: str = HANDSET) -> Found:
    reader = book.reader()
    found, more = reader.find(number, Found())
    while more:
        found, more = reader.find(number, found)
    reader.close()
    return found


def forget(book: Book, number: str = HANDSET, found: Found | None = None) -> Forget:
    operation = Forget(number, find(book, number) if found is None else found)
    book.commit(forgets=[operation])
    return operation


def write(book: Book, text: str, handset: str = HANDSET, **more: Any) -> None:
    part = InboundPart(handset, more.pop("ours", OURS), "latin1", encode(text, "latin1"), **more)
    book.commit(inbound=[Inbound(book.account, "north", part, 1, frozenset({1}), book.now, None)])


def dump(book: Book) -> str:
    """Every value of every table; what is sealed is opened."""
    connection = sqlite3.connect(f"file:{book.path}?mode=ro", uri=True)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    rows = [str(row) for table in tables for row in connection.execute(f"SELECT * FROM {table}")]
    connection.close()
    reader = book.reader()
    rows.append(str(reader.events(book.app, 0)[0]))
    reader.close()
    return "\n".join(rows)


def ended(book: Book, id: str, to: str = HANDSET) -> LiveJob:
    job = book.sent(id.encode(), id, to=to, supersedes=f"login {to}")
    receipt = book.receipt_op(id.encode(), address=to[1:])
    receipt.raw = f"id:1 to:{to[1:]}".encode().hex()
    book.commit(receipts=[receipt])
    assert book.outcome(job) == "delivered"
    return job


def test_a_job_that_has_ended_stays_without_the_number(book: Book) -> None:
    job, other = ended(book, "1"), ended(book, "2", OTHER)
    before = book.row("SELECT * FROM job WHERE id = ?", other.key)
    assert HANDSET[1:] in dump(book)
    done = forget(book)
    assert (done.jobs, done.open) == (1, 0)
    assert HANDSET[1:] not in dump(book)
    assert HANDSET[1:].encode().hex() not in dump(book)
    assert book.row("SELECT ext, recipient, outcome FROM job WHERE id = ?", job.key) == ("1", "", "delivered")
    assert book.row("SELECT * FROM job WHERE id = ?", other.key) == before
    assert (forget(book).jobs, forget(book, "+4915100000000").jobs) == (0, 0)


def test_what_is_forgotten_is_not_sent_again(book: Book) -> None:
    ended(book, "1")
    forget(book)
    again = book.job("1")
    batch = book.commit(accepts=[book.accept_op(again)])
    assert batch.accepts[0].verdict == "conflict"


def test_a_receipt_that_comes_later_is_harmless(book: Book) -> None:
    ended(book, "1")
    forget(book)
    book.receipt(b"1", "EXPIRED")
    book.sweep()
    assert book.rows("SELECT state, late FROM timeline") == [("EXPIRED", 1)]


def test_open_jobs_are_told_and_have_their_turn_when_they_have_ended(book: Book) -> None:
    ended(book, "1")
    job = book.sent(b"2", "2")
    done = forget(book)
    assert (done.jobs, done.open) == (1, 1)
    assert book.sweep().forgettable == []
    book.receipt(b"2")
    assert book.outcome(job) == "delivered"
    assert book.sweep().forgettable == [HANDSET]
    book.reopen()
    assert book.sweep().forgettable == [HANDSET], "a crash in between forgets nothing of it"
    done = forget(book)
    assert (done.jobs, done.open) == (1, 0)
    assert book.sweep().forgettable == []
    assert HANDSET[1:] not in dump(book)


def test_a_receipt_that_an_open_job_may_wait_for_is_kept(book: Book) -> None:
    job = book.accept("1")
    book.intend(job)
    book.receipt(b"7")
    book.receipt(b"8", address=OTHER[1:])
    assert forget(book).open == 1
    assert book.row("SELECT count(*) FROM parked") == (2,)
    book.answer(job, b"7")
    assert book.outcome(job) == "delivered"
    book.receipt(b"9", address="0" + HANDSET[3:])  # the same handset, as national carriers write it
    book.receipt(b"10", address="345678")  # too short to tell
    forget(book)
    assert {address for (address,) in book.rows("SELECT address FROM parked")} == {OTHER[1:], "345678"}


def test_what_the_handset_wrote_is_forgotten(book: Book) -> None:
    many: dict[str, Any] = {"form": "udh8", "reference": 7, "total": 2, "index": 1}
    write(book, "my name is Jo")
    write(book, "STOP")
    write(book, "mine stays", OTHER)
    write(book, "the first half", **many)
    write(book, "the first half", OTHER, **many)
    write(book, "to nobody", ours="54321")
    forget(book)
    shown = dump(book)
    assert HANDSET[1:] not in shown and "name is Jo" not in shown
    reader = book.reader()
    told = [
        (event.seq, event.from_, event.text, event.keyword)
        for event in events_in(reader.events(book.app, 0)[0])
    ]
    reader.close()
    assert told == [(1, "", "", None), (2, "", "", "stop"), (3, OTHER, "mine stays", None)]
    assert book.rows("SELECT handset FROM inbound_part") == [(OTHER,)]
    assert book.rows("SELECT count(*) FROM parked") == [(0,)]
    write(book, " and the second", OTHER, **{**many, "index": 2})
    assert book.told[book.app][-1].text == "the first half and the second"


def test_keys_that_were_pressed_are_forgotten(book: Book) -> None:
    content = Content("482917", "+447700900999", voice=Voice("", "en", "482917"))
    job = LiveJob(key=1, app=book.app, id="v1", recipient=HANDSET, content=content, accepted_at=book.now,
                  deadline_at=book.now + 60)  # fmt: skip
    book.commit(accepts=[book.accept_op(job)])
    book.intend(job)
    detail = '{"trunk":"t","call_id":"c","at":1.0,"keys":[["1",2.5]]}'
    book.commit(
        call_records=[CallRecord(1, 1, detail)],
        finishes=[book.finish_op(job, "delivered", "completed", "north")],
    )
    forget(book)
    assert book.row("SELECT detail FROM call") == ('{"trunk":"t","call_id":"c","at":1.0,"keys":[]}',)


def test_what_comes_while_it_is_looked_for_is_found(book: Book) -> None:
    ended(book, "1")
    found = find(book)
    ended(book, "2")
    write(book, "my name is Jo")
    done = forget(book, found=found)
    assert done.jobs == 2
    assert HANDSET[1:] not in dump(book)


def test_what_comes_after_all_was_acknowledged_is_found(book: Book) -> None:
    for number in range(5):
        ended(book, str(number), OTHER)
    found = find(book)
    book.acknowledge(book.told[book.app][-1].seq)
    write(book, "my name is Jo")
    assert book.row("SELECT max(rowid) FROM event")[0] < found.last_chunk
    forget(book, found=found)
    assert HANDSET[1:] not in dump(book)


def test_it_is_looked_for_in_short_reads(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "JOBS_AT_ONCE", 3)
    monkeypatch.setattr(forgetting, "CHUNKS_AT_ONCE", 2)
    for number in range(10):
        ended(book, str(number), HANDSET if number % 2 else OTHER)
    write(book, "my name is Jo")
    found = find(book)
    assert len(found.jobs) == 5 and len(found.chunks) == 1
    assert forget(book).jobs == 5


def test_it_does_not_show_the_number() -> None:
    assert HANDSET[1:] not in repr(Forget(HANDSET, Found((1,))))
