"""`connector order` and the blocking client, on the real daemon."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from connector.client import Options, OrderEvent, OrderTold, SyncClient
from tests.cli.conftest import connector
from tests.daemon.harness import CarrierFile, Lane, Site

TO = "+447700900123"
NODES = [
    {"node": "shipped", "rank": 20, "template": "shipped"},
    {"node": "hub", "rank": 30, "repeats": True},
    {"node": "delivered", "rank": 80, "template": "shipped", "deadline_s": 60},
]
TEMPLATE = """
lane = "verification"
purpose = "An order is on its way"
default_lang = "en"
[text]
en = "Your order {order} comes on {day}."
de = "Ihre Bestellung {order} kommt am {day}."
[params.order]
max_length = 20
[params.day]
max_length = 10
"""


@pytest.fixture(scope="module")
def host() -> Iterator[Site]:
    site = Site()
    try:
        carrier = site.carrier()
        carrier.set(stories=False)
        site.write(Lane((CarrierFile(carrier.port),), other={"orders": {"nodes": NODES}}))
        (site.config / "templates").mkdir()
        (site.config / "templates/shipped.toml").write_text(TEMPLATE)
        site.start()
        yield site
    finally:
        site.close()


def order(host: Site, *arguments: str, order: str, node: str) -> Any:
    return connector(
        "order", "--socket", host.socket_path, "--order", order, "--node", node, "--to", TO, *arguments
    )


def test_an_event_is_told_and_followed_to_its_end(host: Site) -> None:
    done = order(host, "--lang", "de", "--data", "day=Freitag", "--wait", "--json", order="1", node="shipped")
    told, *events = (json.loads(line) for line in done.stdout.splitlines())
    assert told == {"schema": 1, "id": "o:shipped:1", "state": "queued", "duplicate": False}
    assert [event["type"] for event in events] == ["accepted", "sent", "delivered"]
    assert (events[-1]["outcome"], done.returncode) == ("delivered", 0)


def test_what_comes_of_it_in_words(host: Site) -> None:
    said = []
    for node, *more in (
        ("shipped", "--data", "day=Friday"),
        ("shipped", "--data", "day=Friday"),
        ("shipped", "--data", "day=Monday"),
        ("hub", "--event", "7"),
        ("delivered", "--data", "day=Friday", "--at", "2026-11-01T10:00+01:00"),
        ("shipped", "--data", "day=Friday", "--wait"),
        ("hub", "--event", "8", "--wait"),
    ):
        done = order(host, *more, order="2", node=node)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.splitlines()[0])
    assert said[0] == "o:shipped:2  accepted"
    assert said[1].startswith("o:shipped:2  known before, now ")
    assert said[2].startswith("o:shipped:2  dropped: known before, with other data, now ")
    assert said[3:5] == ["noted: nothing is told of it", "dropped: its deadline has passed"]
    assert said[5].startswith("o:shipped:2  known before")
    assert said[6] == "dropped: it came after delivered"


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        (("--data", "day"), "expected KEY=VALUE"),
        (("--at", "yesterday"), "--at: expected a time with its offset"),
        (("--at", "2026-11-23T14:30"), "--at: expected a time with its offset"),
        (("--lang", "german!"), "--lang: is not acceptable"),
    ],
)
def test_bad_usage(host: Site, more: tuple[str, ...], fault: str) -> None:
    done = order(host, *more, order="3", node="shipped")
    assert done.returncode == 2
    assert fault in done.stderr


def test_what_the_daemon_refuses(host: Site) -> None:
    done = order(host, order="3", node="shipped")
    assert (done.returncode, done.stdout) == (1, "")
    assert "invalid_job: data.day" in done.stderr


def test_the_blocking_client(host: Site) -> None:
    with SyncClient(host.socket_path, options=Options(timeout_s=20.0)) as client:
        first = client.order_event(OrderEvent(order="4", node="shipped", to=TO, data={"day": "Friday"}))
        assert first == OrderTold("o:shipped:4", "queued", False)
        noted = client.order_event({"order": "4", "node": "hub", "event": "7", "to": TO})
        assert noted == OrderTold(None, "noted", False)
        late = client.order_event({"order": "4", "node": "shipped", "to": TO, "data": {"day": "Friday"}})
        assert (late.id, late.duplicate) == ("o:shipped:4", True)
        assert client.status("o:shipped:4")["to"].endswith("23")
