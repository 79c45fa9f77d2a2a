"""Whole stories as `why` tells them, from what `status` answers with."""

import json
from typing import Any

from connector.cli.story import story


def lines(status: dict[str, Any]) -> list[str]:
    return [f"{'' if at is None else f'{at:.1f} '}{words}" for at, words in story(status)]


def attempt(number: int, channel: str, *, parts: int = 1, message_id: str = "") -> dict[str, Any]:
    answers = [{"part": part, "message_id": f"{message_id}{part}"} for part in range(1, parts + 1)]
    return {"attempt": number, "channel": channel, "parts": parts, "answers": answers if message_id else []}


def intent(at: float, number: int, carrier: str, **decision: Any) -> dict[str, Any]:
    record = json.dumps({"chosen": carrier, "candidates": [carrier], **decision})
    return {"at": at, "type": "intent", "attempt": number, "carrier": carrier, "decision": record}


def sent(at: float, number: int, carrier: str) -> dict[str, Any]:
    return {"at": at, "type": "sent", "attempt": number, "carrier": carrier, "part": 1}


def receipt(at: float, number: int, carrier: str, state: str, result: str | None) -> dict[str, Any]:
    return {
        "at": at, "type": "receipt", "attempt": number, "carrier": carrier, "part": 1, "state": state,
        "result": result, "error": None, "kind": "receipt", "late": False,
    }  # fmt: skip


NORTH = {"route": "north", "p": 0.93, "price": 1.0, "utility": 36.2}
EAST = {"route": "east", "p": 0.91, "price": 1.4, "utility": 35.0}
STATUS: dict[str, Any] = {
    "accepted_at": 100.0,
    "deadline_at": 120.0,
    "finished_at": 109.5,
    "on_unknown": "report",
    "attempts": [attempt(1, "sms", message_id="n"), attempt(2, "sms", message_id="e"), attempt(3, "voice")],
    "timeline": [
        {"at": 100.0, "type": "accepted"},
        intent(
            100.1, 1, "north", rule="best_utility", candidates=["north", "east"],
            offers=[NORTH, EAST, {"route": "south", "reason": "breaker open for 12 s: silent"}],
            plan={"at_s": 6.4, "route": "east"},
        ),
        sent(100.2, 1, "north"),
        intent(
            106.4, 2, "east", rule="follow_up", step=1, offers=[{**EAST, "p": 0.88}],
            silent={"route": "north", "s": 6.3, "p": 0.31, "p_alternative": 0.88, "planned_at_s": 6.4},
            plan={"at_s": 4.0, "route": "west"},
        ),
        sent(106.5, 2, "east"),
        intent(108.0, 3, "west", rule="after", step=2),
        {"at": 108.0, "type": "unsent", "attempt": 3, "carrier": "west", "status": None},
        receipt(109.5, 2, "east", "DELIVERED", "delivered"),
        {"at": 109.5, "type": "final", "outcome": "delivered", "reason": "receipt DELIVERED"},
        receipt(130.0, 1, "north", "EXPIRED", "expired"),
    ],
}  # fmt: skip


def test_a_carrier_that_goes_silent_and_what_was_done_about_it() -> None:
    accepted, *told, late = lines(STATUS)
    assert accepted.startswith("0.0 accepted and on disk; worthless after 20 s; ")
    assert told == [
        "0.1 attempt 1 by north: north 93 % in time for 1.0, east 91 % for 1.4: north is worth more",
        "  south was no candidate: breaker open for 12 s: silent",
        "  if nothing is heard of it for 6.4 s, east is to try as well",
        "0.2 north took attempt 1 as message n1",
        (
            "6.4 attempt 2 by east, step 2 of the journey, with 13.6 s left: north has been silent for 6.3 "
            "s: its chance fell to 31 %; east would make it with 88 %; so it went by east as well"
        ),
        "  if nothing is heard of it for 4.0 s, west is to try as well",
        "6.5 east took attempt 2 as message e1",
        (
            "8.0 attempt 3 by west, step 3 of the journey, with 12.0 s left: west takes this step, whose "
            "time had come"
        ),
        "attempt 3 never left: west went down, the deadline passed, or the job was stopped",
        "9.5 receipt DELIVERED from east for attempt 2: the handset has it; counts as delivered",
        "9.5 final, delivered: receipt DELIVERED",
    ]
    assert late.endswith(" from north for attempt 1: the carrier ran out of time; the job had ended before")


def test_what_was_asked_for_is_told_first() -> None:
    asked = {"journey": "code", "class": "login", "supersedes": "login of 4711"}
    accepted = lines({**STATUS, **asked})[0]
    assert "; by journey code; of class login; older jobs of its key are stopped; " in accepted
    assert "4711" not in accepted
    assert "journey" not in lines({**STATUS, "journey": "sms"})[0]


def test_a_daemon_of_before_tells_decisions_as_text() -> None:
    as_objects = json.loads(json.dumps(STATUS))
    for step in as_objects["timeline"]:
        if step["type"] == "intent":
            step["decision"] = json.loads(step["decision"])
    assert lines(as_objects) == lines(STATUS)
