"""From a wording and its parameters to what a call says. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from connector.config import Spoken
from connector.segments import Amount, Date, Digits, Pause, Segment, Text

from .refusal import TemplateError
from .registry import Wording

__all__ = ["speak"]

_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,3})?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def speak(wording: Wording, params: Mapping[str, str | int | float]) -> tuple[str, tuple[Segment, ...]]:
    """(the code, the message) of a template that has a [voice] table; either may be empty.

    `params` are those that `render` has accepted. Raises TemplateError naming the parameter that is no
    amount, no currency or no day.
    """
    voice = wording.voice
    if voice is None:
        raise TemplateError(
            "invalid_job",
            f'the template "{wording.template}" has no [voice] table: nothing to say in a call',
            field="template",
        )
    code = "" if voice.code is None else str(params[voice.code])
    return code, tuple(_segment(piece, params) for piece in wording.say)


def _segment(piece: str | Spoken, params: Mapping[str, str | int | float]) -> Segment:
    if isinstance(piece, str):
        return Text(piece)
    if piece.digits is not None:
        return Digits(str(params[piece.digits]))
    if piece.amount is not None:
        assert piece.currency is not None
        return Amount(_value(piece.amount, params), _currency(piece.currency, params))
    if piece.date is not None:
        return Date(_day(piece.date, params))
    assert piece.pause is not None
    return Pause(piece.pause)


def _value(name: str, params: Mapping[str, str | int | float]) -> str:
    value = str(params[name])
    if not _AMOUNT.fullmatch(value):
        raise _wrong(name, 'an amount such as "1234.50", without separators of thousands')
    return value


def _currency(name: str, params: Mapping[str, str | int | float]) -> str:
    if name[0].isupper():
        return name
    value = str(params[name])
    if not _CURRENCY.fullmatch(value):
        raise _wrong(name, 'a currency of ISO 4217 such as "EUR"')
    return value


def _day(name: str, params: Mapping[str, str | int | float]) -> str:
    try:
        return date.fromisoformat(str(params[name])).isoformat()
    except ValueError:
        raise _wrong(name, 'a day such as "2026-03-01"') from None


def _wrong(name: str, expected: str) -> TemplateError:
    return TemplateError("invalid_job", f"cannot be said, expected {expected}", field=f"params.{name}")
