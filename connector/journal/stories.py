"""Records of evidence, read back from the tables as a commit leaves them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Final, TypeAlias

import apsw
import msgspec

from connector.evidence.chain import Entry
from connector.evidence.record import (
    Attempt,
    JobRecord,
    LateRecord,
    Part,
    Personal,
    Receipt,
    Template,
    Texts,
    committed,
    decision,
    feedback,
    split_call,
)
from connector.journal import bulk
from connector.journal.ops import Feedback
from connector.model import Proof

__all__ = ["Late", "Stories"]

_proofs: Final = msgspec.json.Decoder(list[Proof | None]).decode
_number: Final = attrgetter("part")
_NO_TEXTS: Final = Texts()
_SALT_OCTETS: Final = 16
_SALT_DIGITS: Final = 2 * _SALT_OCTETS
_AT_ONCE: Final = 256
"""Jobs: so many are in memory at a time."""

Late = tuple[int, int, str]
"""Row of a job that had ended before, the attempt, and what came: see evidence.record.late."""

# Texts of JSON come by themselves: within another they would be quoted, and parsed twice.
_STORIES: Final = """
    SELECT json_group_array(json_array(
        j.id, a.n,
        j.app, j.ext, j.recipient, j.accepted_at, j.deadline_at, j.finished_at, j.outcome, j.reason, j.class,
        j.journey,
        a.at, a.carrier, a.channel, a.result, a.status, a.step,
        p.receipt, p.error, p.raw, p.part, p.parts, p.receipt_at, p.receipts, p.result, p.sent_at, p.state)),
        group_concat(ifnull(a.decision, ''), char(10)),
        '[' || group_concat(ifnull(j.proof, 'null')) || ']'
    FROM jsonb_each(?) e CROSS JOIN job j ON j.id = e.value
    LEFT JOIN attempt a ON a.job = j.id LEFT JOIN part p ON p.job = a.job AND p.attempt = a.n
"""
_NAMES: Final = """
    SELECT json_group_array(json_array(j.id, j.app, j.ext))
    FROM jsonb_each(?) e CROSS JOIN job j ON j.id = e.value
"""
_CALLS: Final = """
    SELECT json_group_array(json_array(c.job, c.attempt, c.detail))
    FROM jsonb_each(?) e CROSS JOIN call c ON c.job = e.value
"""
_TIMELINE: Final = """
    SELECT json_group_array(json_array(
        t.job, t.at, t.attempt, t.error, t.late, t.part, t.result, t.state) ORDER BY t.id)
    FROM jsonb_each(?) e CROSS JOIN timeline t ON t.job = e.value
"""


_Story: TypeAlias = tuple[JobRecord | LateRecord, Personal]


class _Row(msgspec.Struct, array_like=True, gc=False):
    """Of _STORIES: a job, one of its attempts, one of its parts."""

    job: int
    number: int | None
    app: int
    ext: str
    recipient: str
    accepted_at: float
    deadline_at: float
    finished_at: float | None
    outcome: str | None
    reason: str | None
    klass: str | None
    journey: str | None
    # None without an attempt
    at: Any
    carrier: Any
    channel: Any
    attempt_result: Any
    status: Any
    step: Any
    # None without a part
    receipt: Any
    error: Any
    raw: Any
    part: Any
    parts: Any
    receipt_at: Any
    receipts: Any
    result: Any
    sent_at: Any
    state: Any


_rows: Final = msgspec.json.Decoder(list[_Row]).decode


class Stories:
    """The records of jobs, read back from the tables as the commit leaves them."""

    def __init__(self, connection: apsw.Connection, lane: str, random: Callable[[int], bytes]) -> None:
        self._connection = connection
        self._lane = lane
        self._random = random
        self._apps: dict[int, str] = {}

    def of(self, ended: Collection[int], late: Iterable[Late]) -> Iterator[Entry]:
        """One for each of `ended`, in order of their rows, then one for each other job of `late`."""
        changed: dict[int, dict[int, set[str]]] = {}
        for key, attempt, word in late:
            if key not in ended:
                changed.setdefault(key, {}).setdefault(attempt, set()).add(word)
        keys = [*sorted(ended), *changed]
        for at in range(0, len(keys), _AT_ONCE):
            for record, personal in self._read(keys[at : at + _AT_ONCE], changed):
                yield committed("late" if record.job in changed else "job", record, personal)

    def feedbacks(self, told: Sequence[Feedback]) -> list[Entry]:
        """What applications said of jobs that the journal has."""
        names = {job: (app, ext) for job, app, ext in bulk.rows(
            self._connection, _NAMES, list({each.job for each in told})
        )}  # fmt: skip
        entries = []
        for job, converted, attempt, at in map(msgspec.structs.astuple, told):
            if job in names:
                app, ext = names[job]
                entries.append(feedback(self._app(app), ext, job, converted, attempt, at))
        return entries

    def _app(self, row: int) -> str:
        if row not in self._apps:
            name = self._connection.execute("SELECT name FROM app WHERE id = ?", (row,)).get
            self._apps[row] = name or ""
        return self._apps[row]

    def _read(self, keys: list[int], changed: dict[int, dict[int, set[str]]]) -> list[_Story]:
        """In the order of `keys`; of jobs in `changed` these attempts alone."""
        salts = self._random(_SALT_OCTETS * len(keys)).hex()
        stories: list[_Story] = []
        several: dict[int, _Story] = {}  # with further receipts of a part
        voice: dict[int, _Story] = {}
        last = 0
        attempt: Attempt | None = None
        for row, text, proof in self._rows(keys):
            key, number = row.job, row.number
            if key != last:
                last, attempt = key, None
                at = len(stories) * _SALT_DIGITS
                stories.append((
                    self._late(row, changed[key]) if key in changed else self._job(row, proof),
                    Personal({}, {}, salts[at : at + _SALT_DIGITS], row.recipient),
                ))  # fmt: skip
            if number is None or (key in changed and number not in changed[key]):
                continue
            story = record, personal = stories[-1]
            if attempt is None or attempt.n != number:
                attempt = Attempt(
                    row.at, None, row.carrier, row.channel, decision(text), number, [], row.attempt_result,
                    row.status, row.step,
                )  # fmt: skip
                record.attempts.append(attempt)
                if row.channel == "voice":
                    voice[key] = story
            if row.raw is not None:
                attempt.parts.append(Part(
                    row.error, row.raw, row.part, row.parts, row.receipt_at, row.receipts, row.result,
                    row.sent_at, row.state,
                ))  # fmt: skip
                if row.parts > 1:
                    attempt.parts.sort(key=_number)
                if row.receipt:
                    personal.receipts[f"{number}/{row.part}"] = row.receipt
                if row.receipts > 1:
                    several[key] = story
        self._add_timelines(several)
        self._add_calls(voice)
        return stories

    def _rows(self, keys: list[int]) -> Iterable[tuple[_Row, str, Proof | None]]:
        """Of _STORIES, with the attempt's decision and the job's proof."""
        rows, decisions, proofs = bulk.values(self._connection, _STORIES, keys)
        return zip(_rows(rows), decisions.split("\n"), _proofs(proofs), strict=True) if proofs else ()

    def _job(self, row: _Row, proof: Proof | None) -> JobRecord:
        country, template, texts = None, None, _NO_TEXTS
        if proof is not None:
            country, texts = proof.country or None, Texts(proof.sms, proof.voice)
            if proof.template:
                template = Template(proof.hash, proof.lang, proof.template, proof.version)
        return JobRecord(
            row.accepted_at, self._app(row.app), [], row.klass, country, row.deadline_at, row.finished_at,
            row.ext, row.job, row.journey, self._lane, row.outcome, "", row.reason, template, texts, [],
        )  # fmt: skip

    def _late(self, row: _Row, changed: dict[int, set[str]]) -> LateRecord:
        what = sorted(set().union(*changed.values()))
        return LateRecord(self._app(row.app), [], row.ext, row.job, "", [], what)

    def _add_timelines(self, several: dict[int, _Story]) -> None:
        for key, *columns in bulk.rows(self._connection, _TIMELINE, list(several)):
            receipt, record = Receipt(*columns), several[key][0]
            if any(attempt.n == receipt.attempt for attempt in record.attempts):
                record.timeline.append(receipt)

    def _add_calls(self, voice: dict[int, _Story]) -> None:
        for key, number, detail in bulk.rows(self._connection, _CALLS, list(voice)):
            record, personal = voice[key]
            for attempt in record.attempts:
                if attempt.n == number:
                    attempt.call, keys = split_call(detail)
                    if keys:
                        personal.keys[str(number)] = keys
