"""Receipts to their messages, inside the transaction that stores them.

A message is found by its id under every plausible spelling. Where two spellings lead to two messages, the
handset's number decides, then the order of the forms. What matches nothing is parked: its submit_sm_resp may
still be on the way. A parked receipt is matched by number alone when exactly one attempt to that handset
never got its id, and none other is under way: better known than `unknown`, but never a guess.
"""

from __future__ import annotations

from typing import NamedTuple

import apsw
import msgspec

from connector.journal import bulk
from connector.journal.ops import Receipt

__all__ = ["Match", "Parking", "match"]

MAX_PARKED = 100_000

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[tuple[str, str], ...]).decode
_PARK = """
    INSERT INTO parked
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7
    FROM json_each(?)
"""

_FIND = """
    SELECT json_group_array(json_array(e.value->>0, p.key, p.job, p.attempt, p.part, p.parts, p.result,
                                       j.app, j.ext, j.recipient, j.accepted_at, j.deadline_at, j.outcome,
                                       j.traceparent))
    FROM json_each(?) e
    CROSS JOIN part p ON p.account = e.value->>1 AND p.key = e.value->>2
    CROSS JOIN job j ON j.id = p.job
"""


class Match(NamedTuple):
    """A receipt's message: the part, and what the journal knows of its job."""

    receipt: int
    key: str
    job: int
    attempt: int
    part: int
    parts: int
    result: str | None
    app: int
    ext: str
    recipient: str
    accepted_at: float
    deadline_at: float
    outcome: str | None
    traceparent: str | None


def match(connection: apsw.Connection, receipts: list[Receipt]) -> dict[int, Match]:
    """Index in `receipts` → its message; what matches nothing is absent."""
    wanted = [(i, r.account, key) for i, r in enumerate(receipts) for _, key in r.keys]
    found: dict[int, Match] = {}
    for row in bulk.rows(connection, _FIND, wanted):
        candidate = Match(*row)
        held = found.get(candidate.receipt)
        if held is None or _better(candidate, held, receipts[candidate.receipt]):
            found[candidate.receipt] = candidate
    return found


def _better(candidate: Match, held: Match, receipt: Receipt) -> bool:
    ours, theirs = (match.recipient[1:] == receipt.address for match in (candidate, held))
    if ours != theirs:
        return ours
    order = [key for _, key in receipt.keys]
    return order.index(candidate.key) < order.index(held.key)


class Parking:
    """Receipts that wait for their message, at most MAX_PARKED; the oldest go first."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.count: int = connection.execute("SELECT count(*) FROM parked").get
        self._last: int = connection.execute("SELECT ifnull(max(id), 0) FROM parked").get

    def park(self, receipts: list[Receipt]) -> None:
        rows, keys = [], []
        for receipt in receipts:
            receipt.match = "parked"
            self._last += 1
            rows.append((
                self._last, receipt.account, receipt.at, _encode(receipt.keys).decode(), receipt.address,
                receipt.state, receipt.result, receipt.raw,
            ))  # fmt: skip
            keys += [(receipt.account, key, self._last) for _, key in receipt.keys]
        bulk.write(self._connection, _PARK, rows)
        bulk.write(
            self._connection,
            "INSERT INTO parked_key SELECT value->>0, value->>1, value->>2 FROM json_each(?)",
            keys,
        )
        self.count += len(receipts)
        if self.count > MAX_PARKED:
            oldest = "SELECT id FROM parked ORDER BY id LIMIT ?"
            self._remove([row for (row,) in self._connection.execute(oldest, (self.count - MAX_PARKED,))])

    def take(self, answered: list[tuple[int, str]]) -> list[Receipt]:
        """The receipts that were waiting for these (account, key) pairs, oldest first."""
        if not self.count:
            return []
        found = bulk.rows(
            self._connection,
            """SELECT json_group_array(DISTINCT k.parked) FROM json_each(?) e
               CROSS JOIN parked_key k ON k.account = e.value->>0 AND k.key = e.value->>1""",
            answered,
        )
        return self._leave(found)

    def take_by_address(self, parked_before: float) -> list[tuple[Receipt, int, int]]:
        """(receipt, job, attempt) where the number alone tells the message; see the module's text."""
        if not self.count:
            return []
        rows = list(
            self._connection.execute(
                """SELECT p.id, min(u.job), min(u.attempt) FROM parked p
                   JOIN unresolved u ON u.account = p.account AND u.recipient = p.address
                   WHERE p.at < ?1 AND NOT EXISTS (
                       SELECT 1 FROM parked o WHERE o.account = p.account AND o.address = p.address
                                                AND o.id != p.id AND o.keys != p.keys)
                   GROUP BY p.id HAVING count(*) = 1 ORDER BY p.id""",
                (parked_before,),
            )
        )
        receipts = self._leave([row[0] for row in rows])
        return [(receipt, job, n) for receipt, (_, job, n) in zip(receipts, rows, strict=True)]

    def forget_before(self, at: float) -> None:
        self._remove(
            [row for (row,) in self._connection.execute("SELECT id FROM parked WHERE at < ?", (at,))]
        )

    def _leave(self, rows: list[int]) -> list[Receipt]:
        found = bulk.rows(
            self._connection,
            """SELECT json_group_array(
                   json_array(p.account, p.keys, p.address, p.state, p.result, p.raw, p.at) ORDER BY p.id)
               FROM json_each(?) e CROSS JOIN parked p ON p.id = e.value""",
            rows,
        )
        self._remove(rows)
        return [
            Receipt(account, "", _decode(keys), address, state, result, raw, at, None)
            for account, keys, address, state, result, raw, at in found
        ]

    def _remove(self, rows: list[int]) -> None:
        for statement in (
            "DELETE FROM parked_key WHERE parked IN (SELECT value FROM json_each(?))",
            "DELETE FROM parked WHERE id IN (SELECT value FROM json_each(?))",
        ):
            bulk.write(self._connection, statement, rows)
        self.count -= len(rows)
