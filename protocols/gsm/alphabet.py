"""GSM 7 bit alphabets, the default one and those with national tables, one octet a septet (unpacked)."""

from __future__ import annotations

import codecs
import re
from functools import cache
from typing import Final

import msgspec

from protocols.gsm.errors import Unencodable
from protocols.gsm.languages import Language
from protocols.gsm.national import LOCKING, SINGLE, UNASSIGNED

ESCAPE: Final = 0x1B

# TS 23.038 §6.2.1, in rows of 16. ESC itself stands at 0x1B: it is no character of a text.
BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

# TS 23.038 §6.2.1.1: the septet after ESC.
EXTENSION: Final = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|",
    0x65: "€",
}  # fmt: skip

_SAME_AS_ASCII: Final = "".join(
    character for code, character in enumerate(BASIC) if code != ESCAPE and code == ord(character)
)

is_ascii: Final = re.compile(f"[{re.escape(_SAME_AS_ASCII)}]*").fullmatch
"""Matches a text whose characters have the code of ASCII in the default alphabet too."""

_escaped = re.compile(rb"\x1b(.?)", re.DOTALL)


class Pair(msgspec.Struct, frozen=True, gc=False):
    """A basic and an extension table as one: the septets of a code point, and all the characters."""

    septets: dict[int, bytes]
    characters: frozenset[str]


def _basic(locking: Language | None) -> str:
    # Without such a table (Spanish) the default one holds: TS 23.038 §6.2.1.2.4.
    return LOCKING.get(locking, BASIC) if locking else BASIC


@cache
def pair(locking: Language | None, single: Language | None) -> Pair:
    """The tables in force under these shifts; None is the default table (TS 23.038 §6.2.1.2)."""
    septets: dict[int, bytes] = {}
    for code, character in enumerate(_basic(locking)):
        if code != ESCAPE and character != UNASSIGNED:
            septets.setdefault(ord(character), bytes((code,)))
    for code, character in (SINGLE[single] if single else EXTENSION).items():
        septets.setdefault(ord(character), bytes((ESCAPE, code)))
    return Pair(septets, frozenset(map(chr, septets)))


def encode(text: str, locking: Language | None = None, single: Language | None = None) -> bytes:
    """Return the septets of ``text``, one an octet; raise Unencodable at the first foreign character."""
    if locking is None and is_ascii(text):
        return text.encode("ascii")
    try:
        return codecs.charmap_encode(text, "strict", pair(locking, single).septets)[0]
    except UnicodeEncodeError as error:
        raise Unencodable(error.start, text[error.start]) from None


def decode(septets: bytes, locking: Language | None = None, single: Language | None = None) -> str:
    """Return the text of ``septets``, one an octet; what stands for no character becomes U+FFFD.

    An escape to a code that is not defined shows the character of the basic or locking table, and one to
    nothing or to another escape a space (TS 23.038 §6.2.1.1).
    """
    basic = _basic(locking)
    if ESCAPE not in septets:
        return codecs.charmap_decode(septets, "replace", basic)[0]
    extension = SINGLE[single] if single else EXTENSION
    pieces: list[str] = []
    start = 0
    for escape in _escaped.finditer(septets):
        pieces.append(codecs.charmap_decode(septets[start : escape.start()], "replace", basic)[0])
        pieces.append(_shifted(escape[1], basic, extension))
        start = escape.end()
    pieces.append(codecs.charmap_decode(septets[start:], "replace", basic)[0])
    return "".join(pieces)


def _shifted(septet: bytes, basic: str, extension: dict[int, str]) -> str:
    if not septet or septet[0] == ESCAPE:
        return " "
    found = extension.get(septet[0])
    return found if found is not None else codecs.charmap_decode(septet, "replace", basic)[0]
