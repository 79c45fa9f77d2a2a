"""Receipts whose submit_sm_resp was lost, to the one job that they can belong to.

Where every attempt to a handset that never got its message id belongs to one job, a receipt from that handset
is this job's: better known than `unknown`, and never a guess. Which of its attempts or parts it was cannot be
told: each unknown id takes the place of one that is missing. For a message of one part that is exact; of a
long one that was sent again and never answered, parts of both attempts may be taken for one.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any, NamedTuple

import apsw
import msgspec

__all__ = ["Place", "places"]

_PARKED = """
    SELECT p.account, p.address, p.id, p.keys, p.at
    FROM (SELECT DISTINCT account, address FROM parked r
          WHERE r.at >= ? AND r.at < ? AND r.keys != '[]' AND EXISTS (
              SELECT 1 FROM unresolved u WHERE u.account = r.account AND u.recipient = r.address)) h
    CROSS JOIN parked p ON p.account = h.account AND p.address = h.address
    WHERE p.keys != '[]' ORDER BY p.account, p.address, p.id
"""
_UNRESOLVED = """
    SELECT u.job, u.attempt, a.parts,
           (SELECT json_group_array(p.part) FROM part p WHERE p.job = u.job AND p.attempt = u.attempt)
    FROM unresolved u JOIN attempt a ON a.job = u.job AND a.n = u.attempt
    WHERE u.account = ? AND u.recipient = ? ORDER BY u.job, u.attempt
"""


class Place(NamedTuple):
    """A part whose message id never came."""

    job: int
    attempt: int
    part: int


def places(
    connection: apsw.Connection, parked_from: float, parked_before: float, most: int
) -> dict[int, Place]:
    """Row of `parked` → its place, for handsets with a receipt that was parked between these times.

    Handsets with a younger receipt wait: its answer may be under way. No handset is looked at once `most`
    rows are found.
    """
    found: dict[int, Place] = {}
    rows = list(connection.execute(_PARKED, (parked_from, parked_before)))
    for (account, address), group in groupby(rows, key=lambda row: row[:2]):
        receipts: list[Any] = list(group)
        # A repeated receipt has the same keys and stands for the same part.
        keys = dict.fromkeys(row[3] for row in receipts)
        free = _missing(connection, account, address)
        one_job = len({place.job for place in free}) == 1
        if one_job and len(keys) <= len(free) and max(row[4] for row in receipts) < parked_before:
            taken = dict(zip(keys, free, strict=False))
            found |= {row[2]: taken[row[3]] for row in receipts}
            if len(found) >= most:
                break
    return found


def _missing(connection: apsw.Connection, account: int, address: str) -> list[Place]:
    missing = []
    for job, attempt, parts, known in connection.execute(_UNRESOLVED, (account, address)):
        answered = set(msgspec.json.decode(known))
        missing += [Place(job, attempt, part) for part in range(1, parts + 1) if part not in answered]
    return missing
