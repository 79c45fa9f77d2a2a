"""Text and octets: any octets are shown as some text, and any text leaves without loss or is refused."""

import re
from functools import cache
from typing import get_args

from protocols.gsm.coding import Coding, text_of
from protocols.gsm.cutting import LongMessage
from protocols.gsm.errors import GsmError
from protocols.gsm.languages import Language
from protocols.gsm.packing import pack, unpack
from protocols.gsm.segmentation import Alphabet, Rules, plan
from protocols.gsm.udh import body_of, text_of_parts

CODECS: tuple[Coding, ...] = get_args(Coding)
LONG: tuple[LongMessage, ...] = get_args(LongMessage)
LANGUAGES = tuple(Language)


@cache
def rules(choice: int) -> Rules:
    """One carrier of many thousands: alphabets, long form and national tables by the bits of `choice`."""
    first, second = CODECS[choice % 6], CODECS[choice // 6 % 6]
    languages = tuple(LANGUAGES[(choice >> 6) % 13 :][: (choice >> 3) % 4])
    return Rules(
        (Alphabet(0, first), Alphabet(8, second)),
        languages if choice & 0x400 else (),
        languages if choice & 0x800 else (),
        LONG[choice >> 12 & 3],
        substitutions={"’": "'", "–": "-"} if choice & 0x4000 else {},
    )


def one_input(data: bytes) -> None:
    """Octets 0 and 1 choose the carrier; the rest is once user data, once the UTF-8 of a text (in which
    there may be surrogates, which no text may have).
    """
    head, octets = data[:2].ljust(2, b"\0"), data[2:]
    choice = int.from_bytes(head, "big")
    language = LANGUAGES[choice % 13]
    text_of(octets, CODECS[choice % 6], language, language)
    septets = bytes(octet & 0x7F for octet in octets)
    fill_bits = choice % 7
    assert unpack(pack(septets, fill_bits), len(septets), fill_bits) == septets

    text = octets.decode("utf-8", "surrogatepass") if _is_text(octets) else text_of(octets, "gsm7")
    try:
        segments = plan(text, rules(choice))
    except GsmError:
        return
    parts = segments.user_data(choice)
    assert all(len(part) <= 160 for part in parts) or segments.form == "payload"
    bodies = [body_of(part, segments.encoding, segments.has_header) for part in parts]
    expected = text
    for old, new, _ in segments.substituted:
        expected = expected.replace(old, new)
    assert _squeezed(text_of_parts(bodies, segments.encoding)) == _squeezed(expected)


def _squeezed(text: str) -> str:
    """A CR at the end of packed text may have got a second one, which shows nothing more."""
    return re.sub("\r+", "\r", text)


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True
