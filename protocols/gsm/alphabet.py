"""GSM 7 bit default alphabet with its extension table, one octet a septet (unpacked)."""

from __future__ import annotations

import codecs
import re
from typing import Final

from protocols.gsm.errors import Unencodable

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

_TO_SEPTETS: Final = {
    ord(character): bytes((code,)) for code, character in enumerate(BASIC) if code != ESCAPE
} | {ord(character): bytes((ESCAPE, code)) for code, character in EXTENSION.items()}

_ONE_SEPTET: Final = "".join(character for code, character in enumerate(BASIC) if code != ESCAPE)
_SAME_AS_ASCII: Final = "".join(
    character for code, character in enumerate(BASIC) if code != ESCAPE and code == ord(character)
)

_is_ascii = re.compile(f"[{re.escape(_SAME_AS_ASCII)}]*").fullmatch
_fits = re.compile(f"[{re.escape(_ONE_SEPTET + ''.join(EXTENSION.values()))}]*").fullmatch
_escaped = re.compile(rb"\x1b(.?)", re.DOTALL)


def fits(text: str) -> bool:
    """Whether every character of ``text`` is in the alphabet."""
    return _fits(text) is not None


def encode(text: str) -> bytes:
    """Return the septets of ``text``, one an octet; raise Unencodable at the first foreign character."""
    if _is_ascii(text):
        return text.encode("ascii")
    try:
        return codecs.charmap_encode(text, "strict", _TO_SEPTETS)[0]
    except UnicodeEncodeError as error:
        raise Unencodable(error.start, text[error.start]) from None


def decode(septets: bytes) -> str:
    """Return the text of ``septets``, one an octet; an octet over 0x7F becomes U+FFFD.

    An escape to a code that is not defined shows the character of the basic table, and one to nothing or
    to another escape a space (TS 23.038 §6.2.1.1).
    """
    if ESCAPE not in septets:
        return codecs.charmap_decode(septets, "replace", BASIC)[0]
    pieces: list[str] = []
    start = 0
    for escape in _escaped.finditer(septets):
        pieces.append(codecs.charmap_decode(septets[start : escape.start()], "replace", BASIC)[0])
        pieces.append(_extension(escape[1]))
        start = escape.end()
    pieces.append(codecs.charmap_decode(septets[start:], "replace", BASIC)[0])
    return "".join(pieces)


def _extension(septet: bytes) -> str:
    if not septet or septet[0] == ESCAPE:
        return " "
    found = EXTENSION.get(septet[0])
    return found if found is not None else codecs.charmap_decode(septet, "replace", BASIC)[0]
