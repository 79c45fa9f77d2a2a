"""The real daemon on a folder of its own, bound to a simulated carrier."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.cycle.carrier import SYSTEM_ID, SimulatedCarrier
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
tps = 1000000
window = {window}
[backoff]
initial_s = 0.1
"""


class Daemon(Process):
    """`connector run`; ready and bound when constructed. `socket` is the path of its job socket."""

    def __init__(self, folder: Path, carrier: SimulatedCarrier, window: int) -> None:
        config = folder / "config"
        (config / "carriers").mkdir(parents=True)
        (config / "connector.toml").write_text(_CONNECTOR.format(folder=folder, uid=os.getuid()))
        (config / "carriers" / "simulated.toml").write_text(
            _CARRIER.format(port=carrier.port, system_id=SYSTEM_ID, window=window)
        )
        password = config / "password"
        password.write_text("password")
        password.chmod(0o600)
        self.socket = folder / "jobs.sock"
        super().__init__([sys.executable, "-m", "connector", "run", config], folder / "daemon.log")
        self.name = "connector run"
        try:
            wait_until(lambda: self.socket.exists() and carrier.bound(), "the daemon is bound", self)
        except BaseException:
            self.stop()
            raise
