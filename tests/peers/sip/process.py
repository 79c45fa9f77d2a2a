"""Servers of others in processes of their own: their ports, and the moment from which they listen."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Self

PATIENCE_S = 40.0
PARTING_S = 5.0
LOOPBACK = "127.0.0.1"
BETWEEN_S = 0.02


def listens(port: int, table: str = "udp") -> bool:
    """Whether somebody has the port on loopback or on every address: a line of /proc/net/udp or tcp."""
    lines = Path("/proc/net", table).read_text().splitlines()[1:]
    listening = "0A" if table == "tcp" else "07"
    for line in lines:
        _, local, _, state, *_ = line.split()
        address, _, number = local.partition(":")
        if int(number, 16) == port and state == listening and address in ("0100007F", "00000000"):
            return True
    return False


class Peer:
    """A program that listens on `port`, in all `tables`; it is ended and waited for after the block."""

    def __init__(
        self,
        command: list[str],
        folder: Path,
        port: int,
        *,
        tables: Collection[str] = ("udp",),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port
        self._tables = tables
        self.output = folder / f"{Path(command[0]).name}-{port}.log"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own, for those that have workers
            )

    def __enter__(self) -> Self:
        try:
            for table in self._tables:
                self.wait_until(partial(listens, self.port, table), "it does not listen")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def wait_until(self, happened: Callable[[], bool], otherwise: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not happened():
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.told()}"
            assert time.monotonic() < end, f"{otherwise}: {self.told()}"
            time.sleep(BETWEEN_S)

    def told(self) -> str:
        return self.output.read_text(errors="replace")

    def _end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PARTING_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PARTING_S)
        with suppress(ProcessLookupError):  # no worker is left
            os.killpg(self.process.pid, signal.SIGKILL)
        assert self.process.stdin is not None
        self.process.stdin.close()
