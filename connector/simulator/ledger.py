"""The messages that query_sm, cancel_sm and replace_sm can ask about: the last few, truthfully."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from protocols.smpp.constants import MessageState
from protocols.smpp.pdu import SubmitSm

from .fates import Fate

_FINAL = (
    MessageState.DELIVERED, MessageState.EXPIRED, MessageState.DELETED, MessageState.UNDELIVERABLE,
    MessageState.REJECTED,
)  # fmt: skip


class Entry(NamedTuple):
    """One accepted message: its fate says everything that will become of it.

    `accepted_at` is loop time (seconds).
    """

    submit: SubmitSm
    fate: Fate
    receipt_id: bytes
    accepted_at: float


class Standing(NamedTuple):
    """How far a message has come; its final state came `final_s` seconds after it was accepted."""

    state: int
    err: int = 0
    final_s: float | None = None


class Ledger:
    """At most `limit` messages by the id of their submit_sm_resp, and at least half as many.

    `touched` tells whether anything was cancelled or replaced: only then need arrivals be looked up.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.touched = False
        self._replaced: dict[bytes, SubmitSm] = {}
        self._cancelled: dict[bytes, float] = {}
        self._stopped_receipts: set[bytes] = set()
        self._entries: dict[bytes, Entry] = {}
        self._older: dict[bytes, Entry] = {}

    def add(self, message_id: bytes, entry: Entry) -> None:
        self._entries[message_id] = entry
        # Two generations: taking the oldest out of one dict again and again is slow.
        if 2 * len(self._entries) >= self.limit:
            self._older, self._entries = self._entries, {}

    def find(self, message_id: bytes, source: bytes) -> Entry | None:
        """The message with this id, submitted from `source`."""
        entry = self._entries.get(message_id) or self._older.get(message_id)
        return entry if entry is not None and entry.submit.source_addr == source else None

    def __iter__(self) -> Iterator[tuple[bytes, Entry]]:
        """(message id, message), the oldest first."""
        yield from self._older.items()
        yield from self._entries.items()

    def between(self, source: bytes, destination: bytes, service_type: bytes) -> list[bytes]:
        """The ids of the messages between two addresses (§4.9.1, cancel_sm without an id)."""
        return [
            message_id
            for message_id, entry in self
            if entry.submit.source_addr == source
            and entry.submit.destination_addr == destination
            and service_type in (b"", entry.submit.service_type)
        ]

    def standing(self, message_id: bytes, entry: Entry, now: float) -> Standing:
        """What has become of a message by `now` (loop time)."""
        if message_id in self._cancelled:
            return Standing(MessageState.DELETED, 0, self._cancelled[message_id])
        age_s, fate = now - entry.accepted_at, entry.fate
        if fate.arrival_s is not None and fate.arrival_s <= age_s:
            return Standing(MessageState.DELIVERED, 0, fate.arrival_s)
        for report in reversed(fate.reports):
            if report.after_s <= age_s and report.state.code in _FINAL:
                return Standing(report.state.code, int(report.state.err) & 0xFF, report.after_s)
        return Standing(MessageState.ENROUTE)

    def cancel(self, message_id: bytes, entry: Entry, now: float) -> bool:
        """Delete a message unless it has its final state already."""
        if self.standing(message_id, entry, now).state in _FINAL:
            return False
        self.touched = True
        self._cancelled[message_id] = now - entry.accepted_at
        self._stopped_receipts.add(entry.receipt_id)
        return True

    def replace(self, message_id: bytes, submit: SubmitSm) -> None:
        """Let `submit` arrive in place of the message."""
        self.touched = True
        self._replaced[message_id] = submit

    def replacement(self, message_id: bytes) -> SubmitSm | None:
        """What arrives in place of a message, None when it was not replaced."""
        return self._replaced.get(message_id)

    def arrives(self, message_id: bytes) -> bool:
        """Whether a message is still to reach its handset."""
        return message_id not in self._cancelled

    def reports(self, receipt_id: bytes) -> bool:
        """Whether receipts with this id are still to leave."""
        return receipt_id not in self._stopped_receipts

    def clear(self) -> None:
        self.touched = False
        for kept in (self._entries, self._older, self._cancelled, self._stopped_receipts, self._replaced):
            kept.clear()

    def __len__(self) -> int:
        return len(self._entries) + len(self._older)
