"""The real daemon under a real systemd: start, ready, jobs, SIGKILL and recovery, stop with drain, keys."""

import json
import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.docs.pages import code, read
from tests.systemd.container import Container, end

SERVICE, SOCKET = "connector@verification.service", "connector@verification.socket"
JOBS = "/run/connector/verification.sock"
STATE = "/var/lib/connector/verification"
CREDENTIALS = "/etc/connector/verification/credentials"
PERSON = "+447700900321"
CONTROL_PORT = 2780
CARRIER = f"""\
[Service]
ExecStart=/usr/bin/connector simulate smsc --port 2775 --control-port {CONTROL_PORT} \
    --json --verbose --seed 7 --no-stories --system-id acme_otp --password pa55word \
    --response-delay 0.02 --receipt-delay 0.3
"""
READ = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())"

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(600)]


class Shop:
    """tests/systemd/programs/shop.py at work in the container."""

    def __init__(self, machine: Container, count: int, first: int) -> None:
        command = (machine.python, "/opt/programs/shop.py", JOBS, str(count), str(first))
        self._process = machine.start(*command, user="shop")
        self.accepted: list[str] = self._next()["accepted"]
        self.outcomes: dict[str, list[str]] = {}
        self.types: Counter[str] = Counter()

    def _next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            _, errors = self._process.communicate()
            pytest.fail(f"the application ended: {errors}")
        return dict(json.loads(line))

    def follow(self, kind: str, count: int) -> None:
        """Read events until `count` of `kind` have come."""
        while self.types[kind] < count:
            self._note(self._next())

    def finish(self) -> Counter[str]:
        """Read events until every job has ended; how many ended how."""
        while len(self.outcomes) < len(self.accepted):
            self._note(self._next())
        assert self._process.wait(10) == 0
        assert all(len(outcomes) == 1 for outcomes in self.outcomes.values()), "a job ended twice"
        assert sorted(self.outcomes) == self.accepted
        return Counter(outcomes[0] for outcomes in self.outcomes.values())

    def _note(self, event: dict[str, Any]) -> None:
        if event["id"] not in self.accepted:
            return  # what the application before us had not acknowledged comes again
        self.types[event["type"]] += 1
        if event["final"]:
            self.outcomes.setdefault(event["id"], []).append(event["outcome"])

    def close(self) -> None:
        end(self._process)


@pytest.fixture(scope="module")
def lane(machine: Container) -> Iterator[Container]:
    machine.run("cp", "-r", "/opt/lanes/verification", "/etc/connector/verification")
    signing = Ed25519PrivateKey.generate()
    pem = signing.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for name, key in (
        ("seal", secrets.token_hex()),
        ("chain", secrets.token_hex()),
        ("signing", pem.decode()),
    ):
        machine.write(f"{CREDENTIALS}/{name}", key)
    machine.run("chmod", "-R", "go=", CREDENTIALS)
    machine.write("/run/systemd/system/carrier.service", CARRIER)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "carrier.service", SOCKET)
    yield machine
    machine.run("systemctl", "stop", SOCKET, SERVICE, "carrier.service")


def carrier(machine: Container, command: str) -> dict[str, Any]:
    answer = machine.run(machine.python, "/opt/programs/carrier.py", str(CONTROL_PORT), command)
    return dict(json.loads(answer))


def unbinds(machine: Container) -> int:
    """How many unbinds the simulated carrier has told the journal of."""
    said = machine.run("journalctl", "--no-pager", "--output=cat", "--unit=carrier.service")
    return said.count('"event": "unbind"')


@pytest.fixture
def shop(lane: Container, request: pytest.FixtureRequest) -> Iterator[Shop]:
    working = Shop(lane, *request.param)
    yield working
    working.close()


@pytest.mark.parametrize("shop", [(5, 0)], indirect=True)
def test_a_job_starts_the_daemon_and_is_delivered(lane: Container, shop: Shop) -> None:
    assert shop.finish() == {"delivered": 5}
    shown = lane.show(SERVICE, "ActiveState", "SubState", "NRestarts", "Result")
    assert shown == {"ActiveState": "active", "SubState": "running", "NRestarts": "0", "Result": "success"}
    assert lane.show(SERVICE, "StatusText")["StatusText"]
    assert lane.run(lane.python, "-c", READ, "http://127.0.0.1:9464/readyz")
    assert "connector_" in lane.run(lane.python, "-c", READ, "http://127.0.0.1:9464/metrics")


@pytest.mark.parametrize("shop", [(200, 1000)], indirect=True)
def test_sigkill_loses_no_job_and_sends_none_twice(lane: Container, shop: Shop) -> None:
    before = lane.show(SERVICE, "MainPID", "NRestarts")
    shop.follow("delivered", 20)
    lane.run("systemctl", "kill", "--signal=KILL", "--kill-who=main", SERVICE)
    ended = shop.finish()
    after = lane.show(SERVICE, "MainPID", "NRestarts", "ActiveState")
    assert after["ActiveState"] == "active"
    assert after["MainPID"] != before["MainPID"]
    assert int(after["NRestarts"]) == int(before["NRestarts"]) + 1
    # What had left without an answer when the process died, at most the one bind's window, is unknown.
    assert set(ended) <= {"delivered", "unknown"}, ended
    assert ended["unknown"] <= 10
    assert carrier(lane, "submissions")["repeats"] == []


@pytest.mark.parametrize("shop", [(150, 2000)], indirect=True)
def test_stop_drains_and_start_goes_on(lane: Container, shop: Shop) -> None:
    unbound = unbinds(lane)
    shop.follow("delivered", 10)
    lane.run("systemctl", "stop", SOCKET, SERVICE)
    assert lane.show(SERVICE, "ActiveState") == {"ActiveState": "inactive"}
    # From the journal, because systemd forgets the result of an instance nobody needs any more.
    said = lane.run("journalctl", "--no-pager", "--output=cat", "--lines=5", f"--unit={SERVICE}")
    assert f"{SERVICE}: Deactivated successfully." in said
    assert unbinds(lane) == unbound + 1
    assert len(shop.outcomes) < len(shop.accepted), "everything had ended before: nothing was drained"
    lane.run("systemctl", "start", SOCKET, SERVICE)
    assert shop.finish() == {"delivered": 150}
    assert carrier(lane, "submissions")["repeats"] == []


@pytest.mark.parametrize("shop", [(200, 4000)], indirect=True)
def test_reload_rebinds_and_loses_nothing(lane: Container, shop: Shop) -> None:
    before = lane.show(SERVICE, "MainPID", "NRestarts")
    shop.follow("delivered", 10)
    lane.run("sh", "-c", r"sed -i 's/^tps = .*/&\nwindow = 9/' /etc/connector/verification/carriers/*.toml")
    lane.run("systemctl", "reload", SERVICE)
    assert shop.finish() == {"delivered": 200}
    assert lane.show(SERVICE, "MainPID", "NRestarts") == before
    assert lane.show(SERVICE, "ActiveState", "SubState") == {"ActiveState": "active", "SubState": "running"}
    said = lane.run("journalctl", "--no-pager", "--output=cat", f"--unit={SERVICE}")
    assert "configuration read again" in said
    assert "old binds gone" in said
    assert carrier(lane, "submissions")["repeats"] == []


def said(machine: Container, unit: str, line: str) -> bool:
    """Whether the unit has printed the line, within 30 s."""
    found = f"journalctl --output=cat --unit={unit} | grep --quiet --fixed-strings '{line}'"
    command = f'timeout 30 sh -c "until {found}; do sleep 0.2; done" && echo yes'
    return machine.run("sh", "-c", command, check=False) == "yes\n"


def evidence(machine: Container) -> dict[str, Any]:
    """What `connector evidence verify` says of the lane, with the credential's key."""
    verify = ("/usr/bin/connector", "evidence", "verify", f"--state={STATE}", "--json")
    return dict(json.loads(machine.run(*verify, f"--chain-key={CREDENTIALS}/chain")))


def test_keys_are_credentials_and_evidence_verifies(lane: Container) -> None:
    """In the sandbox a template needs ICU, its text is sealed, and the record of it is chained."""
    send = ("/usr/bin/connector", "send", f"--socket={JOBS}", f"--to={PERSON}", "--id=pay-1", "--wait")
    params = ("--param=code=482917", "--param=n=2", "--param=amount=1234.50")
    lane.run(*send, "--template=payment", *params, user="shop")
    assert evidence(lane)["ok"]
    match = ("/usr/bin/connector", "evidence", "match", f"--state={STATE}", "pay-1")
    text = "482917 confirms 2 payments of €1,234.50."
    lane.run(*match, f"--chain-key={CREDENTIALS}/chain", f"--text={text}")
    assert lane.run("find", f"{STATE}/", "-name", "*.key").split() == [f"{STATE}/digest.key"]


def test_a_number_is_forgotten_while_the_lane_is_stopped(lane: Container) -> None:
    """By root without the keys nothing happens; in a unit with the lane's account and credentials it does."""
    lane.run("systemctl", "stop", SOCKET, SERVICE)
    before = evidence(lane)["records"]
    lane.run("/usr/bin/connector", "forget", f"--state={STATE}", PERSON, check=False)
    assert lane.run("find", f"{STATE}/", "-user", "root") == ""
    (command,) = [line for line in code(read("docs/operations.md")) if line.startswith("systemd-run ")]
    # Nothing is piped or awaited by the unit's manager alone: here is no message bus.
    lane.run("sh", "-c", command.replace("--pipe --wait", "--unit=forget").replace("NUMBER", PERSON))
    assert said(lane, "forget.service", "forgotten in 1 job and 1 record of evidence")
    assert lane.run("find", f"{STATE}/", "-user", "root") == ""
    lane.run("systemctl", "start", SOCKET, SERVICE)
    after = evidence(lane)
    assert after["ok"] and after["records"] > before


def test_a_wrong_configuration_is_told_and_tried_again(lane: Container) -> None:
    """The daemon says what is wrong and systemd keeps trying, so that mending the file is enough."""
    broken = "connector@broken.service"
    lane.run("cp", "-r", "/etc/connector/verification", "/etc/connector/broken")
    lane.write("/etc/connector/broken/connector.toml", 'lane = "broken"\nlanes = 1\n')
    with lane.start("systemctl", "start", broken) as starting:
        assert starting.wait(30) != 0
    assert lane.show(broken, "ActiveState") == {"ActiveState": "activating"}
    journal = lane.run("journalctl", "--no-pager", "--output=cat", f"--unit={broken}")
    assert "connector.toml:2: lanes" in journal
    assert "status=2/INVALIDARGUMENT" in journal
    lane.run("systemctl", "stop", "connector@broken.socket", broken)
