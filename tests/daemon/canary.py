"""One code, and every form in which a file could hold it."""

from __future__ import annotations

import re
import stat
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

CODE = "8203945716"
"""Long enough that no clock, counter or digest holds it by chance."""


def _packed(text: str, offset: int) -> bytes:
    """`text` as GSM septets that begin `offset` bits into an octet; only the octets that are all its own."""
    bits = "".join(f"{ord(character):07b}"[::-1] for character in text)
    bits = bits[-offset % 8 :]
    return bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits) - 7, 8))


def _base64(octets: bytes, offset: int) -> bytes:
    """Those characters of the base64 of a longer text that are all of `octets`."""
    whole = b64encode(b"\0" * offset + octets + b"\0" * 3)
    first, last = -(-offset * 8 // 6), (offset + len(octets)) * 8 // 6
    return whole[first:last]


def _forms() -> Iterator[bytes]:
    wide = [CODE.encode(), CODE.encode("utf-16-be"), CODE.encode("utf-16-le"), CODE.encode("utf-32-le")]
    yield from wide
    for octets in wide[:3]:
        yield octets.hex().encode()
        yield octets.hex().upper().encode()
        yield from (_base64(octets, offset) for offset in range(3))
    yield from (_packed(CODE, offset) for offset in range(8))
    for between in (" ", ", ", ",", "-", '", "', '","', "\\n"):
        yield between.join(CODE).encode()
    yield f"{CODE[:3]} {CODE[3:6]} {CODE[6:]}".encode()
    yield int(CODE).to_bytes(8, "big")
    yield int(CODE).to_bytes(8, "little")


FORMS = tuple(dict.fromkeys(_forms()))
assert all(len(form) >= 7 for form in FORMS)
_ANY = re.compile(b"|".join(map(re.escape, FORMS)))


def shows(octets: bytes | str) -> str | None:
    """Where the code stands, with what is around it; None where it does not."""
    if isinstance(octets, str):
        octets = octets.encode("utf-8", "surrogateescape")
    found = _ANY.search(octets)
    if found is None:
        return None
    return f"octet {found.start()}: {octets[max(0, found.start() - 80) : found.end() + 40]!r}"


def places(*roots: Path) -> list[str]:
    """Files below `roots` that hold the code."""
    found = []
    for root in roots:
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            try:
                if not stat.S_ISREG(path.lstat().st_mode):
                    continue
                content = path.read_bytes()
            except FileNotFoundError:  # renamed or removed meanwhile
                continue
            if (shown := shows(content)) is not None or (shown := shows(path.name)) is not None:
                found.append(f"{path.name}, {shown}")
    return found
