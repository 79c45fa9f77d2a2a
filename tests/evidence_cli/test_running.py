"""The commands beside a daemon that is at work."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import DELIVERED, UNDELIVERED, Gateway, connector
from tests.daemon.harness import Site
from tests.evidence_cli.test_certificate import tree

CODE = "482917"
TEXT = f"{CODE} is your code."


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    site = Site()
    try:
        yield Gateway(site)
    finally:
        site.close()


def evidence(gateway: Gateway, name: str, *arguments: str, code: int = 0) -> str:
    done = connector("evidence", name, "--state", str(gateway.site.state), *arguments)
    assert done.returncode == code, done.stderr
    return done.stdout


def sent(gateway: Gateway, to: str = DELIVERED) -> str:
    fields = {"template": "sign-in", "lang": "en", "params": {"code": CODE}, "text": None}
    return gateway.finished(to, **fields)


def test_what_has_just_ended_is_proved(gateway: Gateway, tmp_path: Path) -> None:
    delivered, lost = sent(gateway), sent(gateway, UNDELIVERED)
    verified = json.loads(evidence(gateway, "verify", "--json"))
    assert verified["ok"]
    assert verified["records"] == 3
    rows = [
        json.loads(line)
        for line in evidence(gateway, "export", "--format", "jsonl", "--kind", "job").splitlines()
    ]
    assert [(row["job"], row["outcome"], row["template"], row["lang"]) for row in rows] == [
        (delivered, "delivered", "sign-in", "en"), (lost, "undelivered", "sign-in", "en"),
    ]  # fmt: skip
    assert evidence(gateway, "match", delivered, "--text", TEXT) == "it is text 1 of the text message\n"
    evidence(gateway, "match", delivered, "--text", TEXT.replace("7", "8"), code=1)
    path = tmp_path / "job.html"
    evidence(gateway, "certificate", delivered, "-o", str(path))
    html = path.read_text("utf-8")
    tree(html)
    assert rows[0]["message_ids"][0] in html
    assert "the handset has it; counts as delivered" in html
    for secret in (CODE, DELIVERED[3:]):
        assert secret not in html
        assert all(secret not in json.dumps(row) for row in rows)


def test_while_jobs_come_and_end(gateway: Gateway) -> None:
    """Whatever moment a command sees, the chain is whole then, and only grows."""
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            sent(gateway)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        counts = []
        for _ in range(5):
            verified = json.loads(evidence(gateway, "verify", "--json"))
            assert verified["ok"], verified
            rows = evidence(gateway, "export", "--format", "jsonl").splitlines()
            assert [json.loads(row)["seq"] for row in rows] == list(range(1, len(rows) + 1))
            counts += [verified["records"], len(rows)]
    finally:
        done.set()
        worker.join()
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]
