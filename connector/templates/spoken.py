"""From a wording and its parameters to what a call says. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from connector.config import Spoken
from connector.segments import Amount, Date, Digits, Pause, Segment, Text

from . import icu
from .kinds import currency_of, day_of, money_of, number_of
from .refusal import TemplateError, Unfit, Value
from .registry import Said, Wording
from .words import Rendered

__all__ = ["said", "speak"]

_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,3})?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def speak(wording: Wording, params: Mapping[str, Value]) -> tuple[str, tuple[Segment, ...]]:
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
    code = "" if voice.code is None else _digits(params[voice.code])
    return code, tuple(_segment(piece, wording, params) for piece in wording.say)


def said(wording: Wording, params: Mapping[str, Value]) -> Iterator[Rendered]:
    """The words of the message that hold values, as a voice reads them. `params` as of `speak`."""
    for piece in wording.say:
        if not isinstance(piece, str | Spoken):
            yield piece.fill(_words(wording, params), params)


def _segment(piece: Said, wording: Wording, params: Mapping[str, Value]) -> Segment:
    if isinstance(piece, str):
        return Text(piece)
    if not isinstance(piece, Spoken):
        return Text(piece.fill(_words(wording, params), params).text)
    if piece.digits is not None:
        return Digits(_digits(params[piece.digits]))
    if piece.amount is not None:
        return _amount(piece.amount, piece.currency, wording, params)
    if piece.date is not None:
        return Date(_day(piece.date, params))
    if piece.number is not None:
        return Text(_number(piece.number, wording.lang, params))
    assert piece.pause is not None
    return Pause(piece.pause)


def _words(wording: Wording, params: Mapping[str, Value]) -> dict[str, str]:
    """Values as a voice reads them: separators of thousands would end a number."""
    return {
        name: _number(name, wording.lang, params) if parameter.kind == "number" else str(params[name])
        for name, parameter in wording.params.items()
    }


def _number(name: str, lang: str, params: Mapping[str, Value]) -> str:
    try:
        return icu.number_form(lang, grouped=False)(number_of(params[name]))
    except Unfit as unfit:
        raise unfit.of(name) from None


def _digits(code: Value) -> str:
    """Groups are for the eye."""
    return str(code).replace(" ", "").replace("-", "")


def _amount(name: str, currency: str | None, wording: Wording, params: Mapping[str, Value]) -> Amount:
    parameter = wording.params[name]
    if parameter.kind == "amount":
        try:
            said = currency_of(parameter, params)
            money_of(params[name], said)
        except Unfit as unfit:
            raise unfit.of(name) from None
        return Amount(str(params[name]), said)
    assert currency is not None
    return Amount(_value(name, params), _currency(currency, params))


def _value(name: str, params: Mapping[str, Value]) -> str:
    value = str(params[name])
    if not _AMOUNT.fullmatch(value):
        raise _wrong(name, 'an amount such as "1234.50", without separators of thousands')
    return value


def _currency(name: str, params: Mapping[str, Value]) -> str:
    if name[0].isupper():
        return name
    value = str(params[name])
    if not _CURRENCY.fullmatch(value):
        raise _wrong(name, 'a currency of ISO 4217 such as "EUR"')
    return value


def _day(name: str, params: Mapping[str, Value]) -> str:
    try:
        return day_of(params[name]).isoformat()
    except Unfit:
        raise _wrong(name, 'a day such as "2026-03-01"') from None


def _wrong(name: str, expected: str) -> TemplateError:
    return TemplateError("invalid_job", f"cannot be said, expected {expected}", field=f"params.{name}")
