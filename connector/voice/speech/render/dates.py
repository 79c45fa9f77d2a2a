"""A date as it is said: never a figure with a full stop behind it, which engines read as anything."""

from __future__ import annotations

from datetime import date as Day

from babel.dates import get_month_names

from connector.voice.speech.errors import RenderError

from .cardinals import cardinal
from .tables import date_words

__all__ = ["date"]

_ORDINAL_YEARS = range(2001, 2032)


def date(iso: str, language: str) -> str:
    """`iso` is YYYY-MM-DD; RenderError when it is no day of the calendar."""
    try:
        day = Day.fromisoformat(iso)
    except ValueError:
        raise RenderError("date: a day as YYYY-MM-DD is expected") from None
    words = date_words(language)
    spoken_day = str(day.day)
    if words.days is not None:
        spoken_day = words.days[day.day - 1]
    elif day.day == 1 and words.first:
        spoken_day = words.first
    spoken_year = str(day.year)
    if words.year and words.days is not None and day.year in _ORDINAL_YEARS:
        spoken_year = words.year.format(day=words.days[day.year - 2001])
    elif words.year_digits:
        spoken_year = "".join(cardinal(int(figure), language) or figure for figure in spoken_year)
    months = words.months
    month = months[day.month - 1] if months else get_month_names("wide", "format", language)[day.month]
    return words.pattern.format(day=spoken_day, month=month, year=spoken_year)
