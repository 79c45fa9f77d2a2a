"""What a deliver_sm is when nothing is known yet of how this carrier writes receipts.

`protocols.smpp.receipt` reads by a profile; here the profile is what is sought, so that all that may be a
receipt counts as one, and words and keys are taken as they come.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from connector.config import Coding
from protocols.gsm.errors import UdhError
from protocols.gsm.udh import body_of, parse_udh, text_of_parts
from protocols.smpp import tlv
from protocols.smpp.constants import EsmClass, Tag
from protocols.smpp.id_keys import lookup_keys, stored_key
from protocols.smpp.pdu import DataSm, DeliverSm

__all__ = [
    "Delivery", "content", "excerpt", "forms_of", "is_flagged", "is_receipt", "is_whole", "pairs", "part_of",
    "shown", "state_word", "tlv_id",
]  # fmt: skip

Delivery = DeliverSm | DataSm
"""Some carriers send what comes from handsets, or receipts, as data_sm."""

_TEXT_KEY = re.compile(rb"\btext:", re.IGNORECASE)
_PAIR = re.compile(rb"([A-Za-z][A-Za-z_ ]{0,20}?)[:=](\S*)")
_STATE_KEYS = frozenset((b"stat", b"status", b"state"))


class Part(NamedTuple):
    """The place of one deliver_sm in a handset's message; 1 of 1 for one that stands alone."""

    reference: int
    total: int
    number: int


def content(deliver: Delivery) -> bytes:
    """short_message, or message_payload where that carries the text."""
    return deliver.short_message or tlv.get(deliver.tlvs, Tag.MESSAGE_PAYLOAD) or b""


def is_flagged(deliver: Delivery) -> bool:
    """Whether esm_class says receipt or notification (SMPP 3.4 §5.2.12)."""
    return bool(deliver.esm_class & EsmClass.TYPE_MASK)


def is_receipt(deliver: Delivery) -> bool:
    """By esm_class, by TLVs, or by a text with a state and another pair."""
    if is_flagged(deliver) or tlv_id(deliver) or tlv.get(deliver.tlvs, Tag.MESSAGE_STATE):
        return True
    words = pairs(deliver)
    return len(words) > 1 and not _STATE_KEYS.isdisjoint(words)


def tlv_id(deliver: Delivery) -> bytes:
    return tlv.c_octet(deliver.tlvs, Tag.RECEIPTED_MESSAGE_ID) or b""


def pairs(deliver: Delivery) -> dict[bytes, bytes]:
    """``key:value`` left of ``text:``, keys in small letters, the first of each."""
    raw = content(deliver)
    cut = _TEXT_KEY.search(raw)
    listed = _PAIR.findall(raw, 0, cut.start() if cut else len(raw))
    return {key.strip().lower(): value for key, value in reversed(listed)}


def state_word(deliver: Delivery) -> str:
    """The carrier's word for the state, in capitals; empty when there is none."""
    words = pairs(deliver)
    return next((words[key].decode("latin-1").upper() for key in _STATE_KEYS if key in words), "")


def excerpt(deliver: Delivery) -> bytes | None:
    """What stands right of ``text:``."""
    raw = content(deliver)
    cut = _TEXT_KEY.search(raw)
    return raw[cut.end() :] if cut else None


def forms_of(response_id: bytes, receipt_id: bytes) -> frozenset[str]:
    """In which forms (`receipts.id_form`) the id of a receipt can be that of a response."""
    stored = stored_key(response_id)
    return frozenset(form for form, key in lookup_keys(receipt_id) if key == stored)


def part_of(deliver: Delivery) -> Part:
    """By user data header or sar_ parameters."""
    if deliver.esm_class & EsmClass.UDHI:
        try:
            found = parse_udh(content(deliver))[0].concatenation
        except UdhError:
            return _ALONE
        return Part(found.reference, found.total, found.index) if found else _ALONE
    tags = (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    reference, total, number = (tlv.uint(deliver.tlvs, tag) for tag in tags)
    if reference is None or not total or not number or number > total:
        return _ALONE
    return Part(reference, total, number)


_ALONE = Part(0, 1, 1)


def is_whole(delivers: Sequence[Delivery]) -> bool:
    """Whether at least one message is there with all its parts."""
    places: dict[tuple[int, int], set[int]] = {}
    for deliver in delivers:
        part = part_of(deliver)
        found = places.setdefault((part.reference, part.total), set())
        found.add(part.number)
        if len(found) == part.total:
            return True
    return False


def shown(delivers: Sequence[Delivery], codec_of: Mapping[int, Coding]) -> list[str]:
    """The handset's messages that came back, read by `codec_of` data_coding; parts joined in their order.

    Parts that name their place are one message, others are one each. What has a data_coding that is not in
    `codec_of` is left out.
    """
    whole: dict[tuple[object, ...], dict[int, Delivery]] = {}
    for count, deliver in enumerate(delivers):
        part = part_of(deliver)
        key = (part.reference, part.total) if part.total > 1 else ("alone", count)
        whole.setdefault(key, {})[part.number] = deliver
    texts = []
    for parts in whole.values():
        ordered = [parts[number] for number in sorted(parts)]
        codecs = {codec_of.get(deliver.data_coding) for deliver in ordered}
        codec = codecs.pop()
        if codec is not None and not codecs:
            texts.append(_text(ordered, codec))
    return texts


def _text(delivers: Sequence[Delivery], codec: Coding) -> str:
    bodies = []
    for deliver in delivers:
        octets = content(deliver)
        try:
            bodies.append(body_of(octets, codec, bool(deliver.esm_class & EsmClass.UDHI)))
        except UdhError:
            bodies.append(body_of(octets, codec, has_header=False))
    return text_of_parts(bodies, codec)
