"""A lane of three carriers and two trunks with journeys of every kind, as a loaded configuration."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec

from connector.config import Config, load
from tests.config.conftest import CARRIER, CONNECTOR, TEMPLATE, Folder
from tests.config.trunk_folder import TRUNK

CHANNELS = {"north": "sms", "east": "sms", "south": "sms", "west": "voice", "dial": "voice"}
PRIORITIES = {"south": 1}
NUMBERS = {"DE": "+4915112345678", "GB": "+447700900001", "FR": "+33612345678"}

_LANE = """
[journeys.code]
[[journeys.code.steps]]
channel = "sms"
[[journeys.code.steps]]
channel = "sms"
start = "on_predicted_miss"
attempts = 2
[[journeys.code.steps]]
channel = "voice"
start = "after"
after_s = 8.0

[journeys.failover]
[[journeys.failover.steps]]
channel = "sms"
carriers = ["north"]
[[journeys.failover.steps]]
channel = "voice"
start = "on_failure"
attempts = 2

[journeys.both]
stop = ["converted"]
max_attempts = 2
[[journeys.both.steps]]
channel = "sms"
[[journeys.both.steps]]
channel = "voice"
start = "at_once"
[[journeys.both.steps]]
channel = "sms"
start = "on_failure"

[journeys.abroad]
[[journeys.abroad.steps]]
channel = "sms"
countries = ["DE"]
carriers = ["east", "south"]
attempts = 2
[[journeys.abroad.steps]]
channel = "sms"
start = "on_predicted_miss"
prefixes = ["+44"]
[[journeys.abroad.steps]]
channel = "voice"
start = "on_predicted_miss"

[journeys.doubtful]
stop = ["converted"]
max_attempts = 3
[[journeys.doubtful.steps]]
channel = "sms"
[[journeys.doubtful.steps]]
channel = "sms"
start = "after"
after_s = 3.0
attempts = 2
[[journeys.doubtful.steps]]
channel = "voice"
start = "on_predicted_miss"

[[routes]]
prefix = "+44"
carriers = ["north", "south", "west"]

[[routes]]
country = "FR"
carriers = ["east"]
"""
QUIET = """
[quiet_hours]
from = "23:14"
until = "23:16"
zone = "UTC"
"""


@dataclass(frozen=True)
class Rule:
    """What the table above permits, once more and by hand; `names` by channel where a rule has any."""

    names: frozenset[str]

    def permits(self, channel: str, name: str) -> bool:
        mine = {route for route in self.names if CHANNELS[route] == channel}
        return not mine or name in mine


QUIET_AT = (1_700_000_040.0, 1_700_000_160.0)
"""Those hours, for numbers in DE and FR, as seconds since 1970; the clocks start before them."""

RULES = {
    "DE": Rule(frozenset()),
    "GB": Rule(frozenset({"north", "south", "west"})),
    "FR": Rule(frozenset({"east"})),
}


def permitted(
    config: Config, journey: str, step: int, country: str, pins: tuple[str, ...], fallback: bool
) -> set[str]:
    """Who may carry a step of a job, whatever they can do at this moment."""
    enabled = {route.name for route in (*config.carriers, *config.trunks) if route.enabled}
    of = config.journeys[journey].steps[step]
    found = set()
    for name in enabled:
        pinned = name in pins
        by_table = RULES[country].permits(of.channel, name) and (not pins or fallback)
        mine = CHANNELS[name] == of.channel and (not of.carriers or name in of.carriers)
        if mine and (pinned or by_table):
            found.add(name)
    return found


@lru_cache
def lane(*, quiet: bool = False) -> Config:
    """All of it."""
    with tempfile.TemporaryDirectory() as path:
        folder = Folder(Path(path) / "lane")
        folder.write("connector.toml", CONNECTOR + _LANE + (QUIET if quiet else ""))
        folder.write("templates/login-code.toml", TEMPLATE)
        for name, channel in CHANNELS.items():
            folder.write(f"secrets/{name}", "s3cret\n", 0o600)
            if channel == "sms":
                text = CARRIER.replace("secrets/north", f"secrets/{name}").replace("acme", name)
                first = f"priority = {PRIORITIES.get(name, 0)}\n"
                folder.write(f"carriers/{name}.toml", first + text)
            else:
                text = TRUNK.replace("secrets/west", f"secrets/{name}").replace("acme", name)
                folder.write(f"trunks/{name}.toml", text.replace('prefixes = ["+49"]', "prefixes = []"))
        return load(folder.path)


def without(config: Config, *names: str) -> Config:
    """The same with some switched off."""
    replace = msgspec.structs.replace
    return replace(
        config,
        carriers=tuple(
            replace(carrier, enabled=carrier.enabled and carrier.name not in names)
            for carrier in config.carriers
        ),
        trunks=tuple(
            replace(trunk, enabled=trunk.enabled and trunk.name not in names) for trunk in config.trunks
        ),
    )
