"""What the daemon talks about: a job under way, its attempts, and the words for their states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from connector.segments import Segment

if TYPE_CHECKING:
    from connector.dispatch.course import Course

__all__ = [
    "Body",
    "Channel",
    "Content",
    "Guise",
    "Limits",
    "LiveJob",
    "OnUnknown",
    "Outcome",
    "Proof",
    "Standing",
    "Voice",
]

Outcome = Literal["delivered", "undelivered", "expired", "rejected", "unknown", "cancelled"]
OnUnknown = Literal["report", "resend_once", "query"]
Channel = Literal["sms", "voice"]


Limits = tuple[tuple[str, tuple[int, ...]], ...]
"""(carrier, which of its limits hold), only of carriers with any."""


class Standing(NamedTuple):
    """What decides which carriers a job may use now; jobs of one standing wait in one line.

    routes  those that it may use at all; None: all of its channel
    group   what decides which of several is the best: cell and class; None where there is one at most
    """

    tried: frozenset[str]
    limits: Limits
    channel: Channel = "sms"
    routes: frozenset[str] | None = None
    group: tuple[str, str, str] | None = None


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


class Guise(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """As what a text leaves by one carrier.

    sender      the sender id; empty: the carrier's own
    registered  ids under which the text is registered, by name
    refused     why this carrier cannot carry it there; empty: it can
    exact       the text is registered: nothing in it may be replaced
    """

    sender: str = ""
    registered: dict[str, str] | None = None
    refused: str = ""
    exact: bool = False


class Content(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What leaves for the handset; stored until the job is final, then wiped.

    flash       shown at once and not kept
    registered  ids under which the template is registered, by name
    voice       it is said in a call instead
    by_carrier  as what it leaves by carriers that need another sender or other ids there
    """

    text: str
    sender: str
    traceparent: str | None = None
    flash: bool = False
    registered: dict[str, str] | None = None
    voice: Voice | None = None
    by_carrier: dict[str, Guise] | None = None

    def guise(self, carrier: str) -> Guise:
        """As what it leaves by `carrier`."""
        own = self.by_carrier.get(carrier) if self.by_carrier is not None else None
        return own if own is not None else Guise(self.sender, self.registered)

    def __repr__(self) -> str:
        return f"Content({len(self.text)} characters)"


class Body(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """All that a job may have to say; stored until it is final, then wiped.

    sms, voice  per attempt, the last one for all that follow; empty where its journey has no such step
    pins        carriers and trunks that it is to go by; empty: any
    fallback    whether others may carry it when none of `pins` can
    quiet       whether it waits for the end of the recipient's quiet hours
    """

    sms: tuple[Content, ...] = ()
    voice: tuple[Content, ...] = ()
    pins: tuple[str, ...] = ()
    fallback: bool = True
    quiet: bool = True

    def content(self, channel: Channel, attempt: int) -> Content:
        """What attempt number `attempt`, from 1, has to say."""
        contents = self.sms if channel == "sms" else self.voice
        return contents[min(attempt, len(contents)) - 1]

    def says(self, channel: Channel) -> bool:
        """It has something for it."""
        return bool(self.sms if channel == "sms" else self.voice)

    def __repr__(self) -> str:
        return f"Body({len(self.sms)} texts, {len(self.voice)} calls)"


class Proof(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What evidence says of a job's words, and outlives them.

    template, version, hash  which one was used, and SHA-256 of its file's content; empty for free text
    lang                     BCP 47, of the wording that was chosen
    country                  ISO 3166-1 alpha-2, of the recipient; empty where it is not known
    sms, voice               connector.evidence.keys.text_hmac of each text, in the order of model.Body
    """

    template: str = ""
    version: int = 0
    hash: str = ""
    lang: str = ""
    country: str = ""
    sms: tuple[str, ...] = ()
    voice: tuple[str, ...] = ()


class LiveJob:
    """A job that may still be sent: it waits, its attempts await answers, or a further one may follow.

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
    routes       those that its next attempt may use; None: all of its channel
    group        see Standing
    channel      how it travels next, or travelled last
    content      what it says there
    body         all that it may say
    under_way    attempts whose end is not known yet, by number
    held         it has not left for the first time
    course       where it is in its journey; the dispatcher's
    follow       what a receipt before the deadline leaves to the dispatcher: 0 nothing, 1 a failure,
                 2 a delivery too
    journey_name of the configuration
    klass        the job's class; empty: none was given
    supersedes   its person and purpose: a newer job of the same key stops this one
    proof        of its words, for evidence; of a new job alone, the journal keeps it
    """

    __slots__ = (
        "__weakref__",
        "accepted_at", "app", "attempts", "barred", "body", "cancelled", "channel", "content", "course",
        "deadline_at", "doubted", "follow", "group", "held", "id", "journey_name", "key", "klass", "limits",
        "on_unknown", "proof", "queued", "recipient", "resent", "routes", "supersedes", "tried", "under_way",
    )  # fmt: skip

    def __init__(
        self,
        *,
        key: int,
        app: int,
        id: str,
        recipient: str,
        content: Content | None = None,
        body: Body | None = None,
        accepted_at: float,
        deadline_at: float,
        on_unknown: OnUnknown = "report",
        attempts: int = 0,
        barred: frozenset[str] = frozenset(),
        resent: bool = False,
        follow: int = 0,
        journey_name: str = "",
        klass: str = "",
        supersedes: str | None = None,
        proof: Proof | None = None,
    ) -> None:
        self.key = key
        self.app = app
        self.id = id
        self.recipient = recipient
        if body is None:
            assert content is not None
            body = Body(sms=(content,)) if content.voice is None else Body(voice=(content,))
        self.body = body
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
        self.channel: Channel = "sms" if body.sms else "voice"
        self.content = body.content(self.channel, attempts + 1)
        self.under_way: set[int] = set()
        self.held = False
        self.course: Course | None = None
        self.routes: frozenset[str] | None = None
        self.group: tuple[str, str, str] | None = None
        self.follow = follow
        self.journey_name = journey_name
        self.klass = klass
        self.supersedes = supersedes
        self.proof = proof

    def turn_to(self, channel: Channel) -> None:
        """Make its next attempt one of `channel`."""
        if channel == self.channel and not self.attempts:
            return
        self.channel = channel
        self.content = self.body.content(channel, self.attempts + 1)

    def standing(self) -> Standing:
        """With whom it waits in line."""
        return Standing(self.tried, self.limits, self.channel, self.routes, self.group)

    def __repr__(self) -> str:
        return f"LiveJob({self.key}, attempt {self.attempts})"
