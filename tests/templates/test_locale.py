"""Numbers, amounts, days and times of 35 languages, with babel's reading of CLDR as the referee."""

import re
from datetime import date, time
from decimal import Decimal

import pytest
from babel import Locale, dates, numbers
from babel.plural import PluralRule

from connector.config import Parameter, Template
from connector.config.voice import CALL_LANGUAGES
from connector.templates import icu, render, uncovered
from tests.templates.wordings import wording

TAGS = [*CALL_LANGUAGES, "en-GB", "en-IN", "pt-PT", "de-AT", "de-CH", "fr-CA", "zh-Hant", "ar-EG"]
CURRENCIES = ["EUR", "JPY", "USD", "INR", "KWD", "CHF"]
AS_SENT = str.maketrans(
    {"\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2019": "'", **dict.fromkeys("\u061c\u200e\u200f")}
)

# Where the two have other releases of CLDR, or babel does not inherit day periods as LDML says.
OTHER_DATA = {
    ("bn", "29 ফেব্রুয়ারী, 2000"), ("ko", "AM 12:05"), ("ko", "PM 2:30"), ("ko", "PM 12:00"),
    ("yue", "上午12:05"), ("yue", "下午2:30"), ("yue", "下午12:00"),
    ("de-AT", "1.234"), ("de-AT", "12.345"), ("de-AT", "1.234.567,25"),
}  # fmt: skip

# minimumGroupingDigits is 2 there: four digits stand together. babel groups amounts all the same.
FOUR_TOGETHER = {"bg", "es", "hu", "it", "pl", "pt-PT"}


def referee(tag: str) -> Locale:
    return Locale.parse(tag.replace("-", "_"))


def compact(amount: str) -> str:
    """babel leaves out the space that currencySpacing (LDML) puts between letters and digits."""
    return amount.replace(" ", "")


@pytest.mark.parametrize("tag", TAGS)
def test_amounts(tag: str) -> None:
    for currency in CURRENCIES:
        form = icu.amount_form(tag, currency, "symbol", "latin")
        for value in ("0", "1", "12", "999", "1234", "12345", "1234567.25"):
            amount = Decimal(value) if icu.currency_digits(currency) else Decimal(value).to_integral_value()
            other = numbers.format_currency(amount, currency, locale=referee(tag), numbering_system="latn")
            expected = compact(other.translate(AS_SENT))
            if tag in FOUR_TOGETHER and value == "1234":
                expected = re.sub("1[. ]?234", "1234", expected)
            assert compact(form(amount)) == expected, (tag, currency, value)


@pytest.mark.parametrize("tag", TAGS)
def test_numbers_days_and_times(tag: str) -> None:
    locale = referee(tag)
    pairs = []
    for value in map(Decimal, ("0", "5", "1234", "12345", "1234567.25", "0.125")):
        other = numbers.format_decimal(value, locale=locale, numbering_system="latn")
        pairs.append((icu.number_form(tag)(value), other))
    for style in ("short", "medium", "long"):
        for day in (date(2026, 11, 23), date(2026, 3, 1), date(2000, 2, 29)):
            pairs.append(
                (icu.day_form(tag, style, "gregorian", "latin")(day), dates.format_date(day, style, locale))
            )
    for at in (time(0, 5), time(14, 30), time(12, 0)):
        pairs.append(
            (icu.time_form(tag, "latin")(at.hour, at.minute), dates.format_time(at, "short", locale=locale))
        )
    for ours, theirs in pairs:
        expected = theirs.translate(AS_SENT)
        assert ours == expected or (tag, expected) in OTHER_DATA, (tag, ours, expected)


@pytest.mark.parametrize("currency", [*CURRENCIES, "CLP", "BHD", "UYU", "GBP", "XOF"])
def test_digits_of_currencies(currency: str) -> None:
    assert icu.currency_digits(currency) == numbers.get_currency_precision(currency)


CATEGORIES = {
    "ru": {
        "one": [1, 21, 101, 1001], "few": [2, 3, 4, 22, 104], "many": [0, 5, 11, 12, 14, 20, 111, 1000],
        "other": ["1.5", "0.1"],
    },
    "pl": {
        "one": [1], "few": [2, 3, 4, 22, 104], "many": [0, 5, 12, 21, 31, 101, 112], "other": ["1.5", "2.25"],
    },
    "ar": {
        "zero": [0], "one": [1], "two": [2], "few": [3, 10, 103], "many": [11, 26, 99, 111],
        "other": [100, 101, 102, 1000, "1.5"],
    },
}  # fmt: skip
WORDS = ("zero", "one", "two", "few", "many", "other")


@pytest.mark.parametrize("lang", CATEGORIES)
def test_plural_categories(lang: str) -> None:
    body = "{n, plural, " + " ".join(f"{word}{{{word} #}}" for word in WORDS) + "}"
    made = wording(body, {"n": Parameter(kind="number")}, lang, syntax="icu")
    rule: PluralRule = referee(lang).plural_form
    for category, values in CATEGORIES[lang].items():
        for value in values:
            text = render(made, {"n": value}).text
            assert text.split(" ", 1)[0] == category, (lang, value)
            assert rule(Decimal(str(value))) == category
    for n in range(300):
        assert render(made, {"n": n}).text.split(" ", 1)[0] == rule(n), (lang, n)


@pytest.mark.parametrize(
    ("lang", "body", "lacks"),
    [
        ("en", "{n, plural, one{a} other{b}}", []),
        ("zh", "{n, plural, other{b}}", []),
        ("ru", "{n, plural, one{a} other{b}}", [("n", "many", 0), ("n", "few", 2)]),
        ("pl", "{n, plural, =0{x} one{a} few{b} other{c}}", [("n", "many", 5)]),
        ("ar", "{n, plural, =0{x} =1{y} =2{z} few{a} many{b} other{c}}", []),
        ("en", "{n, selectordinal, one{#st} two{#nd} other{#th}}", [("n", "few", 3)]),
        ("de", "{n, plural, other{{n, plural, other{b}}}}", [("n", "one", 1)]),
    ],
)
def test_categories_without_a_branch(lang: str, body: str, lacks: list[tuple[str, str, int]]) -> None:
    params = {"n": Parameter(kind="number")}
    template = Template(name="t", lane="l", purpose="p", syntax="icu", text={lang: body}, params=params)
    assert list(uncovered(template, lang)) == lacks


def test_a_whole_number_is_whole_however_it_is_spelled() -> None:
    made = wording("{n, plural, one{# day} other{# days}}", {"n": Parameter(kind="number")}, syntax="icu")
    assert [render(made, {"n": n}).text for n in (1, "1.0", "01", "1.5", "1000.0")] == [
        "1 day", "1 day", "1 day", "1.5 days", "1,000 days",
    ]  # fmt: skip
