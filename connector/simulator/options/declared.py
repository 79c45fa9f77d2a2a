"""Options that are declared once as fields of a frozen dataclass, each with what it `Takes`."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, get_type_hints

from connector.simulator.delay import Delay

from .takes import OptionError, Takes
from .values import Names, Pairs

_TEXTUAL = (Delay, Names, Pairs)
_BOOLEANS = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}
_TAKES: dict[type[Declared], dict[str, Takes]] = {}


@dataclass(frozen=True)
class Declared:
    """Base of the options of one server: frozen dataclasses whose fields are `Annotated[type, Takes(...)]`.

    Raises OptionError when a value is out of its range.
    """

    def __post_init__(self) -> None:
        for name, takes in takes_of(type(self)).items():
            try:
                _check(takes, getattr(self, name))
            except ValueError as error:
                raise OptionError(f"{name}: {error}") from None

    def changed(self, changes: Mapping[str, object]) -> Self:
        """These options with some replaced; values may be given as text. Raises OptionError."""
        parsed: dict[str, Any] = {name: parsed_as(type(self), name, value) for name, value in changes.items()}
        return dataclasses.replace(self, **parsed)

    def as_json(self) -> dict[str, object]:
        """Every option by name, delays and lists in their text form."""
        pairs = ((name, getattr(self, name)) for name in takes_of(type(self)))
        return {name: str(value) if isinstance(value, _TEXTUAL) else value for name, value in pairs}


def takes_of(options: type[Declared]) -> dict[str, Takes]:
    """What each option takes, in the order of the declaration."""
    if options not in _TAKES:
        hints = get_type_hints(options, include_extras=True)
        names = [field.name for field in dataclasses.fields(options)]
        _TAKES[options] = {name: hints[name].__metadata__[0] for name in names}
    return _TAKES[options]


def parsed_as(options: type[Declared], name: str, value: object) -> object:
    """`value` (text, number or already right) as the type of option `name`. Raises OptionError."""
    known = takes_of(options)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise OptionError(f"{name}: there is no such option" + (f"; did you mean {near[0]}?" if near else ""))
    kind = type(options.__dataclass_fields__[name].default)
    if type(value) is kind:
        return value
    try:
        return _convert(kind, value)
    except ValueError as error:
        raise OptionError(f"{name}: {error}") from None


def _check(takes: Takes, value: object) -> None:
    if takes.choices:
        for word in value if isinstance(value, Names) else (value,):
            if word not in takes.choices:
                raise ValueError(f"{word!r} is not one of {', '.join(takes.choices)}")
    if isinstance(value, int | float) and not takes.low <= value <= takes.high:
        top = "" if takes.high == float("inf") else f" and at most {takes.high:g}"
        raise ValueError(f"{value!r} must be at least {takes.low:g}{top}")
    if takes.check is not None:
        takes.check(value)


def _convert(kind: type, value: object) -> object:
    text = str(value)
    if issubclass(kind, _TEXTUAL):
        if kind is Names and isinstance(value, list | tuple):
            return Names(map(str, value))
        if kind is Pairs and isinstance(value, Mapping):
            return Pairs((str(left), str(right)) for left, right in value.items())
        parsed: object = kind.parse(text)
        return parsed
    if kind is bool:
        if text.lower() not in _BOOLEANS:
            raise ValueError(f"{value!r} is not true or false")
        return _BOOLEANS[text.lower()]
    if kind is str:
        raise ValueError(f"{value!r} is not a text")
    try:
        return int(text, 0) if kind is int else float(text)
    except ValueError:
        expected = "a whole number (hexadecimal as 0x58)" if kind is int else "a number"
        raise ValueError(f"{value!r} is not {expected}") from None
