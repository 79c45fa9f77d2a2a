import json
import re
from typing import get_args, get_type_hints

import msgspec
import pytest

from connector.cli.event_line import clock_time
from connector.cli.story import story
from connector.journal.ops import Settle
from connector.model import OnUnknown
from connector.voice.detail import CallDetail, MediaDetail
from protocols.smpp.receipt import ReceiptState
from tests.cli.conftest import (
    DELIVERED,
    ENROUTE_FIRST,
    NEVER_ANSWERED,
    REFUSED_BY_NORTH,
    UNDELIVERED,
    Gateway,
)


def told(gateway: Gateway, id: str) -> list[str]:
    done = gateway.run("why", id)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_a_delivered_job(gateway: Gateway) -> None:
    head, accepted, intent, south, sent, receipt, final = told(gateway, gateway.finished(DELIVERED))
    assert "to …00, accepted at " in head
    assert ": delivered after 0." in head
    assert accepted.lstrip().startswith("+0.000 s  accepted and on disk; worthless after 10 s; ")
    assert "attempt 1 by north: north comes first by its priority; north " in intent
    assert re.search(r" % in time for 1\.0$", intent)
    assert south.endswith("  south was no candidate: another priority")
    assert "north took it as message " in sent
    assert receipt.endswith("receipt DELIVERED from north for it: the handset has it; counts as delivered")
    assert final.endswith("final, delivered: receipt DELIVERED")


def test_a_refusal_has_the_name_of_its_status_and_the_next_route(gateway: Gateway) -> None:
    words = "\n".join(told(gateway, gateway.finished(REFUSED_BY_NORTH)))
    assert "north refused it with command_status ESME_RSUBMITFAIL: for now, so other carriers first" in words
    assert re.search(
        r"attempt 2 by south, with [\d.]+ s left: south was the only carrier with room that ", words
    )
    assert "south took attempt 2" in words


def test_parts_are_told_apart(gateway: Gateway) -> None:
    words = "\n".join(told(gateway, gateway.finished(DELIVERED, "€" * 100)))
    assert "attempt 1 by north in 2 parts" in words
    for part in (1, 2):
        assert f"north took part {part} of 2 as message " in words
        assert f"receipt DELIVERED from north for part {part} of 2" in words


def test_an_attempt_nobody_knows_of(gateway: Gateway) -> None:
    words = told(gateway, gateway.finished(NEVER_ANSWERED, deadline_s=1.5))
    assert any("no submit_sm_resp for attempt 1: north may or may not have sent it" in line for line in words)
    assert words[-1].endswith("final, unknown: no receipt came")


def test_a_cancelled_or_open_job_has_a_headline(gateway: Gateway) -> None:
    id = gateway.new_id()
    with gateway.client(ack_every=0) as client:
        client.submit({"id": id, "to": NEVER_ANSWERED, "text": "x", "deadline_s": 1.5})
    assert told(gateway, id)[0].rpartition(": ")[2] in ("queued", "submitting", "unknown", "sent")


def test_json_is_the_status(gateway: Gateway) -> None:
    id = gateway.finished(ENROUTE_FIRST)
    with gateway.client() as client:
        expected = client.status(id)
    assert json.loads(gateway.run("why", "--json", id).stdout) == expected


def test_an_unknown_job_fails(gateway: Gateway) -> None:
    done = gateway.run("why", "no-such-job")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: unknown_job: id: no job of this id\n"


def status_of(*steps: dict[str, object]) -> dict[str, object]:
    attempt = {"attempt": 1, "parts": 1, "answers": []}
    return {
        "accepted_at": 0.0,
        "deadline_at": 9.0,
        "on_unknown": "report",
        "attempts": [attempt],
        "timeline": steps,
    }


@pytest.mark.parametrize(
    ("waiting", "words"),
    [
        (
            {"what": "quiet_hours", "until": 1_700_000_000.0, "carriers": {}},
            f"waits for the end of the recipient's quiet hours, at {clock_time(1_700_000_000.0)}",
        ),
        (
            {"what": "quiet_hours", "until": None, "carriers": {}},
            "waits for the end of the recipient's quiet hours",
        ),
        (
            {"what": "room", "until": None, "carriers": {"north": "no bind", "east": "refused it"}},
            "waits for a carrier (north: no bind; east: refused it)",
        ),
        ({"what": "room", "until": None, "carriers": {}}, "waits for a carrier"),
    ],
)
def test_what_a_job_waits_for_is_told_last(waiting: dict[str, object], words: str) -> None:
    accepted = {"at": 0.0, "type": "accepted"}
    first, last = story(status_of(accepted) | {"waiting": waiting})
    assert first[1].startswith("accepted and on disk")
    assert last == (None, words)


@pytest.mark.parametrize("state", [*ReceiptState, "NEW"])
def test_every_receipt_state_has_its_meaning(state: str) -> None:
    step = {
        "at": 1.0,
        "type": "receipt",
        "attempt": 1,
        "carrier": "north",
        "part": 1,
        "state": state,
        "result": None,
    }
    ((at, words),) = story(status_of(step))
    assert (at, words.endswith("; not final")) == (1.0, True)
    assert ("a state we do not know" in words) == (state == "NEW")


@pytest.mark.parametrize("ending", get_args(get_type_hints(Settle)["result"]))
def test_every_ending_of_an_attempt_has_its_words(ending: str) -> None:
    step = {"at": 1.0, "type": ending, "attempt": 1, "carrier": "north", "status": 0x58}
    ((_, words),) = story(status_of(step))
    assert words != ending
    assert "north" in words


def test_a_call_is_told_step_by_step() -> None:
    detail = CallDetail(
        trunk="west", call_id="x", at=2.0, ringing=0.5, ringing_status=180, answered=1.5, ended=3.0
    )
    detail.ended_by, detail.kind = "listener", "heard"
    detail.media = MediaDetail(codec="PCMA", encrypted=True, sent=75, received=74, lost=1)
    decision = {"rule": "only_candidate", "candidates": ["west"], "chosen": "west"}
    step = {"at": 1.0, "type": "intent", "attempt": 1, "carrier": "west", "decision": decision}
    status = status_of(step)
    call = json.loads(msgspec.json.encode(detail))
    status["attempts"] = [{"attempt": 1, "channel": "voice", "parts": 1, "answers": [], "call": call}]
    lines = list(story(status))
    assert [words for _, words in lines[1:]] == [
        "INVITE to west",
        "it rings",
        "200: answered",
        "ended by listener, heard",
        "PCMA in SRTP, 75 sent, 74 packets heard, 1 lost, jitter 0.0 ms",
    ]
    assert lines[3][0] is not None and lines[1][0] is not None
    assert lines[3][0] - lines[1][0] == 1.5


@pytest.mark.parametrize("policy", get_args(OnUnknown))
def test_every_policy_for_the_unknown_has_its_words(policy: str) -> None:
    status = status_of({"at": 0.0, "type": "accepted"}) | {"on_unknown": policy}
    ((_, words),) = story(status)
    assert "; if nobody knows whether it left, " in words


def test_what_a_newer_daemon_tells_is_shown_by_its_name() -> None:
    decision = {"rule": "patience", "candidates": ["north"], "chosen": "north"}
    intent = {"at": 1.0, "type": "intent", "attempt": 1, "carrier": "north", "decision": decision}
    words = [words for _, words in story(status_of(intent, {"at": 2.0, "type": "ringing"}))]
    assert words == ["attempt 1 by north: north out of north by the rule patience", "ringing"]


def test_a_timeline_has_every_receipt(gateway: Gateway) -> None:
    words = told(gateway, gateway.finished(ENROUTE_FIRST))
    receipts = [line.partition("  ")[2].strip() for line in words if " from north for it" in line]
    assert [receipt.rpartition("; ")[2] for receipt in receipts] == ["not final", "counts as delivered"]


def test_the_cause_is_told(gateway: Gateway) -> None:
    words = told(gateway, gateway.finished(UNDELIVERED))
    assert any(" from north for it with err " in line for line in words)
    assert re.search(r"final, undelivered: receipt UNDELIVERABLE err \w+", words[-1])
