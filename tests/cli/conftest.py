"""One lane for all commands: the real daemon, two simulated carriers, and the console script as a process."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from connector.client import Options, SyncClient
from tests.daemon.harness import CarrierFile, Lane, SimulatedCarrier, Site

REPOSITORY = Path(__file__).parents[2]

SIGN_IN = """
lane = "verification"
purpose = "Code for signing in"
[text]
en = "{code} is your code."
hi = "{code} आपका कोड है।"
[params.code]
kind = "digits"
max_length = 8
"""
SPRING_OFFER = """
lane = "marketing"
purpose = "An offer"
[text]
en = "Everything must go!"
"""

DELIVERED = "+447700900000"
NEVER_ANSWERED_BUT_RECEIPT = "+447700900004"
NEVER_ANSWERED = "+447700900005"
UNDELIVERED = "+447700900006"
ENROUTE_FIRST = "+447700900012"
REFUSED_BY_NORTH = "+447700900042"


def connector(
    *arguments: str, environment: Mapping[str, str] | None = None, timeout_s: float = 40.0
) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    clean = {name: value for name, value in os.environ.items() if name != "CONNECTOR_SOCKET"}
    return subprocess.run(
        [sys.executable, "-m", "connector", *arguments],
        cwd=REPOSITORY, env={**clean, **(environment or {})}, timeout=timeout_s,
        capture_output=True, text=True,
    )  # fmt: skip


class Gateway:
    """A lane with the carriers north (which plays stories) and south (which delivers everything)."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.north: SimulatedCarrier = site.carrier()
        self.south: SimulatedCarrier = site.carrier()
        self.south.set(stories=False)
        self.socket = site.socket_path
        binds = {"response_timeout_s": 1.0}
        lane = Lane(
            (
                CarrierFile(self.north.port, "north", 0, {"system_id": "to_north"}, binds),
                CarrierFile(self.south.port, "south", 1, {"system_id": "to_south"}, binds),
            ),
            jobs={"receipt_wait_s": 0.5},
        )
        templates = site.config / "templates"
        templates.mkdir(parents=True)
        (templates / "sign-in.toml").write_text(SIGN_IN)
        (templates / "spring-offer.toml").write_text(SPRING_OFFER)
        self._ids = count(1)
        site.start(lane)
        with self.client() as client:
            while any(
                bind["state"] != "bound" for each in client.stats()["carriers"] for bind in each["binds"]
            ):
                pass

    def client(self, **options: Any) -> SyncClient:
        return SyncClient(self.socket, options=Options(timeout_s=20.0, **options))

    def new_id(self) -> str:
        return f"order-{next(self._ids)}"

    def run(self, command: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return connector(command, "--socket", self.socket, *arguments)

    def finished(self, to: str, text: str = "482917 is your code.", **fields: Any) -> str:
        """Send a job and follow it to its end; its id."""
        id = self.new_id()
        with self.client(ack_every=0) as client:
            events = client.events()
            client.submit({"id": id, "to": to, "text": text, "deadline_s": 10.0, **fields})
            while (event := events.get(20.0)) is not None:
                if event.id == id and event.final:
                    return id
        raise AssertionError(f"{id} did not end")

    def acknowledge_all(self) -> None:
        with self.client() as client:
            client.ack(2**62)


@pytest.fixture(scope="package")
def gateway() -> Iterator[Gateway]:
    site = Site()
    try:
        yield Gateway(site)
    finally:
        site.close()
