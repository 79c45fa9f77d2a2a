"""Records of evidence, read back from the tables as a commit leaves them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

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

_proof: Final = msgspec.json.Decoder(Proof).decode
_number: Final = attrgetter("part")
_NO_TEXTS: Final = Texts()
_SALT_OCTETS: Final = 16
_SALT_DIGITS: Final = 2 * _SALT_OCTETS

_END_OF_JOB: Final = 13
_OF_ATTEMPT: Final = slice(13, 20)
_OF_PART: Final = slice(20, 30)

Late = tuple[int, int, str]
"""Row of a job that had ended before, the attempt, and what came: see evidence.record.late."""

_STORIES: Final = """
    SELECT json_group_array(json_array(
        j.id, a.n,
        j.app, j.ext, j.recipient, j.accepted_at, j.deadline_at, j.finished_at, j.outcome, j.reason, j.class,
        j.journey, j.proof,
        a.at, a.carrier, a.channel, a.decision, a.result, a.status, a.step,
        p.receipt, p.error, p.raw, p.part, p.parts, p.receipt_at, p.receipts, p.result, p.sent_at, p.state))
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


class _Story(NamedTuple):
    record: JobRecord | LateRecord
    personal: Personal


class Stories:
    """The records of jobs, read back from the tables as the commit leaves them."""

    def __init__(self, connection: apsw.Connection, lane: str, random: Callable[[int], bytes]) -> None:
        self._connection = connection
        self._lane = lane
        self._random = random
        self._apps: dict[int, str] = {}

    def of(self, ended: Collection[int], late: Iterable[Late]) -> list[Entry]:
        """One for each of `ended`, in order of their rows, then one for each other job of `late`."""
        changed: dict[int, dict[int, set[str]]] = {}
        for key, attempt, word in late:
            if key not in ended:
                changed.setdefault(key, {}).setdefault(attempt, set()).add(word)
        stories = self._read([*sorted(ended), *changed], changed)
        return [
            committed("late" if story.record.job in changed else "job", story.record, story.personal)
            for story in stories
        ]

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
        story = last = attempt = None
        for row in bulk.rows(self._connection, _STORIES, keys):
            key, number = row[0], row[1]
            if key != last:
                last, attempt = key, None
                at = len(stories) * _SALT_DIGITS
                personal = Personal({}, {}, salts[at : at + _SALT_DIGITS], row[4])
                record = self._late(row, changed[key]) if key in changed else self._job(row)
                story = _Story(record, personal)
                stories.append(story)
            assert story is not None
            if number is None or (key in changed and number not in changed[key]):
                continue
            if attempt is None or attempt.n != number:
                at_, carrier, channel, text, *end = row[_OF_ATTEMPT]
                attempt = Attempt(at_, None, carrier, channel, decision(text), number, [], *end)
                story.record.attempts.append(attempt)
                if channel == "voice":
                    voice[key] = story
            receipt, *columns = row[_OF_PART]
            if columns[1] is not None:
                part = Part(*columns)
                attempt.parts.append(part)
                if part.parts > 1:
                    attempt.parts.sort(key=_number)
                if receipt:
                    story.personal.receipts[f"{number}/{part.part}"] = receipt
                if part.receipts > 1:
                    several[key] = story
        self._add_timelines(several)
        self._add_calls(voice)
        return stories

    def _job(self, row: list[Any]) -> JobRecord:
        key, _, app, ext, _, accepted_at, deadline_at, finished_at, outcome, reason, *more = row[:_END_OF_JOB]
        klass, journey, text = more
        country, template, texts = None, None, _NO_TEXTS
        if text is not None:
            proof = _proof(text)
            country, texts = proof.country or None, Texts(proof.sms, proof.voice)
            if proof.template:
                template = Template(proof.hash, proof.lang, proof.template, proof.version)
        return JobRecord(
            accepted_at, self._app(app), [], klass, country, deadline_at, finished_at, ext, key, journey,
            self._lane, outcome, "", reason, template, texts, [],
        )  # fmt: skip

    def _late(self, row: list[Any], changed: dict[int, set[str]]) -> LateRecord:
        key, _, app, ext = row[:4]
        return LateRecord(self._app(app), [], ext, key, "", [], sorted(set().union(*changed.values())))

    def _add_timelines(self, several: dict[int, _Story]) -> None:
        for key, *columns in bulk.rows(self._connection, _TIMELINE, list(several)):
            receipt, record = Receipt(*columns), several[key].record
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
