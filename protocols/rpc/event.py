"""What happened to a job, as the application is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    EventType = Literal[
        "accepted", "queued", "sent", "delivered", "undelivered", "expired", "unknown", "ringing", "answered",
        "digit", "transferred", "completed", "failed", "cancelled", "converted",
    ]  # fmt: skip
    Outcome = Literal["delivered", "undelivered", "expired", "rejected", "unknown", "cancelled"]
else:
    # Checked where they are written; read as they come, so that an older client survives a newer server.
    EventType = Outcome = str


class Event(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One step of one job.

    ``seq`` grows within an application and is its cursor; ``at`` is in seconds since 1970 (UTC);
    ``channel`` is ``sms`` or ``voice``; ``attempt`` counts from 1. The last event of a job, and only that,
    has ``final`` and an ``outcome``. Keys that a newer server adds are ignored.
    """

    seq: int
    id: str
    at: float
    type: EventType
    channel: str | None = None
    carrier: str | None = None
    attempt: int | None = None
    final: bool = False
    outcome: Outcome | None = None
    reason: str | None = None
    parts: int | None = None
    digit: str | None = None
    traceparent: str | None = None
