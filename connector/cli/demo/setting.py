"""The demo's folders and its configuration, written from the shipped one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from string import Template

from connector.cli.demo.cast import AGENT

__all__ = ["CARRIERS", "TRUNK", "CarrierAccount", "Setting", "TrunkAccount"]

_SHIPPED = Path(__file__).parent / "config"
_PASSWORD_OCTETS = 4  # as hexadecimal the 8 characters that a bind may carry (SMPP 3.4 §5.2.2)

_NORTH = ("--response-delay", "uniform:0.02,0.08", "--receipt-delay", "uniform:0.3,1.6",
          "--id-form", "hex_in_response")  # fmt: skip
_SOUTH = ("--response-delay", "uniform:0.01,0.04", "--receipt-delay", "uniform:0.5,2.2",
          "--receipt-form", "text", "--receipt-duplicate", "0.3",
          "--id-form", "uuid", "--no-stories")  # fmt: skip


class CarrierAccount:
    """A simulated carrier's account with us, and how the carrier behaves."""

    def __init__(self, name: str, faults: tuple[str, ...]) -> None:
        self.name = name
        self.system_id = f"demo-{name}"
        self.password = secrets.token_hex(_PASSWORD_OCTETS)
        self.options = ["--system-id", self.system_id, "--password", self.password, *faults]


TRUNK = "west"


class TrunkAccount:
    """Our account with the carrier that has the telephones, and how it knows us."""

    def __init__(self) -> None:
        self.username = "demo-west"
        self.password = secrets.token_hex(_PASSWORD_OCTETS)
        self.options = [
            "--challenge", "407", "--algorithms", "both", "--realm", "demo.invalid",
            "--username", self.username, "--password", self.password, "--reliable",
        ]  # fmt: skip


CARRIERS = {"north": _NORTH, "south": _SOUTH}
"""Their peculiarities, all of which occur with real carriers: ids that change between response and receipt,
receipts twice, or on another bind than the message."""


class Setting:
    """`folder/config` and `folder/state`; what the first telephone heard goes to the file `heard`, what a
    compliance officer would file of it to `certificate`.
    """

    def __init__(self, folder: Path, heard: Path, certificate: Path) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.state = folder / "state"
        self.socket = self.state / "jobs.sock"
        self.accounts = {name: CarrierAccount(name, faults) for name, faults in CARRIERS.items()}
        self.trunk = TrunkAccount()
        self.recordings = folder / "recordings"
        self.heard = heard
        self.certificate = certificate
        self.state.mkdir(mode=0o700, parents=True)
        self.config.mkdir(mode=0o700)

    def log(self, name: str) -> Path:
        """Where the process of this name writes its log."""
        return self.folder / f"{name}.log"

    def write(self, ports: dict[str, int]) -> None:
        """Write the configuration; the ports are those the carriers and the trunk were given."""
        values: dict[str, str | int] = {"uid": os.getuid(), "agent": AGENT}
        values |= {f"{name}_port": port for name, port in ports.items()}
        for name, account in self.accounts.items():
            values[f"{name}_system_id"] = account.system_id
            self._keep_secret(name, account.password)
        values[f"{TRUNK}_username"] = self.trunk.username
        self._keep_secret(TRUNK, self.trunk.password)
        for shipped in _SHIPPED.rglob("*.toml"):
            target = self.config / shipped.relative_to(_SHIPPED)
            target.parent.mkdir(exist_ok=True)
            target.write_text(Template(shipped.read_text("utf-8")).substitute(values), "utf-8")

    def _keep_secret(self, name: str, secret: str) -> None:
        path = self.config / f"{name}.password"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secret)
