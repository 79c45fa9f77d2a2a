"""The catalogue as it is shipped, with values as an application would give them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from connector.cli.template.reading import read
from connector.config import Template
from connector.config.message import Branches, Message, message, variables
from connector.templates import Registry, Wording

REPOSITORY: Final = Path(__file__).parents[2]
CATALOGUE: Final = REPOSITORY / "config/catalogue"
SOURCE: Final = read(CATALOGUE, {})
TEMPLATES: Final = {found.template.name: found.template for found in SOURCE.found}

VALUES: Final[dict[str, str | int]] = {
    "amount": "1234.00",
    "at": "14:30",
    "code": "482917",
    "currency": "EUR",
    "day": "2026-11-23",
    "days": 3,
    "device": "Chrome on Windows",
    "end": "16:00",
    "gender": "female",
    "locker": "Main Station 12",
    "minutes": 5,
    "order": "1042-77",
    "payee": "Corner Bookshop",
    "place": "Springfield",
    "rider": "Alex",
    "start": "14:00",
    "until": "2026-11-28",
}

COUNTS: Final = (*range(26), *range(100, 113), "1.5")

TEXTS: Final = [(name, lang) for name, template in TEMPLATES.items() for lang in template.text]
SPOKEN: Final = [
    (name, lang) for name, template in TEMPLATES.items() if template.voice for lang in template.text
]


@cache
def wording(name: str, lang: str) -> Wording:
    template = TEMPLATES[name]
    return Registry(template.lane, [template]).wording(name, lang, 0.0)


def values(template: Template, **others: str | int) -> dict[str, str | int]:
    return {name: others.get(name, VALUES[name]) for name in template.params}


def read_text(name: str, lang: str) -> Message:
    template = TEMPLATES[name]
    return message(template.text[lang], template.syntax)


def branches(name: str, lang: str) -> Iterator[Branches]:
    for use in variables(read_text(name, lang)):
        if isinstance(use, Branches):
            yield use


def combinations(template: Template) -> Iterator[Mapping[str, str | int]]:
    """Usual values with every gender, and counts that reach every plural category of every language."""
    choices = [name for name, parameter in template.params.items() if parameter.kind == "choice"]
    numbers = [name for name, parameter in template.params.items() if parameter.kind == "number"]
    for word in template.params[choices[0]].of if choices else ("",):
        for number in COUNTS if numbers else (0,):
            yield values(template, **dict.fromkeys(choices, word), **dict.fromkeys(numbers, number))
