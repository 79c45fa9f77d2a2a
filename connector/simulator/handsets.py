"""What the simulated handsets received: parts joined, octets decoded, bounded."""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from protocols.gsm import alphabet, ucs2
from protocols.gsm.errors import UdhError
from protocols.gsm.udh import parse_udh
from protocols.smpp import tlv
from protocols.smpp.constants import DataCoding, EsmClass, Tag, Ton
from protocols.smpp.pdu import SubmitSm

_PARTIAL_LIMIT = 10_000
_CHARSETS = {DataCoding.IA5: "ascii", DataCoding.LATIN_1: "latin-1"}


@dataclass(frozen=True, slots=True)
class Received:
    """One message as the handset shows it.

    `to` and `sender` carry a plus when they are international numbers; `at` is Unix time (seconds);
    `message_ids` are those of the submit_sm_resp, one a part, in the order of the parts.
    """

    to: str
    sender: str
    text: str
    parts: int
    at: float
    message_ids: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        return dataclasses.asdict(self)


class Arrival(NamedTuple):
    """One short message reaching its handset, with the id of its submit_sm_resp."""

    submit: SubmitSm
    message_id: bytes


class _Place(NamedTuple):
    reference: int
    total: int
    number: int


class _Stored(NamedTuple):
    """A whole message as it came: (user data without header, message id) a part; decoded when asked for."""

    submit: SubmitSm
    parts: list[tuple[bytes, bytes]]
    at: float

    def received(self) -> Received:
        submit, parts = self.submit, self.parts
        return Received(
            to=_shown(submit.dest_addr_ton, submit.destination_addr),
            sender=_shown(submit.source_addr_ton, submit.source_addr),
            text=text_of(b"".join(body for body, _ in parts), submit.data_coding),
            parts=len(parts),
            at=self.at,
            message_ids=tuple(message_id.decode("latin-1") for _, message_id in parts),
        )


def content_of(submit: SubmitSm) -> bytes:
    """The octets of short_message, or of the message_payload TLV where that carries the text (§4.4.1)."""
    return submit.short_message or tlv.get(submit.tlvs, Tag.MESSAGE_PAYLOAD) or b""


def text_of(octets: bytes, data_coding: int) -> str:
    """Decode user data without header: the GSM alphabet unpacked, UCS2, Latin-1 or ASCII."""
    if data_coding == DataCoding.UCS2:
        return ucs2.decode(octets)
    if data_coding in _CHARSETS:
        return octets.decode(_CHARSETS[data_coding], "replace")
    return alphabet.decode(octets)


class Handsets:
    """The last `limit` messages of all handsets together; iterates from the oldest.

    Parts of a message are joined by user data header or sar_* TLVs and count when the last has arrived.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._all: deque[_Stored] = deque()
        self._inboxes: dict[bytes, deque[_Stored]] = {}
        self._partial: dict[tuple[bytes, bytes, int, int], dict[int, tuple[bytes, bytes]]] = {}

    def arrive(self, arrival: Arrival) -> None:
        """Take one part; with the last one of a message the handset has it."""
        place, body = _placed(arrival.submit)
        parts = self._join(arrival, place, body)
        if parts is not None:
            self._keep(_Stored(arrival.submit, parts, time.time()))

    def inbox(self, number: str) -> list[Received]:
        """What `number` (with or without plus) received, oldest first."""
        inbox = self._inboxes.get(number.lstrip("+").encode("latin-1"), ())
        return [stored.received() for stored in inbox]

    def clear(self) -> None:
        self._all.clear()
        self._inboxes.clear()
        self._partial.clear()

    def __iter__(self) -> Iterator[Received]:
        return (stored.received() for stored in list(self._all))

    def __len__(self) -> int:
        return len(self._all)

    def _join(self, arrival: Arrival, place: _Place | None, body: bytes) -> list[tuple[bytes, bytes]] | None:
        if place is None:
            return [(body, arrival.message_id)]
        submit = arrival.submit
        key = (submit.destination_addr, submit.source_addr, place.reference, place.total)
        found = self._partial.setdefault(key, {})
        found[place.number] = (body, arrival.message_id)
        if len(found) < place.total:
            if len(self._partial) > _PARTIAL_LIMIT:
                del self._partial[next(iter(self._partial))]
            return None
        del self._partial[key]
        return [found[index] for index in sorted(found)]

    def _keep(self, stored: _Stored) -> None:
        self._all.append(stored)
        number = _number(stored)
        inbox = self._inboxes.get(number)
        if inbox is None:
            inbox = self._inboxes[number] = deque()
        inbox.append(stored)
        while len(self._all) > self.limit:
            number = _number(self._all.popleft())
            self._inboxes[number].popleft()
            if not self._inboxes[number]:
                del self._inboxes[number]


def _number(stored: _Stored) -> bytes:
    return stored.submit.destination_addr.lstrip(b"+")


def _placed(submit: SubmitSm) -> tuple[_Place | None, bytes]:
    """Where this part belongs (None: it stands alone), and its user data without header."""
    octets = content_of(submit)
    if not submit.esm_class and not submit.tlvs:
        return None, octets
    if submit.esm_class & EsmClass.UDHI:
        try:
            header, body = parse_udh(octets)
        except UdhError:
            return None, octets
        found = header.concatenation
        return (_Place(found.reference, found.total, found.index) if found else None), body
    tags = (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    reference, total, index = (tlv.uint(submit.tlvs, tag) for tag in tags)
    if reference is None or not total or not index or index > total:
        return None, octets
    return _Place(reference, total, index), octets


def _shown(ton: int, address: bytes) -> str:
    text = address.decode("latin-1")
    return f"+{text.lstrip('+')}" if ton == Ton.INTERNATIONAL else text
