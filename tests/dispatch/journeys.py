"""Jobs on journeys of a configuration written for them, on the stage of `stage`."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from connector.config import Config, load
from connector.dispatch import Dispatcher, Routing
from connector.model import Body, Content, LiveJob, Voice
from tests.config.conftest import CARRIER, CONNECTOR, TEMPLATE, Folder
from tests.config.trunk_folder import TRUNK

from .stage import Stage
from .test_calls import events

NOW_REFUSED = 0x08  # ESME_RSYSERR
FOR_GOOD = 0x0A  # ESME_RINVSRCADR
NUMBER = "+4915112345678"
ONE = """
[[journeys.one.steps]]
channel = "sms"
"""
TWO = """
[[journeys.two.steps]]
channel = "sms"
carriers = ["north"]
[[journeys.two.steps]]
channel = "sms"
start = "on_failure"
"""
CALL_LATER = """
[[journeys.later.steps]]
channel = "sms"
carriers = ["north"]
[[journeys.later.steps]]
channel = "sms"
start = "on_failure"
carriers = ["east"]
[[journeys.later.steps]]
channel = "voice"
start = "on_failure"
"""
DOUBTED = """
[journeys.doubted]
stop = ["converted"]
[[journeys.doubted.steps]]
channel = "sms"
[journeys.only]
stop = ["converted"]
[[journeys.only.steps]]
channel = "sms"
[[journeys.only.steps]]
channel = "sms"
start = "after"
after_s = 20.0
"""
UNMOVED = """
[journeys.unmoved]
stop = ["delivered"]
[[journeys.unmoved.steps]]
channel = "sms"
[[journeys.unmoved.steps]]
channel = "sms"
start = "after"
after_s = 20.0
"""
QUIET = """
[quiet_hours]
from = "23:15"
until = "23:17"
zone = "UTC"
"""
QUIET_AT = 1_700_000_000.0 + 100.0  # 23:15 in Germany


@lru_cache
def lane(more: str, carriers: tuple[str, ...] = ("north", "east"), trunks: tuple[str, ...] = ()) -> Config:
    """A lane of these with the journeys in `more`."""
    with tempfile.TemporaryDirectory() as path:
        folder = Folder(Path(path) / "lane")
        folder.write("connector.toml", CONNECTOR + more)
        folder.write("templates/login-code.toml", TEMPLATE)
        for name in (*carriers, *trunks):
            folder.write(f"secrets/{name}", "s3cret\n", 0o600)
        for name in carriers:
            text = CARRIER.replace("secrets/north", f"secrets/{name}").replace("acme", name)
            folder.write(f"carriers/{name}.toml", text)
        for name in trunks:
            text = TRUNK.replace("secrets/west", f"secrets/{name}").replace("acme", name)
            folder.write(f"trunks/{name}.toml", text.replace('prefixes = ["+49"]', "prefixes = []"))
        return load(folder.path)


def go_by(stage: Stage, config: Config) -> None:
    stage.dispatcher.configure(Routing(config))


def reload(stage: Stage, config: Config) -> None:
    go_by(stage, config)
    names = {carrier.name for carrier in config.carriers if carrier.enabled}
    names |= {each.name for each in config.trunks if each.enabled}
    stage.dispatcher.use([carrier for carrier in stage.carriers if carrier.name in names])


async def submit(stage: Stage, journey: str, id: str = "j1", **more: Any) -> LiveJob:
    job = stage.book.job(id, NUMBER, follow=more.pop("follow", 1), journey_name=journey, **more)
    texts = tuple(Content(f"code {n}", "Acme") for n in range(1, 4))
    calls = tuple(Content(f"code {n}", "", voice=Voice("", "en", f"{n}")) for n in range(1, 4))
    job.body = Body(texts, calls)
    job.turn_to("sms")
    job.accepted_at, job.deadline_at = stage.now(), stage.now() + more.get("deadline_s", 60.0)
    stage.dispatcher.admit(job)
    stage.journal.batch.accepts.append(stage.book.accept_op(job))
    stage.journal.touch()
    await stage.settle()
    return job


async def wait(stage: Stage, seconds: float) -> None:
    """Pass time as the daemon does: with its ticks and sweeps."""
    for _ in range(int(seconds * 2)):
        await asyncio.sleep(0.5)
        stage.dispatcher.tick(stage.now())
        stage.sweep()
    await stage.settle()


def restart(stage: Stage, config: Config) -> None:
    """Another process takes over; the old one hears of nothing any more."""
    fresh = Dispatcher(stage.journal, stage.metrics, stage.now, Routing(config))
    for carrier in stage.carriers:
        carrier._open.clear()
    stage.dispatcher = fresh
    fresh.start(stage.carriers)
    with contextlib.closing(stage.book.reader()) as reader:
        fresh.recover(reader.recover(stage.now()), stage.now())


def types(stage: Stage) -> list[str]:
    return [event["type"] for event in events(stage)]


def nothing_is_left(stage: Stage) -> None:
    dispatcher = stage.dispatcher
    assert not dispatcher.live
    assert (len(dispatcher.queue), dispatcher.waiting, dispatcher.followed) == (0, 0, 0)
    assert not dispatcher._purposes
    assert not dispatcher._calls
    assert not dispatcher._intended
