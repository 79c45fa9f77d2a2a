"""The job socket of the real daemon: wrong input names its field, broken frames end only their connection."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from random import Random
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest

from connector.errors import ERRORS
from protocols.rpc.messages import encode_request
from tests.daemon.harness import Application, CarrierFile, Lane, Site
from tests.daemon.wire import Wire

NOBODY = 65_534
GOOD: dict[str, object] = {"id": "job", "to": "+4915112345678", "text": "Your code is 482917"}


@pytest.fixture(scope="module")
def module_site() -> Iterator[Site]:
    site = Site()
    try:
        carrier = site.carrier()
        site.start(
            Lane(
                (CarrierFile(carrier.port),),
                jobs={"max_deadline_s": 600.0, "max_parts": 3},
                other={"socket": {"path": site.socket_path, "mode": "0666", "max_connections": 20}},
            )
        )
        yield site
    finally:
        site.close()


@pytest.fixture
def site(module_site: Site) -> Site:
    """One daemon for the whole module: whatever one test sends must not matter to the next."""
    return module_site


@pytest.fixture
def wire(site: Site) -> Iterator[Wire]:
    with Wire(site.socket_path) as wire:
        yield wire


WRONG_FIELDS: list[tuple[str, dict[str, object]]] = [
    ("id", {"id": ""}),
    ("id", {"id": "x" * 65}),
    ("id", {"id": "a\nb"}),
    ("id", {"id": 7}),
    ("to", {"to": "4915112345678"}),
    ("to", {"to": "+0915112345678"}),
    ("to", {"to": "+491"}),
    ("to", {"to": "+4915112345678901"}),
    ("to", {"to": "+49151 1234567"}),
    ("to", {"to": None}),
    ("text", {"text": ""}),
    ("text", {"text": 5}),
    ("text", {"text": "long " * 200}),
    ("template", {"template": "code"}),
    ("template", {"text": None}),
    ("params", {"params": {"code": "1"}}),
    ("lang", {"lang": "not a tag"}),
    ("deadline_s", {"deadline_s": 0}),
    ("deadline_s", {"deadline_s": -1.5}),
    ("deadline_s", {"deadline_s": float("nan")}),
    ("deadline_s", {"deadline_s": float("inf")}),
    ("deadline_s", {"deadline_s": 601}),
    ("deadline_s", {"deadline_s": 8 * 86_400}),
    ("deadline_s", {"deadline_s": "20"}),
    ("journey", {"journey": "sms-then-pigeon"}),
    ("sender", {"sender": "EVIL"}),
    ("on_unknown", {"on_unknown": "resend"}),
    ("on_unknown", {"on_unknown": "query"}),
    ("class", {"class": "x" * 33}),
    ("class", {"class": ""}),
    ("traceparent", {"traceparent": "00-0-0-0"}),
    ("deadlines", {"deadlines": 20}),
    ("TO", {"TO": "+4915112345678"}),
]


@pytest.mark.parametrize(
    ("field", "change"), WRONG_FIELDS, ids=[f"{f}-{n}" for n, (f, _) in enumerate(WRONG_FIELDS)]
)
def test_a_wrong_field_is_named_and_nothing_is_stored(
    wire: Wire, field: str, change: dict[str, object]
) -> None:
    job = {key: value for key, value in (GOOD | {"id": "never"} | change).items() if value is not None}
    error = wire.refused("submit", job)
    assert error["field"] == field, error
    assert error["code"] in ("invalid_job", "forbidden")
    assert error["message"]
    assert wire.refused("status", {"id": "never"})["code"] == "unknown_job"


@pytest.mark.parametrize("missing", ["id", "to", "text"])
def test_a_missing_field_is_named(wire: Wire, missing: str) -> None:
    error = wire.refused("submit", {key: value for key, value in GOOD.items() if key != missing})
    assert error["field"] == ("template" if missing == "text" else missing)


def test_a_misspelt_field_gets_a_hint(wire: Wire) -> None:
    assert wire.refused("submit", GOOD | {"dedline_s": 20})["hint"] == "did you mean 'deadline_s'?"


def test_no_error_repeats_a_number_or_a_code(wire: Wire) -> None:
    for change in ({"to": "+4915112345678901"}, {"text": "482917" * 200}, {"params": {"code": "482917"}}):
        error = json.dumps(wire.refused("submit", GOOD | change))
        assert "482917" not in error
        assert "151123456" not in error


def test_one_bad_job_does_not_spoil_the_others(wire: Wire) -> None:
    jobs = [GOOD | {"id": f"many-{n}"} for n in range(5)]
    jobs[2]["to"] = "nobody"
    results = wire.result("submit_many", jobs)
    assert [result.get("code") for result in results] == [None, None, "invalid_job", None, None]
    assert results[2]["field"] == "to"
    assert [result.get("id") for result in results] == ["many-0", "many-1", None, "many-3", "many-4"]


@pytest.mark.parametrize(
    ("method", "param", "field"),
    [
        ("hello", {"client": "", "version": "1"}, "client"),
        ("subscribe", {"from_seq": -1}, "from_seq"),
        ("subscribe", {"from": 1}, "from"),
        ("ack", {}, "seq"),
        ("ack", {"seq": 2**63}, "seq"),
        ("status", {"id": 5}, "id"),
        ("cancel", {}, "id"),
        ("feedback", {"id": "x"}, "converted"),
        ("feedback", {"id": "x", "converted": 1}, "converted"),
        ("forget", {}, "to"),
        ("forget", {"to": "4915112345678"}, "to"),
        ("status", {"id": "x", "numbers": 1}, "numbers"),
    ],
)
def test_a_wrong_parameter_is_named(wire: Wire, method: str, param: dict[str, object], field: str) -> None:
    error = wire.refused(method, param)
    assert (error["code"], error["field"]) == ("bad_request", field)


def test_an_unknown_method_and_a_wrong_shape_are_refused(wire: Wire) -> None:
    assert wire.refused("sumbit", GOOD)["code"] == "unknown_method"
    assert wire.refused("submit_many", GOOD)["code"] == "bad_request"
    assert wire.refused("submit", [GOOD])["code"] == "invalid_job"
    assert wire.refused("submit", "job")["code"] == "invalid_job"


BROKEN = {
    "not MessagePack": b"\xc1\xc1\xc1",
    "text": b"GET / HTTP/1.1\r\n\r\n",
    "not an array": msgpack.packb({"submit": 1}),
    "a wrong kind": msgpack.packb([7, 1, "submit", []]),
    "too short": msgpack.packb([0, 1]),
    "a method that is no string": msgpack.packb([0, 1, 5, []]),
    "params that are no array": msgpack.packb([0, 1, "submit", {}]),
    "a negative msgid": msgpack.packb([0, -1, "submit", []]),
    "a bomb of an array": b"\xdd\xff\xff\xff\xff",
    "a bomb of a map": b"\x94\x00\x01\xa6submit\xdf\xff\xff\xff\xff",
    "too deep": b"\x94\x00\x01\xa6submit" + b"\x91" * 100 + b"\x00",
    "a large string": b"\xdb\xff\xff\xff\xff" + b"x" * 100_000,
    "a large frame": b"\x94\x00\x01\xa6submit\x91\xc6\x00\x20\x00\x00" + b"\x00" * 0x200000,
    "an extension": msgpack.packb([0, 1, "submit", [msgpack.ExtType(5, b"x")]]),
}


@pytest.mark.parametrize("octets", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_frame_ends_that_connection_and_touches_no_other(
    site: Site, wire: Wire, octets: bytes
) -> None:
    with Wire(site.socket_path) as broken:
        broken.result("stats", {})
        with contextlib.suppress(OSError):  # it may have heard enough before the end
            broken.send(octets)
        if octets in (BROKEN["a bomb of an array"], BROKEN["a bomb of a map"], BROKEN["a large string"]):
            # An announcement alone is no error yet; the rest never comes.
            broken._socket.shutdown(socket.SHUT_WR)
            while broken.read() is not None:
                pass
        else:
            reason = broken.farewell()
            assert "connection" in ERRORS[reason["code"]].where
            assert reason["message"]
    assert wire.result("stats", {})["lane"] == "verification"


def test_good_frames_before_a_broken_one_are_served(site: Site) -> None:
    with Wire(site.socket_path) as wire:
        wire.send(encode_request(1, "submit", (GOOD | {"id": "before-the-end"},)) + b"\xc1")
        assert wire.read() is not None
    with Wire(site.socket_path) as wire:
        assert wire.result("submit", GOOD | {"id": "before-the-end"})["duplicate"]


def test_random_octets_never_harm_the_daemon(site: Site, random: Random) -> None:
    for _ in range(50):
        with Wire(site.socket_path) as wire:
            frame = bytearray(encode_request(1, "submit", (GOOD | {"id": "fuzz"},)))
            for _ in range(random.randint(1, 4)):
                frame[random.randrange(len(frame))] = random.randrange(256)
            wire.send(bytes(frame))
            wire._socket.shutdown(socket.SHUT_WR)
            while wire.read() is not None:
                pass
    with Wire(site.socket_path) as wire:
        assert wire.result("stats", {})["lane"] == "verification"
    assert site.processes[-1].running
    assert "Traceback" not in site.processes[-1].log


def test_octet_by_octet_is_as_good_as_at_once(wire: Wire) -> None:
    for octet in encode_request(9, "submit", (GOOD | {"id": "slowly"},)):
        wire.send(bytes([octet]))
    message: Any = wire.read()
    assert (message.msgid, message.error) == (9, None)


def test_the_same_job_again_is_the_same_and_another_is_a_conflict(wire: Wire) -> None:
    job = GOOD | {"id": "twice", "deadline_s": 30.0}
    assert wire.result("submit", job) == {"id": "twice", "state": "queued", "duplicate": False}
    assert wire.result("submit", job)["duplicate"] is True
    for change in ({"text": "Your code is 000000"}, {"to": "+4915112345679"}, {"deadline_s": 31.0}):
        error = wire.refused("submit", job | change)
        assert (error["code"], error["field"]) == ("conflict", "id")
    assert wire.result("submit", job)["duplicate"] is True


def test_repetitions_and_conflicts_within_one_commit_are_told_apart(wire: Wire) -> None:
    job = GOOD | {"id": "thrice"}
    calls = [("submit", job), ("submit", job), ("submit", job | {"text": "other"}), ("submit", job)]
    first, second, other, third = wire.ask(*calls)
    assert (first.result["duplicate"], second.result["duplicate"], third.result["duplicate"]) == (
        False,
        True,
        True,
    )
    assert other.error["code"] == "conflict"


@pytest.mark.asyncio
async def test_a_cancelled_repetition_does_not_stop_the_queue(site: Site) -> None:
    """A repetition of a job that has left, cancelled before its commit, must not count as waiting."""
    async with Application(site.socket_path) as shop:
        job = shop.job("+4915112345678")
        await shop.client.submit(job)
        await shop.final(str(job["id"]))
        with Wire(site.socket_path) as wire:
            again, cancelled = wire.ask(("submit", job), ("cancel", {"id": job["id"]}))
            assert again.result["duplicate"] is True
            assert cancelled.result is False
        for _ in range(3):
            assert (await shop.final(await shop.submit("+4915112345678"))).outcome == "delivered"


_CLIENT_OF_ANOTHER = """
import os, sys
sys.path.insert(0, os.getcwd())
import msgpack, msgspec
from tests.daemon.wire import Wire
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
with Wire(sys.argv[1]) as wire:
    try:
        wire.send(msgpack.packb([0, 1, "stats", [{}]]))
    except OSError:
        pass
    print(wire.farewell()["code"])
"""


def test_a_foreign_uid_is_refused_by_what_the_kernel_says() -> None:
    site = Site()
    try:
        lane = Lane((CarrierFile(1),), application={"uids": [os.getuid() + 4711]})
        site.start(lane)
        with Wire(site.socket_path) as wire:
            assert wire.farewell()["code"] == "forbidden"
    finally:
        site.close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_client_that_became_another_user_is_refused(site: Site) -> None:
    os.chmod(site.folder, 0o755)
    command = [sys.executable, "-c", _CLIENT_OF_ANOTHER, site.socket_path, str(NOBODY)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert (ran.stdout, ran.stderr) == ("forbidden\n", "")


def test_too_many_connections_are_told_so(site: Site) -> None:
    wires = [Wire(site.socket_path) for _ in range(20)]
    try:
        for wire in wires:
            wire.result("stats", {})
        with Wire(site.socket_path) as one_more:
            reason = one_more.farewell()
            assert reason["code"] == "busy"
            assert reason["retry_after_s"] > 0
    finally:
        for wire in wires:
            wire.__exit__(None, None, None)
