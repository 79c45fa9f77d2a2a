"""The file's version: made, kept, brought forward, refused."""

from pathlib import Path

import apsw
import pytest

from connector.journal import schema
from connector.journal.store import Store, connect
from tests.journal.book import START, Book


def version(path: Path) -> int:
    connection = connect(path)
    found = int(connection.pragma("user_version"))
    connection.close()
    return found


def make(path: Path) -> Store:
    return Store(path, retention_s=1, answer_timeout_s=1)


def test_a_new_file_has_the_newest_version(tmp_path: Path) -> None:
    make(tmp_path / "journal.db").close()
    assert version(tmp_path / "journal.db") == len(schema.MIGRATIONS) >= 1


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    make(path).close()
    before = path.read_bytes()
    store = make(path)
    assert store.connection.changes() == 0
    store.close()
    assert path.read_bytes() == before


def test_an_older_file_is_brought_forward_and_keeps_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.db"
    first = make(path)
    shop = first.app("shop")
    first.close()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "ALTER TABLE app ADD COLUMN note TEXT"))
    second = make(path)
    assert list(second.connection.execute("SELECT id, name, note FROM app")) == [(shop, "shop", None)]
    second.close()
    assert version(path) == len(schema.MIGRATIONS)


def test_receipts_of_the_first_version_go_on(tmp_path: Path) -> None:
    """One that is noted at its part, and one that waits for its answer."""
    path = tmp_path / "journal.db"
    connection = connect(path)
    connection.execute(schema.MIGRATIONS[0])
    connection.pragma("user_version", 1)
    connection.execute(
        """
        INSERT INTO account VALUES (1, 'smsc.example|acme');
        INSERT INTO job VALUES (1, 1, 'j1', 'd', '+4915112345678', 1.7e9, 1.7e9, 2e9, 'report', NULL, '{}',
                                NULL, NULL, NULL);
        INSERT INTO attempt VALUES (1, 1, 1, 'north', 1, 1.7e9, '{}', NULL, NULL);
        INSERT INTO part VALUES (1, '42', 1, 1, 1, 1, '3432', 1.7e9, 'ENROUTE', NULL, 1.7e9, '');
        INSERT INTO parked VALUES (1, 1, 'north', 1.7e9, '[["same","43"]]', '49', 'EXPIRED', 'failed', '');
        INSERT INTO parked_key VALUES (1, '43', 1);
        """
    )
    connection.close()
    book = Book(path)
    book.receipt(b"42")
    assert book.rows("SELECT state, receipts FROM part") == [("DELIVERED", 2)]
    assert book.rows("SELECT state, late FROM timeline") == [("ENROUTE", 0)]
    job = book.accept("j2")
    book.intend(job)
    book.answer(job, b"43")
    assert book.outcome(job) == "expired"
    book.store.close()


def test_attempts_from_before_there_were_calls_are_messages(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    connection = connect(path)
    for script in schema.MIGRATIONS[:5]:
        connection.execute(script)
    connection.pragma("user_version", 5)
    connection.execute(
        """
        INSERT INTO account VALUES (1, 'smsc.example|acme');
        INSERT INTO job VALUES (1, 1, 'j1', 'd', '+4915112345678', 1.7e9, 1.7e9, 2e9, 'report', NULL,
                                '{"text":"","sender":"Acme"}', NULL, NULL, NULL);
        INSERT INTO attempt VALUES (1, 1, 1, 'north', 1, 1.7e9, '{}', NULL, NULL);
        """
    )
    connection.close()
    book = Book(path)
    assert book.rows("SELECT channel, result FROM attempt") == [("sms", None)]
    reader = book.reader()
    ((job, number, account, carrier, channel),) = reader.recover(START).outstanding
    assert (job.content.sender, number, account, carrier, channel) == ("Acme", 1, 1, "north", "sms")
    reader.close()
    book.store.close()


def test_each_step_is_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.db"
    make(path).close()
    held = version(path)
    steps = ("CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE TABLE b (x)")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, *steps))
    with pytest.raises(apsw.SQLError, match="already exists"):
        make(path)
    assert version(path) == held + 1
    connection = connect(path)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert {"a", "b"} & names == {"a"}
    connection.close()


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    make(path).close()
    connection = connect(path)
    connection.pragma("user_version", len(schema.MIGRATIONS) + 1)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(schema.SchemaTooNew, match=f"version {len(schema.MIGRATIONS) + 1}"):
        make(path)
    assert path.read_bytes() == before


def test_commits_reach_the_disk(tmp_path: Path) -> None:
    store = make(tmp_path / "journal.db")
    pragma = store.connection.pragma
    assert (pragma("journal_mode"), pragma("synchronous"), pragma("secure_delete")) == ("wal", 2, 1)
    store.close()
