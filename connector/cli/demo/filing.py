"""What a compliance officer would do with the demo: verify its evidence, and file a certificate."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from connector.cli.demo.setting import Setting

__all__ = ["Filed", "file_away"]

_LIMIT_S = 30.0


class Filed(NamedTuple):
    """records      of evidence
    verified     nothing was found that had been changed, left out or cut off
    job          whose certificate was written
    certificate  the file; None: it could not be written
    """

    records: int
    verified: bool
    job: str
    certificate: Path | None

    def as_json(self) -> dict[str, Any]:
        certificate = None if self.certificate is None else str(self.certificate)
        return {**self._asdict(), "certificate": certificate}


def file_away(setting: Setting, job: str) -> Filed:
    """By the commands that are there for it, each a process of its own."""
    verified = _evidence("verify", "--json", setting=setting)
    found: dict[str, Any] = json.loads(verified.stdout or "{}")
    written = _evidence("certificate", job, "-o", str(setting.certificate), setting=setting)
    return Filed(
        records=found.get("records", 0),
        verified=verified.returncode == 0 and bool(found.get("ok")),
        job=job,
        certificate=setting.certificate if written.returncode == 0 else None,
    )


def _evidence(command: str, *arguments: str, setting: Setting) -> subprocess.CompletedProcess[str]:
    with setting.log("evidence").open("a") as stderr:
        return subprocess.run(
            [
                sys.executable, "-m", "connector", "evidence", command,
                "--state", str(setting.state), *arguments,
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=_LIMIT_S,
            check=False,
        )  # fmt: skip
