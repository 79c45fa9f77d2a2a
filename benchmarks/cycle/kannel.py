"""Kannel's bearerbox in front of the same simulated carrier, keeping nothing on the disk: its fastest way."""

from __future__ import annotations

import dataclasses
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.cycle.carrier import SYSTEM_ID, SimulatedCarrier
from benchmarks.cycle.measure import measure
from benchmarks.cycle.order import Order, Report
from benchmarks.cycle.scenarios import Scenario
from benchmarks.ports import free_port
from benchmarks.processes import Process, wait_until

__all__ = ["installed", "measure_kannel", "version"]

# Kannel User's Guide 1.4.5, §4.3 core group, §6 SMSC group; one smsbox group is required.
_CONFIGURATION = """\
group = core
admin-port = {admin}
admin-interface = "127.0.0.1"
admin-password = bench
smsbox-port = {box}
smsbox-interface = "127.0.0.1"
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
log-file = "{folder}/bearerbox.log"
log-level = 4
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = simulated
host = 127.0.0.1
port = {port}
transceiver-mode = true
smsc-username = "{system_id}"
smsc-password = "password"
system-type = ""
address-range = ""
max-pending-submits = {window}

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {box}
sendsms-port = {sendsms}
"""


class Bearerbox(Process):
    """Bound when constructed. `address` is the port of its box protocol."""

    driver = "benchmarks.cycle.box"

    def __init__(self, folder: Path, carrier: SimulatedCarrier, window: int) -> None:
        admin = free_port()
        box, sendsms = admin + 1, admin + 2
        configuration = folder / "kannel.conf"
        configuration.write_text(_CONFIGURATION.format(
            admin=admin, box=box, sendsms=sendsms, folder=folder, port=carrier.port, system_id=SYSTEM_ID,
            window=window,
        ))  # fmt: skip
        self.address = str(box)
        arguments: list[str | Path] = [installed() or "bearerbox", "-v", "4", configuration]
        super().__init__(arguments, folder / "kannel.log", cwd=folder)
        try:
            wait_until(lambda: carrier.bound() and _listens(box), "Kannel is bound", self)
        except BaseException:
            self.stop()
            raise

    def complete(self, order: Order, report: Report, carrier: dict[str, Any]) -> list[str]:
        """How far it came; its own bookkeeping is not ours to judge."""
        return [
            f"{report.sent} of {order.jobs} taken",
            f"{carrier['submits']} submits seen by the carrier",
            f"{report.final} of {carrier['receipts_sent']} receipts came back",
        ]


def installed() -> str | None:
    """Path of bearerbox; Debian has it in /usr/sbin, which is not on everybody's PATH."""
    return shutil.which("bearerbox") or shutil.which("bearerbox", path="/usr/sbin")


def version() -> str | None:
    """Kannel's version, from what `bearerbox --version` prints."""
    path = installed()
    if path is None:
        return None
    done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False)
    found = re.search(r"version [`']?([\w.-]+)", done.stdout + done.stderr)
    return found[1] if found else None


def measure_kannel(scenario: Scenario, seed: int) -> dict[str, Any]:
    """The scenario with bearerbox. Its window is of messages it has not taken yet: it says nothing between
    taking a message and its receipt, and it may lose receipts."""
    theirs = dataclasses.replace(scenario, closes="sent", window=scenario.smpp_window)
    found = measure(theirs, seed, lambda folder, carrier: Bearerbox(folder, carrier, scenario.smpp_window))
    found["notes"] = found.pop("problems")
    return found


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
