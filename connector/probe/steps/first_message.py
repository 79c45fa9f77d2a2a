"""A first message that the carrier takes: everything after it changes one thing of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

from connector.config import Coding
from connector.probe.finding import Finding, found
from connector.probe.known import TYPES, Known, SourceKind, Types, ValidityForm
from connector.probe.reading import is_receipt
from connector.probe.trial import CarrierGone, Exchange, Request, Talk, send_one
from protocols.smpp.constants import Status, status_name

__all__ = ["first_message"]

_HINTS = {
    Status.ESME_RMISSINGOPTPARAM: "it wants a parameter: name it in [[tlvs]] of the input",
    Status.ESME_RINVSRCADR: "it may know its own senders only: name one by --sender",
}
_ABOUT_SOURCE_TYPES = frozenset((Status.ESME_RINVSRCTON, Status.ESME_RINVSRCNPI))
_ABOUT_DESTINATION_TYPES = frozenset((Status.ESME_RINVDSTTON, Status.ESME_RINVDSTNPI))

_TEXT = "probe first message"
_NEVER_SENT = -1
_KINDS: tuple[SourceKind, ...] = ("numeric", "alphanumeric", "short")
_FORMS = ("digits", "plus", "zeros", "national")
_VALIDITIES: tuple[ValidityForm, ...] = ("none", "relative", "absolute")
_CODINGS: tuple[tuple[int, Coding], ...] = ((0, "ascii"), (8, "ucs2"), (3, "latin1"), (1, "ascii"))


class _Way(NamedTuple):
    """`source_types` and `destination_types` are (TON, NPI), None for the input's."""

    source: SourceKind
    form: str
    validity: ValidityForm
    coding: tuple[int, Coding]
    source_types: Types | None = None
    destination_types: Types | None = None

    def others(self, known: Known, status: int | None) -> Iterator[_Way]:
        """Everything that differs from this in one respect; TON and NPI only where `status` is about them."""
        if status in _ABOUT_SOURCE_TYPES:
            yield from (self._replace(source_types=types) for types in TYPES)
        if status in _ABOUT_DESTINATION_TYPES:
            yield from (self._replace(destination_types=types) for types in TYPES)
        yield from (self._replace(source=kind, source_types=None) for kind in _KINDS if kind != self.source)
        forms = _FORMS if known.profile.destination.national else _FORMS[:-1]
        yield from (self._replace(form=form) for form in forms if form != self.form)
        yield from (self._replace(coding=coding) for coding in _CODINGS if coding != self.coding)
        yield from (self._replace(validity=form) for form in _VALIDITIES if form != self.validity)

    def take(self, known: Known) -> None:
        known.use_source, known.use_form, known.use_validity = self.source, self.form, self.validity
        known.use_data_coding, known.use_codec = self.coding
        known.use_types = {} if self.source_types is None else {self.source: self.source_types}
        known.use_destination_types = self.destination_types


def first_message(known: Known) -> Talk:
    """Change one thing, then another, until the message is accepted.

    What the carrier complains about in other words than before is looked into first: there a change was
    right, or made something else wrong.
    """
    first = _Way(known.use_source, known.use_form, known.use_validity, _CODINGS[0])
    seen = {first}
    waiting: deque[tuple[_Way, int | None]] = deque([(first, _NEVER_SENT)])
    statuses: list[int | None] = []
    while waiting:
        way, before = waiting.popleft()
        exchange = yield from _sent(known, way)
        if exchange.accepted:
            known.receipts = any(map(is_receipt, exchange.deliveries)) or None
            known.loop = not all(map(is_receipt, exchange.deliveries))
            return list(_types_found(way, statuses))
        statuses.append(exchange.status)
        if exchange.status == Status.ESME_RMISSINGOPTPARAM:
            break
        others = [(other, exchange.status) for other in way.others(known, exchange.status)]
        others = [(other, status) for other, status in others if other not in seen]
        seen.update(other for other, _ in others)
        if before not in (_NEVER_SENT, exchange.status):
            waiting.extendleft(reversed(others))
        else:
            waiting.extend(others)
    raise CarrierGone(_complaint(statuses))


def _sent(known: Known, way: _Way) -> Generator[Request, Any, Exchange]:
    way.take(known)
    exchange = yield from send_one(known.trial(_TEXT), settle=True)
    return exchange


def _types_found(way: _Way, statuses: list[int | None]) -> Iterator[Finding]:
    how = f"others get {', '.join(sorted({_told(status) for status in statuses}))}"
    if way.source_types is not None:
        ton, npi = way.source_types
        yield found(f"source.{way.source}", {"ton": ton, "npi": npi}, how)
    if way.destination_types is not None:
        yield found("destination.ton", way.destination_types[0], how)
        yield found("destination.npi", way.destination_types[1], how)


def _complaint(statuses: list[int | None]) -> str:
    told = ", ".join(dict.fromkeys(map(_told, statuses)))
    hints = [hint for status, hint in _HINTS.items() if status in statuses]
    return f"no message is accepted, whatever is changed: {'; '.join([told, *hints])}"


def _told(status: int | None) -> str:
    return "no answer" if status is None else status_name(status)
