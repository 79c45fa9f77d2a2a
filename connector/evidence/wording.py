"""What the words of a record mean, for a reader who has never seen one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

__all__ = [
    "CALL_ENDINGS", "CALL_OUTCOMES", "MACHINES", "OUTCOMES", "RECEIPTS", "REMOVALS", "RESULTS", "SOURCES",
    "clock", "day_text", "duration", "moment_text", "plural", "since",
]  # fmt: skip

OUTCOMES: Final[Mapping[str, tuple[str, str]]] = {
    "delivered": ("Delivered", "was delivered"),
    "undelivered": ("Not delivered", "was not delivered"),
    "expired": ("Not in time", "did not arrive before it was worthless"),
    "rejected": ("Rejected", "was refused by every carrier"),
    "unknown": ("Not known", "left, but nobody has said whether it arrived"),
    "cancelled": ("Cancelled", "was stopped before its end"),
}
"""Outcome → (badge, end of the sentence that begins "The message …")."""

CALL_OUTCOMES: Final[Mapping[str, tuple[str, str]]] = {
    **OUTCOMES,
    "delivered": ("Heard", "was answered and heard"),
    "undelivered": ("Not heard", "was not heard"),
    "expired": ("Not in time", "was not heard before it was worthless"),
    "unknown": ("Not known", "was placed, but nobody knows how it ended"),
}
"""The same of a call."""

RECEIPTS: Final[Mapping[str, str]] = {
    "ENROUTE": "under way to the handset",
    "DELIVERED": "the handset has it",
    "EXPIRED": "the carrier ran out of time",
    "DELETED": "the carrier deleted it",
    "UNDELIVERABLE": "the handset cannot be reached",
    "ACCEPTED": "the carrier has it",
    "UNKNOWN": "the carrier does not know",
    "REJECTED": "the network rejected it",
    "FAILED": "delivery failed",
}
"""State of a receipt → what the carrier says by it."""

RESULTS: Final[Mapping[str, str]] = {
    "refused": "refused it",
    "deferred": "refused it for now",
    "unknown": "did not answer: it may or may not have left",
    "unsent": "never got it: nothing left",
    "completed": "placed the call, and it said all that it had to say",
    "missed": "placed the call, and nobody heard it to its end",
}
"""Result of an attempt → what follows the carrier's name."""

SOURCES: Final[Mapping[str, str]] = {
    "receipt": "Receipt",
    "intermediate": "Notification on the way",
    "query": "Answer to our question",
}
"""How the state of a message came to be known."""

CALL_ENDINGS: Final[Mapping[str, str]] = {
    "listener": "the listener hung up",
    "us": "we hung up",
    "agent": "the agent hung up",
    "carrier": "the carrier ended it",
    "session_timer": "it was no longer refreshed",
    "media_timeout": "nothing more was heard of the other side",
    "transport": "the connection to the carrier broke",
}
"""Who ended a call."""

REMOVALS: Final[Mapping[str, str]] = {
    "forget": "the person is to be forgotten",
    "retention": "the time to keep it is over",
}
"""Why a personal part was taken out."""

MACHINES: Final[Mapping[str, str]] = {
    "human": "a person",
    "machine": "an answering machine",
    "beep": "an answering machine, up to its tone",
}
"""What the detector took the other side for."""


def plural(count: int, one: str) -> str:
    return f"{count} {one}" if count == 1 else f"{count} {one}s"


def duration(seconds: float) -> str:
    """`0.04 s`, `4.2 s`, `2 min 5 s`, `3 h 10 min`, `2 days 4 h`."""
    seconds = max(seconds, 0.0)
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 60:
        return _two(minutes, "min", whole % 60, "s")
    if hours < 48:
        return _two(hours, "h", minutes % 60, "min")
    return _two(days, "days", hours % 24, "h")


def since(at: float, origin: float) -> str:
    """`+4.200 s`, and beyond a minute `+2 min 5 s`."""
    seconds = at - origin
    return f"{seconds:+.3f} s" if abs(seconds) < 60 else f"+{duration(seconds)}"


def moment_text(at: float) -> str:
    """`23 November 2026, 07:33:44.120 UTC`."""
    return f"{day_text(at)}, {clock(at)} UTC"


def day_text(at: float | str) -> str:
    """`23 November 2026`, of a time in seconds since 1970 or of `2026-11-23`."""
    day = datetime.fromisoformat(at) if isinstance(at, str) else datetime.fromtimestamp(at, UTC)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def clock(at: float) -> str:
    """`07:33:44.120`, of UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[11:23]


def _two(large: int, its: str, small: int, their: str) -> str:
    return f"{large} {its} {small} {their}" if small else f"{large} {its}"


_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
"""Not strftime's, which are those of the host's locale."""
