"""The demo's folders and its configuration, written from the shipped one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from string import Template

__all__ = ["CARRIERS", "CarrierAccount", "Setting"]

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


CARRIERS = {"north": _NORTH, "south": _SOUTH}
"""Their peculiarities, all of which occur with real carriers: ids that change between response and receipt,
receipts twice, or on another bind than the message."""


class Setting:
    """`folder/config` and `folder/state`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.state = folder / "state"
        self.socket = self.state / "jobs.sock"
        self.accounts = {name: CarrierAccount(name, faults) for name, faults in CARRIERS.items()}
        self.state.mkdir(mode=0o700, parents=True)
        self.config.mkdir(mode=0o700)

    def log(self, name: str) -> Path:
        """Where the process of this name writes its log."""
        return self.folder / f"{name}.log"

    def write(self, ports: dict[str, int]) -> None:
        """Write the configuration; the ports are those the carriers were given."""
        values: dict[str, str | int] = {"uid": os.getuid()}
        for name, account in self.accounts.items():
            values[f"{name}_port"] = ports[name]
            values[f"{name}_system_id"] = account.system_id
            password = os.open(self.config / f"{name}.password", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(password, "w") as file:
                file.write(account.password)
        for shipped in _SHIPPED.rglob("*.toml"):
            target = self.config / shipped.relative_to(_SHIPPED)
            target.parent.mkdir(exist_ok=True)
            target.write_text(Template(shipped.read_text("utf-8")).substitute(values), "utf-8")
