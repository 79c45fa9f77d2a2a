"""Everything the simulated carrier can be told to do, declared once.

The command line, the control port and the tests all read this one declaration: each option carries its
own help text, range and choices. The groups it consists of stand in the modules beside this one.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from connector.simulator.delay import Delay

from .addresses import AddressOptions
from .binds import BindOptions
from .faults import FaultOptions
from .receipts import ReceiptOptions
from .services import ServiceOptions
from .takes import OptionError, Takes
from .text import TextOptions
from .throughput import ThroughputOptions
from .values import Names, Pairs

__all__ = ["DEFAULTS", "OPTIONS", "Names", "OptionError", "Pairs", "SmscOptions", "Takes", "parse"]


# Fields come in the reverse of this order. Slots: they are read many times a message.
@dataclass(frozen=True, slots=True)
class SmscOptions(
    ServiceOptions, FaultOptions, ReceiptOptions, AddressOptions, TextOptions, ThroughputOptions, BindOptions
):
    """How the simulated carrier behaves. Times are seconds; shares lie in 0…1; 0 turns a fault off.

    Raises OptionError when a value is out of its range.
    """

    def __post_init__(self) -> None:
        for name, takes in OPTIONS.items():
            try:
                _check(takes, getattr(self, name))
            except ValueError as error:
                raise OptionError(f"{name}: {error}") from None

    def changed(self, changes: Mapping[str, object]) -> SmscOptions:
        """These options with some replaced; values may be given as text. Raises OptionError."""
        parsed: dict[str, Any] = {name: parse(name, value) for name, value in changes.items()}
        return dataclasses.replace(self, **parsed)

    def as_json(self) -> dict[str, object]:
        """Every option by name, delays and lists in their text form."""
        pairs = ((name, getattr(self, name)) for name in OPTIONS)
        return {name: str(value) if isinstance(value, _TEXTUAL) else value for name, value in pairs}


_TEXTUAL = (Delay, Names, Pairs)


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


_HINTS = get_type_hints(SmscOptions, include_extras=True)

OPTIONS: dict[str, Takes] = {
    field.name: _HINTS[field.name].__metadata__[0] for field in dataclasses.fields(SmscOptions)
}
"""What each option of SmscOptions takes, in the order of the declaration."""

DEFAULTS = SmscOptions()
_BOOLEANS = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}


def parse(name: str, value: object) -> object:
    """`value` (text, number or already right) as the type of option `name`. Raises OptionError."""
    if name not in OPTIONS:
        near = difflib.get_close_matches(name, OPTIONS, n=1)
        raise OptionError(f"{name}: there is no such option" + (f"; did you mean {near[0]}?" if near else ""))
    kind = type(getattr(DEFAULTS, name))
    if type(value) is kind:
        return value
    try:
        return _convert(kind, value)
    except ValueError as error:
        raise OptionError(f"{name}: {error}") from None


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
