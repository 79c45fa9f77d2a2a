"""Names by the ten thousand that others collected: clean, whatever they sound like."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import babel
import phonenumbers.carrierdata
import phonenumbers.geodata

from benchmarks.gate.lines import lines

__all__ = ["places", "terms"]


def places() -> set[tuple[str, str]]:
    """(language, name) of the places and networks that phonenumbers knows."""
    found = set()
    for package in (phonenumbers.geodata, phonenumbers.carrierdata):
        for module in iter_modules(package.__path__):
            for value in vars(import_module(f"{package.__name__}.{module.name}")).values():
                if isinstance(value, dict):
                    found |= {
                        pair for names in value.values() if isinstance(names, dict) for pair in names.items()
                    }
    return found


def terms() -> set[tuple[str, str]]:
    """(language, name) of countries, currencies, months and more in CLDR, in the languages of the set."""
    # In one order: what Babel tells of a locale depends on those that were read before it.
    languages = sorted({line.lang for line in lines("lines")})
    return {(lang, name) for lang in languages for name in _terms(lang) if name}


def _terms(lang: str) -> Iterator[str]:
    locale = babel.Locale(lang)
    for table in (locale.territories, locale.languages, locale.currencies, locale.scripts):
        yield from table.values()
    yield from (zone.get("city", "") for zone in locale.time_zones.values())
    yield from (
        name for forms in locale.months.values() for names in forms.values() for name in names.values()
    )
