"""The contract between the dispatcher and whatever carries a message to a phone.

1. `room(now)` says how many more attempts the carrier takes now; 0 while it cannot send at once.
   Below a rate that its peer has taught it, it takes a quarter of a second's worth ahead.
2. `prepare(job, now)` makes the attempt ready to leave, or raises Unsendable: nothing has left then.
3. `send(attempt, now)` is called once for each prepared attempt, after its intent was committed and never
   before. The bytes leave as soon as the window and the rate permit.
4. Every sent attempt ends in exactly one of `sent`, `refused`, `unknown`, `unsent`, told to `Outcomes`.
   `unsent` is told only where it is certain that no byte has left.
5. An attempt reported `unknown` may be corrected once, to `sent` or `refused`, by a late answer.
6. Nothing leaves after the job's deadline: what is still waiting then is `unsent`.
7. A receipt goes to the journal first; the carrier's peer is answered in `receipts_committed`. So does what a
   handset sent; its answer is in `inbound_committed`.
8. When room appears, `Outcomes.room` is called; the dispatcher never polls.
9. A call is told step by step in `call_progress`, and its end, in place of `sent`, once in `call_ended`.
10. `drain` takes no new attempts and returns when all are settled; `stop` settles the rest and closes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

from connector.carriers.statuses import StatusClass
from connector.journal.ops import Inbound, Query, Receipt
from connector.metrics import CarrierLive, TrunkLive
from connector.model import Channel, LiveJob

__all__ = ["Attempt", "CallEnd", "CallStep", "Carrier", "Outcomes", "PartAnswer", "SentPart", "Unsendable"]

CallStep = Literal["ringing", "answered", "digit", "transferred"]


class Unsendable(Exception):
    """The job cannot leave by this carrier; the reason is for the application to read.

    `field` is the key of the job that is at fault: text, sender, to or template. `everywhere`: nor by any
    other of the channel.
    """

    def __init__(self, reason: str, field: str = "text", *, everywhere: bool = False) -> None:
        super().__init__(reason)
        self.field = field
        self.everywhere = everywhere


class Attempt:
    """One committed intent to send one job by one carrier.

    number       from 1 within the job
    order        its place among those handed to the same bind
    parts        PDUs it takes
    substituted  what was replaced in the text: (original, replacement, how often)
    written      PDUs that have left and were not turned away as too many
    left_at      when the newest of them did
    answered     parts that were accepted
    settled      its end was told
    refused      a part was: the others need not leave
    """

    __slots__ = (
        "answered", "carrier", "job", "left_at", "number", "order", "parts", "refused", "settled",
        "substituted", "written",
    )  # fmt: skip

    def __init__(
        self,
        job: LiveJob,
        carrier: Carrier,
        parts: int,
        substituted: tuple[tuple[str, str, int], ...] = (),
    ) -> None:
        self.job = job
        self.carrier = carrier
        self.number = job.attempts + 1
        self.order = 0
        self.parts = parts
        self.substituted = substituted
        self.written = 0
        self.left_at = 0.0
        self.answered = 0
        self.settled = False
        self.refused = False


class PartAnswer(msgspec.Struct, frozen=True, gc=False):
    """A part that the carrier accepted. `key` and `raw` are forms of its message id, see the journal.

    `late`: the attempt had been reported as unknown before.
    """

    part: int
    key: str
    raw: str
    late: bool


class SentPart(msgspec.Struct, frozen=True, gc=False):
    """A part that the carrier has accepted. `message_id` as answered; `recipient` E.164 with +."""

    account: int
    message_id: bytes
    sender: str
    recipient: str


class CallEnd(msgspec.Struct, frozen=True):
    """How a call ended.

    result    delivered    what it had to say was heard to its end
              undelivered  a definite no of the listener or the network: busy, no answer, hung up too early
              refused      this trunk does not carry it, for the reason that `kind` tells; nothing rang
              unsent       nothing has left
              unknown      it may have rung or been answered; nobody can tell
    reason    for people, without numbers and codes: "busy", "answered by a machine"
    status    final SIP status, where there was one
    redial_s  the job may be tried again after so many seconds, after `refused` by this trunk; None: not again
    detail    JSON of connector.voice.detail.CallDetail
    """

    result: Literal["delivered", "undelivered", "refused", "unsent", "unknown"]
    reason: str
    status: int | None = None
    kind: StatusClass = StatusClass.TRANSIENT
    redial_s: float | None = None
    detail: str | None = None


class Outcomes(Protocol):
    """What a carrier tells its owner; all calls are made in the event loop and return at once."""

    def sent(self, attempt: Attempt, answer: PartAnswer, now: float) -> None:
        """One part was accepted; the attempt is sent when all were."""

    def refused(self, attempt: Attempt, status: int, kind: StatusClass, now: float) -> None:
        """The carrier said no to a part; `kind` is what its status means there."""

    def unknown(self, attempt: Attempt, reason: str, now: float) -> None:
        """Bytes left and no answer came."""

    def unsent(self, attempt: Attempt, reason: str, now: float) -> None:
        """No byte has left."""

    def receipt(self, receipt: Receipt) -> None:
        """A receipt, to be committed."""

    def inbound(self, inbound: Inbound) -> None:
        """What a handset sent, to be committed."""

    def call_progress(self, attempt: Attempt, step: CallStep, now: float, digit: str | None = None) -> None:
        """The call got so far; `digit`: the key that was pressed."""

    def call_ended(self, attempt: Attempt, end: CallEnd, now: float) -> None:
        """The call is over."""

    def room(self) -> None:
        """There may be room now."""


class Carrier(Protocol):
    """See the rules above."""

    name: str
    account: int
    priority: int
    channel: Channel

    @property
    def bound(self) -> bool:
        """It can send, if not at this moment."""

    def room(self, now: float) -> int: ...
    def rate(self, now: float) -> float:
        """PDUs or calls a second that may leave now, by its own limit and by what the peer has taught."""

    def room_at(self, now: float) -> float | None:
        """When the rate limit alone will give room again; None when something else is missing."""

    def limits(self, job: LiveJob) -> tuple[int, ...]:
        """Which rates below its own hold for this job; () for none."""

    def limited_until(self, limits: tuple[int, ...], now: float) -> float:
        """When a job of these may leave; `now` when at once."""

    def prepare(self, job: LiveJob, now: float) -> Attempt: ...
    def send(self, attempt: Attempt, now: float) -> None: ...
    def pump(self, now: float) -> None:
        """Write what was handed over; called once after a group of `send`."""

    def query(self, queries: list[Query], now: float) -> None:
        """Ask what became of messages; what is known comes as receipts. Nothing where not supported."""

    async def recall(self, sent: SentPart) -> bool:
        """Take a part back that was accepted; False when that failed, is not supported, or nobody knows."""

    def hang_up(self, attempt: Attempt, now: float) -> bool:
        """End a call in which nothing of the code or the message was said yet; its `call_ended` follows.

        False, and nothing happens, for any other, and for messages.
        """

    def receipts_committed(self, receipts: list[Receipt], now: float) -> None: ...
    def receipts_found(self, receipts: list[Receipt], now: float) -> None:
        """These had been parked, and have found their message. Called after each commit, also with none."""

    def remember_forms(self, forms: Mapping[str, int]) -> None:
        """By which forms of ids the receipts of the newest messages matched, before a restart."""

    def inbound_committed(self, arrived: list[Inbound], now: float) -> None: ...
    def live(self, now: float) -> CarrierLive | TrunkLive: ...
    def start(self) -> None: ...
    async def drain(self) -> None: ...
    async def stop(self) -> None: ...
