"""What is known of the carrier at some point of the probe: the input, the findings, and what to send by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from connector.config import CarrierFile, Coding, VendorTlv
from connector.probe.codecs import encode
from connector.probe.finding import Confidence, Finding
from connector.probe.trial import Trial
from protocols.smpp.fields import Tlv, Tlvs
from protocols.smpp.pdu import SubmitSm
from protocols.smpp.validity import absolute, relative

__all__ = ["TYPES", "Known", "SourceKind", "Types", "ValidityForm"]

SourceKind = Literal["numeric", "alphanumeric", "short"]
ValidityForm = Literal["relative", "absolute", "none"]

Types = tuple[int, int]
"""TON and NPI (SMPP 3.4 §5.2.5, §5.2.6)."""

TYPES: tuple[Types, ...] = (
    (1, 1), (5, 0), (0, 0), (3, 0), (0, 1), (2, 1), (6, 0), (3, 1), (5, 1), (2, 8), (1, 0),
)  # fmt: skip
"""As carriers ask for them, the commonest first."""

_ANY = 1_000_000
_CAREFUL_TPS = 8.0
_CAREFUL_WINDOW = 10
_VALIDITY_S = 3600.0
# The number is one of those set aside for fiction (Ofcom, numbers for use in TV and radio drama).
_MADE_UP: dict[SourceKind, str] = {"numeric": "+447700900999", "alphanumeric": "PROBE", "short": "12345"}


class Known:
    """The steps read and write it, one after another.

    The `use_*` attributes are how a message is sent at this point; they begin as the input says and become
    what the carrier takes. `messages_left` tells how many may still be sent, `receipts` and `loop` whether
    any came back (None as long as nobody looked).
    """

    def __init__(
        self,
        profile: CarrierFile,
        *,
        to: str,
        senders: Sequence[str] = (),
        registered: dict[str, str] | None = None,
        now_unix: float,
    ) -> None:
        self.profile = profile
        self.to = to
        self.findings: dict[str, Finding] = {}
        self.receipts: bool | None = None
        self.loop: bool | None = None
        self.codecs: dict[int, Coding] = {}
        self.throttled_statuses: set[int] = {0x58, 0x14}
        self.given_senders: frozenset[SourceKind] = frozenset(map(self._kind, senders))
        self.senders = self._senders(senders)
        kinds = profile.source.kinds or ("alphanumeric",)
        self.use_source: SourceKind = kinds[0]
        self.use_form: str = profile.destination.form
        self.use_validity: ValidityForm = "none"
        self.use_data_coding = 0
        self.use_codec: Coding = "ascii"
        self.use_rate = _CAREFUL_TPS
        self.use_window = min(_CAREFUL_WINDOW, profile.binds.window)
        self.use_tlvs: tuple[VendorTlv, ...] = profile.tlvs
        self.use_types: dict[SourceKind, Types] = {}
        self.use_destination_types: Types | None = None
        self.messages_left: Callable[[], int] = lambda: _ANY
        self._registered = registered or {}
        self._now_unix = now_unix

    def _senders(self, given: Sequence[str]) -> dict[SourceKind, str]:
        named = dict(_MADE_UP)
        for sender in given:
            named[self._kind(sender)] = sender
        return named

    def _kind(self, sender: str) -> SourceKind:
        digits = sender.removeprefix("+")
        if not digits.isdigit():
            return "alphanumeric"
        return "short" if digits == sender and len(digits) <= self.profile.source.short_digits else "numeric"

    # Findings

    def note(self, findings: Iterable[Finding]) -> None:
        """Take findings in; a later one about the same key replaces an earlier."""
        for finding in findings:
            self.findings[finding.key] = finding

    def value(self, key: str, otherwise: Any) -> Any:
        """What was found or assumed about `key`."""
        finding = self.findings.get(key)
        return otherwise if finding is None or finding.confidence is Confidence.UNKNOWN else finding.value

    # Messages

    def trial(self, name: str, text: str = "", **changes: Any) -> Trial:
        """A trial of one message in the way that is known to work; see `submit`."""
        return Trial(name, (self.submit(text or name, **changes),))

    def submit(self, text: str = "", **changes: Any) -> SubmitSm:
        """A message to the test handset. `changes` replace parameters of the submit_sm, and

        source     kind of the sender id        form      of the destination
        validity   its form                     vendor    the vendor's TLVs
        """
        octets = encode(text, self.use_codec)
        validity: ValidityForm = changes.pop("validity", self.use_validity)
        vendor: tuple[VendorTlv, ...] = changes.pop("vendor", self.use_tlvs)
        source = self.source(changes.pop("source", self.use_source))
        destination = self.destination(changes.pop("form", self.use_form))
        extra: Tlvs = changes.pop("tlvs", ())
        parameters: dict[str, Any] = {
            "service_type": self.profile.text.service_type.encode(),
            "protocol_id": self.profile.text.protocol_id,
            "priority_flag": self.profile.text.priority_flag,
            "source_addr_ton": source[0], "source_addr_npi": source[1], "source_addr": source[2].encode(),
            "dest_addr_ton": destination[0], "dest_addr_npi": destination[1],
            "destination_addr": destination[2].encode(),
            "validity_period": self.validity(validity),
            "registered_delivery": 1,
            "data_coding": self.use_data_coding,
            "short_message": octets,
            "tlvs": (*extra, *self.vendor_tlvs(vendor)),
        }  # fmt: skip
        return SubmitSm(**(parameters | changes))

    def source(self, kind: SourceKind) -> tuple[int, int, str]:
        """(ton, npi, source_addr)"""
        declared = getattr(self.profile.source, kind)
        ton, npi = self.use_types.get(kind, (declared.ton, declared.npi))
        return ton, npi, self.senders[kind].removeprefix("+")

    def destination(self, form: str) -> tuple[int, int, str]:
        """(ton, npi, destination_addr) of the test handset."""
        declared, digits = self.profile.destination, self.to[1:]
        if form == "national" and declared.national is not None:
            return declared.of(self.to)
        ton, npi = self.use_destination_types or (declared.ton, declared.npi)
        return ton, npi, {"plus": "+", "zeros": "00"}.get(form, "") + digits

    def validity(self, form: ValidityForm) -> bytes:
        """One hour from now."""
        if form == "none":
            return b""
        return relative(_VALIDITY_S) if form == "relative" else absolute(self._now_unix + _VALIDITY_S)

    def vendor_tlvs(self, vendor: Iterable[VendorTlv]) -> tuple[Tlv, ...]:
        """Those whose value is given: as a constant, or for the test by name."""
        values = ((each, each.value or self._registered.get(each.registered or "")) for each in vendor)
        return tuple((each.tag, each.octets(value)) for each, value in values if value)
