import json
from pathlib import Path

import pytest

from tests.cli.conftest import DELIVERED, UNDELIVERED, Gateway, connector

TEXT = "482917 is your code."


def test_an_accepted_job_is_told_with_a_new_id(gateway: Gateway) -> None:
    done = gateway.run("send", "--to", DELIVERED, "--text", TEXT, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    submitted = json.loads(done.stdout)
    assert submitted == {"schema": 1, "id": submitted["id"], "state": "queued", "duplicate": False}
    assert submitted["id"].startswith("cli-")


def test_the_socket_may_stand_in_the_environment(gateway: Gateway) -> None:
    id = gateway.new_id()
    environment = {"CONNECTOR_SOCKET": gateway.socket}
    done = connector("send", "--to", DELIVERED, "--text", TEXT, "--id", id, environment=environment)
    assert (done.returncode, done.stdout) == (0, f"{id}  accepted\n")


def test_every_option_reaches_the_daemon(gateway: Gateway) -> None:
    id = gateway.new_id()
    done = gateway.run(
        "send", "--id", id, "--to", "+447700900321", "--template", "sign-in", "--lang", "hi",
        "--code", "482917", "--code", "111111", "--sender", "ACME", "--deadline", "7.5", "--journey", "sms",
        "--on-unknown", "resend_once", "--class", "test", "--supersedes", f"login {id}", "--wait",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert gateway.north.inbox("+447700900321") == ["482917 आपका कोड है।"]
    with gateway.client() as client:
        status = client.status(id)
    assert status["deadline_at"] - status["accepted_at"] == pytest.approx(7.5)
    assert (status["on_unknown"], status["class"]) == ("resend_once", "test")
    assert status["supersedes"] == f"login {id}"


def test_flash_is_shown_at_once(gateway: Gateway) -> None:
    to = "+447700900322"
    done = gateway.run("send", "--to", to, "--text", TEXT, "--flash", "--wait")
    assert done.returncode == 0, done.stderr
    assert [shown["flash"] for shown in gateway.north.ask("handsets", number=to)] == [True]


def test_wait_prints_events_until_delivered(gateway: Gateway) -> None:
    id = gateway.new_id()
    done = gateway.run("send", "--to", DELIVERED, "--text", TEXT, "--id", id, "--wait", "--json")
    accepted, *events = (json.loads(line) for line in done.stdout.splitlines())
    assert accepted["state"] == "queued"
    assert [event["type"] for event in events] == ["accepted", "sent", "delivered"]
    assert {(event["schema"], event["id"]) for event in events} == {(1, id)}
    assert [event.get("final", False) for event in events] == [False, False, True]
    assert (events[-1]["outcome"], done.returncode) == ("delivered", 0)


def test_wait_in_words(gateway: Gateway) -> None:
    done = gateway.run("send", "--to", DELIVERED, "--text", TEXT, "--wait")
    accepted, sent, delivered = done.stdout.splitlines()
    assert accepted.endswith("  accepted")
    assert sent.endswith(" s  sent by north")
    assert delivered.endswith(" s  delivered by north · final")


def test_wait_fails_when_it_was_not_delivered(gateway: Gateway) -> None:
    done = gateway.run("send", "--to", UNDELIVERED, "--text", TEXT, "--wait", "--json")
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["outcome"], done.returncode) == ("undelivered", 1)


def test_wait_leaves_the_events_to_the_application(gateway: Gateway) -> None:
    id = gateway.new_id()
    assert gateway.run("send", "--to", DELIVERED, "--text", TEXT, "--id", id, "--wait").returncode == 0
    with gateway.client(ack_every=0) as client:
        events = client.events()
        seen = []
        while not (seen and seen[-1].id == id and seen[-1].final):
            event = events.get(10.0)
            assert event is not None, seen
            seen.append(event)


def test_wait_ends_when_the_application_has_taken_the_last_event_already(gateway: Gateway) -> None:
    id = gateway.finished(DELIVERED, TEXT)
    gateway.acknowledge_all()
    done = gateway.run(
        "send", "--to", DELIVERED, "--text", TEXT, "--id", id, "--deadline", "10", "--wait", "--json"
    )
    submitted, end = (json.loads(line) for line in done.stdout.splitlines())
    assert (submitted["duplicate"], submitted["state"]) == (True, "final")
    assert (end["id"], end["outcome"], end["final"], done.returncode) == (id, "delivered", True, 0)


def test_the_same_id_with_another_text_is_a_conflict(gateway: Gateway) -> None:
    id = gateway.finished(DELIVERED)
    done = gateway.run("send", "--to", DELIVERED, "--text", "another", "--id", id)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: conflict: id: ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--template", "spring-offer"], "forbidden: template: "),
        (["--template", "sign-on", "--lang", "en", "--param", "code=1"], 'did you mean "sign-in"?'),
        (["--template", "sign-in", "--lang", "en"], "invalid_job: params.code: is missing"),
        (["--text", "x", "--sender", "ACNE"], "did you mean 'ACME'?"),
        (["--text", "x", "--journey", "pigeon"], "invalid_job: journey: "),
    ],
)
def test_what_the_daemon_refuses_is_one_line(gateway: Gateway, arguments: list[str], told: str) -> None:
    done = gateway.run("send", "--to", DELIVERED, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert told in line


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--text", "x"], "--to"),
        (["--to", "0151", "--text", "x"], "--to: "),
        (["--to", DELIVERED], "--template: a template or a text"),
        (["--to", DELIVERED, "--text", "x", "--template", "y"], "--template: a template or a text"),
        (["--to", DELIVERED, "--template", "y", "--param", "code"], "expected KEY=VALUE"),
        (["--to", DELIVERED, "--template", "y", "--param", "a=1", "--param", "a=2"], "a is given twice"),
        (["--to", DELIVERED, "--text", "x", "--param", "a=1"], "--param: belong to a template"),
        (["--to", DELIVERED, "--text", "x", "--deadline", "-1"], "--deadline: "),
        (["--to", DELIVERED, "--text", "x", "--deadline", "soon"], "--deadline"),
        (["--to", DELIVERED, "--text", "x", "--on-unknown", "hope"], "--on-unknown"),
        (["--to", DELIVERED, "--text", "x", "--lang", "de_DE"], "--lang: "),
        (["--to", DELIVERED, "--text", "x", "--class", "c" * 33], "--class: "),
        (["--to", DELIVERED, "--text", "x", "--code", "1"], "--code: belong to a template"),
        (["--to", DELIVERED, "--template", "y", "--code", "1", "--param", "code=1"], "--code: stand in"),
        (["--to", DELIVERED, "--text", "x", "--supersedes", ""], "--supersedes: "),
    ],
)
def test_bad_usage_reaches_no_daemon(arguments: list[str], told: str, tmp_path: Path) -> None:
    done = connector("send", "--socket", str(tmp_path / "none"), *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_without_a_socket_it_is_bad_usage() -> None:
    done = connector("send", "--to", DELIVERED, "--text", "x")
    assert done.returncode == 2
    assert "CONNECTOR_SOCKET" in done.stderr


@pytest.mark.parametrize(
    "command", [["send", "--to", DELIVERED, "--text", "x"], ["watch"], ["status"], ["why", "x"]]
)
@pytest.mark.parametrize(("name", "told"), [("none", "No such file"), ("file", "is no socket")])
def test_no_daemon_is_told_at_once(command: list[str], name: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = connector(*command, "--socket", str(tmp_path / name))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert told in line
    assert str(tmp_path / name) in line
