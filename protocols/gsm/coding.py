"""The encodings that a carrier may give to a data_coding: text to user data without header, and back."""

from __future__ import annotations

from typing import Final, Literal

from protocols.gsm import alphabet, ucs2
from protocols.gsm.errors import Unencodable
from protocols.gsm.languages import Language

Coding = Literal["gsm7", "gsm7_packed", "latin1", "ascii", "utf8", "ucs2"]
"""gsm7 leaves one octet a septet, gsm7_packed eight septets in seven octets."""

SEPTETS: Final = ("gsm7", "gsm7_packed")

_PYTHON: Final = {"latin1": "latin-1", "ascii": "ascii", "utf8": "utf-8"}


def encode(
    text: str, codec: Coding, locking: Language | None = None, single: Language | None = None
) -> bytes:
    """Return ``text`` in octets, one a septet for both GSM forms; raise Unencodable at a foreign character.

    The languages matter to the GSM forms only.
    """
    if codec in SEPTETS:
        return alphabet.encode(text, locking, single)
    if codec == "ucs2":
        return ucs2.encode(text)
    try:
        return text.encode(_PYTHON[codec])
    except UnicodeEncodeError as error:
        raise Unencodable(error.start, text[error.start]) from None


def text_of(
    octets: bytes, codec: Coding, locking: Language | None = None, single: Language | None = None
) -> str:
    """Return the text of what `encode` gives. Never raises: what is no character becomes U+FFFD."""
    if codec in SEPTETS:
        return alphabet.decode(octets, locking, single)
    if codec == "ucs2":
        return ucs2.decode(octets)
    return octets.decode(_PYTHON[codec], "replace")
