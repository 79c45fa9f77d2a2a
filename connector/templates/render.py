"""From a wording and its parameters to the text that is sent. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from connector.config import Parameter

from .refusal import TemplateError
from .registry import Wording

__all__ = ["render"]

_DIGITS = frozenset("0123456789")
# Controls, line and paragraph separators, lone surrogates.
_UNFIT = frozenset({"Cc", "Zl", "Zp", "Cs"})


def render(wording: Wording, params: Mapping[str, str | int | float]) -> str:
    """The text with every variable filled in; an int stands in decimal.

    Raises TemplateError, naming the parameter: it is missing, is not the template's, is a float (how to spell
    one is the application's choice), is empty, is longer than max_length (characters) or not of its kind.
    """
    if params.keys() != wording.params.keys():
        raise _wrong_names(wording, params)
    values: dict[str, str] = {}
    for name, parameter in wording.params.items():
        value = params[name]
        fault = "is a number with a fraction, expected text" if isinstance(value, float) else None
        text = str(value)
        fault = fault or _fault(text, parameter)
        if fault is not None:
            raise TemplateError("invalid_job", fault, field=f"params.{name}")
        values[name] = text
    return "".join(literal if name is None else literal + values[name] for literal, name in wording.pieces)


def _wrong_names(wording: Wording, params: Mapping[str, object]) -> TemplateError:
    wanted = ", ".join(wording.params) or "none"
    missing = sorted(wording.params.keys() - params.keys())
    name = missing[0] if missing else min(params.keys() - wording.params.keys())
    fault = "is missing" if missing else "is not the template's"
    return TemplateError(
        "invalid_job", f'{fault}: the template "{wording.template}" takes {wanted}', field=f"params.{name}"
    )


def _fault(value: str, parameter: Parameter) -> str | None:
    if not value:
        return "is empty, expected at least one character"
    if len(value) > parameter.max_length:
        return f"has {len(value)} characters, expected at most {parameter.max_length}"
    if parameter.kind == "digits":
        return None if _DIGITS.issuperset(value) else "has other characters than 0-9, expected digits"
    # A line break would let a value pose as a text of its own.
    if not value.isprintable() and any(unicodedata.category(character) in _UNFIT for character in value):
        return "has control characters, expected one line of text"
    return None
