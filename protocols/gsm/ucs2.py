"""data_coding 8: UTF-16 big-endian without a byte order mark.

TS 23.038 §6.2.3 says UCS2, which ends at U+FFFF; handsets read UTF-16, so that surrogate pairs work.
"""

from __future__ import annotations

from protocols.gsm.errors import Unencodable


def encode(text: str) -> bytes:
    """Return ``text`` in two octets a code unit; raise Unencodable at a lone surrogate."""
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError as error:
        raise Unencodable(error.start, text[error.start]) from None


def decode(octets: bytes) -> str:
    """Return the text; half a code unit or half a surrogate pair becomes U+FFFD."""
    return octets.decode("utf-16-be", "replace")
