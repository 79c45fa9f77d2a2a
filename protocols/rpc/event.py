"""What happened to a job, as the application is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    EventType = Literal[
        "accepted", "queued", "sent", "delivered", "undelivered", "expired", "unknown", "ringing", "answered",
        "digit", "transferred", "completed", "failed", "cancelled", "converted", "received",
    ]  # fmt: skip
    Outcome = Literal["delivered", "undelivered", "expired", "rejected", "unknown", "cancelled"]
else:
    # Checked where they are written; read as they come, so that an older client survives a newer server.
    EventType = Outcome = str


class Event(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One step of one job, or a message that a handset sent to us.

    ``seq`` grows within an application and is its cursor; ``at`` is in seconds since 1970 (UTC);
    ``channel`` is ``sms`` or ``voice``; ``attempt`` counts from 1. The last event of a job, and only that,
    has ``final`` and an ``outcome``. ``sent`` tells what was ``substituted`` in the text, as (original,
    replacement, how often). Keys that a newer server adds are ignored.

    ``received`` is no step of a job and has an ``id`` of its own: ``from`` (here ``from_``) is the handset,
    ``to`` a number of ours, ``text`` what was written, or ``data`` its octets in hexadecimal where it is no
    text; ``parts`` is how many there were to be, ``missing`` the numbers of those that did not come;
    ``keyword`` is ``stop``, ``start`` or ``help`` where the whole text says so, in ``keyword_lang``.
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
    substituted: tuple[tuple[str, str, int], ...] | None = None
    digit: str | None = None
    traceparent: str | None = None
    from_: str | None = msgspec.field(default=None, name="from")
    to: str | None = None
    text: str | None = None
    data: str | None = None
    missing: tuple[int, ...] = ()
    keyword: str | None = None
    keyword_lang: str | None = None

    def __repr__(self) -> str:
        shown = (
            f"{name}={value!r}" for name in _SHOWN if (value := getattr(self, name)) not in (None, False, ())
        )
        return f"Event({', '.join(shown)})"


# All but what was written, and by whom.
_SHOWN = tuple(name for name in Event.__struct_fields__ if name not in ("from_", "to", "text", "data"))
