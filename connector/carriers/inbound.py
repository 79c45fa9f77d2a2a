"""Messages from handsets (deliver_sm, data_sm): what was written, by whom, and whose number it went to."""

from __future__ import annotations

from typing import Final, Literal

from connector.config import CarrierFile, Config
from connector.config.habits import Coding, Destination
from connector.journal.ops import InboundPart
from protocols.gsm.errors import UdhError
from protocols.gsm.udh import body_of
from protocols.smpp import tlv
from protocols.smpp.constants import EsmClass, Tag, Ton
from protocols.smpp.fields import Tlvs
from protocols.smpp.pdu import DataSm, DeliverSm

__all__ = ["InboundDecoder", "Receivers"]

# SMPP 3.4 §5.2.19, where the carrier's file says nothing else. What is absent is no text, or in an alphabet
# that we cannot read: 4 is binary, 5 and 10 Japanese, 6 Cyrillic, 7 Hebrew, 14 Korean.
_USUAL: Final[dict[int, Coding]] = {1: "ascii", 3: "latin1", 8: "ucs2"}

_LONGEST_ADDRESS: Final = 64
_LONGEST_PART: Final = 255
"""Octets. More than one short message holds is no part of several, whatever its header says."""

_LARGEST_REFERENCE: Final = 0xFFFF_FFFF
"""The fields have 16 bits. A peer may send a TLV of any length; the journal's integers have 64 bits."""


class InboundDecoder:
    """Reads the handsets' messages of one carrier as its file says."""

    def __init__(self, carrier: CarrierFile) -> None:
        self._destination = carrier.destination
        self._short_digits = carrier.source.short_digits
        alphabets = carrier.text.alphabets
        self._codecs = {each.data_coding: each.codec for each in reversed(alphabets)}
        self._codecs.setdefault(0, alphabets[0].codec)
        self._septets: Coding = next(
            (each.codec for each in alphabets if each.codec in ("gsm7", "gsm7_packed")), "gsm7"
        )

    def part_of(self, pdu: DeliverSm | DataSm) -> InboundPart | None:
        """The message or part in `pdu`; None when it is no message but an acknowledgement (§5.2.12).

        A receipt must have been told apart before. A part with a broken header is kept whole, as data.
        """
        if pdu.esm_class & EsmClass.TYPE_MASK:
            return None
        # SMPP 3.4 §5.3.2.32: with message_payload sm_length is 0; data_sm has nothing else.
        written = pdu.short_message or tlv.get(pdu.tlvs, Tag.MESSAGE_PAYLOAD) or b""
        handset = self._number(pdu.source_addr_ton, _text(pdu.source_addr), 0)
        ours = self._number(pdu.dest_addr_ton, _text(pdu.destination_addr), self._short_digits)
        codec = self.codec_of(pdu.data_coding)
        try:
            body = body_of(written, codec or "latin1", bool(pdu.esm_class & EsmClass.UDHI))
        except UdhError:
            return InboundPart(handset, ours, None, written)
        header, octets = body.header, body.octets
        form, reference, total, index = _single(pdu.tlvs)
        if len(octets) <= _LONGEST_PART:
            if (place := header.concatenation) is not None:
                form = "udh8" if place.bits == 8 else "udh16"
                reference, total, index = place.reference, place.total, place.index
            elif (sar := _sar(pdu.tlvs)) is not None:
                form, reference, total, index = sar
        locking, single = header.locking or 0, header.single or 0
        return InboundPart(handset, ours, codec, octets, form, reference, total, index, locking, single)

    def codec_of(self, data_coding: int) -> Coding | None:
        """How a text under this data_coding is read; None when it is no text that can be read."""
        known = self._codecs.get(data_coding) or _USUAL.get(data_coding)
        if known is not None:
            return known
        # TS 23.038 §4: with a message class. The last group has no UCS2.
        group, alphabet = data_coding >> 4, data_coding >> 2 & 3
        if (group == 0x1 and alphabet == 0) or (group == 0xF and not alphabet & 1):
            return self._septets
        return "ucs2" if group == 0x1 and alphabet == 2 else None

    def _number(self, ton: int, address: str, short_digits: int) -> str:
        """E.164 with + where the type of number or the carrier's file permits, else the address as it is."""
        if not address.removeprefix("+").isdecimal():
            return address
        international = ton == Ton.INTERNATIONAL or address.startswith(("+", "00"))
        if not international and (len(address) <= short_digits or not _is_readable(ton, self._destination)):
            return address
        if international:
            digits = address.removeprefix("+").removeprefix("00")
        else:
            digits = self._destination.digits(ton, address)
        return f"+{digits}" if 7 <= len(digits) <= 15 and not digits.startswith("0") else address


class Receivers:
    """Whose a number of ours is: of the application that lists it in `inbound`; else of the only one that may
    send from it; else of the one that takes everything (`*`). Answers for the writer thread too.
    """

    def __init__(self, config: Config) -> None:
        senders: dict[str, list[str]] = {}
        for application in config.applications:
            for sender in config.senders_of(application):
                senders.setdefault(_key(sender), []).append(application.name)
        self._names = {number: names[0] for number, names in senders.items() if len(names) == 1}
        self._names |= {
            _key(number): application.name
            for application in config.applications
            for number in application.inbound
        }

    def of(self, recipient: str) -> str | None:
        """The name of the application, None: nobody's."""
        return self._names.get(_key(recipient)) or self._names.get("*")


def _key(number: str) -> str:
    return number.removeprefix("+").casefold()


def _is_readable(ton: int, destination: Destination) -> bool:
    return ton == Ton.UNKNOWN or (ton == Ton.NATIONAL and destination.national is not None)


def _text(address: bytes) -> str:
    return address[:_LONGEST_ADDRESS].decode("ascii", "replace")


_Place = tuple[Literal["", "udh8", "udh16", "sar"], int | None, int, int]
"""form, reference, total and index of ops.InboundPart."""


def _single(tlvs: Tlvs) -> _Place:
    # 0 is what those fill in who count nothing: it would make one message of all that say the same.
    return "", _reference(tlvs, Tag.USER_MESSAGE_REFERENCE) or None, 1, 1


def _sar(tlvs: Tlvs) -> _Place | None:
    """SMPP 3.4 §5.3.2.22 to §5.3.2.24; None unless all three are there and agree."""
    reference = _reference(tlvs, Tag.SAR_MSG_REF_NUM)
    total = tlv.uint(tlvs, Tag.SAR_TOTAL_SEGMENTS)
    index = tlv.uint(tlvs, Tag.SAR_SEGMENT_SEQNUM)
    if reference is None or total is None or index is None or not 1 <= index <= total <= 255:
        return None
    return "sar", reference, total, index


def _reference(tlvs: Tlvs, tag: int) -> int | None:
    reference = tlv.uint(tlvs, tag)
    return None if reference is None or reference > _LARGEST_REFERENCE else reference
