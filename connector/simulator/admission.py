"""What a carrier refuses at once, by its habits: one check for each that is switched on."""

from __future__ import annotations

from collections.abc import Callable

from protocols.gsm.errors import UdhError
from protocols.gsm.udh import parse_udh
from protocols.smpp import tlv, validity
from protocols.smpp.constants import EsmClass, Status, Tag
from protocols.smpp.pdu import SubmitSm

from .options import DEFAULTS, Pairs, SmscOptions
from .options.values import number_type
from .reading import Reading

Check = Callable[[SubmitSm], int]
"""The status to refuse a submit with, 0 to let it pass."""

_AIR_OCTETS, _AIR_SEPTETS = 140, 160  # TS 23.040 §9.2.3.24
_INTEGERS = {"uint8": 1, "uint16": 2, "uint32": 4}
_VENDOR_TAGS = range(0x1400, 0x4000)  # SMPP 3.4 §5.3.2


def checks(options: SmscOptions, reading: Reading) -> tuple[Check, ...]:
    """The checks that `options` switch on, in the order of the parameters of a submit_sm."""
    found: list[Check] = []
    for names, make in _MAKERS:
        if any(getattr(options, name) != getattr(DEFAULTS, name) for name in names):
            found.append(make(options, reading))
    return tuple(found)


def _service_type(options: SmscOptions, _: Reading) -> Check:
    allowed = {name.encode() for name in options.service_types}
    return lambda pdu: 0 if pdu.service_type in allowed else Status.ESME_RINVSERTYP


def kind_of(sender: bytes, short_digits: int) -> str:
    """The kind of a sender, named as in a carrier's profile."""
    digits = sender.removeprefix(b"+")
    if not digits.isdigit():
        return "alphanumeric"
    return "short" if digits == sender and len(digits) <= short_digits else "numeric"


def _source(options: SmscOptions, _: Reading) -> Check:
    kinds = frozenset(options.source_kinds)
    types = {kind: number_type(text) for kind, text in options.source_types}
    registered = {sender.encode("latin-1", "replace") for sender in options.senders}
    refused = {sender.encode("latin-1", "replace") for sender in options.refused_senders}

    def check(pdu: SubmitSm) -> int:
        sender = pdu.source_addr
        kind = kind_of(sender, options.short_digits)
        too_long = kind == "alphanumeric" and len(sender) > options.alphanumeric_max
        if kind not in kinds or too_long or sender in refused or (registered and sender not in registered):
            return Status.ESME_RINVSRCADR
        ton, npi = types.get(kind, (pdu.source_addr_ton, pdu.source_addr_npi))
        if ton != pdu.source_addr_ton:
            return Status.ESME_RINVSRCTON
        return 0 if npi == pdu.source_addr_npi else Status.ESME_RINVSRCNPI

    return check


def _destination(options: SmscOptions, _: Reading) -> Check:
    types = {number_type(text) for text in options.destination_types}
    tons = {ton for ton, _ in types}

    def check(pdu: SubmitSm) -> int:
        if pdu.dest_addr_ton not in tons:
            return Status.ESME_RINVDSTTON
        allowed = (pdu.dest_addr_ton, pdu.dest_addr_npi) in types
        return 0 if allowed else Status.ESME_RINVDSTNPI

    return check


def _validity(options: SmscOptions, _: Reading) -> Check:
    forms = frozenset(options.validity_forms)

    def check(pdu: SubmitSm) -> int:
        text = pdu.validity_period
        if not text:
            return 0
        if text.endswith(b"R"):
            return 0 if "relative" in forms else Status.ESME_RINVEXPIRY
        readable = "absolute" in forms and validity.absolute_seconds(text) is not None
        return 0 if readable else Status.ESME_RINVEXPIRY

    return check


def _coding(options: SmscOptions, reading: Reading) -> Check:
    refuses = options.other_coding == "refused"
    return lambda pdu: (
        options.coding_status if refuses and reading.codec(pdu.data_coding) is None else Status.ESME_ROK
    )


def _long_form(options: SmscOptions, _: Reading) -> Check:
    forms = frozenset(options.long_forms)
    refuses = options.other_long_form == "refused"

    def check(pdu: SubmitSm) -> int:
        if not refuses or not (pdu.tlvs or pdu.esm_class & EsmClass.UDHI):
            return 0
        form = _form_of(pdu)
        if form is None or form in forms:
            return 0
        if options.long_status:
            return options.long_status
        return Status.ESME_RINVESMCLASS if form.startswith("udh") else Status.ESME_ROPTPARNOTALLWD

    return check


def _form_of(pdu: SubmitSm) -> str | None:
    if tlv.get(pdu.tlvs, Tag.SAR_MSG_REF_NUM) is not None:
        return "sar"
    if tlv.get(pdu.tlvs, Tag.MESSAGE_PAYLOAD) is not None:
        return "payload"
    if pdu.esm_class & EsmClass.UDHI:
        try:
            found = parse_udh(pdu.short_message)[0].concatenation
        except UdhError:
            return None
        return f"udh{found.bits}" if found else None
    return None


def _length(options: SmscOptions, reading: Reading) -> Check:
    def check(pdu: SubmitSm) -> int:
        codec = reading.codec(pdu.data_coding) or "gsm7"
        octets = pdu.short_message
        if codec != "gsm7":
            return 0 if len(octets) <= _AIR_OCTETS else Status.ESME_RINVMSGLEN
        header = 1 + octets[0] if octets and pdu.esm_class & EsmClass.UDHI else 0
        septets = len(octets) - header + -(-8 * header // 7)
        return 0 if septets <= _AIR_SEPTETS else Status.ESME_RINVMSGLEN

    return check


def _tlvs(options: SmscOptions, _: Reading) -> Check:
    required = tuple(_rules(options.required_tlvs))
    tags = {tag for tag, _, _ in required}
    refuses = options.unknown_tlvs == "refused"

    def check(pdu: SubmitSm) -> int:
        for tag, kind, value in required:
            found = tlv.get(pdu.tlvs, tag)
            if found is None:
                return options.tlv_missing_status
            if not _is_kind(found, kind) or (value and _spelt(found, kind) != value):
                return options.tlv_wrong_status
        if refuses and any(tag in _VENDOR_TAGS and tag not in tags for tag, _ in pdu.tlvs):
            return Status.ESME_ROPTPARNOTALLWD
        return 0

    return check


def _rules(tlvs: Pairs) -> list[tuple[int, str, str]]:
    """(tag, kind, value or nothing) of each required TLV."""
    rules = ((int(tag, 0), *rule.partition(":")) for tag, rule in tlvs)
    return [(tag, kind, value) for tag, kind, _, value in rules]


def _is_kind(octets: bytes, kind: str) -> bool:
    if kind in _INTEGERS:
        return len(octets) == _INTEGERS[kind]
    if kind == "digits":
        return octets.isdigit()
    if kind == "text":
        return octets.isascii() and octets.decode("ascii").isprintable()
    return kind != "c_octets" or (octets.endswith(b"\0") and 0 not in octets[:-1])


def _spelt(octets: bytes, kind: str) -> str:
    """A TLV's value as options and profiles write it."""
    if kind in _INTEGERS:
        return str(int.from_bytes(octets, "big"))
    if kind == "octets":
        return octets.hex()
    return octets.removesuffix(b"\0").decode("latin-1")


_MAKERS: tuple[tuple[tuple[str, ...], Callable[[SmscOptions, Reading], Check]], ...] = (
    (("service_types",), _service_type),
    (("source_kinds", "source_types", "alphanumeric_max", "senders", "refused_senders"), _source),
    (("destination_types",), _destination),
    (("other_coding",), _coding),
    (("long_forms", "other_long_form"), _long_form),
    (("length_checked",), _length),
    (("validity_forms",), _validity),
    (("required_tlvs", "unknown_tlvs"), _tlvs),
)
"""The options that switch a check on when they differ from their defaults, and what makes it of them."""
