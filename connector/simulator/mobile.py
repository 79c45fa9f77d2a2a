"""Messages that handsets send (MO): written as the carrier writes them, whole or in parts."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import cast

from protocols.gsm.coding import Coding
from protocols.gsm.errors import GsmError
from protocols.gsm.segmentation import Alphabet, LongMessage, Rules, Segments, plan
from protocols.smpp import tlv
from protocols.smpp.constants import EsmClass, Npi, Tag, Ton
from protocols.smpp.pdu import DataSm, DeliverSm

from .options.text import LONG_FORMS
from .options.values import CODECS
from .reading import Reading

ORDERS = ("forward", "reverse", "shuffled")
PDUS = ("deliver_sm", "data_sm")

_PAYLOAD_MAX = 64_000
_ROOM = 254  # short_message of a deliver_sm (§5.2.22)


class MobileError(ValueError):
    """A message that cannot be sent so; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a handset sends, and how it comes.

    `sender` and `to` are written as given; a plus makes them international. `codec` None takes what the
    text needs of the carrier's alphabets; `data_coding` None takes the codec's. `missing` and `duplicate`
    are parts by number, from 1.
    """

    sender: str
    to: str
    text: str
    codec: str | None = None
    data_coding: int | None = None
    form: str = "udh8"
    order: str = "forward"
    duplicate: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    pdu: str = "deliver_sm"
    reference: int | None = None

    def __post_init__(self) -> None:
        rules = (("codec", (None, *CODECS)), ("form", LONG_FORMS), ("order", ORDERS), ("pdu", PDUS))
        for name, choices in rules:
            value = getattr(self, name)
            if value not in choices:
                raise MobileError(f"{name}: {value!r} is not one of {', '.join(map(str, choices))}")


def pdus(sent: Sent, reading: Reading, rng: random.Random) -> list[DeliverSm | DataSm]:
    """The PDUs of one message, in the order in which they come. Raises MobileError."""
    segments = _segments(sent, reading)
    reference = rng.getrandbits(16) if sent.reference is None else sent.reference
    numbers = [number for number in range(1, len(segments.parts) + 1) if number not in sent.missing]
    numbers += [number for number in sent.duplicate if number in numbers]
    if sent.order == "reverse":
        numbers.reverse()
    elif sent.order == "shuffled":
        rng.shuffle(numbers)
    data = segments.user_data(reference)
    return [_pdu(sent, segments, data[number - 1], number, reference) for number in numbers]


def echo(source: tuple[int, int, bytes], to: tuple[int, int, bytes], text: str) -> DeliverSm:
    """`text` in UCS2 from one address to another, in message_payload where it is long."""
    # 255 parts of seven-bit text are longer in UCS2 than a TLV may be.
    octets = text.encode("utf-16-be", "replace")[:_PAYLOAD_MAX]
    room = 140  # TS 23.040 §9.2.3.24
    return DeliverSm(
        b"",
        *source,
        *to,
        data_coding=8,
        short_message=octets if len(octets) <= room else b"",
        tlvs=() if len(octets) <= room else ((Tag.MESSAGE_PAYLOAD, octets),),
    )


def _segments(sent: Sent, reading: Reading) -> Segments:
    alphabets = tuple(
        Alphabet(coding, codec)
        for coding, codec in reading.alphabets.items()
        if sent.codec in (None, codec) and codec != "ascii"
    )
    if sent.codec is not None and (sent.data_coding is not None or not alphabets):
        alphabets = (Alphabet(sent.data_coding or 0, cast(Coding, sent.codec)),)
    try:
        return plan(sent.text, Rules(alphabets=alphabets, long_message=cast(LongMessage, sent.form)))
    except GsmError as error:
        raise MobileError(f"text: {error}") from None


def _pdu(sent: Sent, segments: Segments, octets: bytes, number: int, reference: int) -> DeliverSm | DataSm:
    data_coding = segments.data_coding if sent.data_coding is None else sent.data_coding
    tlvs: tuple[tuple[int, bytes], ...] = ()
    if segments.form == "sar":
        tlvs = (
            tlv.of_uint(Tag.SAR_MSG_REF_NUM, reference & 0xFFFF, 2),
            tlv.of_uint(Tag.SAR_TOTAL_SEGMENTS, len(segments.parts), 1),
            tlv.of_uint(Tag.SAR_SEGMENT_SEQNUM, number, 1),
        )
    esm_class = EsmClass.UDHI if segments.has_header else 0
    addresses = (*address_of(sent.sender), *address_of(sent.to))
    if sent.pdu == "data_sm":
        tlvs += ((Tag.MESSAGE_PAYLOAD, octets),)
        return DataSm(b"", *addresses, esm_class=esm_class, data_coding=data_coding, tlvs=tlvs)
    if segments.form == "payload" or len(octets) > _ROOM:
        octets, tlvs = b"", (*tlvs, (Tag.MESSAGE_PAYLOAD, octets))
    return DeliverSm(
        b"", *addresses, esm_class=esm_class, data_coding=data_coding, short_message=octets, tlvs=tlvs
    )


def address_of(text: str) -> tuple[int, int, bytes]:
    """TON, NPI and address: international with a plus, digits as they are, anything else alphanumeric."""
    if text.startswith("+"):
        return Ton.INTERNATIONAL, Npi.ISDN, text[1:].encode("latin-1", "replace")
    if text.isdigit():
        return Ton.UNKNOWN, Npi.UNKNOWN, text.encode()
    return Ton.ALPHANUMERIC, Npi.UNKNOWN, text.encode("latin-1", "replace")
