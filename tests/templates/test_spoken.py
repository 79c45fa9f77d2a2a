"""What a call says of the same template."""

from typing import Any

import pytest

from connector.config import Parameter, Spoken, TemplateVoice
from connector.segments import Amount, Date, Digits, Pause, Text
from connector.templates import TemplateError, Wording, speak
from tests.templates.wordings import wording

PARAMS = {
    "code": Parameter(kind="code"),
    "total": Parameter(kind="amount", currency="cur"),
    "cur": Parameter(kind="choice", of=("EUR", "JPY")),
    "day": Parameter(kind="date"),
    "n": Parameter(kind="number"),
    "who": Parameter(kind="name"),
}
VALUES: dict[str, Any] = {
    "code": "482 917", "total": "1234.50", "cur": "EUR", "day": "2026-11-23", "n": "1234.5", "who": "Ada",
}  # fmt: skip


def said(*pieces: str | Spoken, lang: str = "de", **more: Any) -> Wording:
    text = " ".join(f"{{{name}}}" for name in PARAMS if name != "cur")
    voice = TemplateVoice(code="code", say={lang: pieces})
    return wording(text, PARAMS, lang, voice=voice, **more)


def test_every_kind_of_piece() -> None:
    made = said(
        "Eine Zahlung von", Spoken(amount="total"), Spoken(date="day"), Spoken(number="n"), Spoken(pause=0.5),
        Spoken(digits="code"),
    )  # fmt: skip
    assert speak(made, VALUES) == (
        "482917",
        (Text("Eine Zahlung von"), Amount("1234.50", "EUR"), Date("2026-11-23"), Text("1234,5"), Pause(0.5),
         Digits("482917")),
    )  # fmt: skip


def test_words_have_constants_branches_and_words() -> None:
    made = said(
        "{brand}: {who}, {n, plural, one{# Tag} other{# Tage}}, it''s", "only {brand}", syntax="icu",
        values={"brand": "Acme"},
    )  # fmt: skip
    assert speak(made, VALUES | {"n": 1})[1] == (Text("Acme: Ada, 1 Tag, it's"), Text("only Acme"))
    assert speak(made, VALUES | {"n": 12345})[1][0] == Text("Acme: Ada, 12345 Tage, it's")


def test_braces_are_braces_without_constants_and_icu() -> None:
    assert speak(said("{brand} {{x}}"), VALUES)[1] == (Text("{brand} {{x}}"),)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"cur": "JPY"}, "params.total"),
        ({"total": "12,50"}, "params.total"),
        ({"cur": "eur"}, "params.cur"),
        ({"day": "2026-02-30"}, "params.day"),
        ({"n": "x"}, "params.n"),
    ],
)
def test_what_cannot_be_said_is_named(values: dict[str, Any], field: str) -> None:
    made = said(Spoken(amount="total"), Spoken(date="day"), Spoken(number="n"))
    with pytest.raises(TemplateError) as caught:
        speak(made, VALUES | values)
    assert caught.value.field == field
