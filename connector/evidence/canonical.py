"""One octet form for each value: JSON with sorted keys, no spaces, UTF-8, numbers at their shortest."""

from __future__ import annotations

from datetime import date
from hashlib import sha256

import msgspec

__all__ = ["canonical", "commitment", "day_after", "day_of"]

canonical = msgspec.json.Encoder(order="sorted").encode
"""Any JSON value → its octets. Raises TypeError, OverflowError or UnicodeEncodeError for what is none."""

_EPOCH = 719_163  # ordinal of 1970-01-01
_DAY_S = 86_400


def commitment(personal: bytes) -> str:
    """What a record says of the canonical personal object beside it: SHA-256, as 64 hexadecimal digits.

    The object's salt keeps a number from being found by trying them all.
    """
    return sha256(personal).hexdigest()


def day_of(at: float) -> str:
    """The UTC day of a time in seconds since 1970: YYYY-MM-DD."""
    return date.fromordinal(_EPOCH + int(at // _DAY_S)).isoformat()


def day_after(day: str) -> str:
    """The next one."""
    return date.fromordinal(date.fromisoformat(day).toordinal() + 1).isoformat()
