"""What the simulated handsets received: parts joined, octets decoded, bounded."""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from protocols.smpp import tlv
from protocols.smpp.constants import Tag, Ton
from protocols.smpp.pdu import SubmitSm

from .options import DEFAULTS
from .reading import Place, Reading

if TYPE_CHECKING:
    from .account import Account, Bind

_PARTIAL_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Received:
    """One message as the handset shows it.

    `to` and `sender` carry a plus when they are international numbers; `at` is Unix time (seconds);
    `message_ids` are those of the submit_sm_resp, one a part, in the order of the parts. `flash` messages
    are shown at once and not kept.
    """

    to: str
    sender: str
    text: str
    parts: int
    at: float
    message_ids: tuple[str, ...]
    flash: bool = False

    def as_json(self) -> dict[str, object]:
        return dataclasses.asdict(self)


class Loop(NamedTuple):
    """The way back of a message: TON, NPI and address of the handset, and of whoever sent to it."""

    account: Account
    origin: Bind
    handset: tuple[int, int, bytes]
    sender: tuple[int, int, bytes]


class Arrival(NamedTuple):
    """One short message reaching its handset, with the id of its submit_sm_resp."""

    submit: SubmitSm
    message_id: bytes
    loop: Loop | None = None


class Whole(NamedTuple):
    """A whole message as it came: (submit, message id) a part, in order; decoded when asked for."""

    submit: SubmitSm
    parts: list[Arrival]
    at: float
    reading: Reading

    @property
    def text(self) -> str:
        """What the handset shows."""
        parts = [self.reading.placed(part.submit)[1] for part in self.parts]
        return self.reading.text(parts, self.submit.data_coding)

    def received(self) -> Received:
        submit, parts = self.submit, self.parts
        return Received(
            to=shown(submit.dest_addr_ton, submit.destination_addr),
            sender=shown(submit.source_addr_ton, submit.source_addr),
            text=self.text,
            parts=len(parts),
            at=self.at,
            message_ids=tuple(part.message_id.decode("latin-1") for part in parts),
            flash=self.reading.is_flash(submit),
        )


def content_of(submit: SubmitSm) -> bytes:
    """The octets of short_message, or of the message_payload TLV where that carries the text (§4.4.1)."""
    return submit.short_message or tlv.get(submit.tlvs, Tag.MESSAGE_PAYLOAD) or b""


class Handsets:
    """The last `limit` messages of all handsets together; iterates from the oldest.

    Parts of a message are joined by user data header or sar_* TLVs and count when the last has arrived.
    """

    def __init__(self, limit: int, reading: Reading | None = None) -> None:
        self.limit = limit
        self.reading = reading or Reading(DEFAULTS)
        self._all: deque[Whole] = deque()
        self._inboxes: dict[bytes, deque[Whole]] = {}
        self._partial: dict[tuple[bytes, bytes, Place], dict[int, Arrival]] = {}

    def arrive(self, arrival: Arrival) -> Whole | None:
        """Take one part; with the last one of a message the handset has it."""
        submit = arrival.submit
        if submit.esm_class or submit.tlvs:
            parts = self._join(arrival, self.reading.placed(submit)[0])
            if parts is None:
                return None
        else:
            parts = [arrival]
        whole = Whole(submit, parts, time.time(), self.reading)
        self._keep(whole)
        return whole

    def inbox(self, number: str) -> list[Received]:
        """What `number` (with or without plus) received, oldest first."""
        inbox = self._inboxes.get(number.lstrip("+").encode("latin-1"), ())
        return [whole.received() for whole in inbox]

    def clear(self) -> None:
        self._all.clear()
        self._inboxes.clear()
        self._partial.clear()

    def __iter__(self) -> Iterator[Received]:
        return (whole.received() for whole in list(self._all))

    def __len__(self) -> int:
        return len(self._all)

    def _join(self, arrival: Arrival, place: Place | None) -> list[Arrival] | None:
        if place is None:
            return [arrival]
        submit = arrival.submit
        key = (submit.destination_addr, submit.source_addr, place._replace(number=0))
        found = self._partial.setdefault(key, {})
        found[place.number] = arrival
        if len(found) < place.total:
            if len(self._partial) > _PARTIAL_LIMIT:
                del self._partial[next(iter(self._partial))]
            return None
        del self._partial[key]
        return [found[index] for index in sorted(found)]

    def _keep(self, whole: Whole) -> None:
        self._all.append(whole)
        number = _number(whole)
        inbox = self._inboxes.get(number)
        if inbox is None:
            inbox = self._inboxes[number] = deque()
        inbox.append(whole)
        while len(self._all) > self.limit:
            number = _number(self._all.popleft())
            self._inboxes[number].popleft()
            if not self._inboxes[number]:
                del self._inboxes[number]


def _number(whole: Whole) -> bytes:
    return whole.submit.destination_addr.lstrip(b"+")


def shown(ton: int, address: bytes) -> str:
    """An address as people write it: international ones with a plus."""
    text = address.decode("latin-1")
    return f"+{text.lstrip('+')}" if ton == Ton.INTERNATIONAL else text
