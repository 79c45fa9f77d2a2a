"""The simulated callee as a process, and a lane that calls it."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from typing import Any

from connector.simulator.control_port import ask
from tests.daemon.harness import PATIENCE_S, Lane, Process, Site

TEMPLATE = """\
lane = "verification"
purpose = "Signing in"
default_lang = "en"

[text]
en = "Your code is {code}"

[params.code]
kind = "digits"
max_length = 8

[voice]
code = "code"
"""
TRUNK = """\
[trunk]
host = "127.0.0.1"
port = {port}
options_s = 1

[calls]
max = {most}
per_s = 50
caller_ids = ["+4930123456"]
"""


class SimulatedCallee(Process):
    """`connector simulate callee`; options as in connector.simulator.callee.options."""

    def __init__(self, site: Site, **options: object) -> None:
        given = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
        command = ["simulate", "callee", "--listen=127.0.0.1:0", "--control-port=0", "--json", *given]
        super().__init__(
            "callee", [sys.executable, "-m", "connector", *command], site.folder, stdout=subprocess.PIPE
        )
        site.processes.append(self)
        ready, _, _ = select.select([self.stdout], [], [], PATIENCE_S)
        line = self.stdout.readline() if ready else b""
        assert line, f"the simulated callee does not listen: {self.log}"
        listening = json.loads(line)
        self.port, self.control_port = int(listening["port"]), int(listening["control_port"])

    def ask(self, command: str, **arguments: Any) -> Any:
        return ask(self.control_port, command, PATIENCE_S, **arguments)

    def calls(self) -> list[dict[str, Any]]:
        """The records of all calls, those that last among them."""
        found: list[dict[str, Any]] = self.ask("calls")
        return found


def lane(site: Site, callee: SimulatedCallee, *, most: int = 10, http: bool = False) -> None:
    """Write a lane without carriers whose calls go to `callee`; no key is needed to hear the code."""
    site.write(
        Lane(
            (),
            jobs={"free_text": False},
            other={
                "voice": {"listen": "127.0.0.1:0", "rtp_ports": [40_000, 44_999]},
                "scripts": {"quick": {"gate": False, "repeats": 0}},
                "journeys": {"call": {"channel": "voice", "script": "quick"}},
                "drain": {"timeout_s": 30.0},
                "log": {"level": "debug"},
            },
            http=http,
        )
    )
    for folder in ("trunks", "templates"):
        (site.config / folder).mkdir(exist_ok=True)
    (site.config / "trunks/sim.toml").write_text(TRUNK.format(port=callee.port, most=most))
    (site.config / "templates/login-code.toml").write_text(TEMPLATE)


def code_job(id: str, code: str = "482917", to: str = "+4915112345678") -> dict[str, object]:
    return {
        "id": id, "to": to, "template": "login-code", "params": {"code": code}, "journey": "call",
        "deadline_s": 60.0,
    }  # fmt: skip
