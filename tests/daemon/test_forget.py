"""`connector forget`: by the daemon, at rest, and for whom it is not; keys of the texts changed and lost."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connector.client import Client, RpcError
from connector.evidence.keys import load, load_verifying
from connector.evidence.verify import verify
from connector.journal.evidence import Keeping
from connector.journal.store import Store
from tests.daemon.harness import Application, CarrierFile, Daemon, Lane, Site

PERSON, OTHER = "+4915112345678", "+4915198765432"
MAY = {"may_forget": True, "inbound": ["60312"]}


def connector(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "connector", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def named(site: Site, number: str = PERSON) -> list[str]:
    """Files of the state folder, and rows of the journal, that name the number; sealed values aside."""
    with contextlib.closing(
        sqlite3.connect(f"file:{site.state / 'journal.db'}?mode=ro", uri=True)
    ) as journal:
        tables = [name for (name,) in journal.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        rows = [str(row) for table in tables for row in journal.execute(f"SELECT * FROM {table}")]
    files = [
        path for path in site.state.rglob("*") if path.is_file() and not path.name.startswith("journal.db")
    ]
    digits = number[1:]
    return [row for row in rows if digits in row] + [
        path.name for path in files if digits.encode() in path.read_bytes()
    ]


def check_evidence(site: Site, records: int) -> None:
    """Nothing is wrong with the chain, and that many are there."""
    report = verify(site.state, load_verifying(site.state))
    assert report.findings == []
    assert report.records >= records


async def deliver(site: Site, shop: Application, *numbers: str) -> None:
    for number in numbers:
        assert (await shop.final(await shop.submit(number))).outcome == "delivered"


@pytest.mark.asyncio
async def test_the_daemon_forgets_a_number(site: Site) -> None:
    carrier = site.carrier()
    site.start(Lane((CarrierFile(carrier.port),), application=MAY))
    async with Application(site.socket_path, acknowledge=False) as shop:
        await deliver(site, shop, PERSON, OTHER, PERSON)
        carrier.ask("mo", **{"from": PERSON[1:], "to": "60312", "text": "my name is Jo"})
        await shop.until(lambda: shop.events[-1].type == "received")
        carrier.set(receipt_delay="fixed:2")
        open_job = await shop.submit(PERSON)
        await shop.event(open_job, "sent")
        assert named(site)
        assert (await shop.client.status(open_job))["to"] == "…78"
        assert (await shop.client.status(open_job, numbers=True))["to"] == PERSON
        done = await shop.client.forget(PERSON)
        assert (done.jobs, done.open, done.evidence_records) == (2, 1, 2)
        assert (await shop.final(open_job)).outcome == "delivered"
        for _ in range(200):
            if not named(site):
                break
            await asyncio.sleep(0.05)
        assert named(site) == [], "what was open has its turn when it has ended"
        assert named(site, OTHER)
        again = await shop.client.forget(PERSON)
        assert (again.jobs, again.open, again.evidence_records) == (0, 0, 0)
        status = await shop.client.status(open_job)
        assert (status["outcome"], status["to"]) == ("delivered", "***")
    async with Application(site.socket_path) as late:
        await late.until(lambda: any(event.type == "received" for event in late.events))
        (message,) = [event for event in late.events if event.type == "received"]
        assert (message.from_, message.text) == ("", "")
    assert await asyncio.to_thread(site.processes[-1].stop) == 0
    assert PERSON[1:] not in site.processes[-1].log
    for path in site.state.rglob("*"):
        if path.is_file():  # free pages of the journal are in it
            assert PERSON[1:].encode() not in path.read_bytes(), path.name
    check_evidence(site, 5)


@pytest.mark.asyncio
async def test_it_is_not_for_every_application(site: Site) -> None:
    carrier = site.carrier()
    site.start(Lane((CarrierFile(carrier.port),)))
    async with Client(site.socket_path) as client:
        with pytest.raises(RpcError, match="may not have numbers forgotten") as refused:
            await client.forget(PERSON)
        assert refused.value.code == "forbidden"
        with pytest.raises(RpcError, match=r"E\.164") as refused:
            await client.forget("0151 9876543")
        assert (refused.value.code, refused.value.field) == ("bad_request", "to")
        assert "9876543" not in str(refused.value)
    shown = await asyncio.to_thread(connector, "forget", PERSON, "--socket", site.socket_path)
    assert shown.returncode == 1
    assert "forbidden" in shown.stderr and PERSON[-5:] not in shown.stderr


def file_evidence(state: Path) -> None:
    """What a daemon does every ten seconds: the records leave the journal for the file of their day."""
    keeping = Keeping(state, load(state), "verification", "test")
    store = Store(state / "journal.db", retention_s=1e9, answer_timeout_s=0.0, keeping=keeping)
    store.file_evidence(time.time())
    store.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("filed", [False, True])
@pytest.mark.parametrize("named_by", ["--state", "--config"])
async def test_a_number_is_forgotten_where_no_daemon_runs(site: Site, named_by: str, filed: bool) -> None:
    carrier = site.carrier()
    daemon = site.start(Lane((CarrierFile(carrier.port),), application=MAY))
    async with Application(site.socket_path) as shop:
        await deliver(site, shop, PERSON, OTHER)
    where = [named_by, str(site.state if named_by == "--state" else site.config)]
    running = await asyncio.to_thread(connector, "forget", PERSON, *where)
    assert running.returncode == 1
    assert "another daemon uses this state folder" in running.stderr
    daemon.kill()
    if filed:
        file_evidence(site.state)
        assert PERSON in next((site.state / "evidence").glob("*.jsonl")).read_text()
    done = await asyncio.to_thread(connector, "forget", PERSON, *where, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"schema": 1, "jobs": 1, "open": 0, "evidence_records": 1}
    assert named(site) == []
    check_evidence(site, 2)
    shown = await asyncio.to_thread(connector, "forget", PERSON, *where)
    assert shown.stdout == "forgotten in 0 jobs and 0 records of evidence\n"
    site.start()
    async with Application(site.socket_path) as shop:
        await deliver(site, shop, OTHER)


@pytest.mark.parametrize("name", ["seal.key", "evidence/chain.key", "evidence/signing.key"])
def test_no_key_is_made_where_one_is_elsewhere(site: Site, name: str) -> None:
    site.start(Lane((CarrierFile(site.carrier().port),))).kill()
    kept = site.state / name
    kept.rename(site.folder / "elsewhere")
    before = files_of(site.state)
    for where in (("--state", str(site.state)), ("--config", str(site.config))):
        shown = connector("forget", PERSON, *where)
        assert (shown.returncode, "nothing was changed" in shown.stderr) == (1, True)
    assert files_of(site.state) == before
    (site.folder / "elsewhere").rename(kept)
    site.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_has_written_is_the_daemons(site: Site) -> None:
    site.start(Lane((CarrierFile(site.carrier().port),))).kill()
    for path in (site.state, *site.state.rglob("*")):
        os.chown(path, 65534, 65534)
    (site.state / "elsewhere").symlink_to("/etc/hostname")
    assert connector("forget", PERSON, "--state", str(site.state)).returncode == 0
    assert {path.stat().st_uid for path in site.state.rglob("*") if not path.is_symlink()} == {65534}
    assert Path("/etc/hostname").stat().st_uid == 0


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((PERSON,), "expected one of --socket"),
        ((PERSON, "--state", "/nowhere", "--config", "/nowhere"), "expected one of --socket"),
        (("07700900123", "--state", "/nowhere"), "E.164"),
    ],
)
def test_how_it_is_not_used(arguments: tuple[str, ...], expected: str) -> None:
    shown = connector("forget", *arguments)
    assert shown.returncode == 2
    assert expected in shown.stderr


def test_a_number_from_the_standard_input(tmp_path: Path) -> None:
    for number, status in ((PERSON, 1), ("07700900123", 2)):
        shown = subprocess.run(
            [sys.executable, "-m", "connector", "forget", "-", "--state", str(tmp_path)],
            input=f"{number}\n", capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert shown.returncode == status


def test_a_folder_without_a_journal(tmp_path: Path) -> None:
    shown = connector("forget", PERSON, "--state", str(tmp_path))
    assert (shown.returncode, "there is no journal.db" in shown.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


def keys(site: Site, *ids: str) -> dict[str, object]:
    """[privacy] with these keys, each in a file of its name."""
    (site.config / "keys").mkdir(parents=True, exist_ok=True)
    for id in ids:
        path = site.config / "keys" / id
        if not path.exists():
            path.write_bytes(id[-1:].encode() * 16 + b"\x80" * 16)
            path.chmod(0o600)
    return {"privacy": {"keys": [{"id": id, "file": f"keys/{id}"} for id in ids]}}


@pytest.mark.asyncio
async def test_keys_are_changed_and_a_lost_one_loses_nothing(site: Site) -> None:
    """From the folder's own to the first of the configuration to the second; then the wrong one is there."""
    carrier = site.carrier()
    carrier.stop()  # so that jobs stay open
    lane = (CarrierFile(carrier.port),)
    site.start(Lane(lane)).kill()

    ids: list[str] = []
    for steps in (("2026-05",), ("2026-11", "2026-05"), ("2026-11",)):
        daemon = site.start(Lane(lane, other=keys(site, *steps)))
        async with Client(site.socket_path) as client:
            ids.append(f"by {steps[0]} {len(ids)}")
            job = {"id": ids[-1], "to": PERSON, "text": "Your code is 482917", "deadline_s": 600.0}
            await client.submit(job)
            for id in ids:
                assert (await client.submit({**job, "id": id})).duplicate, "digests go on"
        anew = "journal sealed with another key" in daemon.log
        assert anew == (len(ids) < 3), "the last start finds nothing to do"
        assert f"key={steps[0]}" in daemon.log or not anew
        daemon.kill()

    for wrong, why in ((("2026-05",), "it is not there"), (("2026-11",), "the one that is there is another")):
        if wrong == ("2026-11",):
            (site.config / "keys/2026-11").write_bytes(b"\x81" * 32)
        refused: Daemon = site.start(Lane(lane, other=keys(site, *wrong)), ready=False)
        assert await asyncio.to_thread(refused.wait) == 1
        assert "sealed with key '2026-11'" in refused.log and why in refused.log
        assert "Traceback" not in refused.log

    (site.config / "keys/2026-11").unlink()
    carrier = site.carrier(port=carrier.port)
    site.start(Lane(lane, other=keys(site, "2026-11")))
    async with Application(site.socket_path) as shop:
        for id in ids:
            assert (await shop.final(id)).outcome == "delivered"
    assert sorted(carrier.inbox(PERSON[1:])) == ["Your code is 482917"] * 3
