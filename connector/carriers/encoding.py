"""A job's text and addresses to the submit_sm of one carrier."""

from __future__ import annotations

import re
from ipaddress import ip_address
from itertools import count

from connector.carriers.contract import Unsendable
from connector.config import Carrier as CarrierConfig
from connector.model import LiveJob
from protocols.gsm.errors import TooManyParts, Unencodable
from protocols.gsm.segmentation import plan
from protocols.gsm.udh import concatenation
from protocols.smpp.constants import EsmClass
from protocols.smpp.pdu import SubmitSm
from protocols.smpp.validity import relative

__all__ = ["SubmitEncoder"]

_FINAL_RECEIPT = 0x01  # SMPP 3.4 §5.2.17: a receipt for success and for failure
_MAX_VALIDITY_S = 7 * 86_400.0

# +44 7700 900000 to 999 are set aside for fiction; the simulated carrier has a story for each.
_RESERVED = re.compile(r"\+447700900[0-9]{3}").fullmatch


class SubmitEncoder:
    """`encode(job, now)` gives one submit_sm a part.

    Reference numbers of long messages count up within the carrier, so that none is used again to the same
    handset while 256 (8 bits) or 65,536 (16 bits) younger long messages have not gone out.
    """

    def __init__(self, carrier: CarrierConfig, max_parts: int, first_reference: int) -> None:
        self._carrier = carrier
        self._max_parts = max_parts
        self._on_this_host = _is_loopback(carrier.account.host)
        self._bits = 16 if carrier.text.long_message == "udh16" else 8
        self._references = count(first_reference)
        self._destination = carrier.destination
        self._registered_delivery = _FINAL_RECEIPT if carrier.receipts.request == "final" else 0
        self._sources: dict[str, tuple[int, int, bytes]] = {}

    def encode(self, job: LiveJob, now: float) -> list[SubmitSm]:
        """Raises Unsendable, with the reason, when the text does not fit, or the number is for tests only."""
        if not self._on_this_host and _RESERVED(job.recipient):
            raise Unsendable("the number is reserved for tests, and this carrier is a real one")
        try:
            segments = plan(job.content.text, reference_bits=self._bits, max_parts=self._max_parts)
        except (Unencodable, TooManyParts) as error:
            raise Unsendable(str(error)) from error
        parts: tuple[bytes, ...] = segments.parts
        esm_class = 0
        total = len(parts)
        if total > 1:
            reference = next(self._references) % (1 << self._bits)
            esm_class = EsmClass.UDHI
            parts = tuple(
                concatenation(reference, total, index, self._bits) + part
                for index, part in enumerate(parts, 1)
            )
        ton, npi, source = self._source(job.content.sender)
        # The SMSC drops it too when its time is over.
        validity = relative(min(job.deadline_at - now, _MAX_VALIDITY_S))
        return [
            SubmitSm(
                source_addr_ton=ton,
                source_addr_npi=npi,
                source_addr=source,
                dest_addr_ton=self._destination.ton,
                dest_addr_npi=self._destination.npi,
                destination_addr=job.recipient[1:].encode(),
                esm_class=esm_class,
                validity_period=validity,
                registered_delivery=self._registered_delivery,
                data_coding=segments.data_coding,
                short_message=part,
            )
            for part in parts
        ]

    def _source(self, sender: str) -> tuple[int, int, bytes]:
        known = self._sources.get(sender)
        if known is None:
            # SMPP 3.4 §5.2.8: with no source address the SMSC puts its own; type and plan are unknown then.
            ton, npi, address = self._carrier.source.of(sender) if sender else (0, 0, "")
            try:
                known = self._sources[sender] = (ton, npi, address.encode("ascii"))
            except UnicodeEncodeError as error:
                raise Unsendable(f"sender {sender!r}: ASCII is expected") from error
        return known


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
