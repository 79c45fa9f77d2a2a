"""A job's text and addresses to the submit_sm of one carrier."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address
from math import ceil
from random import Random
from typing import NamedTuple

import msgspec

from connector.carriers.addresses import address_of
from connector.carriers.contract import Unsendable
from connector.config import Carrier, CarrierFile
from connector.model import Content, LiveJob
from protocols.gsm.errors import TooManyParts, Unencodable
from protocols.gsm.languages import TAGS
from protocols.gsm.segmentation import Alphabet, Rules, Segments, plan
from protocols.smpp import tlv
from protocols.smpp.constants import EsmClass, Tag
from protocols.smpp.fields import Tlvs
from protocols.smpp.pdu import CancelSm, QuerySm, SubmitSm
from protocols.smpp.validity import absolute, relative

__all__ = ["Draft", "References", "SubmitEncoder", "rules_of"]

# SMPP 3.4 §5.2.17: a receipt for success and for failure; intermediate notifications as well.
_REGISTERED_DELIVERY = {"none": 0x00, "final": 0x01, "final_and_intermediate": 0x11}
_MAX_VALIDITY_S = 7 * 86_400.0
_relative = lru_cache(4096)(relative)
_VALIDITY: Mapping[str, Callable[[float, float], bytes]] = {
    "relative": lambda now, life_s: _relative(ceil(life_s)),
    "absolute": lambda now, life_s: absolute(now + life_s),
    "none": lambda now, life_s: b"",
}

# TS 23.038 §4: class 0, general data coding; other character sets have no class there.
_FLASH_DATA_CODING = {"gsm7": 0x10, "gsm7_packed": 0x10, "ucs2": 0x18}
_DISPLAY_OF_THE_HANDSET = tlv.of_uint(Tag.DEST_ADDR_SUBUNIT, 0x01, 1)  # SMPP 3.4 §5.3.2.1

_REMEMBERED_HANDSETS = 100_000

Substituted = tuple[tuple[str, str, int], ...]
"""What was replaced in a text: (original, replacement, how often)."""

# +44 7700 900000 to 999 are set aside for fiction; the simulated carrier has a story for each.
_RESERVED = re.compile(r"\+447700900[0-9]{3}").fullmatch


def rules_of(carrier: CarrierFile, max_parts: int) -> Rules:
    """How this carrier wants texts encoded and cut."""
    text = carrier.text
    languages = tuple(TAGS[tag] for tag in text.national_tables)
    return Rules(
        alphabets=tuple(Alphabet(alphabet.data_coding, alphabet.codec) for alphabet in text.alphabets),
        locking=languages if text.national_shifts != "single" else (),
        single=languages if text.national_shifts != "locking" else (),
        long_message=text.long_message,
        max_parts=max_parts,
        substitutions=text.substitutions,
    )


def _flash_rules(how: str, rules: Rules) -> Rules | None:
    """The rules for a text that is shown at once; None when there can be none."""
    if how == "dest_addr_subunit":
        return rules
    alphabets = tuple(alphabet for alphabet in rules.alphabets if alphabet.codec in _FLASH_DATA_CODING)
    if how == "none" or not alphabets:
        return None
    return msgspec.structs.replace(rules, alphabets=alphabets)


class Draft(NamedTuple):
    """How a content leaves by one carrier, before anybody is named who gets it.

    source  (ton, npi, source_addr)
    tlvs    the parameters that every part carries
    """

    segments: Segments
    data_coding: int
    source: tuple[int, int, bytes]
    tlvs: Tlvs


class References:
    """Reference numbers of long messages (TS 23.040 §9.2.3.24.1), counted up for each handset.

    A handset joins parts by sender, reference and total: so none is used again to it before all others have
    been. `rng` gives the start, since what an earlier run used is not known. At most `handsets` are
    remembered.
    """

    def __init__(self, bits: int, rng: Random, handsets: int = _REMEMBERED_HANDSETS) -> None:
        self._bits = bits
        self._rng = rng
        self._handsets = handsets
        self._last: OrderedDict[str, int] = OrderedDict()

    def next(self, recipient: str) -> int:
        last = self._last.pop(recipient, None)
        reference = self._rng.getrandbits(self._bits) if last is None else (last + 1) % (1 << self._bits)
        self._last[recipient] = reference
        if len(self._last) > self._handsets:
            self._last.popitem(last=False)
        return reference


class SubmitEncoder:
    """`encode(job, now)` gives one submit_sm a part, as the carrier's file says."""

    def __init__(self, carrier: CarrierFile, max_parts: int, rng: Random) -> None:
        self._carrier = carrier
        self._name = carrier.name if isinstance(carrier, Carrier) else ""
        rules = rules_of(carrier, max_parts)
        unchanged = msgspec.structs.replace(rules, substitutions={})
        flash = carrier.text.flash
        self._rules = {False: rules, True: unchanged}
        self._flash_rules = {False: _flash_rules(flash, rules), True: _flash_rules(flash, unchanged)}
        account = carrier.account
        addresses = (account.host, *(address_of(address)[0] for address in account.standby))
        self._on_this_host = all(map(_is_loopback, addresses))
        self._references = References(8 if carrier.text.long_message == "udh8" else 16, rng)
        self._registered_delivery = _REGISTERED_DELIVERY[carrier.receipts.request]
        self._validity = _VALIDITY[carrier.validity.form]
        self._service_type = carrier.text.service_type.encode()
        self._constant_tlvs = tuple((t.tag, t.octets(t.value)) for t in carrier.tlvs if t.value is not None)
        self._registered_tlvs = [t for t in carrier.tlvs if t.registered is not None]
        self._sources: dict[str, tuple[int, int, bytes]] = {}

    def draft(self, content: Content) -> Draft:
        """Raises Unsendable, with the reason, when this carrier cannot send the text or the sender id."""
        sender, registered, exact = content.sender, content.registered, False
        if content.by_carrier is not None:
            guise = content.guise(self._name)
            if guise.refused:
                raise Unsendable(guise.refused, "sender")
            sender, registered, exact = guise.sender, guise.registered, guise.exact
        rules = self._flash_rules[exact] if content.flash else self._rules[exact]
        if rules is None:
            raise Unsendable("this carrier cannot have a text shown at once (flash)")
        try:
            segments = plan(content.text, rules)
        except (Unencodable, TooManyParts) as error:
            raise Unsendable(str(error)) from error
        data_coding, tlvs = self._marked(segments, registered or {}, flash=content.flash)
        return Draft(segments, data_coding, self._source(sender), tlvs)

    def encode(self, job: LiveJob, now: float) -> tuple[list[SubmitSm], Substituted]:
        """Raises Unsendable as `draft` does, and for a number that no real carrier may see."""
        if not self._on_this_host and _RESERVED(job.recipient):
            raise Unsendable("the number is reserved for tests, and this carrier is a real one", "to")
        segments, data_coding, (source_ton, source_npi, source), tlvs = self.draft(job.content)
        ton, npi, destination = self._carrier.destination.of(job.recipient)
        parts, esm_class = self._parts(job.recipient, segments)
        text = self._carrier.text
        validity = self._validity(now, min(job.deadline_at - now, _MAX_VALIDITY_S))
        pdus = [
            SubmitSm(
                service_type=self._service_type,
                source_addr_ton=source_ton,
                source_addr_npi=source_npi,
                source_addr=source,
                dest_addr_ton=ton,
                dest_addr_npi=npi,
                destination_addr=destination.encode(),
                esm_class=esm_class,
                protocol_id=text.protocol_id,
                priority_flag=text.priority_flag,
                validity_period=validity,
                registered_delivery=self._registered_delivery,
                data_coding=data_coding,
                short_message=part,
                tlvs=tlvs + own,
            )
            for part, own in parts
        ]
        return pdus, segments.substituted

    def query_of(self, message_id: bytes, sender: str) -> QuerySm:
        """The question for a message that was sent (SMPP 3.4 §4.8.1)."""
        ton, npi, source = self._source(sender)
        return QuerySm(message_id=message_id, source_addr_ton=ton, source_addr_npi=npi, source_addr=source)

    def cancel_of(self, message_id: bytes, sender: str, recipient: str) -> CancelSm:
        """Takes a message back that was sent (SMPP 3.4 §4.9.1: a service_type is for groups of messages)."""
        source_ton, source_npi, source = self._source(sender)
        ton, npi, destination = self._carrier.destination.of(recipient)
        return CancelSm(
            message_id=message_id,
            source_addr_ton=source_ton,
            source_addr_npi=source_npi,
            source_addr=source,
            dest_addr_ton=ton,
            dest_addr_npi=npi,
            destination_addr=destination.encode(),
        )

    def _parts(self, recipient: str, segments: Segments) -> tuple[list[tuple[bytes, Tlvs]], int]:
        """(short_message, parameters of its own) of each part, and esm_class."""
        if len(segments.parts) == 1:
            if segments.segments > 1:  # SMPP 3.4 §5.3.2.32: sm_length is 0 then
                return [(b"", ((Tag.MESSAGE_PAYLOAD, segments.user_data()[0]),))], 0
            return [(segments.user_data(0)[0], ())], EsmClass.UDHI if segments.has_header else 0
        reference = self._references.next(recipient)
        user_data = segments.user_data(reference)
        if segments.has_header:
            return [(part, ()) for part in user_data], EsmClass.UDHI
        return [(part, _sar(reference, len(user_data), index)) for index, part in enumerate(user_data, 1)], 0

    def _marked(self, segments: Segments, registered: Mapping[str, str], *, flash: bool) -> tuple[int, Tlvs]:
        """data_coding and the parameters that every part carries."""
        tlvs = self._constant_tlvs
        if self._registered_tlvs:
            tlvs += self._registered(registered)
        if not flash:
            return segments.data_coding, tlvs
        if self._carrier.text.flash == "dest_addr_subunit":
            return segments.data_coding, (*tlvs, _DISPLAY_OF_THE_HANDSET)
        return _FLASH_DATA_CODING[segments.encoding], tlvs

    def _registered(self, values: Mapping[str, str]) -> Tlvs:
        tlvs = []
        for parameter in self._registered_tlvs:
            value = values.get(parameter.registered or "")
            if value is not None:
                try:
                    tlvs.append((parameter.tag, parameter.octets(value)))
                except ValueError as error:
                    raise Unsendable(f"registered.{parameter.registered} {error}", "template") from error
            elif not parameter.optional:
                raise Unsendable(f"no template with registered.{parameter.registered} is named", "template")
        return tuple(tlvs)

    def _source(self, sender: str) -> tuple[int, int, bytes]:
        known = self._sources.get(sender)
        if known is None:
            try:
                # SMPP 3.4 §5.2.8: with no source address the SMSC puts its own; type and plan are unknown.
                ton, npi, address = self._carrier.source.of(sender) if sender else (0, 0, "")
                known = self._sources[sender] = (ton, npi, address.encode("ascii"))
            except UnicodeEncodeError as error:
                raise Unsendable(f"sender {sender!r}: ASCII is expected", "sender") from error
            except ValueError as error:
                raise Unsendable(str(error), "sender") from error
        return known


def _sar(reference: int, total: int, index: int) -> Tlvs:
    """SMPP 3.4 §5.3.2.22 to §5.3.2.24."""
    return (
        tlv.of_uint(Tag.SAR_MSG_REF_NUM, reference, 2),
        tlv.of_uint(Tag.SAR_TOTAL_SEGMENTS, total, 1),
        tlv.of_uint(Tag.SAR_SEGMENT_SEQNUM, index, 1),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
