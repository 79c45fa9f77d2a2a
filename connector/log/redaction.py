"""What must never be read in a log: phone numbers, codes, texts and passwords.

Everything here works on text on its way out and never raises. It would rather mask too much: a digit run of
four is a code unless its shape says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["MASK", "SECRET_FIELDS", "Digest", "Id", "JsonValue", "mask_number", "redact", "redact_value"]

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]

MASK: Final = "***"
SECRET_FIELDS: Final = frozenset({"text", "body", "params", "password", "code", "short_message"})
_DEPTH: Final = 6
_WIDEST_INT: Final = 64  # bits; Python refuses to print numbers of thousands of digits

_KEPT: Final = (
    r"(?<![0-9A-Za-z])(?:"
    r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"  # a UUID
    r"|0x[0-9A-Fa-f]{8}"  # a command_status
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}:[0-9]{1,5}"  # an address and a port
    r")(?![0-9A-Za-z])"
)
_QUOTED: Final = r"""'(?:[^'\\]|\\.)*(?:'|$)|"(?:[^"\\]|\\.)*(?:"|$)"""
_NAMES: Final = "|".join(sorted(SECRET_FIELDS))
_VALUE: Final = rf"{_QUOTED}|\{{[^{{}}]*(?:\}}|$)"
_SECRET: Final = rf"(?P<field>(?<![0-9A-Za-z])(?:{_NAMES})['\"]?\s*[:=]\s*)b?(?:{_VALUE})"
_INTERNATIONAL: Final = r"(?:\+|\b00)[\s(]{0,2}(?:\d{7,}|\d(?:[\s.\-/()]{0,2}\d){6,})"
_PATTERN: Final = re.compile(
    rf"(?P<kept>{_KEPT})|(?P<secret>{_SECRET})|(?P<number>{_INTERNATIONAL})|(?P<digits>\d{{4,}})",
    re.IGNORECASE | re.DOTALL,
)
_NUMBER_IN_ID: Final = re.compile(r"\+\d{4,}|(?<!\d)\d{7,15}(?!\d)")
_DIGEST: Final = re.compile(r"[0-9a-f]{16,}")
_SHORTEST_BARE_NUMBER: Final = 11  # below, a digit run may be a code, of which nothing may show


class Id(str):
    """An identifier that the reader has to look up (a job id, a message id): its digits are kept.

    What could be a phone number is masked all the same: seven to fifteen digits, or any after a ``+``.
    """

    __slots__ = ()


class Digest(str):
    """Hexadecimal digits of a MAC, hash or signature, at least 16: nobody reads a code out of it, and it is
    worth nothing with a digit masked. Anything else is redacted as usual.
    """

    __slots__ = ()


def mask_number(number: str) -> str:
    """``"…78"`` for ``"+4915112345678"``: the last two digits, none when there are fewer than seven."""
    digits = [character for character in number if character.isdecimal()]
    return "…" + "".join(digits[-2:]) if len(digits) >= 7 else MASK


def redact(text: str) -> str:
    """`text` without phone numbers (the last two digits stay), codes, and the values of secret fields.

    A secret field's value is recognised in quotes or braces, as `repr()` and JSON write it. UUIDs, addresses
    with a port and 32-bit statuses in hexadecimal keep their digits.
    """
    return _PATTERN.sub(_masked, text)


def redact_value(value: object, name: str = "", depth: int = 0) -> JsonValue:
    """A field's value as JSON has it, redacted. Numbers stay as they are, containers are walked.

    Bytes show their length only; an object without a JSON form is shown as its `str()`, redacted.
    """
    if name.casefold() in SECRET_FIELDS:
        return MASK
    if isinstance(value, int) and value.bit_length() > _WIDEST_INT:
        return f"<int of {value.bit_length()} bits>"
    if value is None or isinstance(value, (int, float)):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"<{len(value)} bytes>"
    if depth < _DEPTH:
        if isinstance(value, Mapping):
            return {redact(str(key)): redact_value(item, str(key), depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [redact_value(item, "", depth + 1) for item in value]
    if isinstance(value, Digest) and _DIGEST.fullmatch(value):
        return str(value)
    if isinstance(value, Id):
        return _NUMBER_IN_ID.sub(lambda match: mask_number(match[0]), value)
    return redact(str(value))


def _masked(match: re.Match[str]) -> str:
    found = match[0]
    if match.lastgroup == "kept":
        return found
    if match.lastgroup == "secret":
        return str(match["field"]) + MASK
    may_be_code = found.isdecimal() and len(found) < _SHORTEST_BARE_NUMBER
    return MASK if may_be_code else mask_number(found)
