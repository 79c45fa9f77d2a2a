"""What a process may do inside connector@.service: everything the daemon needs, and no more."""

import json
from typing import Any

import pytest

from tests.systemd.container import Container

UNIT = "connector@probe.service"
DROP_IN = """\
[Service]
ExecStart=
ExecStart={python} /opt/programs/probe.py
"""

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def lane(machine: Container) -> Container:
    drop_in = DROP_IN.format(python=machine.python)
    machine.write(f"/run/systemd/system/{UNIT}.d/probe.conf", drop_in)
    machine.run("mkdir", "-p", "/etc/connector/other")
    machine.write("/etc/connector/probe/credentials/smsc", "s3cret", mode="600")
    machine.run("chmod", "0700", "/etc/connector/probe/credentials")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "connector@probe.socket")
    return machine


def ask(machine: Container, user: str = "shop") -> dict[str, Any]:
    command = ("python3", "/opt/programs/ask.py", "/run/connector/probe.sock")
    answer = machine.run(*command, user=user, check=False)
    return dict(json.loads(answer)) if answer else {}


@pytest.fixture(scope="module")
def answer(lane: Container) -> dict[str, Any]:
    assert lane.show(UNIT, "ActiveState") == {"ActiveState": "inactive"}
    return ask(lane)


def test_a_connection_starts_the_service(lane: Container, answer: dict[str, Any]) -> None:
    assert answer["name"] == "jobs"
    shown = lane.show(UNIT, "ActiveState", "SubState", "StatusText", "Result")
    assert shown == {
        "ActiveState": "active",
        "SubState": "running",
        "StatusText": "probing",
        "Result": "success",
    }


def test_the_caller_is_known_by_its_uid(lane: Container, answer: dict[str, Any]) -> None:
    assert answer["peer"] == int(lane.run("id", "--user", "shop"))


def test_only_the_group_may_connect(lane: Container, answer: dict[str, Any]) -> None:
    assert answer
    assert ask(lane, user="stranger") == {}
    mode = lane.run("stat", "--format=%a %U %G", "/run/connector/probe.sock")
    assert mode.split() == ["660", "root", "connector-clients"]


def test_the_lane_has_an_account_of_its_own(lane: Container, answer: dict[str, Any]) -> None:
    assert answer["uid"] not in (0, answer["peer"])
    owner = lane.run("stat", "--dereference", "--format=%a %u", "/var/lib/connector/probe/")
    assert owner.split() == ["700", str(answer["uid"])]


def test_the_libraries_work(answer: dict[str, Any]) -> None:
    expected = {"callback": 1, "loop": True, "regex": ["e\u0301", "x"], "msgspec": [1], "watchdog_s": 30.0}
    assert {key: answer[key] for key in expected} == expected
    assert answer["journal"] >= 1


def test_a_lane_sees_nothing_that_is_not_its_own(answer: dict[str, Any]) -> None:
    assert answer["credential"] == "s3cret"
    assert answer["lanes"] == ["probe"]
    assert answer["secrets"] == "PermissionError"
    assert answer["home"] == "PermissionError"
    assert answer["write"] == "OSError"
    assert answer["netlink"] == "OSError"


def test_a_killed_process_comes_back_and_callers_wait(lane: Container, answer: dict[str, Any]) -> None:
    before = lane.show(UNIT, "MainPID", "NRestarts")
    lane.run("systemctl", "kill", "--signal=KILL", "--kill-who=main", UNIT)
    again = ask(lane)
    after = lane.show(UNIT, "MainPID", "NRestarts")
    assert again["journal"] == answer["journal"] + 1
    assert int(after["NRestarts"]) == int(before["NRestarts"]) + 1
    assert after["MainPID"] != before["MainPID"]


def test_stop_is_clean_and_the_socket_stays(lane: Container, answer: dict[str, Any]) -> None:
    lane.run("systemctl", "stop", UNIT)
    shown = lane.show(UNIT, "ActiveState", "Result", "ExecMainStatus")
    assert shown == {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"}
    assert lane.show("connector@probe.socket", "ActiveState") == {"ActiveState": "active"}
    assert ask(lane)["journal"] > answer["journal"]
