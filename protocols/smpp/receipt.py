"""Delivery receipts: a deliver_sm that tells what became of a message (SMPP 3.4 §2.11, Appendix B).

Appendix B is advice and every SMSC has its own dialect, so that the order of trust is: esm_class, then TLVs,
then the text, and of the text only what stands left of ``text:``, because the rest is the subscriber's.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from protocols.smpp.constants import EsmClass, MessageState, Tag
from protocols.smpp.pdu import DeliverSm


class ReceiptState(StrEnum):
    """§5.2.28, and FAILED, which the specification does not know and carriers send."""

    ENROUTE = "ENROUTE"
    DELIVERED = "DELIVERED"
    EXPIRED = "EXPIRED"
    DELETED = "DELETED"
    UNDELIVERABLE = "UNDELIVERABLE"
    ACCEPTED = "ACCEPTED"
    UNKNOWN = "UNKNOWN"
    REJECTED = "REJECTED"
    FAILED = "FAILED"


FINAL: Mapping[ReceiptState, bool] = {
    ReceiptState.ENROUTE: False,
    ReceiptState.DELIVERED: True,
    ReceiptState.EXPIRED: True,
    ReceiptState.DELETED: True,
    ReceiptState.UNDELIVERABLE: True,
    # "buffered" to some carriers, "delivered" to others: nobody is told so until a carrier's own table says.
    ReceiptState.ACCEPTED: False,
    ReceiptState.UNKNOWN: False,
    ReceiptState.REJECTED: True,
    ReceiptState.FAILED: True,
}
"""Which states end a message, where the carrier's profile has no table of its own."""

_BY_NUMBER = {
    MessageState.ENROUTE: ReceiptState.ENROUTE,
    MessageState.DELIVERED: ReceiptState.DELIVERED,
    MessageState.EXPIRED: ReceiptState.EXPIRED,
    MessageState.DELETED: ReceiptState.DELETED,
    MessageState.UNDELIVERABLE: ReceiptState.UNDELIVERABLE,
    MessageState.ACCEPTED: ReceiptState.ACCEPTED,
    MessageState.UNKNOWN: ReceiptState.UNKNOWN,
    MessageState.REJECTED: ReceiptState.REJECTED,
}
# Appendix B has seven letters; six and whole words occur.
_BY_WORD = {
    b"ENROUTE": ReceiptState.ENROUTE,
    b"BUFFRED": ReceiptState.ENROUTE,
    b"BUFFERED": ReceiptState.ENROUTE,
    b"DELIVRD": ReceiptState.DELIVERED,
    b"DELIVERD": ReceiptState.DELIVERED,
    b"DELIVERED": ReceiptState.DELIVERED,
    b"EXPIRED": ReceiptState.EXPIRED,
    b"DELETED": ReceiptState.DELETED,
    b"UNDELIV": ReceiptState.UNDELIVERABLE,
    b"UNDELIVERED": ReceiptState.UNDELIVERABLE,
    b"UNDELIVERABLE": ReceiptState.UNDELIVERABLE,
    b"ACCEPTD": ReceiptState.ACCEPTED,
    b"ACCEPTED": ReceiptState.ACCEPTED,
    b"UNKNOWN": ReceiptState.UNKNOWN,
    b"REJECTD": ReceiptState.REJECTED,
    b"REJECTED": ReceiptState.REJECTED,
    b"FAILED": ReceiptState.FAILED,
}

_TEXT_KEY = re.compile(rb"text:", re.IGNORECASE)
_PAIR = re.compile(rb"(?<![^\W_])(id|stat|err|submit ?date|done ?date):(\S*)", re.IGNORECASE)
# Appendix B to the letter, which most receipts are: read four times faster, with the same result.
_STANDARD = re.compile(
    rb"id:([\w-]*) sub:\w* dlvrd:\w* submit date:(\w*) done date:(\w*) stat:(\w*) err:(\w*)(?: [Tt]ext:|\Z)"
)
_STANDARD_NAMES = (b"id", b"submitdate", b"donedate", b"stat", b"err")
_TLV_TAGS = frozenset((Tag.RECEIPTED_MESSAGE_ID, Tag.MESSAGE_STATE))


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What a receipt says, dates and ids as they came.

    ``message_id`` is empty when there is none. ``network_error`` is the TLV's three octets (§5.3.2.31: kind
    of network, then its cause), ``err`` the text's field. ``raw`` is the text with the subscriber's part.
    """

    message_id: bytes
    state: ReceiptState
    final: bool
    network_error: bytes | None
    err: str
    intermediate: bool
    submit_date: bytes
    done_date: bytes
    raw: bytes


def parse(deliver: DeliverSm, final: Mapping[ReceiptState, bool] = FINAL) -> Receipt | None:
    """The receipt in a deliver_sm, None when it is a message from a handset.

    Without the flag in esm_class a deliver_sm counts as a receipt by its TLVs, or by a text that has id,
    stat and done date. An intermediate notification (§5.2.12) is never final.
    """
    kind = deliver.esm_class & EsmClass.TYPE_MASK
    intermediate = kind == EsmClass.INTERMEDIATE_NOTIFICATION
    flagged = intermediate or kind == EsmClass.DELIVERY_RECEIPT
    if not flagged and kind:
        return None
    options = dict(reversed(deliver.tlvs))
    raw = deliver.short_message or options.get(Tag.MESSAGE_PAYLOAD, b"")
    fields = _fields(raw)
    if not flagged and options.keys().isdisjoint(_TLV_TAGS) and not _reads_as_receipt(raw, fields):
        return None
    message_id = options.get(Tag.RECEIPTED_MESSAGE_ID, b"").partition(b"\0")[0] or fields.get(b"id", b"")
    state = _state(options.get(Tag.MESSAGE_STATE, b""), fields.get(b"stat", b""))
    return Receipt(
        message_id,
        state,
        final.get(state, False) and not intermediate,
        options.get(Tag.NETWORK_ERROR_CODE),
        fields.get(b"err", b"").decode("ascii", "backslashreplace"),
        intermediate,
        fields.get(b"submitdate", b""),
        fields.get(b"donedate", b""),
        raw,
    )


def _fields(raw: bytes) -> dict[bytes, bytes]:
    """The pairs left of ``text:``, the first of each name; names in small letters without spaces."""
    if standard := _STANDARD.match(raw):
        return dict(zip(_STANDARD_NAMES, standard.groups(), strict=True))
    cut = _TEXT_KEY.search(raw)
    pairs = _PAIR.findall(raw, 0, cut.start() if cut else len(raw))
    return {name.lower().replace(b" ", b""): value for name, value in reversed(pairs)}


def _reads_as_receipt(raw: bytes, fields: dict[bytes, bytes]) -> bool:
    return raw[:3].lower() == b"id:" and b"stat" in fields and b"donedate" in fields


def _state(number: bytes, word: bytes) -> ReceiptState:
    named = _BY_NUMBER.get(int.from_bytes(number, "big"))
    return named or _BY_WORD.get(word.upper(), ReceiptState.UNKNOWN)


_DATE_FORMS = {10: ("%y%m%d%H%M",), 12: ("%y%m%d%H%M%S", "%Y%m%d%H%M"), 14: ("%Y%m%d%H%M%S",)}


def read_date(raw: bytes, near: datetime) -> datetime | None:
    """A receipt's date in the SMSC's own clock, None for zeros and for what is no date.

    Twelve digits are YYMMDDhhmmss to some and YYYYMMDDhhmm to others: the reading closer to ``near`` wins.
    ``near`` gives the time zone of the result, since the text names none.
    """
    if not (raw.isdigit() and raw.strip(b"0")):
        return None
    readings = []
    for form in _DATE_FORMS.get(len(raw), ()):
        try:
            readings.append(datetime.strptime(raw.decode(), form).replace(tzinfo=near.tzinfo))
        except ValueError:
            continue
    return min(readings, key=lambda reading: abs(reading - near), default=None)
