"""Journals from before there was evidence."""

from pathlib import Path

from connector.evidence import keys
from connector.evidence.days import lines
from connector.evidence.verify import verify
from connector.journal import schema
from connector.journal.store import connect
from tests.evidence.diary import NOON, Diary

BEFORE = 7


def test_a_job_of_an_older_version_ends_with_a_record(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    connection = connect(state / "journal.db")
    for script in schema.MIGRATIONS[:BEFORE]:
        connection.execute(script)
    connection.pragma("user_version", BEFORE)
    connection.execute(
        f"""
        INSERT INTO app VALUES (1, 'shop', 0, 0);
        INSERT INTO account VALUES (1, 'smsc.example|acme');
        INSERT INTO job VALUES (1, 1, 'old', 'd', '+447700900001', {NOON}, {NOON + 60}, {NOON + 300},
                                'report', NULL, '{{"sms":[{{"text":"x","sender":"Acme"}}]}}', NULL, NULL,
                                NULL, 0, NULL, NULL, NULL);
        INSERT INTO attempt VALUES (1, 1, 1, 'north', 1, {NOON},
            '{{"rule":"priority","chosen":"north","candidates":["north"]}}', NULL, NULL, 'sms', 0);
        INSERT INTO part VALUES (1, '1', 1, 1, 1, 1, '31', {NOON}, NULL, NULL, NULL, NULL, 0, NULL, NULL,
                                 NULL);
        """
    )
    connection.close()
    diary = Diary(state)
    diary.receipt(b"1", address="447700900001")
    start, line = (line for _, line in lines(state))
    assert (start["kind"], line["kind"]) == ("start", "job")
    record = line["record"]
    assert (record["id"], record["template"], record["country"]) == ("old", None, None)
    assert record["text_hmac"] == {"sms": [], "voice": []}
    assert list(record["attempts"][0]["decision"]) == ["candidates", "chosen", "rule"]
    assert verify(state, keys.load_verifying(state)).findings == []


def test_a_journal_that_is_only_opened_stays_as_it_is(tmp_path: Path) -> None:
    state = tmp_path / "state"
    Diary(state).store.close()
    before = (state / "journal.db").read_bytes()
    Diary(state).store.close()
    assert (state / "journal.db").read_bytes() == before
    assert list(lines(state)) == []
    assert verify(state, keys.load_verifying(state)).findings == []


def test_a_folder_without_a_journal_has_no_lines(tmp_path: Path) -> None:
    assert list(lines(tmp_path)) == []
    assert verify(tmp_path, keys.load_verifying(tmp_path)).findings == []
