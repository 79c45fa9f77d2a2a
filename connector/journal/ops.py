"""What can be written to the journal: each step of a job's life as one operation.

The event loop makes operations and puts them into the open batch; the writer thread commits a whole batch,
fills in the fields marked *out*, and hands it back.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from connector.model import LiveJob, Outcome

__all__ = [
    "Accept", "Acknowledge", "Answer", "Batch", "Chunk", "Finish", "Intend", "Receipt", "Settle", "no_key",
]  # fmt: skip

Verdict = Literal["new", "duplicate", "conflict"]
Match = Literal["", "id", "address", "late", "parked"]
EventType = Literal[
    "sent", "delivered", "undelivered", "expired", "unknown", "failed", "cancelled", "converted"
]


class Accept(msgspec.Struct):
    """Store a job. *out*: `verdict`; for a duplicate also `outcome` of the stored one."""

    job: LiveJob
    digest: str
    body: str
    give_up_at: float
    context: Any
    verdict: Verdict = "new"
    outcome: str | None = None

    def __repr__(self) -> str:
        return f"Accept({self.job!r}, {self.verdict})"  # not its body


class Intend(msgspec.Struct):
    """The intent to send; its bytes leave after the commit. *out*: `applied`, False when the job is final."""

    job: LiveJob
    account: int
    carrier: str
    parts: int
    at: float
    decision: str
    context: Any
    applied: bool = True


class Answer(msgspec.Struct, gc=False):
    """A submit_sm_resp that accepts a part. `complete`: it was the attempt's last part.

    `key` is empty when the carrier gave no message id.
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


class Settle(msgspec.Struct):
    """An attempt that ended without a message id: refused for good or for now, unknown, or never sent."""

    job: LiveJob
    attempt: int
    account: int
    carrier: str
    result: Literal["refused", "deferred", "unknown", "unsent"]
    status: int | None
    at: float
    reason: str


class Receipt(msgspec.Struct):
    """What a carrier reported. *out*: how it matched, and when its job was accepted.

    keys    forms of the id it may stand for, the id's own first; none: no receipt, only kept
    result  delivered or failed when the state is final, else None
    address digits of its source_addr, the handset
    """

    account: int
    carrier: str
    keys: tuple[tuple[str, str], ...]
    address: str
    state: str
    result: Literal["delivered", "failed"] | None
    raw: str
    at: float
    context: Any
    match: Match = ""
    accepted_at: float = 0.0


class Finish(msgspec.Struct):
    """The end of a job that no receipt decided. *out*: `applied`, False when it was final already.

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
    applied: bool = False


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


class Batch(msgspec.Struct):
    """One group commit. Kinds are applied in the order of a job's life, each kind in order of arrival."""

    accepts: list[Accept] = []
    intends: list[Intend] = []
    answers: list[Answer] = []
    settles: list[Settle] = []
    receipts: list[Receipt] = []
    finishes: list[Finish] = []
    acknowledges: list[Acknowledge] = []
    sweep_at: float | None = None
    chunks: list[Chunk] = []  # out
    outcomes: dict[str, int] = {}  # out: jobs that became final, by outcome
    missed: int = 0  # out: jobs that were not delivered by their deadline
    ended: list[tuple[int, str]] = []  # out: (application, id) of jobs that a receipt ended
    found: list[Receipt] = []  # out: parked receipts that have found their message
    unmatched: dict[str, int] = {}  # out: parked receipts that were given up, by carrier
    parked: int = 0  # out: receipts that wait for their match
    backlog: dict[int, int] = {}  # out: events not acknowledged, by application

    def __len__(self) -> int:
        return (
            len(self.accepts)
            + len(self.intends)
            + len(self.answers)
            + len(self.settles)
            + len(self.receipts)
            + len(self.finishes)
            + len(self.acknowledges)
            + (self.sweep_at is not None)
        )
