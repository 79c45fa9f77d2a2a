"""dates.toml and money.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated

import msgspec

__all__ = ["DateWords", "MoneyWords", "date_words", "money_words", "small_unit"]


class DateWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One language of dates.toml, which explains the keys."""

    pattern: str
    days: Annotated[tuple[str, ...], msgspec.Meta(min_length=31, max_length=31)] | None = None
    first: str = ""
    months: Annotated[tuple[str, ...], msgspec.Meta(min_length=12, max_length=12)] | None = None
    year: str = ""
    year_digits: bool = False


class MoneyWords(msgspec.Struct, frozen=True):
    """units  by the name of a small unit, its forms by CLDR's plural category
    names  of currencies, by ISO 4217, where CLDR's cannot be read
    """

    join: str
    units: dict[str, dict[str, str]]
    names: dict[str, str]


@cache
def _dates() -> dict[str, DateWords]:
    return msgspec.convert(_read("dates.toml"), dict[str, DateWords])


@cache
def _money() -> tuple[dict[str, str], dict[str, MoneyWords]]:
    found = _read("money.toml")
    units = msgspec.convert(found.pop("units"), dict[str, str])
    return units, {
        language: MoneyWords(
            str(each.pop("and")),
            names=msgspec.convert(each.pop("names", {}), dict[str, str]),
            units=msgspec.convert(each, dict[str, dict[str, str]]),
        )
        for language, each in found.items()
    }


def date_words(language: str) -> DateWords:
    return _dates()[language]


def money_words(language: str) -> MoneyWords:
    return _money()[1][language]


def small_unit(currency: str) -> str | None:
    """The name in money.toml of a currency's hundredth."""
    return _money()[0].get(currency)


def _read(name: str) -> dict[str, dict[str, object]]:
    return tomllib.loads(files("connector.voice.speech").joinpath(name).read_text("utf-8"))
