"""Processes under measurement: started, read through /proc, and stopped by their own pid."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["BenchmarkError", "Process", "wait_until"]

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_STOP_S = 30.0
_TAIL_OCTETS = 2000


class BenchmarkError(Exception):
    """The measurement cannot be made; the text says why."""


class Process:
    """A child process whose output goes to `log`; leaving the context stops it and waits for its end."""

    def __init__(self, arguments: Sequence[str | Path], log: Path, cwd: Path | None = None) -> None:
        self.name = Path(arguments[0]).name
        self.log = log
        with log.open("wb") as output:
            self._child = subprocess.Popen(
                [str(argument) for argument in arguments],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=cwd,
            )  # fmt: skip
        self.pid = self._child.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> int:
        """SIGTERM, SIGKILL when that does not help; the exit code."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
        return self._child.wait()

    def check(self) -> None:
        """Raises BenchmarkError with the last lines of its output when the process has ended."""
        code = self._child.poll()
        if code is not None:
            raise BenchmarkError(f"{self.name} ended with exit code {code}: {self.tail()}")

    def tail(self) -> str:
        """The end of what it printed."""
        return self.log.read_bytes()[-_TAIL_OCTETS:].decode(errors="replace")

    def cpu_s(self) -> float:
        """User and system time of all its threads so far (proc(5) stat: utime, stime)."""
        # The name in parentheses may hold spaces; what follows it does not.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def peak_rss_mb(self) -> float:
        """Most memory it ever had resident (proc(5) status: VmHWM), in units of 1,000,000 octets."""
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE)
        return int(found[1]) * 1024 / 1e6 if found else 0.0


def wait_until(ready: Callable[[], bool], what: str, process: Process, limit_s: float = 20.0) -> None:
    """Look every 20 ms until `ready`; raises BenchmarkError when `process` ends or the time is over."""
    end = time.monotonic() + limit_s
    while not ready():
        process.check()
        if time.monotonic() > end:
            raise BenchmarkError(f"{what}: not within {limit_s:g} s: {process.tail()}")
        time.sleep(0.02)
