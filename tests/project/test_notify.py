"""connector.notify against a socket that stands for the service manager."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector import notify


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield sock


def test_ready_carries_its_status_in_the_same_datagram(manager: socket.socket) -> None:
    assert notify.ready("2 binds,\n 1 lane")
    assert manager.recv(4096) == b"READY=1\nSTATUS=2 binds, 1 lane"


def test_reloading_tells_since_when(manager: socket.socket) -> None:
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000
    assert notify.reloading("reading the configuration")
    state, since, status = manager.recv(4096).decode().split("\n")
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000
    assert (state, status) == ("RELOADING=1", "STATUS=reading the configuration")
    assert before <= int(since.removeprefix("MONOTONIC_USEC=")) <= after


def test_stopping_and_watchdog(manager: socket.socket) -> None:
    assert notify.stopping("draining 7")
    assert notify.watchdog()
    assert [manager.recv(4096) for _ in range(2)] == [
        b"STOPPING=1\nSTATUS=draining 7",
        b"WATCHDOG=1",
    ]


def test_abstract_address() -> None:
    name = f"carrier-connector-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0" + name)
        sock.setblocking(False)
        assert notify.notify("READY=1", environ={"NOTIFY_SOCKET": "@" + name})
        assert sock.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "relative", "/absent/notify", "@nobody-listens", "/" + "x" * 200])
def test_a_deaf_manager_is_no_error(address: str) -> None:
    assert notify.notify("READY=1", environ={"NOTIFY_SOCKET": address}) is False
    assert notify.notify("READY=1", environ={}) is False


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_watchdog_s(environ: dict[str, str], seconds: float | None) -> None:
    assert notify.watchdog_s(environ) == seconds


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_PID": "1", "LISTEN_FDS": "1"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "many"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0"},
    ],
)
def test_no_passed_sockets(environ: dict[str, str]) -> None:
    assert notify.listen_fds(environ) == ()
    assert environ == {}


PASSED = """
import os, socket, sys
from connector import notify
os.environ["LISTEN_PID"] = str(os.getpid())
passed = notify.listen_fds()
print([(p.name, p.fd, os.get_inheritable(p.fd)) for p in passed])
print(socket.socket(fileno=passed[0].fd).getsockname())
print(notify.listen_fds(), "LISTEN_FDS" in os.environ)
"""


def test_passed_sockets_come_with_their_names(tmp_path: Path) -> None:
    """In a process of its own, because descriptor 3 of the test's process is somebody else's."""
    path = str(tmp_path / "jobs")
    with socket.socket(socket.AF_UNIX) as jobs, socket.socket(socket.AF_UNIX) as other:
        jobs.bind(path)

        def place() -> None:
            os.dup2(jobs.fileno(), 100)
            os.dup2(other.fileno(), 101)
            os.dup2(100, 3, inheritable=True)
            os.dup2(101, 4, inheritable=True)

        done = subprocess.run(
            [sys.executable, "-c", PASSED],
            env={**os.environ, "LISTEN_FDS": "2", "LISTEN_FDNAMES": "jobs"},
            close_fds=False,
            preexec_fn=place,
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.splitlines() == ["[('jobs', 3, False), ('unknown', 4, False)]", path, "() False"]


def test_credential(tmp_path: Path) -> None:
    (tmp_path / "smsc-password").write_bytes(b"secret")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert notify.credential("smsc-password", environ) == tmp_path / "smsc-password"
    with pytest.raises(FileNotFoundError, match="LoadCredential=other"):
        notify.credential("other", environ)
    with pytest.raises(FileNotFoundError, match="CREDENTIALS_DIRECTORY"):
        notify.credential("smsc-password", {})


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc/passwd"])
def test_credential_names_are_file_names(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="plain file name"):
        notify.credential(name, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
