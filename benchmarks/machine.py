"""Where and with what a figure was measured: without it no figure can be compared."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

import apsw

__all__ = ["facts"]

_REPOSITORY = Path(__file__).parents[1]


def facts() -> dict[str, Any]:
    """Cores, processor, kernel, versions, the load before the run, and the commit where git knows it."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "uvloop": importlib.util.find_spec("uvloop") is not None,
        "sqlite": apsw.sqlite_lib_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "commit": _commit(),
    }


def _processor() -> str | None:
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        return None
    return found[1] if found else None


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
