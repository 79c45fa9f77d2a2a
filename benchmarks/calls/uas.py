"""SIPp as the callee of a benchmark: when it hears."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Final

from benchmarks.processes import BenchmarkError

__all__ = ["LOOPBACK", "hears_at"]

LOOPBACK: Final = "127.0.0.1"
LISTENING_S: Final = 10.0


def hears_at(port: int, sipp: subprocess.Popen[bytes]) -> None:
    """Wait until it has bound its port; raises BenchmarkError when it does not."""
    end = time.monotonic() + LISTENING_S
    while f"0100007F:{port:04X}" not in Path("/proc/net/udp").read_text():
        if sipp.poll() is not None or time.monotonic() > end:
            raise BenchmarkError(f"SIPp does not listen at port {port}")
        time.sleep(0.01)
