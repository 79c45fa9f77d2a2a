"""What a record says of a job: never its words, only their MACs.

Personal, and so only committed to: the number, what carriers wrote in receipts, which keys were pressed.
Fields stand in the order of their names, which is that of the canonical form, so that nothing is sorted for
each job. Times are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from connector.evidence.canonical import canonical, commitment
from connector.evidence.chain import Entry

__all__ = [
    "Attempt", "JobRecord", "LateRecord", "Part", "Personal", "Receipt", "Template", "Texts", "committed",
    "decision", "dropped", "fault", "feedback", "redacted", "split_call", "start",
]  # fmt: skip

_encode: Final = msgspec.json.Encoder().encode


class Part(msgspec.Struct, gc=False):
    """A part that the carrier has answered. `message_id`: as answered, hexadecimal."""

    error: str | None
    message_id: str
    part: int
    parts: int
    receipt_at: float | None
    receipts: int
    result: str | None
    sent_at: float
    state: str | None


class Attempt(msgspec.Struct, gc=False):
    """`decision`: of routing.decision; `call`: of voice.detail, without its keys."""

    at: float
    call: dict[str, Any] | msgspec.Raw | None
    carrier: str
    channel: str
    decision: msgspec.Raw
    n: int
    parts: list[Part]
    result: str | None
    status: int | None
    step: int


class Receipt(msgspec.Struct, gc=False):
    """A further receipt of a part. `late`: 1 where the part had its final state."""

    at: float
    attempt: int
    error: str | None
    late: int
    part: int
    result: str | None
    state: str


class Template(msgspec.Struct, gc=False):
    """`hash`: SHA-256 of the template's content."""

    hash: str
    lang: str
    name: str
    version: int


class Texts(msgspec.Struct, gc=False):
    """connector.evidence.keys.text_hmac of what was to be said, of each attempt where they differ."""

    sms: Sequence[str] = ()
    voice: Sequence[str] = ()


class Personal(msgspec.Struct, gc=False):
    """What can be taken out. `salt`: 32 hexadecimal digits, of this record alone.

    keys      attempt → keys that were pressed in its call
    receipts  "attempt/part" → the receipt that counts, hexadecimal
    to        E.164, with +
    """

    keys: dict[str, str]
    receipts: dict[str, str]
    salt: str
    to: str


class JobRecord(msgspec.Struct, gc=False):
    """An ended job, by the columns of the journal. `personal`: the commitment."""

    accepted_at: float
    app: str
    attempts: list[Attempt]
    klass: str | None = msgspec.field(name="class")
    country: str | None
    deadline_at: float
    finished_at: float | None
    id: str
    job: int
    journey: str | None
    lane: str
    outcome: str | None
    personal: str
    reason: str | None
    template: Template | None
    text_hmac: Texts
    timeline: list[Receipt]


class LateRecord(msgspec.Struct, gc=False):
    """What came after the end, and how it left these attempts. `what`: receipt, answer, attempt, call."""

    app: str
    attempts: list[Attempt]
    id: str
    job: int
    personal: str
    timeline: list[Receipt]
    what: list[str]


def committed(kind: str, record: JobRecord | LateRecord, personal: Personal) -> Entry:
    """Ready to be chained; `record.personal` is set here."""
    if len(personal.receipts) > 1:
        personal.receipts = dict(sorted(personal.receipts.items()))
    octets = _encode(personal)
    record.personal = commitment(octets)
    return Entry(kind, _encode(record), octets)


def decision(text: str) -> msgspec.Raw:
    """A stored decision in canonical form, which it has since it is written so."""
    if text.startswith(_FIRST_OF_SORTED):
        return msgspec.Raw(text)
    return msgspec.Raw(canonical(msgspec.json.decode(text)))


_FIRST_OF_SORTED: Final = '{"candidates":'
"""Earlier versions began with another key."""


def split_call(detail: str) -> tuple[msgspec.Raw, str]:
    """(a stored voice.detail without its keys, those keys)."""
    call = msgspec.json.decode(detail)
    keys = "".join(key for key, *_ in call.pop("keys", ()))
    return msgspec.Raw(canonical(call)), keys


def feedback(app: str, id: str, job: int, converted: bool, attempt: int | None, at: float) -> Entry:
    """What the application said of its job, whenever that was."""
    return Entry("late", canonical({
        "app": app, "id": id, "job": job, "what": ["feedback"], "converted": converted, "attempt": attempt,
        "told_at": at,
    }))  # fmt: skip


def start(lane: str, version: str, chain: str, signing: str, fault: str) -> Entry:
    """The daemon begins to write; with ids of the keys that hold from this record on.

    `fault`: what it found amiss with the chain that it goes on with; empty: nothing.
    """
    record = {"lane": lane, "version": version, "keys": {"chain": chain, "signing": signing}}
    return Entry("start", canonical(record | ({"fault": fault} if fault else {})))


def redacted(spans: Sequence[tuple[int, int]], reason: str) -> Entry:
    """The personal parts of these records, first and last of each row of them, are taken out."""
    return Entry("redacted", canonical({"seqs": spans, "reason": reason}))


def dropped(last: int, mac: str, days: Sequence[str]) -> Entry:
    """All records up to `last`, whose MAC is `mac`, are deleted with these days."""
    return Entry("dropped", canonical({"last": last, "mac": mac, "days": days}))


def fault(day: str, what: str) -> Entry:
    """A day was not as it was written when it was closed."""
    return Entry("fault", canonical({"day": day, "what": what}))
