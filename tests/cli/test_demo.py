import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connector.cli.demo.cast import AFTERWARDS, BURST, LATE, WRONG, wordings
from connector.cli.demo.result import Refusal, Result
from connector.cli.demo.track import Track
from connector.client import Event, RpcError
from tests.cli.conftest import REPOSITORY, connector

DEMO = [sys.executable, "-m", "connector", "demo"]
LIMIT_S = 60


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder), **more}


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


@pytest.fixture(scope="module")
def told(kept: Path) -> dict[str, Any]:
    """What `connector demo --json --keep` prints."""
    done = connector("demo", "--json", "--keep", str(kept), timeout_s=LIMIT_S)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    object_: dict[str, Any] = json.loads(done.stdout)
    return object_


@pytest.mark.timeout(90)
def test_everything_is_as_expected(told: dict[str, Any]) -> None:
    assert (told["schema"], told["ok"], told["voice"], told["evidence"]) == (1, True, None, None)
    assert [check["what"] for check in told["checks"] if not check["ok"]] == []


@pytest.mark.timeout(90)
def test_every_job_is_told(told: dict[str, Any]) -> None:
    jobs = {job["id"]: job for job in told["jobs"]}
    assert list(jobs) == [message.id for message in (*BURST, LATE, AFTERWARDS)]
    late = jobs.pop(LATE.id)
    assert (late["outcome"], late["parts"], late["received"]) == ("expired", None, 0)
    assert late["seconds"] >= LATE.deadline_s
    assert {job["outcome"] for job in jobs.values()} == {"delivered"}
    assert {job["received"] for job in jobs.values()} == {1}
    assert {job["channel"] for job in jobs.values()} == {"sms"}
    assert all(job["seconds_to_carrier"] > 0 for job in jobs.values())
    assert jobs["long-en"]["parts"] > 1
    assert jobs["reroute-fr"]["carriers"] == ["north", "south"]


@pytest.mark.timeout(90)
def test_refusals_have_their_reasons(told: dict[str, Any]) -> None:
    assert [(refused["code"], refused["field"]) for refused in told["refused"]] == [
        ("forbidden", "template"),
        ("invalid_job", "to"),
    ]
    assert "belongs to the lane marketing" in told["refused"][0]["reason"]


@pytest.mark.timeout(90)
def test_what_is_kept_is_a_right_configuration_and_its_state(told: dict[str, Any], kept: Path) -> None:
    assert told["ok"]
    checked = connector("check", str(kept / "config"), "--json")
    assert checked.returncode == 0, checked.stdout
    assert (kept / "state" / "journal.db").is_file()
    for message in BURST:
        assert message.code.encode() not in (kept / "daemon.log").read_bytes()
    assert processes_naming(kept) == []


@pytest.mark.timeout(90)
def test_an_earlier_demo_is_not_overwritten(told: dict[str, Any], kept: Path) -> None:
    assert told["ok"]
    done = connector("demo", "--keep", str(kept))
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds an earlier demo" in done.stderr


@pytest.mark.timeout(90)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    process = subprocess.Popen(
        DEMO,
        cwd=REPOSITORY,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            assert any("submitted again" in line for line in process.stdout)
            children = children_of(process.pid)
            assert len(children) == 3
            process.send_signal(number)
            process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
    assert process.returncode == 1
    assert list(tmp_path.iterdir()) == []
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []


@pytest.mark.timeout(90)
@pytest.mark.parametrize("columns", [80, 120])
def test_in_a_terminal_no_line_is_too_long(columns: int, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        DEMO, cwd=REPOSITORY, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
        env=environment(tmp_path, COLUMNS=str(columns), LINES="24", TERM="xterm-256color"),
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while piece := _read(ours):
            shown += piece
        assert process.wait(LIMIT_S) == 0
    finally:
        os.close(ours)
        process.kill()
        process.wait()
    text = shown.decode()
    assert "\x1b[" in text  # it is drawn
    assert "━" in text
    assert "✕ refused" in text
    assert "✘" not in text
    last = text.rpartition("RECEIVED")[2]
    assert last.count("✔") == 6
    assert "everything as expected." in last
    assert list(tmp_path.iterdir()) == []


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:  # EIO: nobody holds the other end any more
        return b""


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


@pytest.mark.parametrize("error", [None, RpcError("busy", "x"), RpcError("forbidden", "x", field="sender")])
def test_another_refusal_is_wrong(error: RpcError | None) -> None:
    assert not Refusal(WRONG[0], error).as_expected
    assert Refusal(WRONG[0], RpcError("forbidden", "x", field="template")).as_expected
