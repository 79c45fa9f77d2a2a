"""A job's rows as `status` shows them: numbers masked, no text, times as seconds since 1970."""

from __future__ import annotations

from typing import Any

import msgspec

from connector.carriers.contract import SentPart
from connector.dispatch.pausing import Waiting
from connector.log import mask_number
from connector.model import Body

__all__ = ["job_view", "parts_to_recall"]

_NEVER_ARRIVED = ("refused", "deferred", "unsent", "missed")


def job_view(
    row: dict[str, Any], live_state: str | None, waiting: Waiting | None = None, *, numbers: bool = False
) -> dict[str, Any]:
    """`{id, state, outcome, to, accepted_at, deadline_at, attempts, timeline}`; see docs/socket.md.

    waiting  what holds back its next attempt; None: nothing, or it is not live
    numbers  whether the recipient's is shown in full
    """
    attempts = [_attempt(attempt) for attempt in row["attempts"]]
    return {
        "schema": 2,
        "id": row["ext"],
        "state": state_of(row, live_state),
        "waiting": None if waiting is None or row["outcome"] is not None else waiting._asdict(),
        "outcome": row["outcome"],
        "reason": row["reason"],
        "to": row["recipient"] if numbers else mask_number(row["recipient"]),
        "accepted_at": row["accepted_at"],
        "deadline_at": row["deadline_at"],
        "finished_at": row["finished_at"],
        "on_unknown": row["on_unknown"],
        "journey": row["journey"],
        "class": row["class"],
        "supersedes": row["supersedes"],
        "attempts": attempts,
        "timeline": _timeline(row, attempts),
    }


def state_of(row: dict[str, Any], live_state: str | None) -> str:
    """final, queued, submitting, sent or unknown."""
    if row["outcome"] is not None:
        return "final"
    if live_state is not None:
        return live_state
    results = [attempt["result"] for attempt in row["attempts"] if attempt["result"] not in _NEVER_ARRIVED]
    if not results:
        return "queued" if row["attempts"] else "unknown"
    return "unknown" if results[-1] == "unknown" else "sent"


def _attempt(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "attempt": row["n"],
        "step": row["step"],
        "channel": row["channel"],
        "carrier": row["carrier"],
        "at": row["at"],
        "decision": msgspec.json.decode(row["decision"]),
        "result": row["result"],
        "status": row["status"],
        "parts": row["parts"],
        "answers": [
            {
                "part": part["part"],
                "message_id": bytes.fromhex(part["raw"]).decode("latin-1"),
                "sent_at": part["sent_at"],
                "receipt_state": part["state"],
                "receipt_result": part["result"],
                "receipt_at": part["receipt_at"],
                "receipt_error": part["error"],
                "receipts": part["receipts"],
            }
            for part in row["answers"]
        ],
        "call": None if row["call"] is None else msgspec.json.decode(row["call"]),
    }


def _timeline(row: dict[str, Any], attempts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = [{"at": row["accepted_at"], "type": "accepted"}]
    for attempt, rows in zip(attempts, row["attempts"], strict=True):
        common = {"attempt": attempt["attempt"], "carrier": attempt["carrier"]}
        steps.append({
            "at": attempt["at"], "type": "intent", **common, "step": attempt["step"],
            "channel": attempt["channel"], "decision": attempt["decision"],
        })  # fmt: skip
        further = [each for each in row["timeline"] if each["attempt"] == rows["n"]]
        for part in rows["answers"]:
            steps.append({"at": part["sent_at"], "type": "sent", **common, "part": part["part"]})
        # In this order where times are equal, because the sort keeps it.
        steps += [_receipt(each, common) for each in further if not each["late"]]
        for part in rows["answers"]:
            if part["receipt_at"] is not None:
                steps.append(_receipt({**part, "at": part["receipt_at"], "late": 0}, common))
        steps += [_receipt(each, common) for each in further if each["late"]]
        if attempt["result"] is not None:
            steps.append({
                "at": attempt["at"], "type": attempt["result"], **common, "status": attempt["status"],
            })  # fmt: skip
    if row["finished_at"] is not None:
        steps.append({
            "at": row["finished_at"], "type": "final", "outcome": row["outcome"], "reason": row["reason"],
        })  # fmt: skip
    return sorted(steps, key=lambda step: float(step["at"]))


def _receipt(row: dict[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    """`late`: its part had its final state when it came."""
    return {
        "at": row["at"], "type": "receipt", **common, "part": row["part"], "state": row["state"],
        "result": row["result"], "error": row["error"], "kind": row["kind"] or "receipt",
        "late": bool(row["late"]),
    }  # fmt: skip


def parts_to_recall(row: dict[str, Any]) -> list[tuple[str, SentPart]]:
    """(carrier, part) of all that must be taken back for the job to be stopped; what has failed need not be.

    None of them when that cannot be done: it is final, an attempt is under way or has arrived, or the carrier
    never told the id of a part.
    """
    if row["outcome"] is not None:
        return []
    body = msgspec.json.decode(row["body"], type=Body)
    found = []
    for attempt in row["attempts"]:
        if attempt["result"] in _NEVER_ARRIVED:
            continue
        answers = attempt["answers"]
        if any(answer["result"] not in (None, "delivered") for answer in answers):
            continue  # a part of it will not arrive, and nobody reads half a message
        whole = len(answers) == attempt["parts"] and all(answer["raw"] for answer in answers)
        left = [answer["raw"] for answer in answers if answer["result"] is None]
        if attempt["result"] is not None or not whole or not left:
            return []
        sender = body.content("sms", attempt["n"]).guise(attempt["carrier"]).sender
        found += [
            (attempt["carrier"], SentPart(attempt["account"], bytes.fromhex(raw), sender, row["recipient"]))
            for raw in left
        ]
    return found
