"""Telephone numbers as evidence shows them to whom has not asked for more."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["mask", "mask_within"]

_HIDDEN: Final = "•••••"
_SHORTEST: Final = 9
_OWN: Final = 7
_DIGITS: Final = re.compile(r"\+?\d{7,}")


def mask(number: str) -> str:
    """`+4477•••••23` for `+447700900123`: whose network it may be, and enough to tell two apart.

    The number of dots is always the same; of a shorter number than any handset has, nothing shows.
    """
    return f"{number[:5]}{_HIDDEN}{number[-2:]}" if len(number) >= _SHORTEST else _HIDDEN


def mask_within(text: str, number: str) -> str:
    """`text` without `number`, however much of its beginning a carrier left out: seven last digits are it."""
    own = number[-_OWN:]
    return _DIGITS.sub(lambda found: mask(number) if found[0].endswith(own) else found[0], text)
