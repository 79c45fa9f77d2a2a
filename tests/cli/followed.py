"""A job whose first carrier went silent, as `status` tells of it: what docs/routing.md shows."""

from typing import Any, Final


def _attempt(number: int, step: int, *ids: str) -> dict[str, Any]:
    answers = [{"part": part, "message_id": message_id} for part, message_id in enumerate(ids, 1)]
    return {"attempt": number, "step": step, "channel": "sms", "parts": 1, "answers": answers}


def _step(at: float, type_: str, attempt: int, carrier: str, **fields: Any) -> dict[str, Any]:
    return {"at": at, "type": type_, "attempt": attempt, "carrier": carrier, **fields}


_OFFERS: Final = [
    {"route": "north", "p": 0.93, "price": 1.0, "utility": 36.2, "wait_s": 0.0},
    {"route": "east", "p": 0.91, "price": 1.4, "utility": 35.0, "wait_s": 0.0},
    {"route": "south", "reason": "breaker open for 12 s: no receipts in time"},
]
FOLLOWED: Final[dict[str, Any]] = {
    "schema": 2,
    "id": "login-1",
    "state": "final",
    "outcome": "delivered",
    "reason": "receipt DELIVERED",
    "to": "…23",
    "accepted_at": 1_795_376_571.0,
    "deadline_at": 1_795_376_591.0,
    "finished_at": 1_795_376_580.534,
    "on_unknown": "report",
    "journey": "code",
    "class": "login",
    "supersedes": None,
    "attempts": [_attempt(1, 0, "13825350009295470593"), _attempt(2, 1, "9f3a")],
    "timeline": [
        {"at": 1_795_376_571.0, "type": "accepted"},
        _step(1_795_376_571.003, "intent", 1, "north", decision={
            "rule": "best_utility", "chosen": "north", "candidates": ["north", "east"], "offers": _OFFERS,
            "plan": {"at_s": 6.4, "route": "east"},
        }),
        _step(1_795_376_571.061, "sent", 1, "north", part=1),
        _step(1_795_376_577.402, "intent", 2, "east", decision={
            "rule": "follow_up", "chosen": "east", "candidates": ["east"], "step": 1,
            "silent": {"route": "north", "s": 6.4, "p": 0.31, "p_alternative": 0.88, "planned_at_s": 6.4},
        }),
        _step(1_795_376_577.47, "sent", 2, "east", part=1),
        _step(1_795_376_580.534, "receipt", 2, "east", part=1, state="DELIVERED", result="delivered",
              error=None, kind="receipt", late=False),
        {"at": 1_795_376_580.534, "type": "final", "outcome": "delivered", "reason": "receipt DELIVERED"},
    ],
}  # fmt: skip
