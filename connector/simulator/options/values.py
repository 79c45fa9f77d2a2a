"""Values of options that are lists: `a,b` and `a=b,c=d`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

CODECS: Final = ("gsm7", "gsm7_packed", "latin1", "ascii", "utf8", "ucs2")
"""The ways to read user data, named as in a carrier's profile."""

TLV_KINDS: Final = ("any", "digits", "text", "c_octets", "octets", "uint8", "uint16", "uint32")
"""The types of a vendor's TLV, named as in a carrier's profile; `any` is not looked into."""

_TAG_MAX = 0xFFFF


class Names(tuple[str, ...]):
    """Words in order, written `a,b`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Names:
        return cls(word.strip() for word in text.split(",") if word.strip())

    def __str__(self) -> str:
        return ",".join(self)


class Pairs(tuple[tuple[str, str], ...]):
    """Pairs in order, written `a=b,c=d`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Pairs:
        """Raises ValueError at a part without `=`."""
        pairs = []
        for part in text.split(","):
            left, equals, right = part.rpartition("=") if part.count("=") == 1 else part.partition("=")
            if not part.strip():
                continue
            if not (equals and left.strip()):
                raise ValueError(f"{part.strip()!r} is not a pair: expected NAME=VALUE,...")
            pairs.append((left.strip(), right.strip()))
        return cls(pairs)

    def __str__(self) -> str:
        return ",".join(f"{left}={right}" for left, right in self)


NO_NAMES: Final = Names()
NO_PAIRS: Final = Pairs()


def number_type(text: str) -> tuple[int, int]:
    """`TON/NPI` as two numbers. Raises ValueError."""
    ton, slash, npi = text.partition("/")
    if not (slash and ton.isdecimal() and npi.isdecimal()):
        raise ValueError(f"{text!r} is not a type of number: expected TON/NPI such as 1/1")
    return int(ton), int(npi)


def check_alphabets(alphabets: Pairs) -> None:
    """Raises ValueError unless every pair is data_coding=codec."""
    for data_coding, codec in alphabets:
        if codec not in CODECS:
            raise ValueError(f"{codec!r} is not one of {', '.join(CODECS)}")
        if not 0 <= _number(data_coding) <= 0xFF:
            raise ValueError(f"data_coding {data_coding} is not one octet")


def check_tlvs(tlvs: Pairs) -> None:
    """Raises ValueError unless every pair is tag=kind or tag=kind:value."""
    for tag, rule in tlvs:
        if not 0 <= _number(tag) <= _TAG_MAX:
            raise ValueError(f"tag {tag} is not two octets")
        if rule.partition(":")[0] not in TLV_KINDS:
            raise ValueError(f"{rule!r} does not begin with one of {', '.join(TLV_KINDS)}")


def check_limits(limits: Pairs) -> None:
    """Raises ValueError unless every pair is a sender or a prefix, and a rate above 0."""
    for whom, tps in limits:
        try:
            rate = float(tps)
        except ValueError:
            rate = 0.0
        if not 0 < rate < float("inf"):
            raise ValueError(f"{whom}={tps} is not a rate: expected a number above 0")


def check_types(types: Pairs) -> None:
    """Raises ValueError unless every pair is a kind of sender and its TON/NPI."""
    for kind, text in types:
        if kind not in SENDER_KINDS:
            raise ValueError(f"{kind!r} is not one of {', '.join(SENDER_KINDS)}")
        number_type(text)


def check_type_list(types: Names) -> None:
    """Raises ValueError unless every word is TON/NPI."""
    for text in types:
        number_type(text)


def check_length(most: int) -> Callable[[str | Pairs], None]:
    """A check of at most so many ASCII characters, of a text or of each right side of pairs."""

    def check(value: str | Pairs) -> None:
        for text in (value,) if isinstance(value, str) else (right for _, right in value):
            if len(text) > most or not text.isascii():
                raise ValueError(f"{text!r} is not at most {most} ASCII characters")

    return check


def check_address(text: str) -> None:
    """Raises ValueError unless `text` is empty or HOST:PORT."""
    host, colon, port = text.rpartition(":")
    if text and not (colon and host and port.isdecimal() and int(port) <= 0xFFFF):
        raise ValueError(f"{text!r} is not an address: expected HOST:PORT")


SENDER_KINDS: Final = ("numeric", "alphanumeric", "short")
"""The kinds of sender, named as in a carrier's profile."""


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number (hexadecimal as 0x58)") from None
