"""Delivery receipts: a deliver_sm that tells what became of a message (SMPP 3.4 §2.11, Appendix B).

Appendix B is advice and every SMSC has its own dialect, so that the order of trust is: esm_class, then TLVs,
then the text, and of the text only what stands left of ``text:``, because the rest is the subscriber's.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

import msgspec

from protocols.smpp.constants import EsmClass, MessageState, Tag
from protocols.smpp.pdu import DataSm, DeliverSm


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


FINAL: Mapping[ReceiptState, bool] = MappingProxyType(
    {
        ReceiptState.ENROUTE: False,
        ReceiptState.DELIVERED: True,
        ReceiptState.EXPIRED: True,
        ReceiptState.DELETED: True,
        ReceiptState.UNDELIVERABLE: True,
        # "buffered" to some carriers, "delivered" to others: nobody is told so without a carrier's own table.
        ReceiptState.ACCEPTED: False,
        ReceiptState.UNKNOWN: False,
        ReceiptState.REJECTED: True,
        ReceiptState.FAILED: True,
    }
)
"""Which states end a message, where the carrier's profile has no table of its own."""

# What Appendix B writes for a number of message_state. A receipt of 0 or 9 (5.0) leaves it to the text.
_WORD_OF = {
    MessageState.ENROUTE: b"ENROUTE",
    MessageState.DELIVERED: b"DELIVRD",
    MessageState.EXPIRED: b"EXPIRED",
    MessageState.DELETED: b"DELETED",
    MessageState.UNDELIVERABLE: b"UNDELIV",
    MessageState.ACCEPTED: b"ACCEPTD",
    MessageState.UNKNOWN: b"UNKNOWN",
    MessageState.REJECTED: b"REJECTD",
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
_NAMES = (b"id", b"submitdate", b"donedate", b"stat", b"err")
_TLV_TAGS = frozenset((Tag.RECEIPTED_MESSAGE_ID, Tag.MESSAGE_STATE))


class Grammar(msgspec.Struct, frozen=True, kw_only=True):
    """How one carrier writes its receipts.

    id_key     the word in front of the id, of any case
    prefer     which of TLV and text is believed where both name an id or a state
    unflagged  a deliver_sm with neither the flag of a receipt nor its TLVs, whose text reads like one:
               ``detect`` takes it for a receipt, ``mo`` for a handset's message
    words      what this carrier's words mean, in capitals; the name of a state stands for all its spellings
               and for its number in message_state
    final      which states end a message
    """

    id_key: bytes = b"id"
    prefer: Literal["tlv", "text"] = "tlv"
    unflagged: Literal["detect", "mo"] = "detect"
    words: Mapping[bytes, ReceiptState] = MappingProxyType({})
    final: Mapping[ReceiptState, bool] = FINAL


DEFAULT = Grammar()


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What a receipt says, dates and ids as they came.

    ``message_id`` is empty when there is none. ``network_error`` is the TLV's three octets (§5.3.2.31: kind
    of network, then its cause), ``err`` the text's field. ``raw`` is the text with the subscriber's part.
    ``word`` is what ``state`` was read from, in capitals: the text's, or Appendix B's for the TLV's number.
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
    word: str

    def __repr__(self) -> str:
        return f"Receipt({self.message_id!r}, {self.state}, word={self.word!r}, err={self.err!r})"


def parse(deliver: DeliverSm | DataSm, grammar: Grammar = DEFAULT) -> Receipt | None:
    """The receipt in a deliver_sm or data_sm, None when it is a message from a handset.

    Without the flag in esm_class it counts as a receipt by its TLVs, or by a text that has id, stat and done
    date. An intermediate notification (§5.2.12) is never final.
    """
    kind = deliver.esm_class & EsmClass.TYPE_MASK
    intermediate = kind == EsmClass.INTERMEDIATE_NOTIFICATION
    flagged = intermediate or kind == EsmClass.DELIVERY_RECEIPT
    if not flagged and kind:
        return None
    options = dict(reversed(deliver.tlvs))
    raw = deliver.short_message or options.get(Tag.MESSAGE_PAYLOAD, b"")
    written_id, submit_date, done_date, written, err = _fields(raw, grammar.id_key)
    if not flagged and options.keys().isdisjoint(_TLV_TAGS):
        complete = written is not None and done_date is not None and _begins_with_id(raw, grammar.id_key)
        if grammar.unflagged == "mo" or not complete:
            return None
    message_id = options.get(Tag.RECEIPTED_MESSAGE_ID, b"").partition(b"\0")[0]
    if not message_id or (written_id and grammar.prefer == "text"):
        message_id = written_id or b""
    state, word = _state(options.get(Tag.MESSAGE_STATE, b""), (written or b"").upper(), grammar)
    return Receipt(
        message_id,
        state,
        grammar.final.get(state, False) and not intermediate,
        options.get(Tag.NETWORK_ERROR_CODE),
        err.decode("ascii", "backslashreplace") if err else "",
        intermediate,
        submit_date or b"",
        done_date or b"",
        raw,
        word.decode("ascii", "backslashreplace"),
    )


@lru_cache(maxsize=64)
def _patterns(id_key: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Appendix B to the letter, which most receipts are: read four times faster, with the same result; and
    the pairs of everything else.
    """
    key = re.escape(id_key)
    standard = (
        key + rb":([\w-]*) sub:\w* dlvrd:\w* submit date:(\w*) done date:(\w*) stat:(\w*) err:(\w*)"
        rb"(?: [Tt]ext:|\Z)"
    )
    pair = rb"(?<![^\W_])(?:(" + key + rb")|(stat|err|submit ?date|done ?date)):(\S*)"
    return re.compile(standard), re.compile(pair, re.IGNORECASE)


def _fields(raw: bytes, id_key: bytes) -> Sequence[bytes | None]:
    """The values of ``_NAMES`` left of ``text:``, the first of each; None for those that are not there."""
    standard, pair = _patterns(id_key)
    if found := standard.match(raw):
        return found.groups()
    cut = _TEXT_KEY.search(raw)
    pairs = pair.findall(raw, 0, cut.start() if cut else len(raw))
    values = {
        b"id" if key else name.lower().replace(b" ", b""): value for key, name, value in reversed(pairs)
    }
    return [values.get(name) for name in _NAMES]


def _begins_with_id(raw: bytes, id_key: bytes) -> bool:
    return raw[: len(id_key) + 1].lower() == id_key.lower() + b":"


def _state(number: bytes, written: bytes, grammar: Grammar) -> tuple[ReceiptState, bytes]:
    """The state and the word it was read from; of two that are known, the preferred one."""
    told = _WORD_OF.get(int.from_bytes(number, "big"), b"") if number else b""
    for word in (written, told) if grammar.prefer == "text" else (told, written):
        state = _BY_WORD.get(word)
        if grammar.words:
            state = grammar.words.get(word) or grammar.words.get(str(state).encode()) or state
        if state is not None:
            return state, word
    return ReceiptState.UNKNOWN, written or told


def state_of(message_state: int) -> ReceiptState:
    """The state that a query_sm_resp names (3.4 §5.2.28, 5.0 §4.7.15); UNKNOWN for a carrier's own number."""
    if message_state == MessageState.SKIPPED:
        return ReceiptState.UNDELIVERABLE
    word = _WORD_OF.get(message_state or MessageState.ENROUTE, b"")
    return _BY_WORD.get(word, ReceiptState.UNKNOWN)


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
