"""Texts in the journal: sealed where they lie, whole when they are read, and the keys changed under them."""

from pathlib import Path

import pytest

from connector.journal import sealed
from connector.journal.inbound import Reception
from connector.journal.ops import Inbound, InboundPart
from connector.journal.schema import MIGRATIONS
from connector.journal.store import connect
from connector.sealing import Key, Seal, SealError, is_sealed
from connector.state_folder import digest_key, seal_of
from protocols.gsm.coding import encode
from tests.journal.book import HANDSET, Book, events_in
from tests.journal.test_wipe import octets_on_disk

TEXT = "CODE-739164 is yours"
OURS, NOBODYS = "12345", "54321"
OLD, NEW, OTHER = Key("2026-05", b"o" * 32), Key("2026-11", b"n" * 32), Key("2026-05", b"x" * 32)
RECEPTION = Reception(lambda recipient: "shop" if recipient == OURS else None)


def filled(path: Path, seal: Seal | None = None) -> Book:
    """A job, a message to the application that it has not taken, half of one, and one to nobody."""
    book = Book(path, reception=RECEPTION, seal=seal)
    book.accept(text=TEXT)
    whole = InboundPart(HANDSET, OURS, "latin1", encode(TEXT, "latin1"))
    half = InboundPart(HANDSET, OURS, "latin1", encode(TEXT, "latin1"), "udh8", 7, 2, 1)
    lost = InboundPart(HANDSET, NOBODYS, "latin1", encode(TEXT, "latin1"))
    book.commit(inbound=[
        Inbound(book.account, "north", part, 1, frozenset({1}), book.now, None)
        for part in (whole, half, lost)
    ])  # fmt: skip
    return book


def values(book: Book) -> list[str | bytes]:
    """All that must be sealed."""
    selects = ("body FROM job", "octets FROM inbound_part", "raw FROM parked", "frames FROM event")
    return [value for select in selects for (value,) in book.rows(f"SELECT {select}")]


def check_all_is_there(book: Book) -> None:
    """After a start: the job can be sent, the messages can be told."""
    reader = book.reader()
    (job,) = reader.recover(book.now).waiting
    assert job.content.text == TEXT
    row = reader.job(book.app, "j1")
    assert row is not None and TEXT.encode() in row["body"]
    frames, _ = reader.events(book.app, 0)
    assert [(event.type, event.text) for event in events_in(frames)] == [
        ("accepted", None),
        ("received", TEXT),
    ]
    assert events_in(reader.events(book.app, 1)[0])[0].text == TEXT
    reader.close()
    rest = InboundPart(HANDSET, OURS, "latin1", b"!", "udh8", 7, 2, 2)
    batch = book.commit(inbound=[Inbound(book.account, "north", rest, 1, frozenset({1}), book.now, None)])
    assert batch.inbound[0].fate == "told"
    assert events_in(batch.chunks[0].frames)[0].text == TEXT + "!"


def test_nothing_lies_open(tmp_path: Path) -> None:
    book = filled(tmp_path / "journal.db")
    assert len(values(book)) == 5 and all(map(is_sealed, values(book)))
    for form in (TEXT, TEXT.encode().hex(), TEXT.encode("utf-16-be").hex()):
        assert form.encode() not in octets_on_disk(book)
    assert (tmp_path / "seal.key").stat().st_mode & 0o777 == 0o600
    book.reopen()
    check_all_is_there(book)


def test_what_older_versions_left_open_is_sealed_at_the_start(tmp_path: Path) -> None:
    book = filled(tmp_path / "journal.db")
    seal, connection = seal_of(tmp_path), book.store.connection
    for table, places, column, _ in sealed._COLUMNS:
        for *place, value in book.rows(f"SELECT {places}, {column} FROM {table}"):
            context = sealed._CONTEXTS[table](*place)
            plain = (
                seal.open_octets(value, context)
                if isinstance(value, bytes)
                else seal.open(value, context).decode()
            )
            where = " AND ".join(f"{name} = ?" for name in places.split(", "))
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (plain, *place))
    connection.execute("DELETE FROM sealed_by")
    (tmp_path / "digest.key").write_bytes(b"d" * 32)
    assert TEXT.encode() in octets_on_disk(book)
    book.reopen()
    assert book.store.digest_key == b"d" * 32
    assert is_sealed((tmp_path / "digest.key").read_bytes())
    assert all(map(is_sealed, values(book)))
    assert TEXT.encode() not in octets_on_disk(book), "neither in a free page nor in the WAL"
    check_all_is_there(book)


def test_a_body_of_the_first_version_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    connection = connect(path)
    connection.execute(MIGRATIONS[0])
    connection.pragma("user_version", 1)
    connection.execute(
        """INSERT INTO app VALUES (1, 'shop', 0, 0);
           INSERT INTO job VALUES (1, 1, 'j1', 'd', '+4915112345678', 1.7e9, 2e9, 3e9, 'report', NULL,
                                   '{"text":"CODE-739164 is yours","sender":"Acme"}', NULL, NULL, NULL)"""
    )
    connection.close()
    book = Book(path)
    (job,) = book.reader().recover(book.now).waiting
    assert (job.content.text, job.content.sender) == (TEXT, "Acme")
    assert TEXT.encode() not in octets_on_disk(book)


@pytest.mark.parametrize("before", [Seal([OLD]), None])
def test_a_new_key_takes_over_at_the_start(tmp_path: Path, before: Seal | None) -> None:
    """From a key of the configuration, and from the state folder's own."""
    book = filled(tmp_path / "journal.db", before)
    digests = book.store.digest_key
    old = OLD if before else Key("state-folder", (tmp_path / "seal.key").read_bytes())
    book.seal = Seal([NEW, old])
    book.reopen()
    assert all(book.seal.is_current(value) for value in values(book))
    book.seal = Seal([NEW])
    book.reopen()  # the old one is needed no more
    assert book.store.digest_key == digests
    check_all_is_there(book)


@pytest.mark.parametrize("wrong", [[NEW], [OTHER], [NEW, OTHER]])
def test_without_the_key_nothing_starts_and_nothing_is_lost(tmp_path: Path, wrong: list[Key]) -> None:
    book = filled(tmp_path / "journal.db", Seal([OLD]))
    before, digests = values(book), (tmp_path / "digest.key").read_bytes()
    book.seal = Seal(wrong)
    with pytest.raises(SealError, match="sealed with key '2026-05'") as refused:
        book.reopen()
    assert refused.value.key_id == "2026-05"
    assert ("another" if OTHER in wrong else "not there") in str(refused.value)
    book.seal = Seal([NEW, OLD])
    assert (tmp_path / "digest.key").read_bytes() == digests
    book.open()
    assert len(values(book)) == len(before)
    check_all_is_there(book)


def test_one_value_that_does_not_open_leaves_all_as_it_was(tmp_path: Path) -> None:
    """Half of a journal under a new key would need both for ever."""
    book = filled(tmp_path / "journal.db", Seal([OLD]))
    stranger = Seal([Key("gone", b"g" * 32)]).seal_octets(b"", b"")
    book.rows("UPDATE event SET frames = ?", stranger)
    before = values(book)
    book.seal = Seal([NEW, OLD])
    with pytest.raises(SealError, match="'gone'"):
        book.reopen()
    book.seal = Seal([OLD])
    book.open()
    assert values(book) == before


def test_a_body_counts_in_its_own_row_alone(tmp_path: Path) -> None:
    """Who can write to the file cannot have one job say what another one says."""
    book = filled(tmp_path / "journal.db")
    book.accept("j2", text="another one")
    book.rows("UPDATE job SET body = (SELECT body FROM job WHERE ext = 'j1')")
    with pytest.raises(SealError):
        book.reader().recover(book.now)


def test_the_key_of_the_digests_is_kept(tmp_path: Path) -> None:
    seal = Seal([OLD])
    key = digest_key(tmp_path, seal)
    assert digest_key(tmp_path, seal) == key
    assert key not in (tmp_path / "digest.key").read_bytes()
    assert digest_key(tmp_path, Seal([NEW, OLD])) == key
    assert digest_key(tmp_path, Seal([NEW])) == key
    with pytest.raises(SealError, match="2026-11"):
        digest_key(tmp_path, Seal([OLD]))
