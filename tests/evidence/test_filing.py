"""From the table to the files of the days: nothing is lost or doubled, wherever it is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connector.evidence import keys
from connector.evidence.days import lines
from connector.evidence.filing import head_of
from connector.evidence.verify import verify
from connector.journal.evidence import Evidence
from tests.evidence.diary import DAY, NOON, Diary


def ids(state: Path) -> list[str]:
    """Jobs of the records, in order."""
    return [line["record"]["id"] for _, line in lines(state) if line["kind"] == "job"]


def test_a_day_is_closed_at_midnight_of_utc(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.delivered("j1")
    diary.file()
    assert sorted(path.name for path in (diary.state / "evidence").iterdir()) == [
        "2023-11-14.jsonl", "chain.key", f"public-{diary.keeping.keys.signing_id}.pem", "public.pem",
        "signing.key",
    ]  # fmt: skip
    assert diary.rows("SELECT * FROM evidence") == []
    diary.delivered("j2")
    diary.next_day()
    diary.delivered("j3")
    head = head_of(diary.state, "2023-11-14")
    assert head is not None
    assert (head.first, head.last, head.count, head.previous_mac) == (1, 3, 3, "0" * 64)
    diary.next_day()
    second = head_of(diary.state, "2023-11-15")
    assert second is not None
    assert (second.first, second.last, second.previous_mac) == (4, 4, head.mac)
    assert ids(diary.state) == ["j1", "j2", "j3"]
    report = diary.verify()
    assert (report.records, report.days, report.findings) == (4, 2, [])


def test_files_are_nobody_elses(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.delivered("j1")
    diary.next_day()
    folder = diary.state / "evidence"
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == (0o644 if path.suffix == ".pem" else 0o600), path


def test_days_without_records_have_no_file(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.delivered("j1")
    for _ in range(4):
        diary.next_day()
    diary.delivered("j2")
    diary.next_day()
    assert [path.name for path in sorted((diary.state / "evidence").glob("*.jsonl"))] == [
        "2023-11-14.jsonl", "2023-11-18.jsonl",
    ]  # fmt: skip
    assert diary.verify().findings == []


def test_a_clock_that_is_set_back_opens_no_closed_day(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.delivered("j1")
    diary.next_day()
    diary.now -= DAY
    diary.delivered("j2")
    diary.file()
    diary.now += 2 * DAY
    diary.delivered("j3")
    diary.file()
    assert ids(diary.state) == ["j1", "j2", "j3"]
    assert diary.verify().findings == []


def test_sweeps_file_what_is_old_enough(tmp_path: Path) -> None:
    """As the daemon does, without ever waiting for a file."""
    diary = Diary(tmp_path / "state")
    for second in range(30):
        diary.delivered(f"j{second}")
        diary.sweep()
        diary.now += 1.0
    held = diary.rows("SELECT min(first), max(last) FROM evidence")
    assert held[0][0] > 20
    assert ids(diary.state) == [f"j{n}" for n in range(30)]
    assert diary.verify().findings == []


def test_a_restart_goes_on_and_says_so(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.delivered("j1")
    diary.reopen()
    diary.delivered("j2")
    kinds = [line["kind"] for _, line in lines(diary.state)]
    assert kinds == ["start", "job", "start", "job"]
    assert diary.verify().findings == []


def test_a_new_key_goes_on_with_the_same_chain(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.delivered("j1")
    diary.next_day()
    diary.delivered("j2")
    folder = diary.state / "evidence"
    (folder / "chain.key").rename(folder / "chain-2023.key")
    (folder / "signing.key").unlink()
    made = keys.load(diary.state)
    assert made.chain_id != diary.keeping.keys.chain_id
    diary.reopen()
    diary.delivered("j3")
    diary.next_day()
    assert diary.verify().findings == []
    assert diary.verify(public_key_only=True).findings == []
    assert len(list(folder.glob("public-*.pem"))) == 2
    (folder / "chain-2023.key").unlink()
    assert "which is not here" in diary.verify().findings[0].what


def test_a_full_disk_costs_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    diary = Diary(tmp_path / "state")
    diary.delivered("j1")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        for _ in range(70):
            diary.sweep()
            diary.now += 1.0
    diary.delivered("j2")
    assert ids(diary.state) == ["j1", "j2"]
    assert diary.rows("SELECT min(first) FROM evidence") == [(1,)]
    diary.now += 61.0
    for _ in range(5):
        diary.sweep()
        diary.now += 10.0
    assert diary.rows("SELECT * FROM evidence") == []
    assert ids(diary.state) == ["j1", "j2"]
    assert diary.verify().findings == []


def failing(descriptor: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_damaged_day_is_told_when_it_is_closed(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.delivered("j1")
    diary.file()
    path = diary.state / "evidence/2023-11-14.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"delivered"', b'"expired"', 1))
    diary.next_day()
    (line,) = [line for _, line in lines(diary.state) if line["kind"] == "fault"]
    assert line["record"] == {"day": "2023-11-14", "what": "line 2: not what was written"}
    assert any(finding.where == "2023-11-14.jsonl:2" for finding in diary.verify().findings)
    assert diary.verify(public_key_only=True).findings


def test_a_state_that_was_edited_is_told_at_the_start(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.delivered("j1")
    diary.store.connection.execute("UPDATE evidence_state SET seal = 'x'")
    diary.reopen()
    diary.delivered("j2")
    assert any("said at a start" in finding.what for finding in diary.verify().findings)


def test_an_old_journal_beside_newer_files_is_told_and_loses_nothing(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.delivered("j1")
    diary.file()
    diary.store.close()
    old = (diary.state / "journal.db").read_bytes()
    diary.reopen()
    diary.delivered("j2")
    diary.file()
    diary.store.close()
    path = diary.state / "evidence/2023-11-14.jsonl"
    newer = path.read_bytes()
    for name in ("journal.db-wal", "journal.db-shm"):
        (diary.state / name).unlink(missing_ok=True)
    (diary.state / "journal.db").write_bytes(old)
    for _ in range(2):  # opened and closed again, it stays as it is
        diary.open()
    diary.delivered("j3")
    diary.file()
    assert path.with_name("2023-11-14.jsonl.3-4").read_bytes() == newer
    assert ids(diary.state) == ["j1", "j3"]
    (finding,) = diary.verify().findings
    assert "the files go on to record 4, the journal to 2: one is an old copy" in finding.what


class PowerCut(BaseException):
    """The process is gone."""


class Steps:
    """Ends the process at one of the steps that reach the disk; `count` of them have been taken."""

    def __init__(self, end_at: int | None = None) -> None:
        self.count = 0
        self.end_at = end_at

    def around(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            self.take()
            done = act(*args, **kwargs)
            self.take()
            return done

        return step

    def take(self) -> None:
        self.count += 1
        if self.count == self.end_at:
            raise PowerCut


@contextmanager
def counted(end_at: int | None = None) -> Iterator[Steps]:
    steps = Steps(end_at)
    names = ("fsync", "replace", "unlink")
    before = {name: getattr(os, name) for name in names}
    for name in names:
        setattr(os, name, steps.around(before[name]))
    try:
        yield steps
    finally:
        for name in names:
            setattr(os, name, before[name])


def night(diary: Diary) -> None:
    """Files, closes, redacts and deletes; as often as it is called, the same night."""
    diary.forget("+447700900007")
    diary.file()
    diary.now = NOON + 3 * DAY
    diary.file()
    if "after" not in ids(diary.state):
        diary.delivered("after")
    diary.file()


def evening(state: Path) -> Diary:
    diary = Diary(state, personal_days=1, keep_days=2)
    for day in range(3):
        diary.delivered(f"d{day}")
        diary.delivered(f"f{day}", "+447700900007")
        if day < 2:
            diary.next_day()
    diary.file()
    diary.delivered("late")
    return diary


def test_wherever_a_night_is_interrupted_it_is_finished_by_the_next_start(
    tmp_path: Path, random: Random
) -> None:
    diary = evening(tmp_path / "rehearsal")
    with counted() as rehearsal:
        night(diary)
    expected = ids(diary.state)
    assert rehearsal.count > 40
    for end_at in range(1, rehearsal.count + 1):
        state = tmp_path / f"cut-{end_at}"
        diary = evening(state)
        with counted(end_at), pytest.raises(PowerCut):
            night(diary)
        tear(diary, random)
        diary.evidence._running = None
        diary.reopen()
        assert diary.verify().findings == [], end_at
        night(diary)
        assert ids(state) == expected, end_at
        assert diary.verify().findings == [], end_at
        assert b"+447700900007" not in b"".join(p.read_bytes() for p in (state / "evidence").iterdir())
        assert not list((state / "evidence").glob("*.new")), end_at


def tear(diary: Diary, random: Random) -> None:
    """What was not synced is on the disk in part: the open day's file, and files that were being made."""
    (filed,) = diary.rows("SELECT state->>3 FROM evidence_state")[0]
    for path in (diary.state / "evidence").glob("*.new"):
        os.truncate(path, random.randint(0, path.stat().st_size))
    (day,) = diary.rows("SELECT state->>5 FROM evidence_state")[0]
    path = diary.state / "evidence" / f"{day}.jsonl"
    if day and path.exists():
        counts = sum(
            len(text) for text in path.read_bytes().splitlines(keepends=True) if seq_of(text) <= filed
        )
        os.truncate(path, random.randint(counts, path.stat().st_size))


def seq_of(text: bytes) -> int:
    return int(text.rstrip(b"}\n").rpartition(b":")[2])


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, "")
from tests.evidence.diary import DAY, Diary
diary = Diary(Path(sys.argv[1]), personal_days=2, keep_days=30)
first = int(sys.argv[2])
diary.now += first * 1000.0
for number in range(first, first + 1_000_000):
    diary.delivered(f"j{number}", f"+44770090{number % 10_000:04}")
    diary.now += DAY / 4
    diary.store.file_evidence(diary.now)
    print(number, flush=True)
"""


def test_killed_at_any_instant_it_loses_and_doubles_nothing(tmp_path: Path, random: Random) -> None:
    state = tmp_path / "state"
    acknowledged = -1
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", CHILD, str(state), str(acknowledged + 2)],
            stdout=subprocess.PIPE, text=True,
        ) as child:  # fmt: skip
            assert child.stdout is not None
            for _ in range(random.randint(3, 25)):
                acknowledged = int(child.stdout.readline())
            threading.Timer(random.uniform(0.0, 0.02), child.send_signal, [signal.SIGKILL]).start()
            rest = child.stdout.read().split()
            acknowledged = int(rest[-1]) if rest else acknowledged
        found = ids(state)
        assert len(found) == len(set(found))
        assert f"j{acknowledged}" in found
        assert verify(state, keys.load_verifying(state)).findings == []


def test_the_thread_that_files_is_waited_for_at_the_end_alone(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state")
    diary.store._evidence = Evidence(diary.store.connection, diary.keeping)
    for number in range(300):
        diary.delivered(f"j{number}")
        diary.now += 15.0
        diary.sweep()
    diary.store.close()
    state = tmp_path / "state"
    assert (state / "evidence/2023-11-14.jsonl").stat().st_size > 10_000
    assert ids(state) == [f"j{number}" for number in range(300)]
    assert verify(state, keys.load_verifying(state)).findings == []


def test_evidence_can_be_read_and_verified_while_it_is_written(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "state", personal_days=2)
    diary.delivered("first")
    known = keys.load_verifying(diary.state)
    over = threading.Event()
    faults: list[Any] = []

    def read() -> None:
        while not over.is_set():
            faults.extend(verify(diary.state, known).findings)
            seqs = [line["seq"] for _, line in lines(diary.state)]
            if seqs != sorted(set(seqs)):
                faults.append(seqs)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(60):
        diary.delivered(f"j{number}", f"+4477009000{number:02}")
        if number % 7 == 0:
            diary.forget(f"+4477009000{number:02}")
        diary.now += DAY / 6
        diary.file()
    over.set()
    reader.join()
    assert faults == []
