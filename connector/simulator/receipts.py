"""Delivery receipts as deliver_sm, and which of them await their answer on one bind."""

from __future__ import annotations

import struct
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from protocols.smpp.constants import CommandId, Tag
from protocols.smpp.pdu import DataSm, DeliverSm, encode

from .fates import Report

if TYPE_CHECKING:
    from .account import Account, Bind
    from .grammar import Writer

_HEADER = struct.Struct(">IIII")
_TLV = struct.Struct(">HH")
_RECEIPT, _INTERMEDIATE = 0x04, 0x20
_LAST_SEQUENCE = 0x7FFFFFFF


class Message:
    """An accepted submit, reduced to what its receipts need.

    `addresses` is the source and destination part of the deliver_sm to come, as octets: TON, NPI and
    address of the handset, then of the sender.
    """

    __slots__ = ("account", "addresses", "excerpt", "id", "origin", "other_bind", "submit_date")

    def __init__(
        self,
        account: Account,
        origin: Bind,
        addresses: bytes,
        id: bytes,
        submit_date: bytes,
        excerpt: bytes,
        other_bind: bool,
    ) -> None:
        self.account = account
        self.origin = origin
        self.addresses = addresses
        self.id = id
        self.submit_date = submit_date
        self.excerpt = excerpt
        self.other_bind = other_bind


class Receipt(NamedTuple):
    """One receipt of one message."""

    message: Message
    report: Report


class Dates:
    """Now in UTC, as the receipts of a carrier write it; made once a minute, or once a second."""

    def __init__(self, form: str = "10") -> None:
        self.configure(form)

    def configure(self, form: str) -> None:
        """Write dates as `form` says: one of DATE_FORMS."""
        self._form, self._every_s = DATE_FORMS[form]
        self._tick = 0
        self._text = b""

    def now(self) -> bytes:
        tick = int(time.time()) // self._every_s
        if tick != self._tick:
            self._tick = tick
            self._text = time.strftime(self._form, time.gmtime(tick * self._every_s)).encode()
        return self._text


DATE_FORMS = {
    "10": ("%y%m%d%H%M", 60),
    "12": ("%y%m%d%H%M%S", 1),
    "12_year": ("%Y%m%d%H%M", 60),
    "14": ("%Y%m%d%H%M%S", 1),
    "zero": ("0000000000", 60),
    "none": ("", 60),
}
"""How a date is written, and how many seconds it stays the same."""


def deliver_frame(receipt: Receipt, sequence: int, done_date: bytes, form: str = "both") -> bytes:
    """The deliver_sm of a receipt (SMPP 3.4 §4.6.1, text as Appendix B), `form` both, text or tlv.

    Put together by hand because it runs once a message at full speed; a test holds it against the codec.
    """
    message, state = receipt.message, receipt.report.state
    text = tlvs = b""
    if form != "tlv":
        text = b"id:%b sub:001 dlvrd:%b submit date:%b done date:%b stat:%b err:%b text:%b" % (
            message.id,
            b"001" if state.delivered else b"000",
            message.submit_date,
            done_date,
            state.stat,
            state.err,
            message.excerpt,
        )
    if form != "text":
        tlvs = b"%b%b\0\x04\x27\0\x01%c" % (
            _TLV.pack(Tag.RECEIPTED_MESSAGE_ID, len(message.id) + 1),
            message.id,
            state.code,
        )
        if state.err != b"000":
            tlvs += _TLV.pack(Tag.NETWORK_ERROR_CODE, 3) + struct.pack(">BH", 3, int(state.err))
    esm_class = _INTERMEDIATE if state.intermediate else _RECEIPT
    body = b"\0%b%c\0\0\0\0\0\0\0\0%c%b%b" % (message.addresses, esm_class, len(text), text, tlvs)
    return _HEADER.pack(16 + len(body), CommandId.DELIVER_SM, 0, sequence) + body


class FromHandset:
    """A message that a handset sent (MO): on its way in the same queues as receipts."""

    __slots__ = ("message", "pdu")

    def __init__(self, message: Message, pdu: DeliverSm | DataSm) -> None:
        self.message = message
        self.pdu = pdu


Delivery = Receipt | FromHandset


class Outbox:
    """What goes to one bind: what is ready to leave and what awaits its deliver_sm_resp."""

    def __init__(self) -> None:
        self.ready: deque[Delivery] = deque()
        self._in_flight: dict[int, tuple[Delivery, float]] = {}
        self._sequence = 0

    def __len__(self) -> int:
        return len(self._in_flight)

    def frames(self, window: int, now: float, done_date: bytes, write: Writer) -> list[bytes]:
        """As many as the window has room for; they are in flight from `now` on."""
        ready, in_flight, frames = self.ready, self._in_flight, []
        for _ in range(min(window - len(in_flight), len(ready))):
            delivery = ready.popleft()
            sequence = self.next_sequence()
            in_flight[sequence] = (delivery, now)
            if isinstance(delivery, FromHandset):
                frames.append(encode(delivery.pdu, sequence=sequence))
            else:
                frames.append(write(delivery, sequence, done_date))
        return frames

    def next_sequence(self) -> int:
        """The next sequence_number of a request of ours on this bind."""
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        return self._sequence

    def answered(self, sequence: int) -> Delivery | None:
        """What a deliver_sm_resp answers, None when none has this number."""
        found = self._in_flight.pop(sequence, None)
        return None if found is None else found[0]

    def overdue(self, before: float) -> list[Delivery]:
        """Takes out what was sent earlier than `before`; the oldest come first, so it stops early."""
        late: list[Delivery] = []
        while self._in_flight:
            sequence = next(iter(self._in_flight))
            if self._in_flight[sequence][1] >= before:
                break
            late.append(self._in_flight.pop(sequence)[0])
        return late

    def drain(self) -> tuple[list[Delivery], list[Delivery]]:
        """Takes out everything: (sent without an answer, never sent)."""
        sent = [delivery for delivery, _ in self._in_flight.values()]
        waiting = list(self.ready)
        self._in_flight.clear()
        self.ready.clear()
        return sent, waiting
