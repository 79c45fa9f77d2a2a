"""How a text is cut into short messages.

One short message carries 140 octets of user data (TS 23.040 §9.2.3.24): 160 septets or 70 UCS2 units. With
a concatenation header the text begins at the next septet or octet boundary.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
import regex

from protocols.gsm import alphabet, ucs2
from protocols.gsm.errors import TooManyParts, Unencodable

_OCTETS: Final = 140
# UDHL, identifier, length, reference, total, index: TS 23.040 §9.2.3.24.1 and §9.2.3.24.8.
_HEADER_OCTETS: Final = {8: 6, 16: 7}
SEPTETS_ALONE: Final = _OCTETS * 8 // 7
OCTETS_ALONE: Final = _OCTETS

_CR: Final = 0x0D
_LF: Final = 0x0A

_clusters = regex.compile(r"\X").findall


class Segments(msgspec.Struct, frozen=True, gc=False):
    """A text as it will leave.

    ``parts`` are the user data without header: septets one an octet, or UTF-16BE. ``units`` counts septets
    or 16-bit units of all parts together, headers excluded.
    """

    encoding: Literal["gsm7", "ucs2"]
    data_coding: Literal[0, 8]
    parts: tuple[bytes, ...]
    units: int


def septets_per_part(reference_bits: int) -> int:
    """Room for text in one of several parts: 153 septets with an 8-bit reference, 152 with 16 bits."""
    return (_OCTETS - _HEADER_OCTETS[reference_bits]) * 8 // 7


def units_per_part(reference_bits: int) -> int:
    """Room for text in one of several parts: 67 UCS2 units with an 8-bit reference, 66 with 16 bits."""
    return (_OCTETS - _HEADER_OCTETS[reference_bits]) // 2


def plan(text: str, *, reference_bits: int = 8, max_parts: int = 255) -> Segments:
    """Encode ``text`` in the GSM alphabet when that loses nothing, else in UCS2, and cut it.

    Raises Unencodable at a lone surrogate, TooManyParts beyond ``max_parts`` (at most 255: the total is
    one octet), ValueError for other ``reference_bits`` than 8 and 16.
    """
    if reference_bits not in _HEADER_OCTETS:
        raise ValueError(f"a reference has 8 or 16 bits, not {reference_bits}")
    if not 1 <= max_parts <= 255:
        raise ValueError(f"max_parts must be 1 to 255, not {max_parts}")
    try:
        septets = alphabet.encode(text)
    except Unencodable:
        octets = ucs2.encode(text)
        units = len(octets) // 2
        if len(octets) <= OCTETS_ALONE:
            return Segments("ucs2", 8, (octets,), units)
        parts = _cut_text(text, units_per_part(reference_bits))
        return Segments("ucs2", 8, _at_most(max_parts, parts), units)
    units = len(septets)
    if units <= SEPTETS_ALONE:
        return Segments("gsm7", 0, (septets,), units)
    parts = _cut_septets(septets, septets_per_part(reference_bits))
    return Segments("gsm7", 0, _at_most(max_parts, parts), units)


def _at_most(max_parts: int, parts: list[bytes]) -> tuple[bytes, ...]:
    if len(parts) > max_parts:
        raise TooManyParts(len(parts), max_parts)
    return tuple(parts)


def _cut_septets(septets: bytes, room: int) -> list[bytes]:
    # The only clusters of several septets in this alphabet are an escape with its code and CR LF.
    parts: list[bytes] = []
    start, size = 0, len(septets)
    while size - start > room:
        end = start + room
        last = septets[end - 1]
        if last == alphabet.ESCAPE or (last == _CR and septets[end] == _LF):
            end -= 1
        parts.append(septets[start:end])
        start = end
    parts.append(septets[start:])
    return parts


def _cut_text(text: str, room: int) -> list[bytes]:
    parts: list[bytes] = []
    part: list[bytes] = []
    used = 0
    for piece in _pieces(text, 2 * room):
        used += len(piece)
        if used > 2 * room:
            parts.append(b"".join(part))
            part.clear()
            used = len(piece)
        part.append(piece)
    parts.append(b"".join(part))
    return parts


def _pieces(text: str, octets: int) -> list[bytes]:
    """Grapheme clusters (UAX #29) in UTF-16BE.

    A cluster that no part can hold (a letter under a hundred accents) would make the text unsendable, so
    it alone is cut between code points: receivers join the parts before they show them.
    """
    pieces: list[bytes] = []
    for cluster in _clusters(text):
        piece = cluster.encode("utf-16-be")
        if len(piece) <= octets:
            pieces.append(piece)
        else:
            pieces.extend(character.encode("utf-16-be") for character in cluster)
    return pieces
