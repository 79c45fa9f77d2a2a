"""What the daemon talks about: a job under way, its attempts, and the words for their states."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from connector.segments import Segment

__all__ = ["Channel", "Content", "Limits", "LiveJob", "OnUnknown", "Outcome", "Standing", "Voice"]

Outcome = Literal["delivered", "undelivered", "expired", "rejected", "unknown", "cancelled"]
OnUnknown = Literal["report", "resend_once", "query"]
Channel = Literal["sms", "voice"]


Limits = tuple[tuple[str, tuple[int, ...]], ...]
"""(carrier, which of its limits hold), only of carriers with any."""


class Standing(NamedTuple):
    """What decides which carriers a job may use now; jobs of one standing wait in one line."""

    tried: frozenset[str]
    limits: Limits
    channel: Channel = "sms"


class Voice(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a call says.

    script   of the configuration; empty: the built-in one
    lang     BCP 47, of the prompts and the message
    code     digits that are read out one by one; empty: none
    message  what is said besides
    """

    script: str
    lang: str
    code: str = ""
    message: tuple[Segment, ...] = ()

    def __repr__(self) -> str:
        return f"Voice({self.script!r}, {self.lang}, {len(self.message)} segments)"


class Content(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What leaves for the handset; stored until the job is final, then wiped.

    flash       shown at once and not kept
    registered  ids under which the template is registered, by name
    voice       it is said in a call instead
    """

    text: str
    sender: str
    traceparent: str | None = None
    flash: bool = False
    registered: dict[str, str] | None = None
    voice: Voice | None = None

    def __repr__(self) -> str:
        return f"Content({len(self.text)} characters)"


class LiveJob:
    """A job that has not been handed to a carrier for good: it waits, or its submit_sm await answers.

    key          row of the journal
    app          row of the application in the journal
    id           the application's own
    recipient    E.164, with +
    accepted_at  seconds since 1970
    deadline_at  after it nothing is sent
    attempts     how many times the intent to send was committed
    tried        carriers that must not get it now: they refused it for good, or a moment ago
    barred       those of them that refused it for good
    doubted      carriers that refused it once by a status that may mean either
    resent       whether the one resend that `on_unknown` may permit is spent
    cancelled    taken back before it left
    queued       it is in the queue now
    limits       rates below a carrier's own that hold for it
    channel      how it travels
    """

    __slots__ = (
        "accepted_at", "app", "attempts", "barred", "cancelled", "channel", "content", "deadline_at",
        "doubted", "id", "key", "limits", "on_unknown", "queued", "recipient", "resent", "tried",
    )  # fmt: skip

    def __init__(
        self,
        *,
        key: int,
        app: int,
        id: str,
        recipient: str,
        content: Content,
        accepted_at: float,
        deadline_at: float,
        on_unknown: OnUnknown = "report",
        attempts: int = 0,
        barred: frozenset[str] = frozenset(),
        resent: bool = False,
    ) -> None:
        self.key = key
        self.app = app
        self.id = id
        self.recipient = recipient
        self.content = content
        self.accepted_at = accepted_at
        self.deadline_at = deadline_at
        self.on_unknown = on_unknown
        self.attempts = attempts
        self.tried = self.barred = barred
        self.doubted: frozenset[str] = frozenset()
        self.resent = resent
        self.cancelled = False
        self.queued = False
        self.limits: Limits = ()
        self.channel: Channel = "sms" if content.voice is None else "voice"

    def __repr__(self) -> str:
        return f"LiveJob({self.key}, attempt {self.attempts})"
