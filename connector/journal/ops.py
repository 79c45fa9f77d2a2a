"""What can be written to the journal: each step of a job's life as one operation.

The event loop makes operations and puts them into the open batch; the writer thread commits a whole batch,
fills in the fields marked *out*, and hands it back.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

from connector.model import Channel, LiveJob, Outcome
from protocols.gsm.coding import Coding

__all__ = [
    "Accept", "Acknowledge", "Answer", "Batch", "CallRecord", "CallStep", "Chunk", "Feedback", "Finish",
    "Forget", "Found", "Inbound", "InboundPart", "Intend", "OrderNode", "Query", "Receipt", "Redact",
    "Settle", "Told", "no_key",
]  # fmt: skip

Verdict = Literal["new", "duplicate", "conflict", "dropped"]
Match = Literal["", "id", "address", "late", "parked"]
EventType = Literal[
    "sent", "delivered", "undelivered", "expired", "unknown", "failed", "cancelled", "converted", "completed",
]  # fmt: skip


class Accept(msgspec.Struct):
    """Store a job. *out*: `verdict`; for a duplicate also `outcome` of the stored one. Dropped: it is that of
    an OrderNode, which says why.
    """

    job: LiveJob
    digest: str
    body: str
    give_up_at: float
    context: Any
    verdict: Verdict = "new"
    outcome: str | None = None

    def __repr__(self) -> str:
        return f"Accept({self.job!r}, {self.verdict})"  # not its body


class OrderNode(msgspec.Struct):
    """An order has reached a node. *out*: `verdict`, `after`, `ext`, `outcome`, `ended`.

    event     which of several; empty where the node occurs once
    digest    tells a repetition from a conflict
    at        when it was taken
    ends      whether it ends what was not told yet of lower nodes, and of this one before
    accept    its job, which is among the `accepts` too; None: nothing is told
    stale     for the time of it has passed
    refusal   its job was refused, and this is what to answer if it is not known, or out of date anyway
    verdict   late: a node of a higher rank came before it, `after`; refused: nothing of it is stored
    ext       the job's id, of a repetition that of the first; None: it has none
    outcome   of a repetition's job: None while it is open, "forgotten" when it is in the journal no more
    ended     how many jobs were ended by it
    """

    app: int
    order: str
    node: str
    event: str
    rank: int
    digest: str
    at: float
    ends: bool
    accept: Accept | None
    context: Any
    stale: bool = False
    refusal: Any = None
    verdict: Literal["new", "duplicate", "conflict", "late", "refused"] = "new"
    after: str = ""
    ext: str | None = None
    outcome: str | None = None
    ended: int = 0

    def __repr__(self) -> str:
        return f"OrderNode({self.node}, {self.verdict})"


class Intend(msgspec.Struct):
    """The intent to send; its bytes leave after the commit. `step`: of the job's journey, from 0.

    `attempt` is its number: the newest one of the job, when this is made.

    *out*: `applied`, False when the job is final, be it by what the same commit brought.
    """

    job: LiveJob
    account: int
    carrier: str
    parts: int
    at: float
    decision: str
    context: Any
    channel: Channel = "sms"
    step: int = 0
    applied: bool = True
    attempt: int = 0

    def __post_init__(self) -> None:
        self.attempt = self.attempt or self.job.attempts


class Answer(msgspec.Struct, gc=False):
    """A submit_sm_resp that accepts a part. `complete`: it was the attempt's last part.

    `key` is empty when the carrier gave no message id. `substituted`: what was replaced in the text, as
    (original, replacement, how often).
    """

    job: LiveJob
    attempt: int
    part: int
    parts: int
    account: int
    carrier: str
    key: str
    raw: str
    at: float
    complete: bool
    late: bool
    substituted: tuple[tuple[str, str, int], ...] = ()


class Settle(msgspec.Struct):
    """An attempt that ended without a message id: refused for good or for now, unknown, or never sent; or a
    call: `completed` when it said what it had to, `missed` when nobody heard it.
    """

    job: LiveJob
    attempt: int
    account: int
    carrier: str
    result: Literal["refused", "deferred", "unknown", "unsent", "completed", "missed"]
    status: int | None
    at: float
    reason: str
    channel: Channel = "sms"


class CallStep(msgspec.Struct):
    """A call got so far. `digit`: the key that was pressed."""

    job: LiveJob
    attempt: int
    carrier: str
    type: Literal["ringing", "answered", "digit", "transferred"]
    at: float
    digit: str | None = None


class CallRecord(msgspec.Struct):
    """All that is known of a call when it is over. `detail`: JSON of connector.voice.detail.CallDetail."""

    job: int
    attempt: int
    detail: str


class Receipt(msgspec.Struct):
    """What a carrier reported. *out*: how it matched, and when its job was accepted.

    keys        (form, key) of the id it may stand for, the likeliest first; none: no receipt, only kept
    result      what the state means when it is final, else None
    address     digits of the handset's number as the receipt has it
    raw         hexadecimal of its text, without the message's
    message_id  hexadecimal of the id as it came
    trusted     the form that needs no agreement of the handset's number; empty: every form does
    error       what the carrier says of the cause, e.g. "err 075"
    kind        how it came: a delivery receipt, an intermediate notification, or the answer to a query_sm
    narrow      `keys` has only the form that was learned: the others are tried when no answer can come now
    form        out: the form that matched; empty where others would have done as well
    """

    account: int
    carrier: str
    keys: tuple[tuple[str, str], ...]
    address: str
    state: str
    result: Literal["delivered", "failed", "expired"] | None
    raw: str
    at: float
    context: Any
    message_id: str = ""
    trusted: str = "same"
    error: str = ""
    kind: Literal["receipt", "intermediate", "query"] = "receipt"
    narrow: bool = False
    match: Match = ""
    accepted_at: float = 0.0
    form: str = ""


class InboundPart(msgspec.Struct, frozen=True, gc=False):
    """A message from a handset, or one part of it.

    handset, recipient  who wrote, and the number of ours it went to: E.164 with + where that is known
    codec               how `octets` become text; None: they are no text
    octets              user data without its header; septets one an octet
    form                what `reference` is: udh8, udh16 or sar; empty: the message has no parts
    reference           of the whole message, None where there is none
    index               from 1 to `total`
    locking, single     national tables of the part (TS 23.038), 0 for none
    """

    handset: str
    recipient: str
    codec: Coding | None
    octets: bytes
    form: Literal["", "udh8", "udh16", "sar"] = ""
    reference: int | None = None
    total: int = 1
    index: int = 1
    locking: int = 0
    single: int = 0

    def __repr__(self) -> str:
        return f"InboundPart({self.index} of {self.total}, {len(self.octets)} octets)"  # not what they say


class Inbound(msgspec.Struct):
    """What a handset sent us, as one PDU. *out*: `fate`.

    connection  on which it came, a number that no other connection has
    standing    the carrier's connections that stand now: what came by another may come again, unanswered
    fate        told to an application, waiting for the other parts, a repetition, or parked: nobody's number
    """

    account: int
    carrier: str
    part: InboundPart
    connection: int
    standing: frozenset[int]
    at: float
    context: Any
    fate: Literal["told", "waiting", "repeated", "parked"] = "waiting"


class Query(msgspec.Struct, frozen=True, gc=False):
    """A message that its carrier is to be asked for. `key` is that of its part, `message_id` as answered."""

    account: int
    carrier: str
    key: str
    message_id: bytes
    sender: str
    recipient: str


class Feedback(msgspec.Struct, frozen=True, gc=False):
    """What the application said of a job, for evidence. `attempt`: that it said worked."""

    job: int
    converted: bool
    attempt: int | None
    at: float


class Found(NamedTuple):
    """Where the journal names a number: rows of `job` and of `event`, and the last rows looked at."""

    jobs: tuple[int, ...] = ()
    chunks: tuple[int, ...] = ()
    last_job: int = 0
    last_chunk: int = 0


class Forget(msgspec.Struct):
    """Take a handset's number out of the journal. `found`: by journal.forgetting.find.

    *out*: `jobs`, how many have lost it; `open`, how many will when they end.
    """

    number: str
    found: Found
    context: Any = None
    jobs: int = 0
    open: int = 0

    def __repr__(self) -> str:
        return f"Forget({len(self.found.jobs)} jobs)"  # not the number


class Redact(msgspec.Struct):
    """Take the personal parts of evidence out. *out*: `records`, how many had one; `again`, that records have
    come since `evidence.redaction.spans_of` looked, and it must be asked again.

    spans   first and last number of records in a row
    number  whose records are taken out of the newest ones too; empty: nobody's
    looked  what `spans_of` has looked at
    """

    spans: list[tuple[int, int]]
    reason: Literal["forget", "retention"]
    context: Any = None
    number: str = ""
    looked: int = 0
    records: int = 0
    again: bool = False

    def __repr__(self) -> str:
        return f"Redact({len(self.spans)} spans, {self.reason})"  # not the number


class Finish(msgspec.Struct):
    """The end of a job that no receipt decided. *out*: `applied`, False when it was final already;
    `cancelled_before`, that it was by being cancelled.

    With a `carrier` it is the end of `attempt` too, which is not told apart from it.
    """

    key: int
    app: int
    id: str
    outcome: Outcome
    type: EventType
    reason: str
    at: float
    traceparent: str | None = None
    attempt: int | None = None
    context: Any = None
    carrier: str | None = None
    channel: Channel = "sms"
    applied: bool = False
    cancelled_before: bool = False


class Told(NamedTuple):
    """What the receipts of an attempt say of it, when all its parts were delivered or one has failed.

    Once for each attempt, whether its job was open or not. `ended`: the job is, now or since long. Where it
    is not, and the attempt failed before the deadline, what comes next is the dispatcher's to say.

    key, app, id  of the job
    error         what the carrier says of the cause
    at, left_at   of the receipt that decided, and of the attempt's intent
    """

    key: int
    app: int
    id: str
    attempt: int
    result: Literal["delivered", "failed", "expired"]
    error: str
    reason: str
    at: float
    ended: bool
    left_at: float


def no_key(job: int, attempt: int, part: int) -> str:
    """Stands for the message id of a part that has none; only this part has it."""
    return f"/{job}/{attempt}/{part}"


class Acknowledge(msgspec.Struct, gc=False):
    """Events up to `seq` are the application's now."""

    app: int
    seq: int


class Chunk(msgspec.Struct, gc=False):
    """Events of one application from one commit: contiguous `first`..`last`, as frames ready to leave."""

    app: int
    first: int
    last: int
    at: float
    frames: bytes

    def __repr__(self) -> str:
        return f"Chunk({self.app}, {self.first}..{self.last})"  # not its frames: handsets' texts are in them


class Batch(msgspec.Struct):
    """One group commit. Kinds are applied in the order of a job's life, each kind in order of arrival."""

    accepts: list[Accept] = []
    order_nodes: list[OrderNode] = []
    intends: list[Intend] = []
    answers: list[Answer] = []
    settles: list[Settle] = []
    call_steps: list[CallStep] = []
    call_records: list[CallRecord] = []
    receipts: list[Receipt] = []
    recalls: list[int] = []  # jobs that carriers are about to be asked to take back
    unfollows: list[int] = []  # jobs of which nothing more will be sent: their receipts decide alone
    inbound: list[Inbound] = []
    finishes: list[Finish] = []
    feedbacks: list[Feedback] = []
    forgets: list[Forget] = []
    redacts: list[Redact] = []
    acknowledges: list[Acknowledge] = []
    sweep_at: float | None = None
    chunks: list[Chunk] = []  # out
    outcomes: dict[str, int] = {}  # out: jobs that became final, by outcome
    classes: list[tuple[str, int, int]] = []  # out: of ended jobs: class, how many, how many not in time
    missed: int = 0  # out: jobs that were not delivered by their deadline
    ended: list[tuple[int, str]] = []  # out: (application, id) of jobs that a receipt ended
    told: list[Told] = []  # out: attempts that receipts decided
    found: list[Receipt] = []  # out: parked receipts that have found their message
    unmatched: dict[str, int] = {}  # out: parked receipts that were given up, by carrier
    parked: int = 0  # out: receipts that wait for their match
    queries: list[Query] = []  # out: messages that carriers are to be asked for
    incomplete: dict[str, int] = {}  # out: messages told without all their parts, by carrier
    inbound_parts: int = 0  # out: parts of messages that wait for the others
    backlog: dict[int, int] = {}  # out: events not acknowledged, by application
    forgettable: list[str] = []  # out: numbers to be forgotten of which a job has ended since
    head: tuple[int, str] | None = None  # out: number and MAC of the newest record of evidence

    def __len__(self) -> int:
        return (
            len(self.accepts)
            + len(self.order_nodes)
            + len(self.intends)
            + len(self.answers)
            + len(self.settles)
            + len(self.call_steps)
            + len(self.call_records)
            + len(self.receipts)
            + len(self.recalls)
            + len(self.unfollows)
            + len(self.inbound)
            + len(self.finishes)
            + len(self.feedbacks)
            + len(self.forgets)
            + len(self.redacts)
            + len(self.acknowledges)
            + (self.sweep_at is not None)
        )
