"""A code that is in 10,000 jobs is in no file, log, metric, answer or dump of the daemon, whatever happens.

Real daemons, killed in the middle; carriers with every fault; every outcome and every refusal.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connector.client import Client, Options, RpcError, Submitted
from tests.daemon.callee import TRUNK, SimulatedCallee, code_job
from tests.daemon.canary import CODE, FORMS, places, shows
from tests.daemon.harness import Application, CarrierFile, Daemon, Lane, SimulatedCarrier, Site

JOBS = 10_000
AT_ONCE = 500
NEXT = "8203945717"
"""Of no job that is accepted: what is refused must not be told either. Its beginning is that of the code."""

TEMPLATE = """\
lane = "verification"
purpose = "Signing in"
default_lang = "en"

[text]
en = "Hello {name}, your code is {code}"
ru = "{name}, ваш код: {code}"

[params.code]
kind = "digits"
max_length = 10

[params.name]
kind = "text"
max_length = 60

[voice]
code = "code"
"""
FAULTS: dict[str, Any] = {
    "refused_share": 0.05, "refused_status": 0x45, "receipt_undelivered": 0.05, "receipt_missing": 0.03,
    "response_missing": 0.005, "receipt_early": 0.05, "message_lost": 0.02, "cut_share": 0.0002,
    "receipt_delay": "fixed:0.2",
}  # fmt: skip
OPTIONS = Options(backoff_base_s=0.01, backoff_cap_s=0.05, timeout_s=60.0, ack_every=64)


def configure(site: Site, carrier: SimulatedCarrier, callee: SimulatedCallee) -> None:
    site.write(
        Lane(
            (CarrierFile(carrier.port, binds={"response_timeout_s": 1.0}),),
            jobs={"receipt_wait_s": 2.0, "on_unknown": "resend_once"},
            application={"inbound": ["60312"], "may_forget": True},
            other={
                "log": {"level": "debug", "format": "json"},
                "voice": {"listen": "127.0.0.1:0", "rtp_ports": [40_000, 44_999]},
                "scripts": {"quick": {"gate": False, "repeats": 0}},
                "journeys": {"call": {"channel": "voice", "script": "quick"}},
                "drain": {"timeout_s": 3.0},
            },
            http=True,
        )
    )
    for folder in ("trunks", "templates"):
        (site.config / folder).mkdir()
    (site.config / "trunks/phone.toml").write_text(TRUNK.format(port=callee.port, most=10))
    (site.config / "templates/login-code.toml").write_text(TEMPLATE)


def job(number: int, random: Random) -> dict[str, object]:
    fields: dict[str, object] = {
        "id": f"job-{number}", "to": f"+4930{number:09}", "deadline_s": random.choice([2.0, 3.0, 0.05]),
    }  # fmt: skip
    kind = random.random()
    if kind < 0.2:
        return {
            **fields,
            "text": f"Your code is {CODE}. " + "Do not tell it to anybody. " * random.randint(0, 8),
        }
    params = {"name": random.choice(["Jo", "Zoë 🙂", CODE])}
    fields |= {"template": "login-code", "lang": random.choice(["en", "ru"])}
    if kind < 0.3:
        return {**fields, "params": params, "codes": [CODE]}
    return {**fields, "params": {**params, "code": CODE}}


def wrong_jobs() -> list[dict[str, object]]:
    """Every one is refused, and each has the code where it is wrong."""
    good: dict[str, object] = {"to": "+4930123456", "template": "login-code"}
    params = {"code": CODE, "name": "Jo"}
    wrong: list[dict[str, object]] = [
        {**good, "params": {**params, "code": CODE + "0"}},
        {**good, "params": {**params, "code": f"x{CODE}"}},
        {**good, "params": {**params, "name": CODE * 9}},
        {**good, "params": {**params, "name": f"{CODE}\n{CODE}"}},
        {**good, "params": {"code": CODE}},
        {**good, "params": {**params, "codes": CODE}},
        {**good, "params": {**params, "code": [CODE]}},
        {**good, "params": CODE},
        {**good, "params": params, "codes": CODE},
        {**good, "params": params, "codes": [CODE]},
        {**good, "params": params, "lang": f"x-{CODE}"},
        {**good, "params": params, "text": CODE},
        {"to": "+4930123456", "text": f"{CODE} " * 400},
        {"to": "+4930123456", "text": f"{CODE}: buy now, 50% off at https://example.com/{CODE}"},
        {"to": "+4930123456", "text": [CODE]},
        {"to": f"+49 {CODE}", "text": CODE},
        {"to": "+4930123456", "text": CODE, "deadline_s": CODE},
        {"to": "+4930123456", "text": CODE, "deadline_s": -1},
        {"to": "+4930123456", "text": CODE, "sender": CODE},
        {"to": "+4930123456", "text": CODE, "on_unknown": CODE},
        {"to": "+4930123456", "text": CODE, "journey": f"j{CODE}"},
        {"to": "+4930123456", "text": CODE, "traceparent": CODE},
    ]
    return [{"id": f"wrong-{number}", **each} for number, each in enumerate(wrong)]


class Watched:
    """Whatever the daemon tells anybody."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.daemons: list[Daemon] = []
        self.told: list[str] = []

    def start(self) -> Daemon:
        self.daemons.append(self.site.start())
        return self.daemons[-1]

    def tell(self, *values: object) -> None:
        self.told += [repr(value) for value in values]

    def metrics(self) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.site.http_port}/metrics", timeout=10) as answer:
            self.tell(answer.read().decode())

    def command(self, *arguments: str) -> str:
        where = {"CONNECTOR_SOCKET": self.site.socket_path, "CONNECTOR_STATE": str(self.site.state)}
        done = subprocess.run(
            [sys.executable, "-m", "connector", *arguments], env={**os.environ, **where},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        self.tell(done.stdout, done.stderr)
        return done.stdout

    def check(self) -> None:
        found = places(self.site.state, *self.site.folder.glob("daemon-*"))
        found += [shown for told in self.told if (shown := shows(told)) is not None]
        assert not found, found[:5]


async def submit_all(watched: Watched, random: Random, first: int, last: int) -> list[str]:
    """Jobs `first` to `last` of all kinds, some of them twice or with another content; those accepted."""
    accepted = []
    async with Client(watched.site.socket_path, options=OPTIONS) as client:
        for start in range(first, last, AT_ONCE):
            jobs = [job(number, random) for number in range(start, min(last, start + AT_ONCE))]
            again: list[dict[str, Any]] = [jobs[0], {**jobs[1], "deadline_s": 2.5}]
            for each, answer in zip(jobs + again, await client.submit_many(jobs + again), strict=True):
                watched.tell(answer)
                if isinstance(answer, Submitted):
                    accepted.append(str(each["id"]))
    return accepted


async def refuse_all(watched: Watched) -> None:
    """By name, and as frames that are none."""
    async with Client(watched.site.socket_path, options=OPTIONS) as client:
        for wrong in wrong_jobs():
            with pytest.raises(RpcError) as refused:
                await client.submit(wrong)
            watched.tell(refused.value)
            try:  # a preview that succeeds shows the text, to whom it belongs
                await client.preview({key: value for key, value in wrong.items() if key != "id"})
            except RpcError as error:
                watched.tell(error)
        told: dict[str, object] = {
            "order": "o-1",
            "node": "login",
            "to": "+4930123456",
            "data": {"code": CODE},
        }
        with pytest.raises(RpcError) as refused:
            await client.order_event(told)
        watched.tell(refused.value)
        for call in (client.status, client.cancel):
            with pytest.raises(RpcError) as refused:
                await call("unknown")
            watched.tell(refused.value)
    for frame in (CODE.encode() * 10, b"\xc1" + CODE.encode(), b"\xdd\x7f\xff\xff\xff" + CODE.encode()):
        reader, writer = await asyncio.open_unix_connection(watched.site.socket_path)
        writer.write(frame)
        writer.write_eof()
        watched.tell(await asyncio.wait_for(reader.read(), 10))
        writer.close()


async def look_around(watched: Watched, ids: list[str]) -> None:
    await asyncio.to_thread(watched.metrics)
    async with Client(watched.site.socket_path, options=OPTIONS) as client:
        watched.tell(await client.stats(routes=True), *[await client.status(id) for id in ids])
    commands = (
        ["status"], ["why", ids[0]], ["why", ids[-1], "--json", "--numbers"],
        ["evidence", "export", "--format", "jsonl", "--numbers"],
    )  # fmt: skip
    await asyncio.gather(*(asyncio.to_thread(watched.command, *each) for each in commands))


@pytest.mark.asyncio
@pytest.mark.timeout(180)
async def test_a_code_in_ten_thousand_jobs_is_nowhere(site: Site, random: Random) -> None:
    carrier = site.carrier(**FAULTS)
    callee = SimulatedCallee(site, answer_after="fixed:0.1")
    configure(site, carrier, callee)
    watched = Watched(site)
    daemon = watched.start()

    # The first half: killed while thousands are on their way, with what a handset wrote not taken by anybody.
    accepted = await submit_all(watched, random, 0, JOBS // 2 - AT_ONCE)
    await refuse_all(watched)
    for to in ("60312", "70000"):
        carrier.ask("mo", **{"from": "4915112345678", "to": to, "text": f"my code is {CODE}"})
    await look_around(watched, accepted[:3])
    watched.check()
    accepted += await submit_all(watched, random, JOBS // 2 - AT_ONCE, JOBS // 2)
    daemon.kill()
    with contextlib.closing(
        sqlite3.connect(f"file:{site.state / 'journal.db'}?mode=ro", uri=True)
    ) as journal:
        assert journal.execute("SELECT count(*) FROM job WHERE body IS NOT NULL").fetchone()[0] > 0
    watched.check()

    # The second half, and to its end.
    daemon = watched.start()
    accepted += await submit_all(watched, random, JOBS // 2, JOBS)
    assert len(set(accepted)) > 0.95 * JOBS
    async with (
        Application(site.socket_path, acknowledge=False) as shop,
        Client(site.socket_path, options=OPTIONS) as client,
    ):
        for number in range(3):
            call = {**code_job(f"call-{number}", CODE), "params": {"code": CODE, "name": "Jo"}}
            await client.submit(call)
        for number in range(20):
            fresh = {**job(JOBS + number, random), "deadline_s": 3.0}
            await client.submit(fresh)
            watched.tell(await client.cancel(str(fresh["id"])))
        await client.feedback(accepted[-1], converted=True)
        await shop.event("call-0", "answered")
        waited = set(accepted)
        await shop.until(lambda: len(shop.finished) >= len(waited) and waited <= shop.finished, 60.0)
        assert [event.text for event in shop.events if event.type == "received"] == [f"my code is {CODE}"]
        outcomes = Counter(event.outcome for event in shop.events if event.final)
        watched.tell(*[event for event in shop.events if event.type != "received"])
    print("outcomes:", dict(outcomes))
    assert {"delivered", "undelivered", "rejected", "expired", "unknown", "cancelled"} <= set(outcomes)
    await look_around(watched, [*accepted[:3], *accepted[-3:], "call-0"])
    watched.check()

    # It crashes while it says the code in a call, and it stops.
    before = cores()
    daemon.send(signal.SIGABRT)
    assert await asyncio.to_thread(daemon.wait) == -signal.SIGABRT
    assert cores() == before
    watched.check()
    daemon = watched.start()
    assert await asyncio.to_thread(daemon.stop) == 0
    assert "wrong" not in (verified := watched.command("evidence", "verify")), verified
    watched.check()
    assert all('"ready"' in each.log for each in watched.daemons)
    found_when_planted(watched)


def found_when_planted(watched: Watched) -> None:
    """The same search, once the code does stand somewhere."""
    watched.tell({"message": f"wrong: {CODE}"})
    with pytest.raises(AssertionError, match="wrong"):
        watched.check()
    watched.told.pop()
    watched.check()
    with contextlib.closing(sqlite3.connect(watched.site.state / "journal.db")) as journal, journal:
        journal.execute("UPDATE job SET body = ? WHERE id = 1", (json.dumps({"sms": [{"text": CODE}]}),))
    with pytest.raises(AssertionError, match=r"journal\.db"):
        watched.check()


def cores() -> set[Path]:
    """Core files, where the kernel would put those of our processes."""
    return set(Path(__file__).parents[2].glob("core*"))


def test_no_core_is_written_even_where_they_are_allowed(site: Site) -> None:
    carrier = site.carrier()
    site.write(Lane((CarrierFile(carrier.port),)))

    def allow() -> None:
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    daemon = site.start(preexec_fn=allow)
    limits = Path(f"/proc/{daemon.pid}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert line.split()[4:6] == ["0", "0"]


@pytest.mark.parametrize("form", FORMS, ids=[str(number) for number in range(len(FORMS))])
def test_every_form_of_it_is_found(tmp_path: Path, form: bytes, random: Random) -> None:
    (tmp_path / "folder").mkdir()
    file = tmp_path / "folder" / "journal.db-wal"
    file.write_bytes(random.randbytes(100_000))
    assert places(tmp_path) == []
    file.write_bytes(random.randbytes(5_000) + form + random.randbytes(5_000))
    assert len(places(tmp_path)) == 1
