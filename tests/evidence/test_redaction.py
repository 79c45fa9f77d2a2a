"""Personal parts go, by age and for those who want to be forgotten; the chain stays what it was."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from connector.evidence import keys
from connector.evidence.days import lines
from connector.evidence.filing import head_of
from connector.evidence.head import publish
from connector.evidence.redaction import redact_lines, spans_of
from connector.evidence.spans import in_spans, merged, minus
from connector.evidence.verify import verify
from tests.evidence.diary import DAY, Diary

NUMBER = "+447700900777"


def everything(diary: Diary) -> bytes:
    """All octets of the evidence: its files, and its rows in the journal."""
    files = b"".join(path.read_bytes() for path in (diary.state / "evidence").iterdir())
    return files + b"".join(text for (text,) in diary.rows("SELECT lines FROM evidence"))


def told(diary: Diary, kind: str) -> list[dict[str, Any]]:
    return [line for _, line in lines(diary.state) if line["kind"] == kind]


def test_a_number_is_forgotten_wherever_it_is(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    for day in range(3):
        diary.delivered(f"a{day}", NUMBER)
        diary.delivered(f"b{day}")
        if day < 2:
            diary.next_day()
    diary.file()
    diary.delivered("now", NUMBER)
    heads = [head_of(diary.state, day) for day in ("2023-11-14", "2023-11-15")]
    spans, looked = spans_of(diary.state, NUMBER)
    assert spans == [(2, 2), (4, 4), (6, 6), (8, 8)]
    assert looked == 8
    redact = diary.redact(*spans, number=NUMBER, looked=looked)
    assert (redact.records, redact.again) == (4, False)
    assert diary.verify().findings == [], "said, and not done yet"
    diary.file()
    assert NUMBER.encode() not in everything(diary)
    assert [line["record"]["seqs"] for line in told(diary, "redacted")] == [[[2, 2], [4, 4], [6, 6], [8, 8]]]
    assert [head_of(diary.state, day) for day in ("2023-11-14", "2023-11-15")] == heads
    assert diary.verify().findings == []
    assert diary.verify(public_key_only=True).findings == []
    assert spans_of(diary.state, NUMBER)[0] == []


def test_what_ends_between_the_look_and_the_commit_is_forgotten_too(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.delivered("a", NUMBER)
    spans, looked = spans_of(diary.state, NUMBER)
    diary.delivered("b", NUMBER)
    assert diary.redact(*spans, number=NUMBER, looked=looked).records == 2
    diary.file()
    assert NUMBER.encode() not in everything(diary)
    assert diary.verify().findings == []


def test_what_was_filed_between_is_asked_for_again(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.delivered("a", NUMBER)
    spans, looked = spans_of(diary.state, NUMBER)
    diary.delivered("b", NUMBER)
    diary.file()
    assert diary.redact(*spans, number=NUMBER, looked=looked).again
    assert not diary.forget(NUMBER).again
    diary.file()
    assert NUMBER.encode() not in everything(diary)
    assert diary.verify().findings == []


def test_a_number_that_begins_like_another_is_another(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.delivered("a", NUMBER + "1")
    assert spans_of(diary.state, NUMBER)[0] == []


def test_personal_parts_go_after_their_days(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state", personal_days=2)
    for day in range(5):
        diary.delivered(f"j{day}", f"+44770090000{day}")
        diary.next_day()
    held = [line["record"]["id"] for line in told(diary, "job") if "personal" in line]
    assert held == ["j3", "j4"]
    assert [line["record"]["reason"] for line in told(diary, "redacted")] == ["retention"] * 3
    assert diary.verify().findings == []
    for day in range(3):
        assert f"+44770090000{day}".encode() not in everything(diary)


def test_days_go_after_theirs(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state", keep_days=2)
    for day in range(5):
        diary.delivered(f"j{day}")
        diary.next_day()
    assert [line["record"]["id"] for line in told(diary, "job")] == ["j3", "j4"]
    assert told(diary, "dropped")[-1]["record"]["days"] == ["2023-11-16"]
    assert diary.verify().findings == []
    assert diary.verify(public_key_only=True).findings == []


def test_after_a_long_stop_all_that_is_due_is_done_at_once(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state", personal_days=3, keep_days=5)
    for day in range(4):
        diary.delivered(f"j{day}")
        if day < 3:
            diary.next_day()
    diary.now += 4 * DAY
    diary.reopen()
    diary.file()
    diary.delivered("new")
    diary.file()
    assert diary.verify().findings == []
    assert [line["record"]["id"] for line in told(diary, "job")] == ["j2", "j3", "new"]
    assert ["personal" in line for line in told(diary, "job")] == [False, False, True]


def test_a_published_head_betrays_that_everything_was_set_back(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.delivered("a")
    diary.store.connection.wal_checkpoint(mode=3)
    before = (diary.state / "journal.db").read_bytes()
    diary.delivered("b")
    head = publish(diary.keeping.keys, *diary.evidence.head, diary.now)
    assert len(head.mac) == 16
    assert diary.verify(known_head=head).findings == []
    diary.store.connection.close()
    for name in ("journal.db-wal", "journal.db-shm"):
        (diary.state / name).unlink(missing_ok=True)
    (diary.state / "journal.db").write_bytes(before)
    assert diary.verify().findings == []
    (finding,) = diary.verify(known_head=head).findings
    assert finding == ("known head", "record 3 was written; the newest one is 2")
    forged = msgspec.structs.replace(head, seq=2)
    assert any("no signature" in found.what for found in diary.verify(known_head=forged).findings)


def test_a_head_of_records_that_were_dropped_is_no_fault(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state", keep_days=1)
    diary.delivered("a")
    head = publish(diary.keeping.keys, *diary.evidence.head, diary.now)
    for day in range(3):
        diary.next_day()
        diary.delivered(f"b{day}")
    assert diary.verify(known_head=head).findings == []


def test_the_public_key_alone_proves_what_is_closed(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.delivered("a")
    diary.next_day()
    auditor = keys.load_verifying(diary.state, secrets=False)
    assert auditor.chains == {}
    assert verify(diary.state, auditor, public_key_only=True).findings == []
    path = diary.state / "evidence/2023-11-14.jsonl"
    before = path.read_bytes()
    for old, new in ((b'"delivered"', b'"expired"'), (b"+4477009", b"+4477008"), (b'"mac":"', b'"mac":"0')):
        path.write_bytes(before.replace(old, new, 1))
        assert verify(diary.state, auditor, public_key_only=True).findings


def test_another_key_pair_does_not_make_it_right(tmp_path: Path) -> None:
    """Everything written anew and signed with a key of one's own."""
    diary, other = Diary(tmp_path / "state"), tmp_path / "other"
    diary.delivered("a")
    diary.next_day()
    forger = keys.load(other, random=bytes)
    known = keys.load_verifying(diary.state)
    folder = diary.state / "evidence"
    for name in ("public.pem", f"public-{forger.signing_id}.pem"):
        (folder / name).write_bytes((other / "evidence" / name).read_bytes())
    (folder / f"public-{diary.keeping.keys.signing_id}.pem").unlink()
    assert diary.verify().findings
    assert verify(diary.state, known).findings == []
    (folder / f"public-{forger.signing_id}.pem").write_bytes(b"no key")
    with pytest.raises(keys.KeyFault, match="holds no Ed25519 public key"):
        diary.verify()


def test_spans() -> None:
    assert merged([(5, 6), (1, 2), (3, 3), (6, 9)]) == [(1, 3), (5, 9)]
    assert [seq for seq in range(12) if in_spans(seq, [(1, 3), (5, 9)])] == [1, 2, 3, 5, 6, 7, 8, 9]
    assert minus([(1, 10), (20, 30)], [(3, 4), (8, 22), (30, 40)]) == [(1, 2), (5, 7), (23, 29)]
    assert minus([(1, 3)], []) == [(1, 3)]


def test_lines_that_cannot_be_read_stay_as_they_are() -> None:
    assert redact_lines(b"no line\n\n{}", [(1, 9)], NUMBER) == (b"no line\n\n{}", [])
