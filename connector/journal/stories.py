"""Records of evidence, read back from the tables as a commit leaves them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from operator import attrgetter
from typing import Any, Final

import apsw
import msgspec

from connector.evidence import record
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
)
from connector.journal import bulk
from connector.journal.ops import Feedback
from connector.model import Proof

__all__ = ["Late", "Stories"]

_proof: Final = msgspec.json.Decoder(Proof).decode
_number: Final = attrgetter("part")
_NO_TEXTS: Final = Texts()
_SALT_OCTETS: Final = 16

Late = tuple[int, int, str]
"""Row of a job that had ended before, the attempt, and what came: see evidence.record.late."""

_JOBS: Final = """
    SELECT json_group_array(json_array(
        j.id, j.app, j.ext, j.recipient, round(j.accepted_at, 3), round(j.deadline_at, 3),
        round(j.finished_at, 3), j.outcome, j.reason, j.class, j.journey, j.proof))
    FROM jsonb_each(?) e CROSS JOIN job j ON j.id = e.value
"""
_ATTEMPTS: Final = """
    SELECT json_group_array(json_array(
        a.job, a.n, round(a.at, 3), a.carrier, a.channel, a.decision, a.result, a.status, a.step))
    FROM jsonb_each(?) e CROSS JOIN attempt a ON a.job = e.value
"""
_PARTS: Final = """
    SELECT json_group_array(json_array(
        p.job, p.attempt, p.receipt, p.error, p.raw, p.part, p.parts, round(p.receipt_at, 3), p.receipts,
        p.result, round(p.sent_at, 3), p.state))
    FROM jsonb_each(?) e CROSS JOIN part p ON p.job = e.value
"""
_CALLS: Final = """
    SELECT json_group_array(json_array(c.job, c.attempt, c.detail))
    FROM jsonb_each(?) e CROSS JOIN call c ON c.job = e.value
"""
_TIMELINE: Final = """
    SELECT json_group_array(json_array(
        t.job, round(t.at, 3), t.attempt, t.error, t.late, t.part, t.result, t.state) ORDER BY t.id)
    FROM jsonb_each(?) e CROSS JOIN timeline t ON t.job = e.value
"""


class Stories:
    """The records of jobs, read back from the tables as the commit leaves them."""

    def __init__(self, connection: apsw.Connection, lane: str, random: Callable[[int], bytes]) -> None:
        self._connection = connection
        self._lane = lane
        self._random = random
        self._apps: dict[int, str] = {}

    def of(self, ended: Collection[int], late: Iterable[Late]) -> list[Entry]:
        """One for each of `ended`, in order of their rows, then one for each other job of `late`."""
        changed: dict[int, set[int]] = {}
        words: dict[int, set[str]] = {}
        for key, attempt, word in late:
            if key not in ended:
                changed.setdefault(key, set()).add(attempt)
                words.setdefault(key, set()).add(word)
        keys = [*sorted(ended), *changed]
        jobs = bulk.rows(self._connection, _JOBS, keys)
        salts = self._random(_SALT_OCTETS * len(jobs)).hex()
        personal = {
            job[0]: Personal({}, {}, salts[at : at + 2 * _SALT_OCTETS], job[3])
            for at, job in zip(range(0, len(salts), 2 * _SALT_OCTETS), jobs, strict=True)
        }
        attempts, several = self._attempts(keys, personal, changed)
        timelines: dict[int, list[Receipt]] = {}
        for key, *receipt in bulk.rows(self._connection, _TIMELINE, several):
            if key not in changed or receipt[1] in changed[key]:
                timelines.setdefault(key, []).append(Receipt(*receipt))
        entries = []
        for job in jobs:
            key = job[0]
            story = attempts.get(key, []), timelines.get(key, [])
            if key in changed:
                entries.append(committed("late", LateRecord(
                    self._app(job[1]), story[0], job[2], key, "", story[1], sorted(words[key])
                ), personal[key]))  # fmt: skip
            else:
                entries.append(committed("job", self._job(job, *story), personal[key]))
        return entries

    def feedbacks(self, told: Sequence[Feedback]) -> list[Entry]:
        """What applications said of jobs that the journal has."""
        jobs = {job[0]: job for job in bulk.rows(self._connection, _JOBS, [each.job for each in told])}
        entries = []
        for job, converted, attempt, at in map(msgspec.structs.astuple, told):
            if job in jobs:
                _, app, ext, *_ = jobs[job]
                entries.append(record.feedback(self._app(app), ext, job, converted, attempt, at))
        return entries

    def _job(self, job: list[Any], attempts: list[Attempt], timeline: list[Receipt]) -> JobRecord:
        key, app, ext, _, accepted_at, deadline_at, finished_at, outcome, reason, klass, journey, text = job
        country, template, texts = None, None, _NO_TEXTS
        if text is not None:
            proof = _proof(text)
            country, texts = proof.country or None, Texts(proof.sms, proof.voice)
            if proof.template:
                template = Template(proof.hash, proof.lang, proof.template, proof.version)
        return JobRecord(
            accepted_at, self._app(app), attempts, klass, country, deadline_at, finished_at, ext, key,
            journey, self._lane, outcome, "", reason, template, texts, timeline,
        )  # fmt: skip

    def _app(self, row: int) -> str:
        if row not in self._apps:
            name = self._connection.execute("SELECT name FROM app WHERE id = ?", (row,)).get
            self._apps[row] = name or ""
        return self._apps[row]

    def _attempts(
        self, keys: list[int], personal: dict[int, Personal], changed: dict[int, set[int]]
    ) -> tuple[dict[int, list[Attempt]], list[int]]:
        """Of each job, of those in `changed` these alone; and the jobs with several receipts of a part.

        Fills in what is personal.
        """
        parts: dict[tuple[int, int], list[Part]] = {}
        several = []
        for key, number, receipt, *columns in bulk.rows(self._connection, _PARTS, keys):
            part = Part(*columns)
            parts.setdefault((key, number), []).append(part)
            if receipt and (key not in changed or number in changed[key]):
                personal[key].receipts[f"{number}/{part.part}"] = receipt
            if part.receipts > 1:
                several.append(key)
        found: dict[int, list[Attempt]] = {}
        voice = []
        for key, number, at, carrier, channel, text, *end in bulk.rows(self._connection, _ATTEMPTS, keys):
            if key in changed and number not in changed[key]:
                continue
            those = parts.get((key, number), [])
            if len(those) > 1:
                those.sort(key=_number)
            attempt = Attempt(at, None, carrier, channel, record.decision(text), number, those, *end)
            found.setdefault(key, []).append(attempt)
            if channel == "voice":
                voice.append(key)
        for key, number, detail in bulk.rows(self._connection, _CALLS, voice):
            for attempt in found[key]:
                if attempt.n == number:
                    attempt.call, pressed = record.split_call(detail)
                    if pressed:
                        personal[key].keys[str(number)] = pressed
        return found, list(dict.fromkeys(several))
