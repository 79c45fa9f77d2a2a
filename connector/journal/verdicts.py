"""What the receipts of one commit say of the attempts and jobs that they belong to."""

from __future__ import annotations

from typing import Literal, TypeAlias

import apsw

from connector.journal import bulk
from connector.journal.ops import Receipt
from connector.journal.receipts import Match

__all__ = ["Decisive", "Hope", "Verdict", "hopes", "reason", "verdicts"]

Decisive: TypeAlias = tuple[Receipt, Match]
"""A receipt that made the state of its part final, by which the part has stood in the journal since."""

Verdict = Literal["delivered", "failed", "expired"]

Hope = Literal["attempt", "doubt"]
"""Why the failure of an attempt does not decide the job: another attempt may deliver, or nobody will ever
know whether a call was heard.
"""

_FINAL_PARTS = """
    SELECT json_group_array(json_array(e.value->>0, e.value->>1,
        (SELECT count(DISTINCT p.part) FILTER (WHERE p.result = 'delivered') FROM part p
         WHERE p.job = e.value->>0 AND p.attempt = e.value->>1),
        (SELECT count(DISTINCT p.part) FILTER (WHERE p.result <> 'delivered') FROM part p
         WHERE p.job = e.value->>0 AND p.attempt = e.value->>1)))
    FROM jsonb_each(?) e
"""
# An attempt that was refused in another part is the dispatcher's. Another attempt may deliver where it is
# under way, unknown, or sent without a final receipt.
_HOPES = """
    SELECT json_group_array(json_array(job, hope)) FROM (
        SELECT e.value->>0 AS job, max(CASE
            WHEN a.n = e.value->>1 THEN 2 * (a.result IN ('refused', 'deferred'))
            WHEN a.channel = 'voice' THEN CASE
                WHEN a.result IS NULL OR a.result = 'completed' THEN 2 WHEN a.result = 'unknown' THEN 1 END
            WHEN (a.result IS NULL OR a.result = 'unknown') AND NOT EXISTS
                (SELECT 1 FROM part p WHERE p.job = a.job AND p.attempt = a.n AND p.result <> 'delivered')
            THEN 2 END) AS hope
        FROM jsonb_each(?) e CROSS JOIN attempt a ON a.job = e.value->>0 GROUP BY 1)
    WHERE hope > 0
"""


def verdicts(connection: apsw.Connection, decisive: list[Decisive]) -> dict[int, Verdict]:
    """Index in `decisive` → what that receipt decided of its whole attempt; what decided nothing is absent.

    An attempt has arrived when all its parts have, and has failed when one has. It is decided once.
    """
    said: dict[int, Verdict] = {}
    several: dict[tuple[int, int], list[int]] = {}
    for index, (receipt, message) in enumerate(decisive):
        assert receipt.result is not None
        if message.parts == 1:
            said[index] = receipt.result
        else:
            several.setdefault((message.job, message.attempt), []).append(index)
    for job, attempt, delivered, failed in bulk.rows(connection, _FINAL_PARTS, list(several)):
        indices = several[job, attempt]
        failing = {decisive[i][1].part: i for i in reversed(indices) if decisive[i][0].result != "delivered"}
        if failed > len(failing):
            continue  # it had failed before
        if failing:
            first = min(failing.values())
            said[first] = decisive[first][0].result or "failed"
        elif delivered == decisive[indices[0]][1].parts:
            said[indices[-1]] = "delivered"
    return said


def hopes(connection: apsw.Connection, decisive: list[Decisive]) -> dict[int, Hope]:
    """Job → why its failed attempt does not decide it; what is not here is decided."""
    failed = [
        (message.job, message.attempt)
        for receipt, message in decisive
        if receipt.result != "delivered" and message.outcome is None
    ]
    return {job: "attempt" if hope == 2 else "doubt" for job, hope in bulk.rows(connection, _HOPES, failed)}


def reason(receipt: Receipt) -> str:
    """In words for people."""
    what = "answer to query_sm" if receipt.kind == "query" else "receipt"
    return f"{what} {receipt.state} {receipt.error}".rstrip()
