"""The time zones that a number may be in."""

from __future__ import annotations

from typing import Any, Final

from phonenumbers import PhoneNumberType, is_number_type_geographical

from .destination import Destination
from .plan import plan_of

__all__ = ["zones"]

_TYPES: Final = {
    "fixed": PhoneNumberType.FIXED_LINE,
    "fixed_or_mobile": PhoneNumberType.FIXED_LINE_OR_MOBILE,
    "mobile": PhoneNumberType.MOBILE,
}


def zones(number: str, destination: Destination) -> tuple[str, ...]:
    """Names of IANA zones by the longest prefix, or by the country where the number tells no place.

    None where that is unknown. `destination` is `analyse(number)`. The first call reads the library's table,
    1 MB, so that only who asks has it.
    """
    plan = plan_of(number)
    if not destination.valid or plan is None:
        return ()
    table, longest = _table()
    code = plan.calling_code
    kind = _TYPES.get(destination.kind)
    if kind is not None and is_number_type_geographical(kind, int(code)):
        digits = code + (plan.national(number[plan.offset :]) or "")
    else:
        digits = code
    for end in range(min(longest, len(digits)), 0, -1):
        found: tuple[str, ...] | None = table.get(digits[:end])
        if found is not None:
            return found
    return ()


def _table() -> tuple[dict[str, Any], int]:
    from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

    return TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX
