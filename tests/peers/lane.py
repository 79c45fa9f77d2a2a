"""The real daemon, with one carrier, and the application that uses it."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from connector.client import Event, Job, SyncClient
from tests.peers.program import REPOSITORY

STOP_S = 15.0
DEADLINE_S = 20.0
SENDER = "ACME"

CONNECTOR = """\
lane = "verification"
[socket]
path = "{folder}/jobs.sock"
[[application]]
name = "shop"
uids = [{uid}]
[state]
folder = "{folder}/state"
[jobs]
free_text = true
senders = ["{sender}"]
default_sender = "{sender}"
"""

CARRIER = """\
[account]
host = "127.0.0.1"
port = {port}
system_id = "shop"
password_file = "password"
[binds]
tps = 1000
mode = "{mode}"
enquire_link_s = {enquire_link_s}
[backoff]
initial_s = 0.1
[text]
long_message = "{long_message}"
"""
PASSWORD = "s3cret"


class Daemon:
    """`connector run` as a process; at the end of the block SIGTERM stops it, and it must end well.

    Its configuration is in `folder`/config, and its socket is to be `folder`/jobs.sock.
    """

    def __init__(self, folder: Path) -> None:
        self._log = folder / "daemon.log"
        self._socket = folder / "jobs.sock"
        with self._log.open("w") as log:
            command = [sys.executable, "-m", "connector", "run", str(folder / "config")]
            self._process = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=subprocess.STDOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        try:
            self._process.send_signal(signal.SIGTERM)
            status = self._process.wait(STOP_S)
        finally:
            self._process.kill()
            self._process.wait(STOP_S)
            print(self.log)
        if failure is None:
            assert status == 0

    @property
    def log(self) -> str:
        return self._log.read_text()

    def client(self) -> SyncClient:
        return SyncClient(self._socket, name="shop")


class Lane(Daemon):
    """The daemon with one carrier."""

    def __init__(
        self,
        folder: Path,
        uid: int,
        port: int,
        *,
        mode: str = "transceiver",
        long_message: str = "udh8",
        enquire_link_s: float = 30.0,
    ) -> None:
        config = folder / "config"
        (config / "carriers").mkdir(parents=True)
        (config / "connector.toml").write_text(CONNECTOR.format(folder=folder, uid=uid, sender=SENDER))
        carrier = CARRIER.format(
            port=port, mode=mode, long_message=long_message, enquire_link_s=enquire_link_s
        )
        (config / "carriers" / "peer.toml").write_text(carrier)
        password = config / "password"
        password.write_text(PASSWORD)
        password.chmod(0o600)
        super().__init__(folder)

    def deliver(self, texts: Mapping[str, str]) -> dict[str, dict[str, Event]]:
        """Send texts by job id, each to the number of `recipient`; the events of each job by their type."""
        jobs = [
            Job(id=name, to="+" + recipient(number), text=text, deadline_s=DEADLINE_S)
            for number, (name, text) in enumerate(texts.items())
        ]
        happened: dict[str, dict[str, Event]] = {name: {} for name in texts}
        unfinished = set(texts)
        with self.client() as client:
            for result in client.submit_many(jobs):
                assert not isinstance(result, Exception), result
            events = client.events()
            while unfinished:
                event = events.get(DEADLINE_S)
                assert event is not None, f"no further event after {happened}"
                happened.setdefault(event.id, {})[event.type] = event
                if event.final:
                    unfinished.discard(event.id)
        return happened


def recipient(number: int) -> str:
    """The handset of the job that was submitted as `number` (from 0)."""
    return f"49151123450{number:02}"
