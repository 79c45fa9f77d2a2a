"""User data header (TS 23.040 §9.2.3.24): concatenation written and read, and parts joined to a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from protocols.gsm import alphabet, ucs2
from protocols.gsm.errors import UdhError

CONCATENATION_8: Final = 0x00
CONCATENATION_16: Final = 0x08


class Concatenation(msgspec.Struct, frozen=True, gc=False):
    """Part ``index`` (from 1) of ``total`` of the message ``reference``."""

    reference: int
    total: int
    index: int
    bits: int


class UserDataHeader(msgspec.Struct, frozen=True, gc=False):
    """All information elements as (identifier, data), and the concatenation when one is valid."""

    elements: tuple[tuple[int, bytes], ...]
    concatenation: Concatenation | None


def concatenation(reference: int, total: int, index: int, bits: int = 8) -> bytes:
    """Return the header, its length octet included, of part ``index`` (from 1) of ``total``.

    ``bits`` is the size of ``reference``: 8 (TS 23.040 §9.2.3.24.1) or 16 (§9.2.3.24.8).
    Raises ValueError naming what is out of range.
    """
    if not 1 <= index <= total <= 255:
        raise ValueError(f"1 <= index <= total <= 255 is expected, not index {index} of {total}")
    if bits not in (8, 16):
        raise ValueError(f"a reference has 8 or 16 bits, not {bits}")
    if not 0 <= reference < 1 << bits:
        raise ValueError(f"reference {reference} does not fit in {bits} bits")
    if bits == 8:
        return bytes((5, CONCATENATION_8, 3, reference, total, index))
    return bytes((6, CONCATENATION_16, 4, reference >> 8, reference & 0xFF, total, index))


def parse_udh(user_data: bytes) -> tuple[UserDataHeader, bytes]:
    """Split user data that begins with a header into the header and what follows it.

    Raises UdhError when the lengths contradict each other.
    """
    end = 1 + user_data[0] if user_data else 1
    if end > len(user_data):
        raise UdhError("the header is longer than the user data")
    elements: list[tuple[int, bytes]] = []
    at = 1
    while at < end:
        data_at = at + 2
        at = data_at + user_data[data_at - 1] if data_at <= end else end + 1
        if at > end:
            raise UdhError("an information element is longer than the header")
        elements.append((user_data[data_at - 2], user_data[data_at:at]))
    return UserDataHeader(tuple(elements), _find_concatenation(elements)), user_data[end:]


def _find_concatenation(elements: list[tuple[int, bytes]]) -> Concatenation | None:
    # TS 23.040 §9.2.3.24: of a repeated element the last counts, and one with a total or an index of 0, or
    # an index over the total, is ignored (§9.2.3.24.1).
    for identifier, data in reversed(elements):
        if identifier == CONCATENATION_8 and len(data) == 3:
            found = Concatenation(data[0], data[1], data[2], 8)
        elif identifier == CONCATENATION_16 and len(data) == 4:
            found = Concatenation(data[0] << 8 | data[1], data[2], data[3], 16)
        else:
            continue
        if 1 <= found.index <= found.total:
            return found
    return None


def join(parts: Sequence[bytes], data_coding: int) -> str | None:
    """Return the text of ``parts``: user data with their headers, in any order, repeats allowed.

    ``data_coding`` is 8 for UCS2, anything else for unpacked septets. None when a part is missing, has no
    concatenation, or belongs to another message. Raises UdhError.
    """
    found: dict[int, bytes] = {}
    message: tuple[int, int, int] | None = None
    for part in parts:
        header, body = parse_udh(part)
        place = header.concatenation
        if place is None:
            return None
        if message is None:
            message = (place.reference, place.total, place.bits)
        elif message != (place.reference, place.total, place.bits):
            return None
        found[place.index] = body
    if message is None or len(found) != message[1]:
        return None
    octets = b"".join(found[index] for index in sorted(found))
    return ucs2.decode(octets) if data_coding == 8 else alphabet.decode(octets)
