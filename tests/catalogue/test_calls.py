"""What calls say of the catalogue's templates, and that a voice can say it."""

import re
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from connector.config.voice import SpeechConfig
from connector.segments import Date, Pause, Text
from connector.templates import speak
from connector.templates.content import ContentGate
from connector.voice.speech import Speech, match
from connector.voice.speech.names import vocabulary
from tests.catalogue.shelf import SPOKEN, TEMPLATES, TEXTS, combinations, values, wording

GATE = ContentGate()
LONGEST_S = 25.0
"""A listener who has not understood by then has hung up."""

MESSAGES = [(name, lang) for name, lang in SPOKEN if wording(name, lang).say]


def test_who_is_called() -> None:
    assert {name for name, _ in MESSAGES} == {
        "new-device", "order-in-locker", "order-overdue", "rider-dispatched",
    }  # fmt: skip
    assert {name for name, _ in SPOKEN} - {name for name, _ in MESSAGES} == {
        "login-code", "payment-code", "pickup-code",
    }  # fmt: skip
    unspoken = {lang for _, lang in TEXTS if match(lang) is None}
    assert unspoken == {"th"}, "docs/catalogue.md says which languages have no voice"


@pytest.mark.parametrize(("name", "lang"), MESSAGES)
def test_every_message_says_something(name: str, lang: str) -> None:
    template = TEMPLATES[name]
    assert match(lang) is not None
    for params in combinations(template):
        code, message = speak(wording(name, lang), params)
        assert code == "", "a message may reach an answering machine"
        words = " ".join(piece.text for piece in message if isinstance(piece, Text))
        assert sum(unicodedata.category(each).startswith("L") for each in words) >= 15
        assert template.values["brand"] in words
        assert not re.search(r"[{}]|[0-9]{2,}", words)
        assert unicodedata.is_normalized("NFC", words)
        assert GATE.judge(words, lang) is None
        assert all(piece.text == piece.text.strip() for piece in message if isinstance(piece, Text))
        assert all(isinstance(piece, Text | Date | Pause) for piece in message)
    dates = [name for name, parameter in template.params.items() if parameter.kind == "date"]
    assert sum(isinstance(piece, Date) for piece in message) == len(dates)


@pytest.mark.parametrize("name", ["login-code", "payment-code", "pickup-code"])
def test_codes_are_read_without_their_groups(name: str) -> None:
    template = TEMPLATES[name]
    for lang in template.text:
        code, message = speak(wording(name, lang), values(template, code="482 917"))
        assert (code, message) == ("482917", ())
        if (spoken := match(lang)) is not None:
            assert vocabulary(spoken).phrases["code_intro"]


def test_arabic_has_its_vowels_and_japanese_its_kana() -> None:
    """The engine reads no others right."""
    for name, lang in MESSAGES:
        texts = [piece for piece in TEMPLATES[name].voice.say[lang] if isinstance(piece, str)]
        words = "".join(texts).replace("{brand}", "")
        if lang == "ar":
            vowels = sum(unicodedata.category(each) == "Mn" for each in words)
            assert vowels > 0.4 * sum(unicodedata.category(each) == "Lo" for each in words)
        if lang == "ja":
            assert not re.search("[\u3400-\u9fff]", words)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def speech(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Speech]:
    speech = Speech(SpeechConfig(), tmp_path_factory.mktemp("speech"))
    await speech.start([])
    yield speech
    await speech.stop()


@pytest.mark.timeout(240)
@pytest.mark.asyncio(loop_scope="module")
async def test_every_message_is_spoken_in_a_bearable_time(speech: Speech, tmp_path: Path) -> None:
    for name, lang in MESSAGES:
        _, message = speak(wording(name, lang), values(TEMPLATES[name]))
        audio = await speech.prompt(lang, message, "normal")
        assert 3.0 < audio.seconds < LONGEST_S, (name, lang)
