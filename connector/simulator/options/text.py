"""Options of what a carrier takes as a text and makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from protocols.gsm.languages import TAGS

from .takes import STATUS_MAX
from .takes import Takes as _T
from .values import NO_NAMES, NO_PAIRS, Names, Pairs, check_alphabets

LONG_FORMS = Names(("udh8", "udh16", "sar", "payload"))
VALIDITY_FORMS = Names(("relative", "absolute", "none"))
FLASH_FORMS = ("data_coding", "dest_addr_subunit", "none")
_BOTH_FLASH_FORMS = Names(FLASH_FORMS[:2])


@dataclass(frozen=True)
class TextOptions:
    """How a carrier reads texts: handsets show what it made of them, right or wrong."""

    alphabets: Annotated[
        Pairs,
        _T(
            "What each data_coding means here, e.g. 0=gsm7_packed,8=ucs2; empty means "
            "0=gsm7,1=ascii,3=latin1,8=ucs2.",
            check=check_alphabets,
        ),
    ] = NO_PAIRS
    other_coding: Annotated[
        str,
        _T(
            "What becomes of other data_codings: refused with coding-status, or read by the first alphabet.",
            choices=("garbled", "refused"),
        ),
    ] = "garbled"
    coding_status: Annotated[int, _T("Status of a data_coding that is refused.", 1, STATUS_MAX)] = 0x104
    national_tables: Annotated[
        Names,
        _T("National tables that handsets are shown by; others are ignored.", choices=(*TAGS, "all")),
    ] = NO_NAMES
    national_shifts: Annotated[
        str, _T("Which shifts of those tables are honoured.", choices=("both", "single", "locking"))
    ] = "both"
    long_forms: Annotated[Names, _T("Forms of long messages that are joined.", choices=LONG_FORMS)] = (
        LONG_FORMS
    )
    other_long_form: Annotated[
        str,
        _T(
            "What becomes of other forms: refused (a user data header with 0x43, TLVs with 0xC1), or each "
            "part shown alone.",
            choices=("separate", "refused"),
        ),
    ] = "separate"
    long_status: Annotated[
        int, _T("Status of a long form that is refused; 0 means the form's own.", high=STATUS_MAX)
    ] = 0
    length_checked: Annotated[
        bool, _T("Refuse with 0x01 a part that no short message can hold (140 octets, 160 septets).")
    ] = False
    flash: Annotated[
        Names, _T("Ways to ask for a flash message that are understood.", choices=FLASH_FORMS)
    ] = _BOTH_FLASH_FORMS
    service_types: Annotated[Names, _T("The only service_types accepted; others get 0x15.")] = NO_NAMES

    validity_forms: Annotated[
        Names,
        _T("Forms of validity_period accepted, beside none at all; others get 0x62.", choices=VALIDITY_FORMS),
    ] = VALIDITY_FORMS
    validity_honoured: Annotated[
        bool, _T("A message that has not arrived within its validity ends EXPIRED.")
    ] = False
