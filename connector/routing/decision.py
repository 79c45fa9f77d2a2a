"""A decision as it is stored with an attempt: data that `why` renders in words."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Decision", "OfferRecord", "Plan", "Rule", "Silent", "decode", "encode"]

Rule = Literal[
    "only_candidate", "best_utility", "priority", "trial", "follow_up", "after", "on_failure", "at_once",
    "priority_then_room",
]  # fmt: skip
"""priority_then_room: the rule of records made before routes were learned."""


class OfferRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One route as it was seen: `p` its chance to arrive in time, `price` and `utility` in average messages,
    `wait_s` until it could have left. `reason`: why it was no candidate, or what else was known.
    """

    route: str
    p: float | None = None
    price: float | None = None
    utility: float | None = None
    wait_s: float | None = None
    reason: str = ""


class Silent(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was known of a message under way when a further one was sent.

    s               seconds since it left without a receipt
    p               its chance still to arrive in time
    p_alternative   that of the route chosen now, if the handset can be reached
    planned_at_s    seconds after it left at which the further one was planned
    """

    route: str
    s: float
    p: float
    p_alternative: float
    planned_at_s: float


class Plan(msgspec.Struct, frozen=True):
    """The follow-up planned when this attempt was decided: `at_s` seconds later, by `route`."""

    at_s: float
    route: str


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """One decision. `draw`: what the random draw added to the chance of the chosen one, where it decided."""

    rule: Rule
    chosen: str
    candidates: tuple[str, ...]
    step: int = 0
    draw: float | None = None
    offers: tuple[OfferRecord, ...] = ()
    silent: Silent | None = None
    plan: Plan | None = None


_decode = msgspec.json.Decoder(Decision).decode
_encode = msgspec.json.Encoder(order="sorted").encode  # as evidence holds it


def encode(decision: Decision) -> str:
    """`decision` as JSON."""
    return _encode(decision).decode()


def decode(record: str) -> Decision:
    """The decision of a stored record, of any version. Raises `msgspec.DecodeError` on anything else."""
    return _decode(record)
