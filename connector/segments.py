"""What a call says, piece by piece: the speech worker turns each into words of the listener's language."""

from __future__ import annotations

import msgspec

__all__ = ["Amount", "Date", "Digits", "Pause", "Segment", "Text"]


class Text(msgspec.Struct, frozen=True, gc=False, tag="text"):
    """Words that are spoken as they stand."""

    text: str

    def __repr__(self) -> str:
        return f"Text({len(self.text)} characters)"


class Digits(msgspec.Struct, frozen=True, gc=False, tag="digits"):
    """Read out one by one; ASCII 0 to 9."""

    digits: str

    def __repr__(self) -> str:
        return f"Digits({len(self.digits)})"


class Amount(msgspec.Struct, frozen=True, gc=False, tag="amount"):
    """Money: `value` in decimal with a point, such as "1234.50"; `currency` of ISO 4217."""

    value: str
    currency: str

    def __repr__(self) -> str:
        return f"Amount({self.currency})"


class Date(msgspec.Struct, frozen=True, gc=False, tag="date"):
    """A day of the calendar, ISO 8601: "2026-03-01"."""

    date: str

    def __repr__(self) -> str:
        return "Date()"


class Pause(msgspec.Struct, frozen=True, gc=False, tag="pause"):
    """Silence."""

    seconds: float


Segment = Text | Digits | Amount | Date | Pause
