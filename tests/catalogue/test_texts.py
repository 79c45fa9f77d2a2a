"""Every text of the catalogue, rendered, by what must be true of each."""

import re
import unicodedata

import pytest
from babel import Locale
from bidi import get_display

from connector.config.message import Variable, filled, variables
from connector.config.template import TemplateFile
from connector.templates import render
from connector.templates.content import ContentGate
from protocols.gsm.segmentation import Rules, plan
from tests.catalogue.shelf import (
    CATALOGUE,
    SOURCE,
    TEMPLATES,
    TEXTS,
    branches,
    combinations,
    read_text,
    values,
    wording,
)

NAMES = {
    "login-code", "payment-code", "payment-confirmation", "new-device", "order-shipped", "order-in-transit",
    "order-out-for-delivery", "order-in-locker", "order-overdue", "order-delivered", "rider-dispatched",
    "pickup-code",
}  # fmt: skip
LANGUAGES = {
    "ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "nl", "pl", "pt", "pt-PT", "ru", "tr", "uk",
    "vi", "zh",
}  # fmt: skip
LRM = "\u200e"
GATE = ContentGate()
EACH = pytest.mark.parametrize(("name", "lang"), TEXTS)


def test_the_shelf_is_full() -> None:
    assert SOURCE.problems == ()
    assert {path.stem for path in CATALOGUE.iterdir()} == set(TEMPLATES) == NAMES
    for template in TEMPLATES.values():
        assert set(template.text) - {"th"} == LANGUAGES, template.name
        assert template.default_lang == "en"
        assert template.lane in ("verification", "notification")
        assert list(template.text) == sorted(template.text, key=str.casefold), "found at a glance"


@EACH
def test_every_text_in_every_branch(name: str, lang: str) -> None:
    template = TEMPLATES[name]
    for params in combinations(template):
        text, spans = render(wording(name, lang), params)
        assert not re.search("[{}]", text), "an unreplaced variable, or a brace"
        assert all(brand in text for key, brand in template.values.items() if key == "brand")
        assert unicodedata.is_normalized("NFC", text)
        assert text == text.strip()
        assert "  " not in text
        assert not re.search(r"\.\.|,,|。。|。\.", text), "a full stop after an abbreviation's"
        assert not re.search("[\u00a0\u2009\u202f\n\t]", text)
        assert all(unicodedata.category(each) not in ("Cc", "Co", "Cs", "Zl", "Zp") for each in text)
        assert all(each.isascii() for each in text if each.isdecimal()), "digits as people type them"
        shown = {parameter for parameter, _, _ in spans}
        for parameter, kind in ((key, template.params[key].kind) for key in params):
            if kind in ("text", "name", "code"):
                assert params[parameter] in [text[start:end] for key, start, end in spans if key == parameter]
            elif kind not in ("choice", "number"):
                assert parameter in shown


@EACH
def test_the_code_stands_alone(name: str, lang: str) -> None:
    """Whoever reads it, and whatever reads it for them, finds one run of digits that is as long."""
    template = TEMPLATES[name]
    if "code" in template.params:
        text = render(wording(name, lang), values(template, code="90817264")).text
        assert re.findall(r"(?<![0-9])[0-9]{8}(?![0-9])", text) == ["90817264"]


@EACH
def test_directions_are_marked_in_pairs_where_letters_run_from_right_to_left(name: str, lang: str) -> None:
    template = TEMPLATES[name]
    for params in combinations(template):
        text, spans = render(wording(name, lang), params)
        marks = [each for each in text if unicodedata.category(each) == "Cf"]
        if lang != "ar":
            assert marks == []
            continue
        assert set(marks) <= {LRM}, "one kind of mark, none of which opens anything"
        assert len(marks) % 2 == 0
        first = next(each for each in text if unicodedata.bidirectional(each) in ("L", "R", "AL"))
        assert unicodedata.bidirectional(first) == "AL", "what is first decides for the whole text"
        inside = "".join(text.split(LRM)[1::2])
        assert not any(unicodedata.bidirectional(each) in ("R", "AL") for each in inside)
        for parameter, start, end in spans:
            if parameter in ("code", "order", "locker", "device"):
                assert text[start - 1] == text[end] == LRM
        for hotline in re.finditer(r"\+[0-9]+", text):
            assert text[hotline.start() - 1] == text[hotline.end()] == LRM


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize(
    "others",
    [
        {},
        {"code": "123 456", "order": "77-1042", "device": "Chrome (Windows)", "locker": "Station (12)"},
        {"payee": "Shop (UK)", "place": "Porto (2)", "order": "A-1", "rider": "علي", "at": "00:05"},
        {"device": "متصفح 5", "locker": "محطة 5", "payee": "متجر", "place": "الرياض"},
    ],
)
def test_arabic_is_seen_in_the_order_in_which_it_is_read(name: str, others: dict[str, str]) -> None:
    """By another implementation of the Unicode algorithm: each value looks as it does by itself."""
    text, spans = render(wording(name, "ar"), values(TEMPLATES[name], **others))
    line = seen(text)
    for parameter, start, end in spans:
        value = text[start:end]
        marked = f"{LRM}{value}{LRM}" if text[start - 1] == LRM else value
        alone = value if parameter == "code" else seen(marked)
        assert alone in line, parameter
    for constant in TEMPLATES[name].values.values():
        assert constant in line


def seen(text: str) -> str:
    """From left to right, as a handset sets it in a line that runs from right to left."""
    return get_display(text, base_dir="R").replace(LRM, "")


@EACH
def test_the_parts_are_few(name: str, lang: str) -> None:
    """In the GSM alphabet one, in UCS2 at most two, with values of everyday length."""
    template = TEMPLATES[name]
    for params in combinations(template):
        if params.get("currency", "EUR") not in ("EUR", "GBP", "JPY", "USD"):
            continue  # other symbols are outside the GSM alphabet
        segments = plan(render(wording(name, lang), params).text, Rules())
        assert segments.segments <= (1 if segments.encoding == "gsm7" else 2)
        assert segments.substituted == ()


@pytest.mark.parametrize("name", TEMPLATES)
def test_languages_differ_in_words_and_not_in_what_they_tell(name: str) -> None:
    """Choices and the words of a number aside, every language shows the same values."""
    template: TemplateFile = TEMPLATES[name]
    shown = {
        lang: {use.name for use in variables(read_text(name, lang)) if isinstance(use, Variable)}
        for lang in template.text
    }
    assert len({frozenset(names) for names in shown.values()}) == 1, shown
    rendered = {render(wording(name, lang), values(template)).text for lang in template.text}
    assert len(rendered) == len(template.text), "two languages with one text"


@EACH
def test_no_text_sells(name: str, lang: str) -> None:
    for params in combinations(TEMPLATES[name]):
        assert GATE.judge(render(wording(name, lang), params).text, lang) is None


@EACH
def test_plurals_have_a_branch_for_every_count(name: str, lang: str) -> None:
    """The categories are CLDR's, as another library knows them."""
    rule = Locale.parse(lang, sep="-").plural_form
    reachable = {rule(count) for count in (*range(121), 1.5)}
    for found in branches(name, lang):
        if found.how == "plural":
            assert set(found.of) == reachable
        else:
            assert found.how == "select"
            assert set(found.of) == {*TEMPLATES[name].params[found.name].of}


@pytest.mark.parametrize(("name", "lang"), [pair for pair in TEXTS if list(branches(*pair))])
def test_every_branch_is_reached(name: str, lang: str) -> None:
    """Each branch with its neighbours' words, filled, is in one of the texts."""
    template = TEMPLATES[name]
    texts = [render(wording(name, lang), params).text for params in combinations(template)]
    for found in branches(name, lang):
        for selector, branch in found.of.items():
            pattern = "".join(
                re.escape(piece) if isinstance(piece, str) else ".+"
                for piece in filled(branch, template.values)
            )
            assert pattern
            assert any(re.search(pattern, text) for text in texts), selector


@pytest.mark.parametrize(
    ("lang", "count", "words"),
    [
        ("en", 1, "1 minute."), ("en", 0, "0 minutes"), ("de", 1, "1 Minute."), ("de", 2, "2 Minuten."),
        ("fr", 0, "0 minute."), ("fr", 2, "2 minutes."), ("pt", 0, "0 minuto."), ("pt-PT", 0, "0 minutos."),
        ("pl", 1, "1 minutę"), ("pl", 22, "22 minuty"), ("pl", 12, "12 minut."), ("pl", "1.5", "1,5 minuty"),
        ("ru", 21, "21 минуту"), ("ru", 3, "3 минуты"), ("ru", 11, "11 минут."), ("ru", "1.5", "1,5 минуты"),
        ("uk", 21, "21 хвилину"), ("uk", 4, "4 хвилини"), ("uk", 12, "12 хвилин."),
        ("ar", 1, "دقيقة واحدة"), ("ar", 2, "دقيقتين"), ("ar", 3, "3 دقائق"), ("ar", 11, "11 دقيقة"),
        ("ar", 100, "100 دقيقة"), ("hi", 0, "0 मिनट"), ("ja", 1, "1 分間"), ("tr", 1, "1 dakika"),
    ],
)  # fmt: skip
def test_counts_as_people_say_them(lang: str, count: int | str, words: str) -> None:
    text = render(wording("login-code", lang), {"code": "482917", "minutes": count}).text
    assert words in text


@pytest.mark.parametrize(
    ("lang", "female", "male", "other"),
    [
        ("en", "She should", "He should", "They should"),
        ("de", "Ihre Kurierin Alex", "Ihr Kurier Alex", "Alex ist"),
        ("fr", "Votre livreuse Alex", "Votre livreur Alex", "Alex est"),
        ("es", "Su repartidora Alex", "Su repartidor Alex", "Alex va"),
        ("it", "La rider Alex è partita", "Il rider Alex è partito", "Alex è in viaggio"),
        ("pl", "Kurierka Alex wyruszyła", "Kurier Alex wyruszył", "Alex jest w drodze"),
        ("ru", "Курьер Alex выехала", "Курьер Alex выехал ", "Alex в пути"),
        (
            "ar",
            "مندوبة التوصيل Alex في طريقها",
            "مندوب التوصيل Alex في طريقه ",
            "فريق التوصيل (Alex) في طريقه",
        ),
        ("hi", "चुकी हैं", "चुके हैं", "रास्ते में हैं"),
    ],
)
def test_riders_by_their_gender(lang: str, female: str, male: str, other: str) -> None:
    texts = [
        render(wording("rider-dispatched", lang), {"rider": "Alex", "gender": gender, "minutes": 5}).text
        for gender in ("female", "male", "other")
    ]
    for text, words in zip(texts, (female, male, other), strict=True):
        assert words in text
    assert len(set(texts)) == 3


def test_the_rider_is_named_once() -> None:
    for lang in TEMPLATES["rider-dispatched"].text:
        for gender in ("female", "male", "other"):
            given = {"rider": "Xanthippe", "gender": gender, "minutes": 5}
            assert render(wording("rider-dispatched", lang), given).text.count("Xanthippe") == 1


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("pt-BR", "pt"),
        ("pt-PT", "pt-PT"),
        ("zh-Hans-CN", "zh"),
        ("de-AT", "de"),
        ("sv", "en"),
        ("es-MX", "es"),
    ],
)
def test_the_language_somebody_gets(asked: str, found: str) -> None:
    assert wording("login-code", asked).lang == found
