"""Receipts to their messages, inside the transaction that stores them.

A message is found by its id under each form that the receipt brings. Where two of them lead to two messages,
the handset's number decides, then the order of the forms. A form that the carrier is not known to use counts
only together with that number: where ids are counted up, 16 read as hexadecimal is another message's 22. What
matches nothing is parked: its submit_sm_resp may still be on the way. What no answer came for is matched by
number alone where only one job is possible.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import apsw
import msgspec

from connector.journal import bulk
from connector.journal.addresses import Place, places
from connector.journal.ops import Receipt
from connector.journal.sealed import receipt_context
from connector.sealing import Seal

__all__ = ["MOST_TAKEN", "SAME_DIGITS", "Match", "Parking", "is_of", "match"]

MAX_PARKED = 100_000
"""Of all accounts together. Who has most gives way: nobody loses what is within an equal share of it."""

_EARLY_S = 120.0
"""How much earlier than its answer a receipt may come and be known by its id alone.

An id that comes into use hours after its receipt has been another message's before, or belongs to another
user of the account.
"""

MOST_TAKEN = 1_000
"""In one commit, of those that are looked at again: its jobs wait for that."""

SAME_DIGITS = 7
"""How much of the end of two numbers must agree: carriers differ in the prefix, and no number is shorter."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[tuple[str, str], ...]).decode
_PARK = """
    INSERT INTO parked
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
           value->>9, value->>10, value->>11, value->>12, value->>13
    FROM jsonb_each(?)
"""

_FIND = """
    SELECT json_group_array(json_array(e.value->>0, p.key, p.job, p.attempt, p.part, p.parts, p.result,
                                       p.sent_at, p.receipts, j.app, j.ext, j.recipient, j.accepted_at,
                                       j.deadline_at, j.outcome, j.traceparent, j.follow, a.at))
    FROM jsonb_each(?) e
    CROSS JOIN part p ON p.account = e.value->>1 AND p.key = e.value->>2
    CROSS JOIN job j ON j.id = p.job
    CROSS JOIN attempt a ON a.job = p.job AND a.n = p.attempt
"""


# As `is_of`.
_OF_HANDSET = f"""
    SELECT id FROM parked WHERE length(ltrim(address, '+0')) >= {SAME_DIGITS}
    AND substr(?, -length(ltrim(address, '+0'))) = ltrim(address, '+0')
"""  # noqa: S608


class Match(NamedTuple):
    """A receipt's message: the part, and what the journal knows of its job. `left_at`: of the intent."""

    receipt: int
    key: str
    job: int
    attempt: int
    part: int
    parts: int
    result: str | None
    sent_at: float
    receipts: int
    app: int
    ext: str
    recipient: str
    accepted_at: float
    deadline_at: float
    outcome: str | None
    traceparent: str | None
    follow: int
    left_at: float


def match(connection: apsw.Connection, receipts: list[Receipt]) -> dict[int, Match]:
    """Index in `receipts` → its message; what matches nothing is absent. Fills in `form`."""
    wanted = [(i, r.account, key) for i, r in enumerate(receipts) for _, key in r.keys if key]
    found: dict[int, Match] = {}
    for row in bulk.rows(connection, _FIND, wanted):
        candidate = Match(*row)
        receipt = receipts[candidate.receipt]
        form = _form(candidate, receipt)
        early = candidate.sent_at > receipt.at + _EARLY_S
        if (early or form != receipt.trusted) and not _same_handset(candidate, receipt):
            continue
        held = found.get(candidate.receipt)
        better = candidate if held is None else _better(candidate, held, receipt)
        if better is candidate:
            found[candidate.receipt] = candidate
            receipt.form = form
        elif better is None:
            order = [key for _, key in receipt.keys]
            likelier = min(found[candidate.receipt], candidate, key=lambda match: order.index(match.key))
            found[candidate.receipt] = likelier
            receipt.form = ""
    return found


def _form(match: Match, receipt: Receipt) -> str:
    (form, key), *others = receipt.keys
    return form if key == match.key else next(form for form, key in others if key == match.key)


def _better(candidate: Match, held: Match, receipt: Receipt) -> Match | None:
    """The one of the same handset; None where both are, or neither."""
    ours, theirs = _same_handset(candidate, receipt), _same_handset(held, receipt)
    if ours == theirs:
        return None
    return candidate if ours else held


def _same_handset(match: Match, receipt: Receipt) -> bool:
    end = receipt.address[-SAME_DIGITS:]
    return len(end) == SAME_DIGITS and match.recipient.endswith(end)


def is_of(number: str, address: str) -> bool:
    """Whether `address`, as a carrier wrote it, may be `number`, which is E.164 with +."""
    digits = address.lstrip("+0")
    return len(digits) >= SAME_DIGITS and number.endswith(digits)


class Parking:
    """Receipts that wait for their message, at most MAX_PARKED; the oldest of an account go first.

    `unmatched` counts those that went without having found it, by carrier.
    """

    def __init__(self, connection: apsw.Connection, seal: Seal) -> None:
        self._connection = connection
        self._seal = seal
        held = connection.execute("SELECT account, count(*) FROM parked GROUP BY account")
        self._held: Counter[int] = Counter(dict(held))
        self.count = self._held.total()
        self.unmatched: Counter[str] = Counter()
        self._last: int = connection.execute("SELECT ifnull(max(id), 0) FROM parked").get

    def park(self, receipts: list[Receipt]) -> None:
        rows, keys = [], []
        for receipt in receipts:
            receipt.match = "parked"
            self._last += 1
            rows.append((
                self._last, receipt.account, receipt.carrier, receipt.at, _encode(receipt.keys).decode(),
                receipt.address, receipt.state, receipt.result, self._kept(receipt), receipt.message_id,
                receipt.trusted, receipt.error, receipt.kind, int(receipt.narrow),
            ))  # fmt: skip
            self._held[receipt.account] += 1
            keys += [(receipt.account, key, self._last) for _, key in receipt.keys if key]
        bulk.write(self._connection, _PARK, rows)
        bulk.write(
            self._connection,
            "INSERT INTO parked_key SELECT value->>0, value->>1, value->>2 FROM jsonb_each(?)",
            keys,
        )
        self.count += len(receipts)
        for account, most in _shares(self._held, MAX_PARKED).items():
            excess = self._held[account] - most
            self._drop("SELECT id FROM parked WHERE account = ? ORDER BY id LIMIT ?", account, excess)

    def _kept(self, receipt: Receipt) -> str:
        # Without keys it is what somebody wrote on a handset.
        if receipt.keys or not receipt.raw:
            return receipt.raw
        return self._seal.seal(receipt.raw.encode(), receipt_context(self._last))

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

    def take_narrow(self, parked_before: float) -> list[Receipt]:
        """Those that were looked up under one form of their id alone, the oldest first."""
        found = self._connection.execute(
            "SELECT id FROM parked WHERE narrow = 1 AND at < ? ORDER BY at LIMIT ?",
            (parked_before, MOST_TAKEN),
        )
        return self._leave(sorted(row for (row,) in found))

    def take_by_address(self, parked_from: float, parked_before: float) -> list[tuple[Receipt, Place]]:
        """The receipts for which the handset's number alone tells the message; with MOST_TAKEN or more there
        may be others.
        """
        if not self.count:
            return []
        found = places(self._connection, parked_from, parked_before, MOST_TAKEN)
        rows = sorted(found)
        return [(receipt, found[row]) for receipt, row in zip(self._leave(rows), rows, strict=True)]

    def forget_before(self, at: float) -> None:
        if self.count:
            self._drop("SELECT id FROM parked WHERE at < ?", at)

    def forget_handset(self, number: str) -> None:
        """What came from it or of it; `number` is E.164 with +."""
        self._drop(_OF_HANDSET, number)

    def _drop(self, which: str, *values: float | str) -> None:
        rows = [row for (row,) in self._connection.execute(which, values)]
        gone = bulk.rows(
            self._connection,
            """SELECT json_group_array(json_array(p.account, p.carrier, p.keys)) FROM jsonb_each(?) e
               CROSS JOIN parked p ON p.id = e.value""",
            rows,
        )
        self.unmatched.update(carrier for _, carrier, keys in gone if keys != "[]")
        self._remove(rows, Counter(account for account, *_ in gone))

    def _leave(self, rows: list[int]) -> list[Receipt]:
        found = bulk.rows(
            self._connection,
            """SELECT json_group_array(json_array(p.account, p.carrier, p.keys, p.address, p.state, p.result,
                                                  p.raw, p.at, p.message_id, p.trusted, p.error, p.kind,
                                                  p.narrow)
                                       ORDER BY p.id)
               FROM jsonb_each(?) e CROSS JOIN parked p ON p.id = e.value""",
            rows,
        )
        self._remove(rows, Counter(account for account, *_ in found))
        return [
            Receipt(account, carrier, _decode(keys), address, state, result, raw, at, None, *more)
            for account, carrier, keys, address, state, result, raw, at, *more in found
        ]

    def _remove(self, rows: list[int], of: Counter[int]) -> None:
        for statement in (
            "DELETE FROM parked_key WHERE parked IN (SELECT value FROM jsonb_each(?))",
            "DELETE FROM parked WHERE id IN (SELECT value FROM jsonb_each(?))",
        ):
            bulk.write(self._connection, statement, rows)
        self.count -= len(rows)
        self._held -= of


def _shares(held: Counter[int], room: int) -> dict[int, int]:
    """How many each account may keep, for those that have more than that: as equal as can be."""
    if held.total() <= room:
        return {}
    left = len(held)
    for number in sorted(held.values()):
        if number * left > room:
            return {other: room // left for other, more in held.items() if more > room // left}
        room -= number
        left -= 1
    return {}
