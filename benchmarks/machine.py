"""Where and with what a figure was measured: without it no figure can be compared."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import apsw

__all__ = ["facts"]

_REPOSITORY = Path(__file__).parents[1]
_SYNCS = 200
_PAGES = b"x" * 8192


def facts() -> dict[str, Any]:
    """Cores, processor, kernel, versions, load and disk before the run, the commit where git knows it."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "uvloop": importlib.util.find_spec("uvloop") is not None,
        "sqlite": apsw.sqlite_lib_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "fdatasync_p50_ms": _fdatasync_ms(),
        "commit": _commit(),
    }


def _processor() -> str | None:
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        return None
    return found[1] if found else None


def _fdatasync_ms() -> float:
    """Median time of a small append to the disk where the journals will lie: no commit is faster."""
    took = []
    with tempfile.TemporaryFile() as file:
        for _ in range(_SYNCS):
            file.write(_PAGES)
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return round(sorted(took)[_SYNCS // 2] * 1e3, 3)


def _commit() -> str | None:
    """Abbreviated commit, with + when tracked files differ from it; None outside a clone."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--exclude=*", "--dirty=+"],
            cwd=_REPOSITORY, capture_output=True, text=True, check=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip() or None
