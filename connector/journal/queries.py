"""Messages whose carrier is to be asked what became of them, because no receipt came in time."""

from __future__ import annotations

import apsw
import msgspec

from connector.journal import bulk
from connector.journal.ops import Accept, Query
from connector.journal.sealed import body_context, opened_text
from connector.model import Body
from connector.sealing import Seal

__all__ = ["Queries"]

_AGAIN_AFTER_S = 60.0

_body = msgspec.json.Decoder(Body).decode

# Most have their receipt by then: their number must not decide how many are asked for.
_ENDED = """
    DELETE FROM query_due WHERE (at, job) IN (
        SELECT d.at, d.job FROM query_due d LEFT JOIN job j ON j.id = d.job
        WHERE d.at <= ? AND (j.id IS NULL OR j.outcome IS NOT NULL))
"""
# 200 jobs a sweep, which is each second: a carrier that owes receipts must not be flooded with questions.
_DUE = """
    SELECT json_group_array(json_array(d.at, d.job, j.give_up_at, j.deadline_at)) FROM
        (SELECT at, job FROM query_due WHERE at <= (SELECT value FROM jsonb_each(?)) ORDER BY at LIMIT 200) d
    JOIN job j ON j.id = d.job
"""
_PARTS = """
    SELECT json_group_array(json_array(p.account, a.carrier, p.key, p.raw, j.id, j.body, p.attempt,
                                       j.recipient))
    FROM jsonb_each(?) e CROSS JOIN job j ON j.id = e.value CROSS JOIN part p ON p.job = j.id
    JOIN attempt a ON a.job = p.job AND a.n = p.attempt
    WHERE p.result IS NULL AND p.raw != ''
"""


class Queries:
    """Which messages of jobs with `on_unknown = "query"` are asked for: at the job's deadline, a minute
    later, and each time after twice as long, until the daemon gives up. Used by the writer thread alone.
    """

    def __init__(self, connection: apsw.Connection, seal: Seal) -> None:
        self._connection = connection
        self._seal = seal

    def expect(self, accepts: list[Accept]) -> None:
        """Ask at the deadline of those jobs, if nothing is known by then."""
        bulk.write(
            self._connection,
            "INSERT INTO query_due SELECT value->>0, value->>1 FROM jsonb_each(?)",
            [
                (accept.job.deadline_at, accept.job.key)
                for accept in accepts
                if accept.job.on_unknown == "query" and accept.verdict == "new"
            ],
        )

    def due(self, now: float) -> list[Query]:
        """What to ask now."""
        self._connection.execute(_ENDED, (now,))
        rows = bulk.rows(self._connection, _DUE, [now])
        bulk.write(
            self._connection,
            """DELETE FROM query_due WHERE (at, job) IN
               (SELECT value->>0, value->>1 FROM jsonb_each(?))""",
            [(at, job) for at, job, *_ in rows],
        )
        open_jobs = []
        again = []
        for _, job, give_up_at, deadline_at in rows:
            open_jobs.append(job)
            at = now + max(_AGAIN_AFTER_S, now - deadline_at)
            if at < give_up_at:
                again.append((at, job))
        bulk.write(
            self._connection,
            "INSERT INTO query_due SELECT value->>0, value->>1 FROM jsonb_each(?)",
            again,
        )
        return [
            Query(
                account,
                carrier,
                key,
                bytes.fromhex(raw),
                self._sender(job, body, attempt, carrier),
                recipient,
            )
            for account, carrier, key, raw, job, body, attempt, recipient in bulk.rows(
                self._connection, _PARTS, open_jobs
            )
        ]

    def _sender(self, job: int, body: str, attempt: int, carrier: str) -> str:
        said = _body(opened_text(self._seal, body, body_context(job)))
        return said.content("sms", attempt).guise(carrier).sender
