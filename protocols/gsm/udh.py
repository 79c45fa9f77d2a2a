"""User data header (TS 23.040 §9.2.3.24) written and read, and parts joined to a text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from protocols.gsm.coding import Coding, text_of
from protocols.gsm.errors import UdhError
from protocols.gsm.languages import Language
from protocols.gsm.national import LOCKING
from protocols.gsm.packing import fill_after, unpack

__all__ = [
    "CONCATENATION_8", "CONCATENATION_16", "LOCKING_SHIFT", "SINGLE_SHIFT", "Body", "Concatenation",
    "Element", "UserDataHeader", "body_of", "concatenation", "header", "join", "parse_udh", "place",
    "shifts", "text_of", "text_of_parts",
]  # fmt: skip

CONCATENATION_8: Final = 0x00
CONCATENATION_16: Final = 0x08
SINGLE_SHIFT: Final = 0x24
LOCKING_SHIFT: Final = 0x25

Element = tuple[int, bytes]
"""Identifier and data of an information element."""


class Concatenation(msgspec.Struct, frozen=True, gc=False):
    """Part ``index`` (from 1) of ``total`` of the message ``reference``."""

    reference: int
    total: int
    index: int
    bits: int


class UserDataHeader(msgspec.Struct, frozen=True, gc=False):
    """All information elements, and what those say that this package knows.

    ``locking`` and ``single`` are the tables of this part's text, None for the default one: also for a
    language without such a table, as receivers have to read it (TS 23.038 §6.2.1.2.4).
    """

    elements: tuple[Element, ...]
    concatenation: Concatenation | None
    locking: Language | None = None
    single: Language | None = None


class Body(msgspec.Struct, frozen=True, gc=False):
    """The text of one part in octets, one a septet for both GSM forms, with the header before it."""

    header: UserDataHeader
    octets: bytes


_NO_HEADER: Final = UserDataHeader((), None)


def header(elements: Iterable[Element]) -> bytes:
    """Return the header of ``elements``, its length octet included; nothing for none."""
    octets = b"".join(bytes((identifier, len(data))) + data for identifier, data in elements)
    return bytes((len(octets),)) + octets if octets else b""


def place(reference: int, total: int, index: int, bits: int = 8) -> Element:
    """Return the element of part ``index`` (from 1) of ``total``.

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
        return CONCATENATION_8, bytes((reference, total, index))
    return CONCATENATION_16, bytes((reference >> 8, reference & 0xFF, total, index))


def concatenation(reference: int, total: int, index: int, bits: int = 8) -> bytes:
    """Return the header of a part that needs nothing else: of `place` alone."""
    return header([place(reference, total, index, bits)])


def shifts(locking: Language | None, single: Language | None) -> list[Element]:
    """Return the elements that name national tables (TS 23.040 §9.2.3.24.15 and §9.2.3.24.16)."""
    named = ((SINGLE_SHIFT, single), (LOCKING_SHIFT, locking))
    return [(identifier, bytes((language,))) for identifier, language in named if language is not None]


def parse_udh(user_data: bytes) -> tuple[UserDataHeader, bytes]:
    """Split user data that begins with a header into the header and what follows it.

    Raises UdhError when the lengths contradict each other.
    """
    end = 1 + user_data[0] if user_data else 1
    if end > len(user_data):
        raise UdhError("the header is longer than the user data")
    elements: list[Element] = []
    at = 1
    while at < end:
        data_at = at + 2
        at = data_at + user_data[data_at - 1] if data_at <= end else end + 1
        if at > end:
            raise UdhError("an information element is longer than the header")
        elements.append((user_data[data_at - 2], user_data[data_at:at]))
    locking = _language(elements, LOCKING_SHIFT)
    return (
        UserDataHeader(
            tuple(elements),
            _find_concatenation(elements),
            locking if locking in LOCKING else None,
            _language(elements, SINGLE_SHIFT),
        ),
        user_data[end:],
    )


def _find_concatenation(elements: list[Element]) -> Concatenation | None:
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


def _language(elements: list[Element], wanted: int) -> Language | None:
    for identifier, data in reversed(elements):
        if identifier == wanted and len(data) == 1:
            return Language(data[0]) if 1 <= data[0] <= Language.URDU else None
    return None


def body_of(user_data: bytes, codec: Coding, has_header: bool) -> Body:
    """Take the header off a part, and unpack it when it is packed. Raises UdhError."""
    found, octets = parse_udh(user_data) if has_header else (_NO_HEADER, user_data)
    if codec == "gsm7_packed":
        octets = unpack(octets, fill_bits=fill_after(len(user_data) - len(octets)))
    return Body(found, octets)


def text_of_parts(bodies: Iterable[Body], codec: Coding) -> str:
    """Return the text of parts in their order, each read with the tables its own header names.

    Parts of the same tables are joined before they are read: senders cut inside an escape, a surrogate pair
    or a UTF-8 sequence.
    """
    runs: list[tuple[Language | None, Language | None, list[bytes]]] = []
    for body in bodies:
        locking, single = body.header.locking, body.header.single
        if codec not in ("gsm7", "gsm7_packed"):
            locking = single = None
        if not runs or runs[-1][:2] != (locking, single):
            runs.append((locking, single, []))
        runs[-1][2].append(body.octets)
    return "".join(text_of(b"".join(octets), codec, locking, single) for locking, single, octets in runs)


def join(parts: Sequence[bytes], codec: Coding) -> str | None:
    """Return the text of ``parts``: user data with their headers, in any order, repeats allowed.

    None when a part is missing, has no concatenation, or belongs to another message. Raises UdhError.
    """
    found: dict[int, Body] = {}
    message: tuple[int, int, int] | None = None
    for part in parts:
        body = body_of(part, codec, has_header=True)
        place = body.header.concatenation
        if place is None:
            return None
        if message is None:
            message = (place.reference, place.total, place.bits)
        elif message != (place.reference, place.total, place.bits):
            return None
        found[place.index] = body
    if message is None or len(found) != message[1]:
        return None
    return text_of_parts((found[index] for index in sorted(found)), codec)
