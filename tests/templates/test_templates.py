import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.config import Parameter, Template, pieces
from connector.templates import Registry, TemplateError, render

CODE = Template(
    name="login-code",
    lane="verification",
    purpose="Signing in",
    default_lang="en",
    text={
        "en": "{code} is your code, {name}",
        "pt": "pt {code} {name}",
        "pt-BR": "br {code} {name}",
        "zh-Hant": "hant {code} {name}",
    },
    params={"code": Parameter(max_length=6, kind="digits"), "name": Parameter(max_length=10)},
)
OFFER = Template(name="offer", lane="marketing", purpose="Sale", text={"en": "Sale {{now}}"})
NO_DEFAULT = Template(name="plain", lane="verification", purpose="x", text={"de": "Hallo"})
REGISTRY = Registry("verification", [CODE, OFFER, NO_DEFAULT])
PARAMS = {"code": "482917", "name": "Ada"}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("en", "en"),
        ("pt", "pt"),
        ("pt-BR", "pt-BR"),
        ("PT-br", "pt-BR"),
        ("pt-PT", "pt"),
        ("pt-BR-x-informal", "pt-BR"),
        ("zh-Hant-TW", "zh-Hant"),
        ("zh-Hans", "en"),  # another script is no coarser form
        ("zh", "en"),
        ("en-a-bbb", "en"),
        ("fr", "en"),
        (None, "en"),
    ],
)
def test_the_language_a_job_gets(asked: str | None, found: str) -> None:
    assert REGISTRY.wording("login-code", asked, 0.0).lang == found


@pytest.mark.parametrize("lang", ["fr", None])
def test_no_language_and_no_default(lang: str | None) -> None:
    with pytest.raises(TemplateError) as error:
        REGISTRY.wording("plain", lang, 0.0)
    assert (error.value.code, error.value.field, error.value.hint) == ("invalid_job", "lang", "one of de")


def test_a_template_of_another_lane_is_refused_by_name() -> None:
    with pytest.raises(TemplateError) as error:
        REGISTRY.wording("offer", "en", 0.0)
    assert (error.value.code, error.value.field) == ("forbidden", "template")
    assert error.value.message == 'the template "offer" belongs to the lane marketing, this is verification'


def test_an_unknown_template_with_the_near_name_of_this_lane_only() -> None:
    with pytest.raises(TemplateError) as error:
        REGISTRY.wording("login-cod", None, 0.0)
    assert (error.value.code, error.value.hint) == ("invalid_job", 'did you mean "login-code"?')
    with pytest.raises(TemplateError) as error:
        REGISTRY.wording("offers", None, 0.0)
    assert error.value.hint is None


def test_rendering() -> None:
    english = REGISTRY.wording("login-code", "en", 0.0)
    assert render(english, PARAMS) == ("482917 is your code, Ada", (("code", 0, 6), ("name", 21, 24)))
    assert render(english, {**PARAMS, "code": 1234}).text == "1234 is your code, Ada"
    offer = Registry("marketing", [OFFER]).wording("offer", "en", 0.0)
    assert render(offer, {}) == ("Sale {now}", ())


def test_values_are_not_templates() -> None:
    text = render(REGISTRY.wording("login-code", "pt", 0.0), {**PARAMS, "name": "{code}"}).text
    assert text == "pt 482917 {code}"


@pytest.mark.parametrize(
    ("params", "field", "says"),
    [
        ({"code": "1"}, "params.name", 'is missing: the template "login-code" takes code, name'),
        ({}, "params.code", "is missing"),
        ({**PARAMS, "nmae": "x"}, "params.nmae", "is not the template's"),
        ({**PARAMS, "code": "1234567"}, "params.code", "has 7 characters, expected at most 6"),
        ({**PARAMS, "code": "12 34"}, "params.code", "expected digits"),
        ({**PARAMS, "code": "١٢٣"}, "params.code", "expected digits"),
        ({**PARAMS, "code": -5}, "params.code", "expected digits"),
        ({**PARAMS, "name": ""}, "params.name", "is empty"),
        ({**PARAMS, "name": "a\nb"}, "params.name", "has control characters"),
        ({**PARAMS, "name": "a\u2028b"}, "params.name", "has control characters"),
        ({**PARAMS, "name": "a\ud800"}, "params.name", "has control characters"),
        ({**PARAMS, "name": 1.5}, "params.name", "is a number with a fraction, expected text"),
    ],
)
def test_a_wrong_parameter_is_named_and_its_value_is_not(
    params: dict[str, str | int | float], field: str, says: str
) -> None:
    with pytest.raises(TemplateError) as error:
        render(REGISTRY.wording("login-code", "en", 0.0), params)
    assert (error.value.code, error.value.field) == ("invalid_job", field)
    assert says in error.value.message
    assert "1234567" not in str(error.value)


def test_joiners_in_a_text_are_kept() -> None:
    name = "क्‍ष👩‍👧"
    text = render(REGISTRY.wording("login-code", "pt", 0.0), {**PARAMS, "name": name}).text
    assert text == f"pt 482917 {name}"


NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=5)
LITERALS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@given(st.lists(st.tuples(LITERALS, NAMES)), LITERALS)
def test_pieces_give_back_what_was_written(parts: list[tuple[str, str]], end: str) -> None:
    def escaped(text: str) -> str:
        return text.replace("{", "{{").replace("}", "}}")

    body = "".join(f"{escaped(literal)}{{{name}}}" for literal, name in parts) + escaped(end)
    found = pieces(body)
    assert "".join(literal + (f"<{name}>" if name else "") for literal, name in found) == (
        "".join(f"{literal}<{name}>" for literal, name in parts) + end
    )


@given(st.text("{}!:.ab0_[] ", max_size=12))
def test_any_body_is_pieces_or_a_value_error(body: str) -> None:
    try:
        found = pieces(body)
    except ValueError as error:
        assert str(error)
    else:
        assert all(name is None or name.isidentifier() for _, name in found)
