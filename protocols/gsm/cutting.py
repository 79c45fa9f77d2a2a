"""Where a text may be cut, and how much goes into a part.

One short message carries 140 octets of user data (TS 23.040 §9.2.3.24), its header included: 160 septets or
70 UCS2 units without one. After a header the text begins at the next septet or octet.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Final, Literal

import regex

from protocols.gsm import alphabet
from protocols.gsm.coding import SEPTETS, Coding
from protocols.gsm.languages import Language

LongMessage = Literal["udh8", "udh16", "sar", "payload"]

OCTETS: Final = 140
MOST_CHARACTERS: Final = OCTETS * 8 // 7
# Identifier, length, reference, total, index: TS 23.040 §9.2.3.24.1 and §9.2.3.24.8. The reference of
# sar_msg_ref_num has 16 bits (SMPP 3.4 §5.3.2.22). What a network makes of message_payload is its own
# business: an 8-bit reference is the usual one.
_CONCATENATION_OCTETS: Final = {"udh8": 5, "udh16": 6, "sar": 6, "payload": 5}
_SHIFT_OCTETS: Final = 3  # TS 23.040 §9.2.3.24.15, §9.2.3.24.16

_CR: Final = 0x0D

_clusters = regex.compile(r"\X").findall


def room(codec: Coding, tables: int = 0, several: LongMessage | None = None) -> int:
    """How many octets of text (septets, for the GSM forms) a part holds.

    ``tables`` counts the national tables that its header names; ``several`` is the form of a long message
    of which it is one part. 160 septets, 153 with an 8-bit reference, 149 with one table as well.
    """
    elements = _SHIFT_OCTETS * tables + (_CONCATENATION_OCTETS[several] if several else 0)
    free = OCTETS - (1 + elements if elements else 0)
    if codec in SEPTETS:
        return free * 8 // 7
    return free // 2 * 2 if codec == "ucs2" else free


def fits(octets: bytes, codec: Coding, limit: int) -> bool:
    """Whether a part with room for ``limit`` holds them all.

    A packed text that fills it must not end in CR, which would read as padding (TS 23.038 §6.1.2.3.1).
    """
    return len(octets) < limit or (
        len(octets) == limit and not (codec == "gsm7_packed" and octets[-1] == _CR)
    )


def cut(
    text: str,
    octets: bytes,
    codec: Coding,
    limit: int,
    tables: tuple[Language | None, Language | None] = (None, None),
) -> list[bytes]:
    """Cut ``octets``, which are ``text`` in ``codec`` under these locking and single shift tables.

    Never inside an escape, a code point or, where a part can hold it, a grapheme cluster (UAX #29).
    """
    packed = codec == "gsm7_packed"
    if codec in ("latin1", "ascii") or (codec in SEPTETS and tables == (None, None)):
        return _cut_octets(octets, limit, packed, codec in SEPTETS)
    return _cut_clusters(text, _encoder(codec, tables), limit, packed)


def _encoder(codec: Coding, tables: tuple[Language | None, Language | None]) -> Callable[[str], bytes]:
    if codec in SEPTETS:
        septets = alphabet.pair(*tables).septets
        return lambda text: codecs.charmap_encode(text, "strict", septets)[0]
    name = "utf-8" if codec == "utf8" else "utf-16-be"
    return lambda text: text.encode(name)


def _cut_octets(octets: bytes, limit: int, packed: bool, escapes: bool) -> list[bytes]:
    # The only clusters of several characters in these alphabets are CR LF.
    parts: list[bytes] = []
    start, size = 0, len(octets)
    while size - start > limit or (packed and size - start == limit and octets[-1] == _CR):
        end = start + limit
        while not _may_end(octets, end, start + limit - end, packed, escapes):
            end -= 1
        parts.append(octets[start:end])
        start = end
    parts.append(octets[start:])
    return parts


def _may_end(octets: bytes, end: int, unused: int, packed: bool, escapes: bool) -> bool:
    last = octets[end - 1]
    if packed and (unused == 1 or (unused == 0 and last == _CR)):
        return False  # padding is a CR where a septet is left over: handsets would show it amid the text
    if last == _CR:
        return octets[end : end + 1] != b"\n"
    return not (escapes and last == alphabet.ESCAPE)


def _cut_clusters(text: str, encode: Callable[[str], bytes], limit: int, packed: bool) -> list[bytes]:
    parts: list[bytes] = []
    part: list[bytes] = []
    used = 0
    for piece in _pieces(text, encode, limit):
        used += len(piece)
        if used > limit or (packed and used == limit and piece[-1] == _CR):
            over = _left_over(part, limit - used + len(piece), limit - len(piece)) if packed else []
            parts.append(b"".join(part))
            part = over
            used = sum(map(len, over)) + len(piece)
        part.append(piece)
    parts.append(b"".join(part))
    return parts


def _left_over(part: list[bytes], unused: int, room: int) -> list[bytes]:
    """Take the last pieces of `part`, so that no septet of padding is left over; none when `room` forbids."""
    at, taken = len(part), 0
    while at > 1 and (unused + taken) % 8 == 1:
        at -= 1
        taken += len(part[at])
    if (unused + taken) % 8 == 1 or taken > room:
        return []
    over = part[at:]
    del part[at:]
    return over


def _pieces(text: str, encode: Callable[[str], bytes], limit: int) -> list[bytes]:
    """Grapheme clusters, encoded.

    A cluster that no part can hold (a letter under a hundred accents) would make the text unsendable, so
    it alone is cut between code points: receivers join the parts before they show them.
    """
    pieces: list[bytes] = []
    for cluster in _clusters(text):
        piece = encode(cluster)
        if len(piece) <= limit:
            pieces.append(piece)
        else:
            pieces.extend(map(encode, cluster))
    return pieces
