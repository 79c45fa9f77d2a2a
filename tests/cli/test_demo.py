import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import threading
import wave
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from connector.cli.demo.cast import (
    AFTERWARDS,
    AGENT,
    ASKED_AGAIN,
    BURST,
    CALLS,
    FOLLOWED,
    LATE,
    TELEPHONES,
    WRONG,
    wordings,
)
from connector.cli.demo.hearing import Calls, Transfer
from connector.cli.demo.result import Refusal, Result
from connector.cli.demo.track import Track
from connector.client import Event, RpcError
from tests.cli.conftest import REPOSITORY, connector

DEMO = [sys.executable, "-m", "connector", "demo"]
LIMIT_S = 100
pytestmark = pytest.mark.alone  # it looks at all processes


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(REPOSITORY), **more}


def processes_naming(folder: Path) -> list[str]:
    """Command lines of processes that have to do with `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


def children_of(pid: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # proc(5): the name in brackets may hold anything, the fields after it are state and parent.
            parent = stat.read_text(errors="replace").rpartition(")")[2].split()[1]
        except OSError:
            continue
        if int(parent) == pid:
            found.add(int(stat.parent.name))
    return found


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "kept"


class Terminal:
    """`connector demo` in a terminal, under way."""

    def __init__(self, columns: int, folder: Path) -> None:
        self.folder = folder
        self._shown = b""
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            DEMO, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
            env=environment(folder, COLUMNS=str(columns), LINES="24", TERM="xterm-256color"),
        )  # fmt: skip
        os.close(theirs)
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        # EIO: nobody holds the other end any more.
        with suppress(OSError):
            while piece := os.read(self._ours, 65_536):
                self._shown += piece

    def ended(self) -> tuple[int, str]:
        """Its exit code and everything that was shown."""
        code = self._process.wait(LIMIT_S)
        self._reading.join(LIMIT_S)
        return code, self._shown.decode()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reading.join()
        os.close(self._ours)


@pytest.fixture(scope="module")
def terminals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Terminal]]:
    """By columns. All demos run at the same time: a call takes as long as it takes."""
    started = {columns: Terminal(columns, tmp_path_factory.mktemp("terminal")) for columns in (80, 120)}
    yield started
    for terminal in started.values():
        terminal.close()


@pytest.fixture(scope="module")
def told(kept: Path, terminals: dict[int, Terminal]) -> dict[str, Any]:
    """What `connector demo --json --keep` prints."""
    assert terminals
    done = connector("demo", "--json", "--keep", str(kept), timeout_s=LIMIT_S)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    object_: dict[str, Any] = json.loads(done.stdout)
    return object_


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_everything_is_as_expected(told: dict[str, Any]) -> None:
    assert (told["schema"], told["ok"]) == (1, True)
    assert [check["what"] for check in told["checks"] if not check["ok"]] == []


@pytest.mark.timeout(120)
def test_each_job_has_its_record_and_the_call_a_certificate(told: dict[str, Any]) -> None:
    evidence = told["evidence"]
    assert evidence["verified"]
    assert evidence["records"] >= len(told["jobs"])
    assert evidence["job"] == "call-en"
    assert "call-en" in Path(evidence["certificate"]).read_text("utf-8")


@pytest.mark.timeout(120)
def test_every_job_is_told(told: dict[str, Any]) -> None:
    jobs = {job["id"]: job for job in told["jobs"]}
    cast = (*BURST, LATE, AFTERWARDS, ASKED_AGAIN, FOLLOWED, *CALLS)
    assert list(jobs) == [message.id for message in cast]
    calls = [jobs.pop(message.id) for message in CALLS]
    assert [(call["outcome"], call["channel"]) for call in calls] == [("delivered", "voice")] * 2
    assert [(call["keys"], call["transferred"]) for call in calls] == [("1", False), ("10", True)]
    assert all(call["heard"] for call in calls)
    late = jobs.pop(LATE.id)
    assert (late["outcome"], late["parts"], late["received"]) == ("expired", None, 0)
    assert late["seconds"] >= LATE.deadline_s
    older = jobs.pop(ASKED_AGAIN.id)
    assert (older["outcome"], older["carriers"], older["received"]) == ("cancelled", ["north"], 0)
    assert {job["outcome"] for job in jobs.values()} == {"delivered"}
    assert {job["received"] for job in jobs.values()} == {1}
    assert {job["channel"] for job in jobs.values()} == {"sms"}
    assert all(job["seconds_to_carrier"] > 0 for job in jobs.values())
    assert jobs["long-en"]["parts"] > 1
    assert jobs["reroute-fr"]["carriers"] == jobs[FOLLOWED.id]["carriers"] == ["north", "south"]
    assert jobs[FOLLOWED.id]["seconds"] < FOLLOWED.deadline_s


@pytest.mark.timeout(120)
def test_the_call_is_verified_by_ear(told: dict[str, Any], kept: Path) -> None:
    voice = told["voice"]
    assert len(voice["code"]) == 6
    assert voice["heard"] == voice["code"]
    assert voice["score"] > 0.9
    assert voice["wav"] == str(kept / "heard.wav")
    with wave.open(voice["wav"]) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert file.getnframes() > 8000 * 8
    transfer = voice["transfer"]
    assert (transfer["job"], transfer["agent_heard"]) == (CALLS[1].id, True)
    assert transfer["agent_s"] > 2


@pytest.mark.timeout(120)
def test_refusals_have_their_reasons(told: dict[str, Any]) -> None:
    assert [(refused["code"], refused["field"]) for refused in told["refused"]] == [
        ("forbidden", "template"),
        ("content", "params.device"),
        ("invalid_job", "to"),
    ]
    assert "belongs to the lane marketing" in told["refused"][0]["reason"]
    assert "is marketing" in told["refused"][1]["reason"]


@pytest.mark.timeout(120)
def test_what_is_kept_is_a_right_configuration_and_its_state(told: dict[str, Any], kept: Path) -> None:
    assert told["ok"]
    checked = connector("check", str(kept / "config"), "--json")
    assert checked.returncode == 0, checked.stdout
    assert (kept / "state" / "journal.db").is_file()
    assert len(list((kept / "recordings").glob("*.wav"))) == 3
    for message in (*BURST, *CALLS):
        assert message.code.encode() not in (kept / "daemon.log").read_bytes()
    assert processes_naming(kept) == []


@pytest.mark.timeout(120)
def test_an_earlier_demo_is_not_overwritten(told: dict[str, Any], kept: Path) -> None:
    assert told["ok"]
    done = connector("demo", "--keep", str(kept))
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds an earlier demo" in done.stderr


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose name is short enough for a Unix socket within."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(number: signal.Signals, short: Path) -> None:
    """It leaves nothing behind."""
    process = subprocess.Popen(
        DEMO,
        cwd=short,
        env=environment(short),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None and process.stderr is not None
        try:
            assert any("submitted again" in line for line in process.stdout), process.stderr.read()
            children = children_of(process.pid)
            assert len(children) == 4
            process.send_signal(number)
            process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
    assert process.returncode == 1
    assert list(short.iterdir()) == []
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("columns", [80, 120])
def test_in_a_terminal_no_line_is_too_long(columns: int, terminals: dict[int, Terminal]) -> None:
    code, text = terminals[columns].ended()
    assert code == 0, text
    assert "\x1b[" in text  # it is drawn
    assert "━" in text
    assert "✕ refused" in text
    assert "✘" not in text
    assert "♪ heard" in text
    last = text.rpartition("RECEIVED")[2]
    assert last.count("✔") == 10
    assert "everything as expected." in last
    left = sorted(path.name for path in terminals[columns].folder.iterdir())
    assert left == ["certificate.html", "heard.wav"]


def test_a_carrier_that_cannot_start_is_told(tmp_path: Path) -> None:
    """The socket's path would be too long for unix(7): the daemon says so, and the demo repeats it."""
    keep = tmp_path / ("x" * 100)
    done = connector("demo", "--json", "--keep", str(keep))
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (1, False)
    assert "the daemon ended with code 2" in told["error"]
    assert "socket.path" in told["error"]
    assert processes_naming(tmp_path) == []


# What the demo would notice


def delivered_track() -> Track:
    message = BURST[1]
    track = Track(message, message.text(wordings()))
    for fields in (
        {"type": "accepted"},
        {"type": "sent", "carrier": "north", "channel": "sms", "parts": 1, "attempt": 1},
        {"type": "delivered", "carrier": "north", "final": True, "outcome": "delivered"},
    ):
        track.apply(Event(seq=1, id=message.id, at=1.0, **fields))
    return track


def received(*tracks: Track) -> list[list[dict[str, Any]]]:
    return [[{"to": track.message.to, "text": track.text} for track in tracks]]


def test_a_delivered_text_is_as_expected() -> None:
    track, result = delivered_track(), Result()
    result.tracks = [track]
    result.received_by(received(track))
    assert track.wrong is None
    assert {check.what for check in result.checks if not check.ok} == {
        "a job submitted twice was sent once", "carriers used: north", "the daemon drained and stopped",
        "each telephone heard its code, by ear of the matched filter",
        "key 0 brought the agent, whose words were heard",
        "a silent carrier's code came by another one, in time",
        "the evidence is whole, and there is a certificate to file",
    }  # fmt: skip


@pytest.mark.parametrize("texts", [[], ["another text"], ["", ""]])
def test_nothing_another_text_or_twice_is_wrong(texts: list[str]) -> None:
    track, result = delivered_track(), Result()
    result.tracks = [track]
    result.received_by([[{"to": track.message.to, "text": text or track.text}] for text in texts])
    assert track.wrong is not None
    assert not result.ok


def test_a_text_on_a_strangers_handset_is_wrong() -> None:
    track, result = delivered_track(), Result()
    result.tracks = [track]
    result.received_by([*received(track), [{"to": "+441632960999", "text": track.text}]])
    assert "every handset has exactly the text that was meant for it, once" in {
        check.what for check in result.checks if not check.ok
    }


def test_who_asks_again_needs_the_newer_text_alone() -> None:
    tracks = [Track(message, message.text(wordings())) for message in (ASKED_AGAIN, FOLLOWED)]
    older, newer = tracks
    older.outcome, older.carriers = "cancelled", ["north"]
    newer.outcome, newer.carriers = "delivered", ["north", "south"]
    result = Result()
    result.tracks = tracks
    followed = "a silent carrier's code came by another one, in time"
    for texts, wrong in (((newer,), [False, False]), (tracks, [True, False]), ((older,), [True, True])):
        result.received_by(received(*texts))
        assert [track.wrong is not None for track in tracks] == wrong
        assert next(check.ok for check in result.checks if check.what == followed) is not wrong[1]


def test_a_late_text_on_the_handset_is_wrong() -> None:
    track = Track(LATE, LATE.text(wordings()))
    track.apply(Event(seq=1, id=LATE.id, at=1.0, type="expired", final=True, outcome="expired"))
    for texts, wrong in (([], None), ([track.text], "1 messages on the handset, expected nothing")):
        track.received = texts
        assert track.wrong == wrong


def test_another_outcome_route_or_number_of_parts_is_wrong() -> None:
    for message, told in (
        (BURST[0], "went by north, expected north, south"),
        (BURST[-1], "1 part, expected several"),
    ):
        track = Track(message, "")
        track.outcome, track.parts, track.carriers, track.received = "delivered", 1, ["north"], [""]
        assert track.wrong == told
        track.outcome = "unknown"
        assert track.wrong == "outcome unknown, expected delivered"


def spoken_track(**changes: Any) -> Track:
    """The call to the second telephone as it should go, but for `changes`."""
    message = CALLS[1]
    track = Track(message, message.text(wordings()))
    events: list[dict[str, Any]] = [
        {"type": "accepted"},
        {"type": "ringing", "carrier": "west", "channel": "voice", "attempt": 1},
        {"type": "answered", "carrier": "west"},
        {"type": "digit", "carrier": "west", "digit": "1"},
        {"type": "digit", "carrier": "west", "digit": "0"},
        {"type": "transferred", "carrier": "west"},
        {"type": "completed", "carrier": "west", "final": True, "outcome": "delivered"},
    ]
    for fields in events:
        track.apply(Event(seq=1, id=message.id, at=1.0, **fields))
    track.heard = message.code
    for name, value in changes.items():
        setattr(track, name, value)
    return track


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, None),
        ({"heard": None}, "heard no code"),
        ({"heard": "000000x"}, "heard 000000x"),
        ({"keys": "1"}, "keys 1 and the agent, not 10 and the agent"),
        ({"transferred": False}, "keys 10 and no agent, not 10 and the agent"),
    ],
)
def test_a_call_is_judged_by_what_was_heard_and_pressed(changes: dict[str, Any], wrong: str | None) -> None:
    track = spoken_track(**changes)
    assert (track.wrong is None) is (wrong is None)
    assert (wrong or "") in (track.wrong or "")
    result = Result()
    result.tracks = [track]
    result.calls = Calls("1", "1", 1.0, Path("heard.wav"), Transfer("x", 3.0, agent_heard=True))
    heard, agent = (check for check in result.checks if "heard" in check.what and "handset" not in check.what)
    assert heard.ok is ("heard" not in changes)
    assert agent.ok


def test_every_telephone_has_its_habits() -> None:
    assert set(TELEPHONES) == {*(message.to for message in CALLS), AGENT}


@pytest.mark.parametrize("error", [None, RpcError("busy", "x"), RpcError("forbidden", "x", field="sender")])
def test_another_refusal_is_wrong(error: RpcError | None) -> None:
    assert not Refusal(WRONG[0], error).as_expected
    assert Refusal(WRONG[0], RpcError("forbidden", "x", field="template")).as_expected
