"""Calls of the real daemon under the shipped unit: names looked up, speech rendered, a code said."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.systemd.container import Container

SERVICE, SOCKET = "connector@calls.service", "connector@calls.socket"
JOBS = "/run/connector/calls.sock"
CONFIG = "/etc/connector/calls"
# Briefer and longer than the engine's own, so that calls are short and the difference shows.
RECORDED_S = {"greeting": 0.6, "code_intro": 2.0, "goodbye": 0.6}
CALLEE = """\
[Service]
ExecStart=/usr/bin/connector simulate callee --listen 127.0.0.1:5070 --control-port 5071 --json --seed 7 \
    --challenge 407 --username acme-otp --password pa55word --realm west.example --answer-after fixed:0.1
"""
NAMES = """\
[Service]
ExecStart={python} /opt/programs/names.py
"""
REAL_TIME = "/usr/share/doc/carrier-connector/realtime.conf"

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def lane(machine: Container) -> Iterator[Container]:
    """A lane that knows its trunk by name, with a password, and says its phrases from recordings."""
    machine.run("cp", "-r", "/opt/lanes/calls", CONFIG)
    machine.run("chmod", "-R", "go=", f"{CONFIG}/credentials")
    manifest = "".join(f'{name} = "{name}.wav"\n' for name in RECORDED_S)
    machine.write(f"{CONFIG}/recordings/en/manifest.toml", f"[phrases]\n{manifest}")
    for name, seconds in RECORDED_S.items():
        file = f"{CONFIG}/recordings/en/{name}.wav"
        machine.run(machine.python, "/opt/programs/tone.py", file, str(seconds))
    machine.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    machine.write("/run/systemd/system/callee.service", CALLEE)
    machine.write("/run/systemd/system/names.service", NAMES.format(python=machine.python))
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "callee.service", "names.service", SOCKET)
    yield machine
    machine.run("systemctl", "stop", SOCKET, SERVICE, "callee.service", "names.service")


def call(machine: Container, id: str) -> dict[str, Any]:
    """The call detail of a code that was delivered."""
    send = ("/usr/bin/connector", "send", f"--socket={JOBS}", "--to=+4915112345678", "--template=login-code")
    how = ("--param=code=48", "--journey=call", "--deadline=60", f"--id={id}", "--wait")
    machine.run(*send, *how, user="shop")
    told = machine.run("/usr/bin/connector", "why", f"--socket={JOBS}", "--json", id, user="shop")
    return dict(json.loads(told)["attempts"][0]["call"])


def scheduling(machine: Container) -> list[tuple[str, str, int]]:
    """(what runs, policy, niceness) of the daemon and of the processes it has started."""
    pid = machine.show(SERVICE, "MainPID")["MainPID"]
    told = json.loads(machine.run(machine.python, "/opt/programs/scheduling.py", pid))
    return [(" ".join(arguments), policy, nice) for arguments, policy, nice in told]


@pytest.fixture(scope="module")
def detail(lane: Container) -> dict[str, Any]:
    return call(lane, "call-1")


def test_a_code_is_said(lane: Container, detail: dict[str, Any]) -> None:
    assert detail["delivered"]
    assert (detail["trunk"], detail["status"], detail["kind"]) == ("west", 200, "heard")
    assert [name for name, *_ in detail["prompts"]] == ["greeting", "code_intro", "code", "goodbye"]
    assert all(whole for *_, whole in detail["prompts"])
    assert detail["media"]["received"] > 0
    shown = lane.show(SERVICE, "ActiveState", "NRestarts")
    assert shown == {"ActiveState": "active", "NRestarts": "0"}


def test_a_recording_of_the_lane_is_played(detail: dict[str, Any]) -> None:
    said = {name: ended - began for name, began, ended, _ in detail["prompts"]}
    assert said["code_intro"] > RECORDED_S["code_intro"] - 0.2


def test_media_go_before_speech(lane: Container, detail: dict[str, Any]) -> None:
    assert detail
    (_, policy, nice), *workers = scheduling(lane)
    assert (policy, nice) == ("SCHED_OTHER", -5)
    assert ["connector.voice.speech.worker" in arguments for arguments, *_ in workers] == [True]
    assert [how for _, *how in workers] == [["SCHED_OTHER", 0]]


def test_real_time_is_for_the_daemon_alone(lane: Container, detail: dict[str, Any]) -> None:
    assert detail
    folder = f"/etc/systemd/system/{SERVICE}.d"
    lane.run("mkdir", "-p", folder)
    lane.run("cp", REAL_TIME, folder)
    lane.run("systemctl", "daemon-reload")
    lane.run("systemctl", "restart", SERVICE)
    assert call(lane, "call-2")["delivered"]
    (_, policy, _), *workers = scheduling(lane)
    assert policy == "SCHED_FIFO"
    assert [how for _, *how in workers] == [["SCHED_OTHER", 0]]
