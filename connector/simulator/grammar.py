"""Receipts in a carrier's own dialect: everything about them that option names begin with `receipt_`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from struct import Struct

from protocols.smpp.constants import CommandId, EsmClass, MessageState, Tag

from .fates import State
from .options import DEFAULTS, SmscOptions
from .receipts import Receipt, deliver_frame

Writer = Callable[[Receipt, int, bytes], bytes]
"""Makes the frame of a receipt; the further arguments are its sequence_number and done date."""

_HEADER = Struct(">IIII")
_TLV = Struct(">HH")
_NETWORK_ERROR = Struct(">BH")
_GSM_NETWORK = 3
_NO_ID = b"0"

_OPTIONS = (
    "receipt_pdu", "receipt_esm_class", "receipt_id_key", "receipt_counts", "receipt_joined", "receipt_dates",
    "receipt_err", "receipt_text", "receipt_words", "receipt_tlv_lies",
)  # fmt: skip

_CODES = {
    "ENROUTE": 1, "DELIVRD": 2, "DELIVERED": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5, "ACCEPTD": 6,
    "ACCEPTED": 6, "UNKNOWN": 7, "REJECTD": 8, "REJECTED": 8,
}  # fmt: skip


def writer(options: SmscOptions) -> Writer:
    """The quick one for receipts as Appendix B has them, else one for the dialect."""
    if all(getattr(options, name) == getattr(DEFAULTS, name) for name in _OPTIONS):
        usual = options.receipt_form == DEFAULTS.receipt_form
        return deliver_frame if usual else functools.partial(deliver_frame, form=options.receipt_form)
    return Dialect(options).frame


class Dialect:
    """Writes receipts as one carrier does."""

    def __init__(self, options: SmscOptions) -> None:
        self._options = options
        self._words = {usual: word for usual, word in options.receipt_words}
        self._key = options.receipt_id_key.encode("latin-1", "replace")

    def frame(self, receipt: Receipt, sequence: int, done_date: bytes) -> bytes:
        """The deliver_sm or data_sm of a receipt (SMPP 3.4 §4.6.1, §4.7.1)."""
        options, message, state = self._options, receipt.message, receipt.report.state
        word = self._words.get(state.stat.decode(), state.stat.decode())
        text = b"" if options.receipt_form == "tlv" else self._text(receipt, word.encode(), done_date)
        tlvs = b""
        if options.receipt_tlv_lies:
            tlvs = _tlvs(_NO_ID, MessageState.UNKNOWN, state)
        elif options.receipt_form != "text":
            tlvs = _tlvs(message.id, _CODES.get(word, state.code), state)
        esm_class = options.receipt_esm_class
        if esm_class and state.intermediate:
            esm_class = EsmClass.INTERMEDIATE_NOTIFICATION
        if options.receipt_pdu == "data_sm":
            if text:
                tlvs += _TLV.pack(Tag.MESSAGE_PAYLOAD, len(text)) + text
            body = b"\0%b%c\0\0%b" % (message.addresses, esm_class, tlvs)
            return _HEADER.pack(16 + len(body), CommandId.DATA_SM, 0, sequence) + body
        body = b"\0%b%c\0\0\0\0\0\0\0\0%c%b%b" % (message.addresses, esm_class, len(text), text, tlvs)
        return _HEADER.pack(16 + len(body), CommandId.DELIVER_SM, 0, sequence) + body

    def _text(self, receipt: Receipt, word: bytes, done_date: bytes) -> bytes:
        options, message, state = self._options, receipt.message, receipt.report.state
        fields = [b"%b:%b" % (self._key, message.id)]
        if options.receipt_counts:
            fields += [b"sub:001", b"dlvrd:001" if state.delivered else b"dlvrd:000"]
        if options.receipt_dates != "none":
            gap = b"" if options.receipt_joined else b" "
            fields += [
                b"submit%bdate:%b" % (gap, message.submit_date),
                b"done%bdate:%b" % (gap, done_date),
            ]
        fields.append(b"stat:" + word)
        if options.receipt_err == "decimal":
            fields.append(b"err:" + state.err)
        elif options.receipt_err == "hex":
            fields.append(b"err:%03X" % int(state.err))
        if options.receipt_text != "none":
            fields.append(b"%b:%b" % (options.receipt_text.encode(), message.excerpt))
        return b" ".join(fields)


def _tlvs(message_id: bytes, code: int, state: State) -> bytes:
    """receipted_message_id, message_state and, for an error, network_error_code (§5.3.2.12, .35, .31)."""
    tlvs = _TLV.pack(Tag.RECEIPTED_MESSAGE_ID, len(message_id) + 1) + message_id + b"\0"
    tlvs += _TLV.pack(Tag.MESSAGE_STATE, 1) + bytes((code,))
    if state.err != b"000":
        tlvs += _TLV.pack(Tag.NETWORK_ERROR_CODE, 3) + _NETWORK_ERROR.pack(_GSM_NETWORK, int(state.err))
    return tlvs
