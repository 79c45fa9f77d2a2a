"""From a wording and its parameters to the text that is sent. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from .refusal import TemplateError, Unfit, Value
from .registry import Wording
from .words import Rendered

__all__ = ["render"]


def render(wording: Wording, params: Mapping[str, Value]) -> Rendered:
    """The text with every variable filled in, and where each stands.

    digits, code, text, name and url stand as given, an int in decimal; number, amount, date and time as the
    language writes them. Raises TemplateError, naming the parameter and the characters of it: it is missing,
    is not the template's, is a float (how to spell one is the application's choice), is empty, too long or
    not of its kind.
    """
    values: dict[str, str] = {}
    name = ""
    try:
        for name, form in wording.forms:
            values[name] = form(params[name], params)
    except Unfit as unfit:
        raise unfit.of(name) from None
    except KeyError:
        raise _wrong_names(wording, params) from None
    if len(params) != len(values):
        raise _wrong_names(wording, params)
    return wording.words.fill(values, params)


def _wrong_names(wording: Wording, params: Mapping[str, object]) -> TemplateError:
    wanted = ", ".join(wording.params) or "none"
    missing = sorted(wording.params.keys() - params.keys())
    name = missing[0] if missing else min(params.keys() - wording.params.keys())
    fault = "is missing" if missing else "is not the template's"
    return TemplateError(
        "invalid_job", f'{fault}: the template "{wording.template}" takes {wanted}', field=f"params.{name}"
    )
