"""The real daemon and the simulated carrier as processes, and an application that talks to them.

`Site` is one gateway host in a temporary folder: it writes configurations, starts processes, ends every one
of them by its pid, and keeps their logs for the report of a failed test (see conftest.py). Nothing sleeps:
a daemon is ready when it says so by sd_notify, an event has come when the application has it.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.ports import free_port
from connector.client import Client, Event, Options, Submitted
from connector.simulator.control import ask

PATIENCE_S = 20.0
_LOG_TAIL = 6_000
_PASSWORD = "secret"

Table = Mapping[str, object]


@dataclass(frozen=True)
class CarrierFile:
    """carriers/NAME.toml. Short waits, so that tests are short; the tables override single keys."""

    port: int
    name: str = "sim"
    priority: int = 0
    account: Table = field(default_factory=dict)
    binds: Table = field(default_factory=dict)
    backoff: Table = field(default_factory=dict)
    other: Table = field(default_factory=dict)

    def toml(self) -> str:
        return _toml({
            "priority": self.priority,
            "account": {
                "host": "127.0.0.1", "port": self.port, "system_id": "shop", "password_file": "password",
                **self.account,
            },
            "binds": {
                "tps": 10_000, "window": 50, "response_timeout_s": 5.0, "bind_timeout_s": 5.0, **self.binds,
            },
            "backoff": {"initial_s": 0.05, "max_s": 0.2, "ghost_s": 0.3, **self.backoff},
            **self.other,
        })  # fmt: skip


@dataclass(frozen=True)
class Lane:
    """connector.toml and its carriers; the application is whoever runs the test."""

    carriers: tuple[CarrierFile, ...]
    jobs: Table = field(default_factory=dict)
    application: Table = field(default_factory=dict)
    other: Table = field(default_factory=dict)
    http: bool = False


class Process:
    """One process of ours. Its standard error is the log."""

    def __init__(
        self, name: str, arguments: list[str], folder: Path, *, stdout: int | None = None, **options: Any
    ) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log if stdout is None else stdout, stderr=log,
                cwd=Path(__file__).parents[2], **options,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stdout(self) -> Any:
        return self._process.stdout

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired."""
        return self._process.wait(timeout_s)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self._process.kill()
        self._process.wait()

    def stop(self, timeout_s: float = PATIENCE_S) -> int:
        """SIGTERM; its exit code."""
        self._process.terminate()
        return self.wait(timeout_s)

    def close(self) -> None:
        if self.running:
            self.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def rss_kib(self) -> int:
        """Resident memory in KiB (proc(5), VmRSS)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


class SimulatedCarrier(Process):
    """`connector simulate smsc`; options as in connector.simulator.options."""

    def __init__(self, folder: Path, name: str, seed: int, port: int, options: Mapping[str, object]) -> None:
        faults = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
        command = ["simulate", "smsc", f"--port={port}", "--control-port=0", "--json", f"--seed={seed}"]
        super().__init__(name, [*_CONNECTOR, *command, *faults], folder, stdout=subprocess.PIPE)
        ready, _, _ = select.select([self.stdout], [], [], PATIENCE_S)
        line = self.stdout.readline() if ready else b""
        if not line:
            raise AssertionError(f"the simulated carrier does not listen: {self.log}")
        listening = json.loads(line)
        self.port, self.control_port = int(listening["port"]), int(listening["control_port"])

    def ask(self, command: str, **arguments: Any) -> Any:
        return ask(self.control_port, command, PATIENCE_S, **arguments)

    def set(self, **options: object) -> None:
        self.ask("set", options=options)

    def stats(self) -> dict[str, Any]:
        stats: dict[str, Any] = self.ask("stats")
        return stats

    def inbox(self, number: str) -> list[str]:
        """The texts that the handset of `number` shows."""
        return [received["text"] for received in self.ask("handsets", number=number)]


class Daemon(Process):
    """`connector run`, started and ready, or ended: then `wait` tells its exit code."""

    def __init__(
        self, site: Site, name: str, environment: Mapping[str, str], *, ready: bool, **options: Any
    ) -> None:
        self.socket_path = site.socket_path
        address = site.folder / f"{name}.notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
            address.unlink(missing_ok=True)
            notified.bind(str(address))
            environment = {**os.environ, **environment, "NOTIFY_SOCKET": str(address)}
            arguments = [*site.wrapper, *_CONNECTOR, "run", str(site.config)]
            super().__init__(name, arguments, site.folder, env=environment, **options)
            if ready:
                self._until_ready(notified)

    def _until_ready(self, notified: socket.socket) -> None:
        ended = os.pidfd_open(self.pid)
        deadline = time.monotonic() + PATIENCE_S
        try:
            while (left := deadline - time.monotonic()) > 0:
                waited: list[Any] = [notified, ended]
                readable, _, _ = select.select(waited, [], [], left)
                if notified in readable:
                    if b"READY=1" in notified.recv(4096).split(b"\n"):
                        return
                elif readable:
                    raise AssertionError(f"the daemon ended with {self.wait()}: {self.log[-_LOG_TAIL:]}")
        finally:
            os.close(ended)
        raise AssertionError(f"the daemon is not ready after {PATIENCE_S:g} s: {self.log[-_LOG_TAIL:]}")


_CONNECTOR = [sys.executable, "-m", "connector"]


class Site:
    """One gateway host: configuration, state and socket in a folder with a short name."""

    def __init__(self, seed: int = 1) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lane-"))
        self.config = self.folder / "config"
        self.state = self.folder / "state"
        self.socket_path = str(self.folder / "jobs.sock")
        self.http_port = 0
        self.wrapper: list[str] = []
        """Put before the daemon's command line."""
        self.processes: list[Process] = []
        self._seed = seed
        self._numbers = count(1)

    def carrier(self, *, port: int = 0, **options: object) -> SimulatedCarrier:
        name = f"carrier-{next(self._numbers)}"
        carrier = SimulatedCarrier(self.folder, name, self._seed, port, options)
        self.processes.append(carrier)
        return carrier

    def write(self, lane: Lane) -> None:
        """Write the configuration folder anew."""
        (self.config / "carriers").mkdir(parents=True, exist_ok=True)
        password = self.config / "password"
        password.write_text(_PASSWORD)
        password.chmod(0o600)
        tables: dict[str, object] = {
            "lane": "verification",
            "application": [{"name": "shop", "uids": [os.getuid()], **lane.application}],
            "socket": {"path": self.socket_path},
            "state": {"folder": str(self.state)},
            "jobs": {"free_text": True, "senders": ["ACME"], "default_sender": "ACME", **lane.jobs},
            **lane.other,
        }
        if lane.http:
            self.http_port = self.http_port or free_port()
            tables["http"] = {"listen": f"127.0.0.1:{self.http_port}"}
        (self.config / "connector.toml").write_text(_toml(tables))
        for carrier in lane.carriers:
            (self.config / "carriers" / f"{carrier.name}.toml").write_text(carrier.toml())

    def start(
        self,
        lane: Lane | None = None,
        *,
        ready: bool = True,
        environment: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Daemon:
        """The daemon, with `lane` or what was written last."""
        if lane is not None:
            self.write(lane)
        daemon = Daemon(self, f"daemon-{next(self._numbers)}", environment or {}, ready=ready, **options)
        self.processes.append(daemon)
        return daemon

    def close(self) -> None:
        for process in self.processes:
            process.close()
        shutil.rmtree(self.folder)

    def logs(self) -> list[tuple[str, str]]:
        """(process, end of its log) of the youngest processes."""
        return [(process.name, process.log[-_LOG_TAIL:]) for process in self.processes[-4:]]


class Application:
    """An application on the job socket. It follows all its events and checks that no number is missing."""

    def __init__(self, socket_path: str, *, acknowledge: bool = True) -> None:
        ack_every = 64 if acknowledge else 0
        options = Options(backoff_cap_s=0.1, timeout_s=PATIENCE_S, ack_every=ack_every)
        self.client = Client(socket_path, options=options)
        self.events: list[Event] = []
        self.finished: set[str] = set()
        self._by_id: dict[str, list[Event]] = {}
        self._changed = asyncio.Condition()
        self._follower: asyncio.Task[None] | None = None
        self._ids = count(1)
        self._prefix = f"{time.monotonic_ns():x}"

    async def __aenter__(self) -> Application:
        await self.client.connect()
        return self._enter()

    @classmethod
    @asynccontextmanager
    async def without_waiting(cls, socket_path: str) -> AsyncIterator[Application]:
        """For a daemon that is not there yet: its greeting is not waited for."""
        shop = cls(socket_path)
        greeting = asyncio.create_task(shop.client.connect())
        await asyncio.sleep(0)  # the client has its connection from here on
        try:
            yield shop._enter()
        finally:
            await greeting
            await shop.__aexit__(None, None, None)

    def _enter(self) -> Application:
        self._follower = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._follower is not None
        await self.client.close()
        await self._follower

    async def _follow(self) -> None:
        async for event in self.client.events():
            if self.events:
                assert event.seq == self.events[-1].seq + 1, f"events are missing before {event}"
            self.events.append(event)
            self._by_id.setdefault(event.id, []).append(event)
            if event.final:
                self.finished.add(event.id)
            async with self._changed:
                self._changed.notify_all()

    def job(self, to: str, text: str = "Your code is 482917", **fields: object) -> dict[str, object]:
        return {
            "id": f"{self._prefix}-{next(self._ids)}",
            "to": to,
            "text": text,
            "deadline_s": 30.0,
            **fields,
        }

    async def submit(self, to: str, text: str = "Your code is 482917", **fields: object) -> str:
        """Submit one job that is taken; its id."""
        submitted = await self.client.submit(self.job(to, text, **fields))
        assert not submitted.duplicate
        return submitted.id

    async def submit_many(self, jobs: list[dict[str, object]]) -> list[str]:
        results = await self.client.submit_many(jobs)
        assert all(isinstance(result, Submitted) for result in results), results
        return [str(job["id"]) for job in jobs]

    def of(self, job_id: str) -> list[Event]:
        """The events of one job so far."""
        return self._by_id.get(job_id, [])

    def types(self, job_id: str) -> list[str]:
        return [event.type for event in self.of(job_id)]

    async def until(self, condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
        """Wait until events make `condition` true."""
        assert self._follower is not None
        waiting = asyncio.create_task(self._hold(condition))
        try:
            await asyncio.wait(
                {waiting, self._follower}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
            if self._follower.done():
                self._follower.result()
            assert waiting.done(), f"not within {timeout_s:g} s; the last events: {self.events[-8:]}"
        finally:
            waiting.cancel()

    async def _hold(self, condition: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(condition)

    async def event(self, job_id: str, kind: str, timeout_s: float = PATIENCE_S) -> Event:
        """The first event of that type."""
        await self.until(lambda: kind in self.types(job_id), timeout_s)
        return next(event for event in self.of(job_id) if event.type == kind)

    async def final(self, job_id: str, timeout_s: float = PATIENCE_S) -> Event:
        """The job's last event; fails where another one follows or precedes it."""
        await self.until(lambda: any(event.final for event in self.of(job_id)), timeout_s)
        assert [event.final for event in self.of(job_id)].count(True) == 1, self.of(job_id)
        assert self.of(job_id)[-1].final, self.of(job_id)
        return self.of(job_id)[-1]


async def until(condition: Callable[[], bool], what: str, timeout_s: float = PATIENCE_S) -> None:
    """Look until `condition` holds: for what no event tells, such as the counters of the carrier."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {timeout_s:g} s"
        await asyncio.sleep(0.01)


def _toml(table: Mapping[str, object], path: str = "") -> str:
    """`table` as TOML; values are what JSON and TOML spell alike."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items() if not _is_table(value)]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{path}{key}]", _toml(value, f"{path}{key}.")]
        elif _is_table(value) and isinstance(value, list):
            for entry in value:
                lines += ["", f"[[{path}{key}]]", _toml(entry, f"{path}{key}.")]
    return "\n".join(lines) + "\n"


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and value != [] and isinstance(value[0], Mapping)
    )
