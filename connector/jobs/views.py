"""A job's rows as `status` shows them: numbers masked, no text, times as seconds since 1970."""

from __future__ import annotations

from typing import Any

from connector.log import mask_number

__all__ = ["job_view"]


def job_view(row: dict[str, Any], live_state: str | None) -> dict[str, Any]:
    """`{id, state, outcome, to, accepted_at, deadline_at, attempts, timeline}`; see docs/socket.md."""
    attempts = [_attempt(attempt) for attempt in row["attempts"]]
    return {
        "schema": 1,
        "id": row["ext"],
        "state": state_of(row, live_state),
        "outcome": row["outcome"],
        "reason": row["reason"],
        "to": mask_number(row["recipient"]),
        "accepted_at": row["accepted_at"],
        "deadline_at": row["deadline_at"],
        "finished_at": row["finished_at"],
        "on_unknown": row["on_unknown"],
        "attempts": attempts,
        "timeline": _timeline(row, attempts),
    }


def state_of(row: dict[str, Any], live_state: str | None) -> str:
    """final, queued, submitting, sent or unknown."""
    if row["outcome"] is not None:
        return "final"
    if live_state is not None:
        return live_state
    last = row["attempts"][-1] if row["attempts"] else None
    return "unknown" if last is None or last["result"] == "unknown" else "sent"


def _attempt(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "attempt": row["n"],
        "channel": "sms",
        "carrier": row["carrier"],
        "at": row["at"],
        "decision": row["decision"],
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
            }
            for part in row["answers"]
        ],
    }


def _timeline(row: dict[str, Any], attempts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = [{"at": row["accepted_at"], "type": "accepted"}]
    for attempt in attempts:
        common = {"attempt": attempt["attempt"], "carrier": attempt["carrier"]}
        steps.append({"at": attempt["at"], "type": "intent", **common, "decision": attempt["decision"]})
        for answer in attempt["answers"]:
            steps.append({"at": answer["sent_at"], "type": "sent", **common, "part": answer["part"]})
            if answer["receipt_at"] is not None:
                steps.append({
                    "at": answer["receipt_at"], "type": "receipt", **common, "part": answer["part"],
                    "state": answer["receipt_state"], "result": answer["receipt_result"],
                })  # fmt: skip
        if attempt["result"] is not None:
            steps.append({
                "at": attempt["at"], "type": attempt["result"], **common, "status": attempt["status"],
            })  # fmt: skip
    if row["finished_at"] is not None:
        steps.append({
            "at": row["finished_at"], "type": "final", "outcome": row["outcome"], "reason": row["reason"],
        })  # fmt: skip
    return sorted(steps, key=lambda step: float(step["at"]))
