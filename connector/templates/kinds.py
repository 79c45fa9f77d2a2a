"""From the value of a parameter to what stands for it in a text of one language. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from connector.config import Parameter
from connector.config.parameter import IS_CURRENCY

from . import icu
from .links import link_fault
from .names import name_fault
from .refusal import Unfit, Value

__all__ = ["Form", "currency_of", "day_of", "form_of", "money_of", "number_of"]

Form = Callable[[Value, Mapping[str, Value]], str]
"""(the value, all parameters of the job) to the text. Raises Unfit."""

_CODE: Final = re.compile(r"[0-9]+([ -][0-9]+)*").fullmatch
_NUMBER: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,3})?").fullmatch
_DAY: Final = re.compile(r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}").fullmatch
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])").fullmatch
# Controls, line and paragraph separators, lone surrogates.
_UNFIT: Final = frozenset({"Cc", "Zl", "Zp", "Cs"})
# UAX #9: what changes the direction of the text around it.
_DIRECTION: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]").search
# ISO 4217: digits after the point, where they are not two. CLDR shows none of many currencies that have some.
_MINOR_UNITS: Final = {
    **dict.fromkeys(
        ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
         "XAF", "XOF", "XPF"],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}  # fmt: skip
_CLASSES: Final = {
    "letters": "LM", "digits": "N", "punctuation": "P", "symbols": "S",
}  # fmt: skip


def form_of(parameter: Parameter, lang: str) -> Form:
    """How values of `parameter` are checked and written in `lang`."""
    return _MAKERS[parameter.kind](parameter, lang)


def text_of(value: Value) -> str:
    """A value as the application wrote it; an int in decimal."""
    if isinstance(value, float):
        raise Unfit("is a number with a fraction, expected text", (0, len(repr(value))))
    return str(value)


def number_of(value: Value) -> Decimal:
    """A number of at most 15 digits, and three after the point. Raises Unfit."""
    text = text_of(value)
    if not _NUMBER(text):
        raise _whole(text, 'is no number such as 12 or "2.5", expected one without sign and separators')
    return Decimal(text)


class Money(NamedTuple):
    """An amount. `places`: digits after the point where it has more than are usually shown."""

    amount: Decimal
    places: int | None


def money_of(value: Value, currency: str) -> Money:
    """An amount that the currency can express. Raises Unfit."""
    text = text_of(value)
    if not _NUMBER(text):
        raise _whole(text, 'is no amount such as "1234.50", expected one without sign and separators')
    amount = Decimal(text)
    point = text.find(".")
    usual = icu.currency_digits(currency)
    digits = 0 if point < 0 else len(text[point + 1 :].rstrip("0"))
    if digits <= usual:
        return Money(amount, None)
    most = max(usual, _MINOR_UNITS.get(currency, 2))
    if digits > most:
        start = point + 1 + most if most else point
        raise Unfit(f"has more than the {most} digits after the point of {currency}", (start, len(text)))
    return Money(amount, most)


def currency_of(parameter: Parameter, params: Mapping[str, Value]) -> str:
    """That of an amount. Raises Unfit, which names the parameter that holds it."""
    said = parameter.currency
    assert said is not None
    if said[0].isupper():
        return said
    value = text_of(params[said])
    if not IS_CURRENCY.match(value):
        raise Unfit('is no currency of ISO 4217, expected such as "EUR"', (0, len(value)), said)
    return value


def day_of(value: Value) -> date:
    """A day such as "2026-11-23". Raises Unfit."""
    text = text_of(value)
    if _DAY(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise _whole(text, 'is no day from 1900 to 2199, expected such as "2026-11-23"')


def _whole(text: str, reason: str) -> Unfit:
    return Unfit(reason, (0, len(text)))


def _measured(value: Value, longest: int) -> str:
    text = text_of(value)
    if not text:
        raise Unfit("is empty, expected at least one character", (0, 0))
    if len(text) > longest:
        raise Unfit(f"has {len(text)} characters, expected at most {longest}", (longest, len(text)))
    return text


def _digits(parameter: Parameter, lang: str) -> Form:
    longest = parameter.longest

    def form(value: Value, params: Mapping[str, Value]) -> str:
        text = value if type(value) is str else text_of(value)
        if len(text) <= longest and text.isdecimal() and text.isascii():
            return text
        text = _measured(value, longest)
        at = next(index for index, character in enumerate(text) if not "0" <= character <= "9")
        raise Unfit("has other characters than 0-9, expected digits", (at, at + 1))

    return form


def _code(parameter: Parameter, lang: str) -> Form:
    longest = parameter.longest

    def form(value: Value, params: Mapping[str, Value]) -> str:
        text = _measured(value, longest)
        if not _CODE(text):
            raise _whole(text, 'is no code, expected digits, in groups at most such as "123 456"')
        return text

    return form


def _text(parameter: Parameter, lang: str) -> Form:
    longest = parameter.longest
    allowed = "".join(_CLASSES.get(name, "") for name in parameter.characters)
    space = " " if "space" in parameter.characters else ""

    def form(value: Value, params: Mapping[str, Value]) -> str:
        text = value if type(value) is str else text_of(value)
        if not (0 < len(text) <= longest and text.isprintable()):
            _plain(_measured(value, longest))
        return text

    def narrow(value: Value, params: Mapping[str, Value]) -> str:
        text = form(value, params)
        for at, character in enumerate(text):
            if character not in space and unicodedata.category(character)[0] not in allowed:
                wanted = " and ".join(parameter.characters)
                raise Unfit(f"has a character of another class, expected {wanted}", (at, at + 1))
        return text

    return narrow if parameter.characters else form


def _plain(text: str) -> None:
    """A line break would let a value pose as a text of its own, a direction mark turn what is around it."""
    for at, character in enumerate(text):
        if unicodedata.category(character) in _UNFIT:
            raise Unfit("has control characters, expected one line of text", (at, at + 1))
    if (found := _DIRECTION(text)) is not None:
        raise Unfit("has a direction control character, expected none", found.span())


def _name(parameter: Parameter, lang: str) -> Form:
    longest = parameter.longest

    def form(value: Value, params: Mapping[str, Value]) -> str:
        text = _measured(value, longest)
        if (fault := name_fault(text)) is not None:
            raise fault
        return text

    return form


def _url(parameter: Parameter, lang: str) -> Form:
    longest = parameter.longest

    def form(value: Value, params: Mapping[str, Value]) -> str:
        text = _measured(value, longest)
        if (fault := link_fault(text, parameter.allow)) is not None:
            raise fault
        return text

    return form


def _choice(parameter: Parameter, lang: str) -> Form:
    known = frozenset(parameter.of)

    def form(value: Value, params: Mapping[str, Value]) -> str:
        text = text_of(value)
        if text not in known:
            raise _whole(text, f"is none of its words, expected {' or '.join(parameter.of)}")
        return text

    return form


def _number(parameter: Parameter, lang: str) -> Form:
    written = icu.number_form(lang, parameter.digits)
    return lambda value, params: written(number_of(value))


def _amount(parameter: Parameter, lang: str) -> Form:
    icu.number_form(lang, parameter.digits)  # loads ICU and the language now, and not for the first job

    def form(value: Value, params: Mapping[str, Value]) -> str:
        currency = currency_of(parameter, params)
        amount, places = money_of(value, currency)
        return icu.amount_form(lang, currency, parameter.display, parameter.digits, places)(amount)

    return form


def _date(parameter: Parameter, lang: str) -> Form:
    written = icu.day_form(lang, parameter.style, parameter.calendar, parameter.digits)
    return lambda value, params: written(day_of(value))


def _time(parameter: Parameter, lang: str) -> Form:
    written = icu.time_form(lang, parameter.digits)

    def form(value: Value, params: Mapping[str, Value]) -> str:
        text = text_of(value)
        found = _TIME(text)
        if found is None:
            raise _whole(text, 'is no time of day, expected such as "14:30"')
        return written(int(found[1]), int(found[2]))

    return form


_MAKERS: Final[dict[str, Callable[[Parameter, str], Form]]] = {
    "digits": _digits,
    "code": _code,
    "text": _text,
    "name": _name,
    "url": _url,
    "choice": _choice,
    "number": _number,
    "amount": _amount,
    "date": _date,
    "time": _time,
}
