"""Receipts to their messages, inside the transaction that stores them.

A message is found by its id under every plausible spelling. Where two spellings lead to two messages, the
handset's number decides, then the order of the forms. A form other than the id's own counts only together
with that number: where ids are counted up, 16 read as hexadecimal is another message's 22. What matches
nothing is parked: its submit_sm_resp may still be on the way. What no answer came for is matched by number
alone where only one job is possible.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import apsw
import msgspec

from connector.journal import bulk
from connector.journal.addresses import Place, places
from connector.journal.ops import Receipt

__all__ = ["Match", "Parking", "match"]

MAX_PARKED = 100_000

_SAME_DIGITS = 7
"""How much of the end of two numbers must agree: carriers differ in the prefix, and no number is shorter."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[tuple[str, str], ...]).decode
_PARK = """
    INSERT INTO parked
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8
    FROM jsonb_each(?)
"""

_FIND = """
    SELECT json_group_array(json_array(e.value->>0, p.key, p.job, p.attempt, p.part, p.parts, p.result,
                                       j.app, j.ext, j.recipient, j.accepted_at, j.deadline_at, j.outcome,
                                       j.traceparent))
    FROM jsonb_each(?) e
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
    wanted = [(i, r.account, key) for i, r in enumerate(receipts) for _, key in r.keys if key]
    found: dict[int, Match] = {}
    for row in bulk.rows(connection, _FIND, wanted):
        candidate = Match(*row)
        receipt = receipts[candidate.receipt]
        if candidate.key != receipt.keys[0][1] and not _same_handset(candidate, receipt):
            continue
        held = found.get(candidate.receipt)
        if held is None or _better(candidate, held, receipt):
            found[candidate.receipt] = candidate
    return found


def _same_handset(match: Match, receipt: Receipt) -> bool:
    end = receipt.address[-_SAME_DIGITS:]
    return len(end) == _SAME_DIGITS and match.recipient.endswith(end)


def _better(candidate: Match, held: Match, receipt: Receipt) -> bool:
    ours, theirs = (_same_handset(match, receipt) for match in (candidate, held))
    if ours != theirs:
        return ours
    order = [key for _, key in receipt.keys]
    return order.index(candidate.key) < order.index(held.key)


class Parking:
    """Receipts that wait for their message, at most MAX_PARKED; the oldest go first.

    `unmatched` counts those that went without having found it, by carrier.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.count: int = connection.execute("SELECT count(*) FROM parked").get
        self.unmatched: Counter[str] = Counter()
        self._last: int = connection.execute("SELECT ifnull(max(id), 0) FROM parked").get

    def park(self, receipts: list[Receipt]) -> None:
        rows, keys = [], []
        for receipt in receipts:
            receipt.match = "parked"
            self._last += 1
            rows.append((
                self._last, receipt.account, receipt.carrier, receipt.at, _encode(receipt.keys).decode(),
                receipt.address, receipt.state, receipt.result, receipt.raw,
            ))  # fmt: skip
            keys += [(receipt.account, key, self._last) for _, key in receipt.keys if key]
        bulk.write(self._connection, _PARK, rows)
        bulk.write(
            self._connection,
            "INSERT INTO parked_key SELECT value->>0, value->>1, value->>2 FROM jsonb_each(?)",
            keys,
        )
        self.count += len(receipts)
        if self.count > MAX_PARKED:
            self._drop("SELECT id FROM parked ORDER BY id LIMIT ?", self.count - MAX_PARKED)

    def take(self, answered: list[tuple[int, str]]) -> list[Receipt]:
        """The receipts that were waiting for these (account, key) pairs, oldest first."""
        if not self.count:
            return []
        found = bulk.rows(
            self._connection,
            """SELECT json_group_array(DISTINCT k.parked) FROM jsonb_each(?) e
               CROSS JOIN parked_key k ON k.account = e.value->>0 AND k.key = e.value->>1""",
            answered,
        )
        return self._leave(found)

    def take_by_address(self, parked_from: float, parked_before: float) -> list[tuple[Receipt, Place]]:
        """The receipts for which the handset's number alone tells the message."""
        if not self.count:
            return []
        found = places(self._connection, parked_from, parked_before)
        rows = sorted(found)
        return [(receipt, found[row]) for receipt, row in zip(self._leave(rows), rows, strict=True)]

    def forget_before(self, at: float) -> None:
        if self.count:
            self._drop("SELECT id FROM parked WHERE at < ?", at)

    def _drop(self, which: str, value: float) -> None:
        rows = [row for (row,) in self._connection.execute(which, (value,))]
        self.unmatched.update(
            bulk.rows(
                self._connection,
                """SELECT json_group_array(p.carrier) FROM jsonb_each(?) e
                   CROSS JOIN parked p ON p.id = e.value WHERE p.keys != '[]'""",
                rows,
            )
        )
        self._remove(rows)

    def _leave(self, rows: list[int]) -> list[Receipt]:
        found = bulk.rows(
            self._connection,
            """SELECT json_group_array(json_array(p.account, p.carrier, p.keys, p.address, p.state, p.result,
                                                  p.raw, p.at) ORDER BY p.id)
               FROM jsonb_each(?) e CROSS JOIN parked p ON p.id = e.value""",
            rows,
        )
        self._remove(rows)
        return [
            Receipt(account, carrier, _decode(keys), address, state, result, raw, at, None)
            for account, carrier, keys, address, state, result, raw, at in found
        ]

    def _remove(self, rows: list[int]) -> None:
        for statement in (
            "DELETE FROM parked_key WHERE parked IN (SELECT value FROM jsonb_each(?))",
            "DELETE FROM parked WHERE id IN (SELECT value FROM jsonb_each(?))",
        ):
            bulk.write(self._connection, statement, rows)
        self.count -= len(rows)
