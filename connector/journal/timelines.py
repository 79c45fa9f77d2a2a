"""What the receipts of one commit do to the parts they belong to.

The latest receipt counts until one is final; a final state never goes back. The one that counts stands in the
part's own row, so that a part with one receipt, as nearly all have, costs no row more.
"""

from __future__ import annotations

import apsw

from connector.journal import bulk
from connector.journal.ops import Receipt
from connector.journal.receipts import Match

__all__ = ["MOST_KEPT", "Timelines"]

MOST_KEPT = 15
"""Receipts of a part besides the one that counts: a carrier that repeats itself must not fill the disk."""

_PART = """
    UPDATE part SET state = e.value->>2, result = ifnull(e.value->>3, part.result), receipt_at = e.value->>4,
                    receipt = e.value->>5, error = e.value->>6, kind = e.value->>7, form = e.value->>8,
                    receipts = e.value->>9
    FROM jsonb_each(?) e WHERE part.account = e.value->>0 AND part.key = e.value->>1
"""
_SUPERSEDED = """
    INSERT INTO timeline (job, attempt, part, at, state, result, error, kind, late)
    SELECT p.job, p.attempt, p.part, p.receipt_at, p.state, p.result, p.error, p.kind, 0
    FROM jsonb_each(?) e CROSS JOIN part p ON p.account = e.value->>0 AND p.key = e.value->>1
"""
_FURTHER = """
    INSERT INTO timeline (job, attempt, part, at, state, result, error, kind, late)
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8
    FROM jsonb_each(?)
"""
_COUNT = """
    UPDATE part SET receipts = e.value->>2
    FROM jsonb_each(?) e WHERE part.account = e.value->>0 AND part.key = e.value->>1
"""


class Timelines:
    """What the receipts of one commit do to their parts.

    The latest counts until one is final; a final state never goes back. The others are kept besides it, at
    most MOST_KEPT a part and the first ones of them; `part.receipts` counts all.
    """

    def __init__(self) -> None:
        self._counting: dict[tuple[int, str], tuple[Receipt, Match]] = {}
        self._number: dict[tuple[int, str], int] = {}
        self._superseded: list[tuple[int, str]] = []
        self._further: list[tuple[int | str | float | None, ...]] = []

    def add(self, receipt: Receipt, message: Match) -> bool:
        """Whether it counts."""
        at = (receipt.account, message.key)
        number = self._number.get(at, message.receipts)
        self._number[at] = number + 1
        held = self._counting.get(at)
        if message.result or (held is not None and held[0].result):
            self._keep(receipt, message, number, late=1)
            return False
        if held is not None:
            self._keep(*held, number, late=0)
        elif 0 < number <= MOST_KEPT:
            self._superseded.append(at)
        self._counting[at] = (receipt, message)
        return True

    def _keep(self, receipt: Receipt, message: Match, number: int, *, late: int) -> None:
        if number <= MOST_KEPT:
            self._further.append((
                message.job, message.attempt, message.part, receipt.at, receipt.state, receipt.result,
                receipt.error or None, _kind(receipt), late,
            ))  # fmt: skip

    def save(self, connection: apsw.Connection) -> None:
        bulk.write(connection, _SUPERSEDED, self._superseded)
        bulk.write(connection, _FURTHER, self._further)
        bulk.write(connection, _PART, [
            (
                *at, receipt.state, receipt.result, receipt.at, receipt.raw, receipt.error or None,
                _kind(receipt), receipt.form or None, self._number[at],
            )
            for at, (receipt, _) in self._counting.items()
        ])  # fmt: skip
        uncounted = [(*at, number) for at, number in self._number.items() if at not in self._counting]
        bulk.write(connection, _COUNT, uncounted)


def _kind(receipt: Receipt) -> str | None:
    return None if receipt.kind == "receipt" else receipt.kind
