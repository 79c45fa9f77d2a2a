"""Options of senders, destinations and required TLVs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from .takes import STATUS_MAX
from .takes import Takes as _T
from .values import NO_NAMES, NO_PAIRS, SENDER_KINDS, Names, Pairs, check_tlvs, check_type_list, check_types

_EVERY_KIND = Names(SENDER_KINDS)
_INTERNATIONAL = Names(("digits", "plus"))
DESTINATION_FORMS = ("digits", "plus", "zeros", "national")
LOOP_SELF = "self"


@dataclass(frozen=True)
class AddressOptions:
    """Which addresses a carrier takes."""

    source_kinds: Annotated[Names, _T("Kinds of sender accepted; others get 0x0A.", choices=SENDER_KINDS)] = (
        _EVERY_KIND
    )
    source_types: Annotated[
        Pairs,
        _T("TON/NPI required by kind of sender, e.g. numeric=1/1,alphanumeric=5/0; others get 0x48 or 0x49.",
           check=check_types),
    ] = NO_PAIRS  # fmt: skip
    alphanumeric_max: Annotated[int, _T("Longest alphanumeric sender; longer ones get 0x0A.", 1, 20)] = 20
    short_digits: Annotated[int, _T("Digits up to which a number is a short code.", 1, 20)] = 8
    senders: Annotated[Names, _T("The only senders registered; others get 0x0A.")] = NO_NAMES
    refused_senders: Annotated[Names, _T("Senders refused with 0x0A.")] = NO_NAMES
    destination_forms: Annotated[
        Names,
        _T("Forms of destination accepted: 4915…, +4915…, 004915…, or national; others get 0x0B.",
           choices=DESTINATION_FORMS),
    ] = _INTERNATIONAL  # fmt: skip
    destination_types: Annotated[
        Names,
        _T("TON/NPI of destinations accepted, e.g. 1/1,0/1; others get 0x50 or 0x51.", check=check_type_list),
    ] = NO_NAMES
    country_code: Annotated[str, _T("Country code of national destinations.")] = ""
    national_prefix: Annotated[str, _T("Prefix of national destinations.")] = "0"

    required_tlvs: Annotated[
        Pairs,
        _T(
            "TLVs that each submit must carry: tag=type or tag=type:value, e.g. 0x1400=digits,0x1401=any.",
            check=check_tlvs,
        ),
    ] = NO_PAIRS
    tlv_missing_status: Annotated[int, _T("Status when one is missing.", 1, STATUS_MAX)] = 0xC3
    tlv_wrong_status: Annotated[int, _T("Status when one has another type or value.", 1, STATUS_MAX)] = 0xC4
    unknown_tlvs: Annotated[
        str, _T("What becomes of a vendor's TLV that is not required.", choices=("ignored", "refused"))
    ] = "ignored"

    mo_loop: Annotated[
        Names,
        _T("Numbers whose messages come back as they were shown, in UCS2; self: those sent to their sender."),
    ] = NO_NAMES
