"""Values to try a template with: usual ones, the longest ones, and all that choose other words. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from itertools import islice, product
from typing import Final

from connector.config import Parameter
from connector.config.template import TemplateFile

__all__ = ["longest", "usual"]

Values = dict[str, str | int]

# They reach every plural category of every language that CLDR has whole numbers for; 1.5 is one of its own.
_NUMBERS: Final[tuple[str | int, ...]] = (5, 1, 2, 3, 0, 11, 21, 100, "1.5")
# The months with the longest abbreviations, in one language or another.
_LONG_DAYS: Final = ("2026-09-30", "2026-11-30", "2026-12-30")
_WORDS: Final = "Sample 1042-77 + 3, "
_DIGITS: Final = "482917"
_CLASSES: Final = {"letters": "L", "digits": "N", "space": "Z", "punctuation": "P", "symbols": "S"}
_MOST: Final = 1000


def usual(file: TemplateFile) -> list[Values]:
    """Values as they come every day; the first by itself, the others for each branch that a text may have."""
    return _combined({name: _usual(name, parameter, file) for name, parameter in file.params.items()})


def longest(file: TemplateFile) -> list[Values]:
    """The longest values there may be in plain letters; texts outside the GSM alphabet take more room."""
    return _combined({name: _longest(name, parameter, file) for name, parameter in file.params.items()})


def _combined(values: Mapping[str, tuple[str | int, ...]]) -> list[Values]:
    """Each with each, at most a thousand."""
    return [dict(zip(values, chosen, strict=True)) for chosen in islice(product(*values.values()), _MOST)]


def _usual(name: str, parameter: Parameter, file: TemplateFile) -> tuple[str | int, ...]:
    room = parameter.longest
    match parameter.kind:
        case "digits" | "code":
            return ((_DIGITS * 100)[: min(room, len(_DIGITS))],)
        case "number":
            return _NUMBERS
        case "amount":
            return (1234,)
        case "date":
            return ("2026-11-23",)
        case "time":
            return ("14:30",)
        case "url":
            return ((parameter.allow[0] + "a1b2c3")[:room],)
        case "choice":
            return _choices(name, parameter, file)
        case "name":
            return ("Alex"[:room],)
        case _:
            return (
                ("EUR",)
                if _is_currency(name, file)
                else (_words(parameter, (room + 1) // 2).strip(" ,-+") or _words(parameter, 1),)
            )


def _longest(name: str, parameter: Parameter, file: TemplateFile) -> tuple[str | int, ...]:
    room = parameter.longest
    match parameter.kind:
        case "digits" | "code":
            return (_DIGITS[0] * room,)
        case "amount":
            return (123_456,)
        case "date":
            return _LONG_DAYS
        case "time":
            return ("23:59",)
        case "url":
            return tuple((link + "a" * room)[:room] for link in parameter.allow)
        case "name":
            return ("n" * room,)
        case "text" if not _is_currency(name, file):
            return (_words(parameter, room),)
        case _:
            return _usual(name, parameter, file)


def _is_currency(name: str, file: TemplateFile) -> bool:
    return any(parameter.currency == name for parameter in file.params.values())


def _choices(name: str, parameter: Parameter, file: TemplateFile) -> tuple[str, ...]:
    """The words; of currencies the euro first, for it is in the GSM alphabet."""
    if _is_currency(name, file) and "EUR" in parameter.of:
        return ("EUR", *(word for word in parameter.of if word != "EUR"))
    return parameter.of


def _words(parameter: Parameter, length: int) -> str:
    """A text of the classes that the parameter allows."""
    allowed = "".join(_CLASSES[name] for name in parameter.characters) or "LNZP"
    fit = "".join(character for character in _WORDS if unicodedata.category(character)[0] in allowed)
    return (fit * length)[:length]
