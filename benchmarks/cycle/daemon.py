"""The real daemon on a folder of its own, bound to a simulated carrier."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.cycle.carrier import SYSTEM_ID, SimulatedCarrier
from benchmarks.cycle.order import Order, Report
from benchmarks.processes import Process, wait_until

__all__ = ["Daemon"]

# Limits far above what a run has under way: it is the daemon's speed that is measured, not its back-pressure.
_CONNECTOR = """\
lane = "verification"
[socket]
path = "{folder}/jobs.sock"
[[application]]
name = "bench"
uids = [{uid}]
max_queued = 100000
[state]
folder = "{folder}/state"
[log]
level = "warning"
[jobs]
free_text = true
senders = ["12345"]
default_sender = "12345"
max_queued = 100000
"""

_CARRIER = """\
[account]
host = "127.0.0.1"
port = {port}
system_id = "{system_id}"
password_file = "password"
[binds]
window = {window}
{binds}
[backoff]
initial_s = 0.1
"""


class Daemon(Process):
    """`connector run`; ready and bound when constructed. `address` is the path of its job socket."""

    driver = "benchmarks.cycle.application"

    def __init__(
        self, folder: Path, carrier: SimulatedCarrier, window: int, binds: Mapping[str, object] | None = None
    ) -> None:
        """`binds` are further keys of [binds]; without `tps` no rate holds anything back."""
        keys = {"tps": 1_000_000, **(binds or {})}
        config = folder / "config"
        (config / "carriers").mkdir(parents=True)
        (config / "connector.toml").write_text(_CONNECTOR.format(folder=folder, uid=os.getuid()))
        (config / "carriers" / "simulated.toml").write_text(
            _CARRIER.format(
                port=carrier.port,
                system_id=SYSTEM_ID,
                window=window,
                binds="\n".join(f"{key} = {json.dumps(value)}" for key, value in keys.items()),
            )
        )
        password = config / "password"
        password.write_text("password")
        password.chmod(0o600)
        socket = folder / "jobs.sock"
        self.address = str(socket)
        super().__init__([sys.executable, "-m", "connector", "run", config], folder / "daemon.log")
        self.name = "connector run"
        try:
            wait_until(lambda: socket.exists() and carrier.bound(), "the daemon is bound", self)
        except BaseException:
            self.stop()
            raise

    def complete(self, order: Order, report: Report, carrier: dict[str, Any]) -> list[str]:
        """What is wrong with the counts; nothing when each job went out once and has all that it must have.

        The carrier counted as many submits as there were jobs, and each job was handed over: so none went out
        twice. It sent as many receipts as jobs have ended: so none was lost on the way back.
        """
        expected = {
            "accepted by the daemon": (report.accepted, order.jobs),
            "submits seen by the carrier": (carrier["submits"], order.jobs),
            "submits accepted by the carrier": (carrier["accepted"], order.jobs),
            "jobs with an event `sent`": (report.sent, order.jobs),
            "jobs delivered": (report.outcomes.get("delivered", 0), carrier["receipts_sent"]),
            "jobs ended otherwise": (report.final - report.outcomes.get("delivered", 0), 0),
            "receipts answered": (carrier["receipts_answered"], carrier["receipts_sent"]),
            "events repeated": (report.repeated, 0),
        }
        if order.closes == "final":
            expected["jobs ended"] = (report.final, order.jobs)
        refused = [f"refused as {code}: {number}" for code, number in report.refused.items()]
        return refused + [
            f"{what}: {counted}, expected {right}"
            for what, (counted, right) in expected.items()
            if counted != right
        ]
