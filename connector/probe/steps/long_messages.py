"""Texts longer than one short message, and texts that are to be shown at once."""

from __future__ import annotations

from typing import Any

from connector.probe.codecs import encode
from connector.probe.finding import Finding, assumed, found, unknown
from connector.probe.known import Known
from connector.probe.reading import is_receipt, shown
from connector.probe.trial import Exchange, Talk, Trial, send, send_one
from protocols.gsm.udh import concatenation
from protocols.smpp import tlv
from protocols.smpp.constants import EsmClass, Tag, status_name
from protocols.smpp.pdu import SubmitSm

__all__ = ["FORMS", "flash", "long_messages"]

KEY = "text.long_message"
FLASH = "text.flash"
FORMS = ("udh8", "udh16", "sar", "payload")

_PART = 60
"""Characters a part: short enough for every codec and header."""

_TEXT = "".join(f"probe long message piece {number:02} of four " for number in range(1, 5))[: 2 * _PART]
_REFERENCE = 0x5A


def long_messages(known: Known) -> Talk:
    """The same text of two parts in each form."""
    trials = [Trial(f"long message as {form}", _pdus(known, form)) for form in FORMS]
    exchanges = yield from send(trials)
    accepted = [form for form, each in zip(FORMS, exchanges, strict=True) if each.accepted]
    joined = [form for form, each in zip(FORMS, exchanges, strict=True) if _is_joined(known, each)]
    told = "; ".join(f"{form}: {_told(known, e)}" for form, e in zip(FORMS, exchanges, strict=True))
    return [_finding(known, accepted, joined, told)]


def _finding(known: Known, accepted: list[str], joined: list[str], told: str) -> Finding:
    asked = known.profile.text.long_message
    if joined:
        return found(KEY, asked if asked in joined else joined[0], told)
    if not accepted:
        return unknown(KEY, told)
    if asked in accepted:
        return unknown(KEY, f"only what is accepted is known: {told}")
    return assumed(KEY, accepted[0], f"the form of the input is refused: {told}")


def _pdus(known: Known, form: str) -> tuple[SubmitSm, ...]:
    codec = known.use_codec
    if form == "payload":
        payload = (Tag.MESSAGE_PAYLOAD, encode(_TEXT, codec))
        return (known.submit(short_message=b"", tlvs=(payload,)),)
    pieces = [_TEXT[start : start + _PART] for start in range(0, len(_TEXT), _PART)]
    return tuple(_part(known, form, pieces, number) for number in range(1, len(pieces) + 1))


def _part(known: Known, form: str, pieces: list[str], number: int) -> SubmitSm:
    total, piece = len(pieces), pieces[number - 1]
    if form == "sar":
        place: Any = (
            tlv.of_uint(Tag.SAR_MSG_REF_NUM, _REFERENCE, 2),
            tlv.of_uint(Tag.SAR_TOTAL_SEGMENTS, total, 1),
            tlv.of_uint(Tag.SAR_SEGMENT_SEQNUM, number, 1),
        )
        return known.submit(short_message=encode(piece, known.use_codec), tlvs=place)
    header = concatenation(_REFERENCE, total, number, 8 if form == "udh8" else 16)
    return known.submit(esm_class=EsmClass.UDHI, short_message=encode(piece, known.use_codec, header))


def _is_joined(known: Known, exchange: Exchange) -> bool:
    back = [deliver for deliver in exchange.deliveries if not is_receipt(deliver)]
    return _TEXT in shown(back, {**known.codecs, 8: "ucs2"})


def _told(known: Known, exchange: Exchange) -> str:
    if not exchange.accepted:
        return _status(exchange)
    if not known.loop:
        return "accepted"
    return "came back in one piece" if _is_joined(known, exchange) else "did not come back in one piece"


def _status(exchange: Exchange) -> str:
    return "no answer" if exchange.status is None else status_name(exchange.status)


def flash(known: Known) -> Talk:
    """Class 0 in data_coding (TS 23.038 §4). What the handset does with it only who looks at it sees."""
    coding = _CLASS_0 | (known.use_data_coding & _ALPHABET_BITS)
    exchange = yield from send_one(known.trial("probe flash", data_coding=coding))
    told = f"data_coding 0x{coding:02X} is answered {_status(exchange)}"
    if exchange.accepted:
        return [assumed(FLASH, "data_coding", f"{told}; whether the handset shows it at once, nobody saw")]
    return [assumed(FLASH, "none", f"{told}; dest_addr_subunit may do, and only the handset tells")]


_CLASS_0, _ALPHABET_BITS = 0x10, 0x0C
