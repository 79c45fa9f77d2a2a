"""Kinds of parameters: what is accepted, how it is written, and what a refusal names."""

import os
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.config import Parameter
from connector.templates import TemplateError, render
from tests.templates.wordings import put_together, refused, wording, written

CODE = Parameter(kind="code")
NAME = Parameter(kind="name")
EUROS = Parameter(kind="amount", currency="EUR")
DAY = Parameter(kind="date")
TIME = Parameter(kind="time")
NUMBER = Parameter(kind="number")
LINK = Parameter(kind="url", allow=("https://t.acme.example/", "https://acme.example/t/"))
CHOICE = Parameter(kind="choice", of=("female", "male"))
TEXT = Parameter(kind="text", max_length=20)
LETTERS = Parameter(kind="text", max_length=20, characters=("letters", "space"))
ROOT = Path(__file__).parents[2]
T = "https://t.acme.example/"


@pytest.mark.parametrize(
    ("parameter", "value", "lang", "expected"),
    [
        (CODE, "482917", "en", "482917"),
        (CODE, 482917, "en", "482917"),
        (CODE, "482 917", "ar", "482 917"),
        (CODE, "48-29-17", "en", "48-29-17"),
        (NAME, "Zoë O’Brien-Smith Jr.", "en", "Zoë O’Brien-Smith Jr."),
        (NAME, "J.R.R. Tolkien", "en", "J.R.R. Tolkien"),
        (NAME, "阿里·阿卜杜拉", "zh", "阿里·阿卜杜拉"),
        (NAME, "علی‌رضا", "fa", "علی‌رضا"),
        (NAME, "क्‍षमा", "hi", "क्‍षमा"),
        (EUROS, "1234.50", "de", "1.234,50 €"),
        (EUROS, "1234.5", "en", "€1,234.50"),
        (EUROS, 1234, "fr", "1 234,00 €"),
        (EUROS, "1234.500", "en", "€1,234.50"),
        (EUROS, "1234.50", "ar", "1,234.50 €"),
        (EUROS, "1234.50", "de-CH", "EUR 1'234.50"),
        (EUROS, "1234.50", "es", "1234,50 €"),  # four digits stand together in Spanish
        (Parameter(kind="amount", currency="INR"), "1234567", "hi", "₹12,34,567.00"),
        (Parameter(kind="amount", currency="JPY"), "1234", "ja", "￥1,234"),
        (Parameter(kind="amount", currency="KWD"), "1.125", "en", "KWD 1.125"),
        (Parameter(kind="amount", currency="HUF"), "1500", "hu", "1500 Ft"),
        (Parameter(kind="amount", currency="HUF"), "1500.00", "hu", "1500 Ft"),
        (Parameter(kind="amount", currency="HUF"), "1500.5", "hu", "1500,50 Ft"),  # CLDR shows no fillér
        (Parameter(kind="amount", currency="EUR", display="code"), "9.90", "de", "9,90 EUR"),
        (Parameter(kind="amount", currency="EUR", digits="native"), "12.50", "ar", "١٢٫٥٠ €"),
        (DAY, "2026-11-23", "en", "Nov 23, 2026"),
        (DAY, "2026-11-23", "de", "23.11.2026"),
        (DAY, "2026-11-23", "ja", "2026/11/23"),
        (DAY, "2026-11-23", "ar", "23/11/2026"),
        (DAY, "2026-11-23", "th", "23 พ.ย. 2569"),
        (Parameter(kind="date", calendar="gregorian"), "2026-11-23", "th", "23 พ.ย. 2026"),
        (Parameter(kind="date", style="long"), "2026-11-23", "pt-BR", "23 de novembro de 2026"),
        (Parameter(kind="date", style="short"), "2026-11-23", "de", "23.11.26"),
        (Parameter(kind="date", digits="native"), "2026-11-23", "mr", "२३ नोव्हें, २०२६"),
        (TIME, "14:30", "en", "2:30 PM"),
        (TIME, "00:05", "de", "00:05"),
        (TIME, "14:30", "ar", "2:30 م"),
        (NUMBER, "1234567.25", "de", "1.234.567,25"),
        (NUMBER, 1234567, "hi", "12,34,567"),
        (NUMBER, "2.50", "fr", "2,5"),
        (NUMBER, "007", "en", "7"),
        (NUMBER, "5", "de-x-informal", "5"),
        (LINK, T + "a1?b=%20c#d", "en", T + "a1?b=%20c#d"),
        (LINK, T, "en", T),
        (TEXT, "Ünïcode 👩‍👧 {x}", "en", "Ünïcode 👩‍👧 {x}"),
        (LETTERS, "Ada Ökçe", "en", "Ada Ökçe"),
    ],
)
def test_what_is_written(parameter: Parameter, value: Any, lang: str, expected: str) -> None:
    assert written(parameter, value, lang) == expected


@pytest.mark.parametrize(
    ("parameter", "value", "says", "position"),
    [
        (CODE, "48291x", "is no code", (0, 6)),
        (CODE, "48  29", "is no code", (0, 6)),
        (CODE, " 4829", "is no code", (0, 5)),
        (CODE, "12345678901", "has 11 characters, expected at most 10", (10, 11)),
        (CODE, "٤٨٢", "is no code", (0, 3)),
        (CODE, "", "is empty", (0, 0)),
        (NAME, "Ada2", "has a digit", (3, 4)),
        (NAME, "acme.com", "looks like a link", (4, 5)),
        (NAME, "пример.рф", "looks like a link", (6, 7)),
        (NAME, "Ada @home", "has a character that names do not have", (4, 5)),
        (NAME, "Ada\u202eb", "has a character that names do not have", (3, 4)),
        (NAME, "A\u200bda", "has a character that names do not have", (1, 2)),
        (NAME, "A\u200dda", "has a character that names do not have", (1, 2)),
        (NAME, "-Ada", "begins with no letter", (0, 1)),
        (NAME, "A" * 41, "has 41 characters", (40, 41)),
        (EUROS, "1.505", "has more than the 2 digits after the point of EUR", (4, 5)),
        (EUROS, "1,50", "is no amount", (0, 4)),
        (EUROS, "-1", "is no amount", (0, 2)),
        (EUROS, "1e3", "is no amount", (0, 3)),
        (EUROS, "١", "is no amount", (0, 1)),
        (EUROS, 1.5, "is a number with a fraction", (0, 3)),
        (EUROS, float("nan"), "is a number with a fraction", (0, 3)),
        (Parameter(kind="amount", currency="JPY"), "10.5", "more than the 0 digits", (2, 4)),
        (DAY, "2026-02-29", "is no day", (0, 10)),
        (DAY, "20261123", "is no day", (0, 8)),
        (DAY, "1899-12-31", "is no day", (0, 10)),
        (TIME, "24:00", "is no time of day", (0, 5)),
        (TIME, "9:00", "is no time of day", (0, 4)),
        (NUMBER, "1.2345", "is no number", (0, 6)),
        (NUMBER, "1" * 16, "is no number", (0, 16)),
        (NUMBER, -5, "is no number", (0, 2)),
        (CHOICE, "other", "is none of its words, expected female or male", (0, 5)),
        (TEXT, "a\u202eb", "has a direction control character", (1, 2)),
        (TEXT, "a\u2066b", "has a direction control character", (1, 2)),
        (TEXT, "a\u200fb", "has a direction control character", (1, 2)),
        (TEXT, "a\u061cb", "has a direction control character", (1, 2)),
        (TEXT, "ab\tc", "has control characters", (2, 3)),
        (LETTERS, "Ada 2", "expected letters and space", (4, 5)),
    ],
)
def test_what_is_refused(parameter: Parameter, value: Any, says: str, position: tuple[int, int]) -> None:
    error = refused(parameter, value)
    assert says in error.message
    assert error.position == position
    if len(str(value)) > 3:
        assert str(value) not in str(error)


@pytest.mark.parametrize(
    ("link", "says", "at"),
    [
        ("http://t.acme.example/", "is not of an allowed place", 0),
        ("https://t.acme.example", "is not of an allowed place", 0),
        ("https://t.acme.example.evil.example/", "is not of an allowed place", 0),
        ("https://user@t.acme.example/", "is not of an allowed place", 0),
        ("https://T.acme.example/", "is not of an allowed place", 0),
        ("https://t.аcme.example/", "is not of an allowed place", 0),
        ("https://t.acme.example:8443/", "is not of an allowed place", 0),
        (" " + T, "is not of an allowed place", 0),
        (T + "/evil.example", "has // within", 22),
        (T + "a?u=https://evil.example", "has // within", 33),
        (T + "../x", "climbs", 22),
        ("https://acme.example/t/..", "climbs", 22),
        ("https://acme.example/t/./x", "climbs", 22),
        ("https://acme.example/t/%2e%2e/x", "in disguise", 23),
        (T + "a%2Fb", "in disguise", 24),
        (T + "a%00", "in disguise", 24),
        (T + "a%5cb", "in disguise", 24),
        (T + "a%zz", "a % without", 24),
        (T + "a%2", "a % without", 24),
        (T + "@x", "has a character that no link has", 23),
        (T + "a\\b", "has a character that no link has", 24),
        (T + "\u0430", "has a character that no link has", 23),
        (T + "a b", "has a character that no link has", 24),
        (T + "a\u200bb", "has a character that no link has", 24),
        (T + "<b>", "has a character that no link has", 23),
    ],
)
def test_links_that_are_refused(link: str, says: str, at: int) -> None:
    error = refused(LINK, link)
    assert says in error.message
    assert error.position is not None
    assert error.position[0] == at


def test_the_currency_may_be_a_parameter() -> None:
    params = {
        "total": Parameter(kind="amount", currency="cur"),
        "cur": Parameter(kind="choice", of=("EUR", "JPY")),
    }
    made = wording("{total} paid", params)
    assert render(made, {"total": "1234.50", "cur": "EUR"}) == ("€1,234.50 paid", (("total", 0, 9),))
    assert render(made, {"total": "1234", "cur": "JPY"}).text == "¥1,234 paid"
    with pytest.raises(TemplateError) as caught:
        render(made, {"total": "1234.50", "cur": "JPY"})
    assert caught.value.field == "params.total"
    for held in ("USD", "eur", "EURO", 5, ""):
        with pytest.raises(TemplateError) as caught:
            render(made, {"total": "1", "cur": held})
        assert caught.value.field == "params.cur"
    free = wording("{total} {cur}", params | {"cur": Parameter(max_length=9)})
    assert render(free, {"total": "1.125", "cur": "KWD"}).text == "KWD 1.125 KWD"
    with pytest.raises(TemplateError) as caught:
        render(free, {"total": "1", "cur": "kwd"})
    assert (caught.value.field, caught.value.position) == ("params.cur", (0, 3))


ALL = {
    "code": CODE, "name": NAME, "total": EUROS, "day": DAY, "at": TIME, "n": NUMBER, "link": LINK,
    "note": TEXT, "digits": Parameter(kind="digits", max_length=8),
}  # fmt: skip
GOOD: dict[str, Any] = {
    "code": "482 917", "name": "Ada", "total": "12.50", "day": "2026-11-23", "at": "14:30", "n": 3,
    "link": T + "a", "note": "x {y} x", "digits": 12,
}  # fmt: skip
LITERALS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.one_of(
    st.text(max_size=12), st.integers(-99, 10**17), st.floats(), st.sampled_from(list(GOOD.values())),
    st.from_regex(r"[0-9]{1,17}(\.[0-9]{1,4})?", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]", fullmatch=True),
    st.from_regex(r"https://t\.acme\.example/[a-z./%0-9@]{0,9}", fullmatch=True),
)  # fmt: skip


@given(st.data(), st.sampled_from(["en", "de", "ar", "fa", "hi", "th", "zh-Hant", "fr-CA"]))
def test_a_text_is_exactly_its_pattern_with_the_values_in_the_spans(data: st.DataObject, lang: str) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(ALL)), min_size=1, max_size=6))
    fixed = data.draw(st.lists(LITERALS, min_size=len(names) + 1, max_size=len(names) + 1))
    escaped = [literal.replace("{", "{{").replace("}", "}}") for literal in fixed]
    body = escaped[0] + "".join(
        f"{{{name}}}{literal}" for name, literal in zip(names, escaped[1:], strict=True)
    )
    made = render(
        wording(body, {name: ALL[name] for name in names}, lang), {name: GOOD[name] for name in names}
    )
    assert [name for name, _, _ in made.spans] == names
    assert put_together(made, fixed) == made.text
    for name, start, end in made.spans:
        assert made.text[start:end] == written(ALL[name], GOOD[name], lang)


@given(st.sampled_from(sorted(ALL)), VALUES, st.sampled_from(["en", "ar", "de-CH"]))
def test_any_value_is_written_or_refused_by_name(name: str, value: Any, lang: str) -> None:
    try:
        text = written(ALL[name], value, lang)
    except TemplateError as error:
        assert error.field == "params.x"
        assert error.position is not None
        assert 0 <= error.position[0] <= error.position[1] <= len(str(value))
        return
    assert text
    assert not [c for c in text if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs")]
    assert not set(text) & set(
        "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u00a0\u202f"
    )


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Sao_Paulo", "Africa/Cairo", "Etc/GMT+12"])
def test_the_zone_of_the_host_changes_no_day_and_no_time(zone: str) -> None:
    code = (
        "from datetime import date\n"
        "from connector.templates import icu\n"
        "day = icu.day_form('de', 'medium', 'local', 'latin')\n"
        "print(*(day(date(year, month, 1)) for year in (1900, 1970, 2026, 2199) for month in (1, 4, 10)))\n"
        "print(*(icu.time_form('de', 'latin')(hour, 30) for hour in range(24)))\n"
    )
    environment = {**os.environ, "TZ": zone}
    made = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True,
        timeout=60,
    )  # fmt: skip
    days, times = made.stdout.splitlines()
    assert days.split() == [
        f"01.{month:02}.{year}" for year in (1900, 1970, 2026, 2199) for month in (1, 4, 10)
    ]
    assert times.split() == [f"{hour:02}:30" for hour in range(24)]


def test_icu_is_loaded_by_templates_that_need_it_alone() -> None:
    code = (
        "import sys\n"
        "from connector.config import Parameter, Template\n"
        "from connector.templates import Registry, render\n"
        "def made(text, **parameter):\n"
        "    more = {'syntax': 'icu', 'params': {'x': Parameter(**parameter)}}\n"
        "    known = Template(name='t', lane='l', purpose='p', text={'en': text}, **more)\n"
        "    return render(Registry('l', [known]).wording('t', 'en', 0.0), {'x': 5}).text\n"
        "print(made(\"it''s {x}\", kind='digits', max_length=3), 'icu4py' in sys.modules)\n"
        "print(made('{x, plural, one{# day} other{# days}}', kind='number'), 'icu4py' in sys.modules)\n"
        "print('babel' in sys.modules or 'numpy' in sys.modules)\n"
    )
    made = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert made.stdout == "it's 5 False\n5 days True\nFalse\n"
