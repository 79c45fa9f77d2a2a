"""An amount as it is said: 5000 EUR are "5000 Euro", 1234.50 USD "1234 US dollars and 50 cents".

The large unit, its plural and its place are CLDR's; the small one is of money.toml.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, is_currency

from connector.voice.speech.errors import RenderError
from connector.voice.speech.names import vocabulary

from .cardinals import cardinal
from .tables import money_words, small_unit

__all__ = ["amount", "locale_of", "spoken_decimals"]

_LARGEST = Decimal(10) ** 12
_FIGURES = re.compile(r"[0-9]+([^0-9\s][0-9]+)?")


def amount(value: str, currency: str, tag: str, language: str) -> str:
    """`value` is a decimal with a point, `currency` of ISO 4217; RenderError for what is neither."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise RenderError('amount: a decimal such as "12.50" is expected') from None
    if not number.is_finite() or not 0 <= number < _LARGEST:
        raise RenderError("amount: a number from 0 to below 10^12 is expected")
    whole = int(number)
    if number == whole:
        return _named(Decimal(whole), currency, tag, language)
    hundredths = (number - whole) * 100
    unit = small_unit(currency)
    forms = money_words(language).units.get(unit) if unit is not None else None
    if forms is None or hundredths != int(hundredths):
        return _with_decimals(number, currency, tag, language)
    small = _counted(int(hundredths), forms, tag)
    if whole == 0:
        return small
    words = (_named(Decimal(whole), currency, tag, language), money_words(language).join, small)
    return " ".join(filter(None, words))


def locale_of(tag: str) -> Locale:
    """CLDR's data for the longest part of a BCP 47 tag that there is any for."""
    parts = tag.replace("_", "-").split("-")
    while parts:
        try:
            return Locale.parse("-".join(parts), sep="-")
        except (UnknownLocaleError, ValueError):
            parts.pop()
    raise RenderError(f"no data of CLDR for the language {tag!r}")


def spoken_decimals(decimals: str, language: str) -> str:
    """What follows a number: the word for its point, and each decimal by itself."""
    words = vocabulary(language)
    said = (cardinal(int(digit), language) or words.words[int(digit)] for digit in decimals)
    return " ".join([words.point, *said])


def _named(number: Decimal, currency: str, tag: str, language: str, pattern: str = "0") -> str:
    if not is_currency(currency):
        raise RenderError("amount: a currency of ISO 4217 such as EUR is expected")
    if (name := money_words(language).names.get(currency)) is not None:
        return f"{number:f} {name}"
    text = format_currency(
        number, currency, pattern, locale_of(tag), currency_digits=False, format_type="name"
    )
    # An engine may take a hyphen between letters for a minus or for nothing at all.
    return text.replace("-", " ").replace("\xa0", " ")


def _counted(number: int, forms: dict[str, str], tag: str) -> str:
    return f"{number} {forms.get(locale_of(tag).plural_form(number)) or forms['other']}"


def _with_decimals(number: Decimal, currency: str, tag: str, language: str) -> str:
    """CLDR chooses the plural and the place; the number in its figures is then put into words."""
    whole, _, decimals = format(number, "f").partition(".")
    named = _named(number, currency, tag, language, "0." + "0" * len(decimals))
    spoken = f"{int(whole)} {spoken_decimals(decimals.ljust(2, '0'), language)}"
    return _FIGURES.sub(spoken, named, count=1)
