"""Events: numbered without a gap, read from any number, forgotten when acknowledged."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.journal import reader as reader_module
from connector.journal.ops import Acknowledge
from tests.journal.book import Book, events_in


def fill(book: Book, *sizes: int) -> None:
    """One commit for each size, with so many events; ids count up."""
    number = sum(len(events) for events in book.told.values())
    for size in sizes:
        jobs = [book.job(f"j{number + n + 1}") for n in range(size)]
        number += size
        book.commit(accepts=[book.accept_op(job) for job in jobs])


def pulled(book: Book, after: int) -> list[int]:
    """All that follow, by repeated reads."""
    reader, found = book.reader(), []
    while True:
        frames, last = reader.events(book.app, after)
        if not frames:
            break
        events = events_in(frames)
        assert events[-1].seq == last
        assert all(event.id == f"j{event.seq}" for event in events)
        found += [event.seq for event in events]
        after = last
    reader.close()
    return found


def test_from_anywhere(book: Book) -> None:
    fill(book, 3, 1, 5)
    for after in range(10):
        assert pulled(book, after) == list(range(after + 1, 10))


def test_nothing_new(book: Book) -> None:
    fill(book, 2)
    assert book.reader().events(book.app, 2) == (b"", 2)
    assert book.reader().events(book.app, 99) == (b"", 99)


def test_a_read_is_bounded_and_still_gets_on(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "_EVENT_BYTES", 1)
    fill(book, 3, 2)
    assert book.reader().events(book.app, 0)[1] == 3
    assert pulled(book, 1) == [2, 3, 4, 5]


def test_more_chunks_than_one_read_takes(book: Book) -> None:
    fill(book, *[1] * 150)
    assert pulled(book, 0) == list(range(1, 151))


def test_acknowledged_within_a_chunk(book: Book) -> None:
    fill(book, 3, 3)
    batch = book.acknowledge(4)
    assert batch.backlog == {book.app: 2}
    assert book.reader().cursor(book.app) == (4, 6)
    assert book.rows("SELECT first, last FROM event") == [(4, 6)]
    assert pulled(book, 4) == [5, 6]


def test_numbers_go_on_after_all_is_acknowledged_and_a_restart(book: Book) -> None:
    fill(book, 3)
    book.acknowledge(3)
    assert book.rows("SELECT * FROM event") == []
    book.reopen()
    fill(book, 2)
    assert pulled(book, 3) == [4, 5]


def test_an_acknowledgement_never_goes_back(book: Book) -> None:
    fill(book, 5)
    book.acknowledge(4)
    book.acknowledge(2, 1)
    assert book.reader().cursor(book.app) == (4, 5)
    book.reopen()
    book.acknowledge(3)
    assert book.reader().cursor(book.app) == (4, 5)


def test_what_was_never_sent_cannot_be_acknowledged(book: Book) -> None:
    fill(book, 2)
    book.acknowledge(10**9)
    assert book.reader().cursor(book.app) == (2, 2)
    fill(book, 1)
    assert pulled(book, 2) == [3]


def test_events_of_the_same_commit_cannot_be_acknowledged_yet(book: Book) -> None:
    book.commit(accepts=[book.accept_op(book.job("j1"))], acknowledges=[Acknowledge(book.app, 1)])
    assert pulled(book, 0) == [1]
    assert book.reader().cursor(book.app) == (0, 1)


def test_an_unknown_application_has_none(book: Book) -> None:
    assert book.reader().cursor(999) == (0, 0)
    assert book.reader().events(999, 0) == (b"", 0)


@settings(max_examples=25)
@given(data=st.data())
def test_any_steps(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Fill, acknowledge and restart in any order: what is unacknowledged can be read, and nothing else."""
    book, cursor = Book(tmp_path_factory.mktemp("any") / "journal.db"), 0
    for _ in range(data.draw(st.integers(1, 6))):
        newest = sum(len(events) for events in book.told.values())
        step = data.draw(st.sampled_from(["fill", "acknowledge", "restart"]))
        if step == "fill":
            fill(book, *data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
        elif step == "acknowledge":
            seqs = data.draw(st.lists(st.integers(0, newest + 3), max_size=3))
            book.acknowledge(*seqs)
            cursor = max(cursor, *(min(seq, newest) for seq in [*seqs, 0]))
        else:
            book.reopen()
    newest = sum(len(events) for events in book.told.values())
    assert [event.seq for event in book.told.get(book.app, [])] == list(range(1, newest + 1))
    assert pulled(book, cursor) == list(range(cursor + 1, newest + 1))
    assert book.reader().cursor(book.app) == (cursor, newest)
    book.store.connection.close()
