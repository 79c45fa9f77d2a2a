"""ICU, and with it Unicode's locale data (CLDR): the only module that touches icu4py, when first asked.

Its 23 MB are loaded by templates that need them, and by no other process. What stands for a value in a text:
spaces that CLDR keeps from breaking are plain ones here, its direction marks are left out, and so is the
typographic apostrophe between thousands: in the alphabets of SMS one such character can double the parts.
Inside a text of the same direction the marks change nothing that is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Literal

__all__ = ["amount_form", "choosing", "currency_digits", "day_form", "number_form", "time_form"]

Digits = Literal["latin", "native"]
Argument = Decimal | datetime | str

_AS_SENT: Final = str.maketrans(
    {
        "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2019": "'",
        "\u061c": None, "\u200e": None, "\u200f": None,
    }
)  # fmt: skip
_NUMBERING: Final = {"latin": "latn", "native": "native"}
_KNOWN_FORMS: Final = 1024


def choosing(pattern: str, lang: str) -> Callable[[Mapping[str, Decimal | str]], str]:
    """A message of ICU as a function of what its branches are chosen by. Raises ValueError for a pattern that
    ICU does not take.
    """
    form = _compiled(pattern, lang)
    return lambda chosen: form(dict(chosen))


@lru_cache(_KNOWN_FORMS)
def number_form(lang: str, digits: Digits = "latin", *, grouped: bool = True) -> Callable[[Decimal], str]:
    """Numbers with at most three digits after the point, as `lang` writes them."""
    return _form("{v, number}" if grouped else "{v, number, ::group-off .###}", _tag(lang, digits))


@lru_cache(_KNOWN_FORMS)
def amount_form(
    lang: str, currency: str, display: Literal["symbol", "code"], digits: Digits, places: int | None = None
) -> Callable[[Decimal], str]:
    """Amounts of one currency (ISO 4217). `places` after the point; None: as many as it is usual to show."""
    width = " unit-width-iso-code" if display == "code" else ""
    precision = "" if places is None else " ." + "0" * places
    return _form(f"{{v, number, ::currency/{currency}{width}{precision}}}", _tag(lang, digits))


@lru_cache(_KNOWN_FORMS)
def day_form(
    lang: str,
    style: Literal["short", "medium", "long"],
    calendar: Literal["local", "gregorian"],
    digits: Digits,
) -> Callable[[date], str]:
    """Days of the calendar."""
    extension = "-ca-gregory" if calendar == "gregorian" else ""
    form = _form(f"{{v, date, {style}}}", _tag(lang, digits, extension))
    # At noon no change of the clocks, and no disagreement about one, reaches another day.
    return lambda day: form(datetime(day.year, day.month, day.day, 12))  # noqa: DTZ001 of no zone


@lru_cache(_KNOWN_FORMS)
def time_form(lang: str, digits: Digits) -> Callable[[int, int], str]:
    """Hours and minutes of a clock on the wall."""
    form = _form("{v, time, short}", _tag(lang, digits))
    # On the first of January no zone changes its clocks.
    return lambda hour, minute: form(datetime(2001, 1, 1, hour, minute))  # noqa: DTZ001 of no zone


@lru_cache(_KNOWN_FORMS)
def currency_digits(currency: str) -> int:
    """How many digits after the point it is usual to show."""
    shown = amount_form("en", currency, "code", "latin")(Decimal(0))
    return len(shown.partition(".")[2])


def _tag(lang: str, digits: Digits, more: str = "") -> str:
    """`lang` without extensions of its own, with the numbering that is wanted (RFC 6067)."""
    subtags = lang.split("-")
    end = next((index for index, subtag in enumerate(subtags) if len(subtag) == 1), len(subtags))
    return "-".join(subtags[:end]) + f"-u{more}-nu-{_NUMBERING[digits]}"


def _form(pattern: str, lang: str) -> Callable[[Argument], str]:
    form = _compiled(pattern, lang)
    return lambda value: form({"v": value}).translate(_AS_SENT)


def _compiled(pattern: str, lang: str) -> Callable[[dict[str, Any]], str]:
    from icu4py.messageformat import MessageFormat

    return MessageFormat(pattern, lang).format
