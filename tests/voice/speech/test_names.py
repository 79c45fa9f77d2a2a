"""The tables: languages, digit words, phrases, voices."""

import re
from pathlib import Path

import pytest

from connector.config.voice import CALL_LANGUAGES, SpeechConfig
from connector.voice.speech.engines.espeak import Espeak, voice_of
from connector.voice.speech.engines.espeak import _voices as voices
from connector.voice.speech.errors import EngineError
from connector.voice.speech.names import PHRASES, languages, match, narrowed, vocabulary
from connector.voice.speech.render.tables import date_words, money_words
from tests.project.test_import_diet import imported_by

REPOSITORY = Path(__file__).parents[3]


@pytest.mark.rule("speech.digits-one-by-one")
def test_there_are_languages_enough() -> None:
    assert len(languages()) >= 20
    assert list(languages()) == sorted(languages())


@pytest.mark.parametrize("language", languages())
def test_a_language_is_complete(language: str) -> None:
    words = vocabulary(language)
    assert len(set(words.words)) == 10
    assert set(words.phrases) == set(PHRASES)
    assert len(set(words.phrases.values())) == len(PHRASES)
    for text in (*words.words, words.point, *words.phrases.values()):
        assert text.strip() == text != ""
        assert not any(character.isdecimal() for character in text)
    assert "{month}" in date_words(language).pattern
    assert all("other" in forms for forms in money_words(language).units.values())


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("de", "de"), ("de-AT", "de"), ("DE_at", "de"), ("de-Latn-AT", "de"), ("no", "nb"), ("nn-NO", "nb"),
        ("pt-BR", "pt"), ("in", "id"), ("xx", None), ("", None),
        ("zh-CN", "zh"), ("zh-Hans", "zh"), ("zh-Hant-TW", "zh"), ("zh_HK", "yue"), ("zh-Hant-HK", "yue"),
        ("cmn", "zh"), ("ja-JP", "ja"), ("ms-MY", "ms"), ("deu", None),
    ],
)  # fmt: skip
def test_a_tag_finds_its_language(tag: str, language: str | None) -> None:
    assert match(tag) == language


def test_the_configuration_knows_the_same_languages() -> None:
    assert languages() == CALL_LANGUAGES


def test_those_who_know_no_aliases_get_the_language() -> None:
    tags = ("en-GB", "no-NO", "zh-HK", "zh-Hant-TW", "xx")
    assert [narrowed(tag) for tag in tags] == ["en-GB", "nb", "yue", "zh-Hant-TW", "xx"]


@pytest.mark.rule("speech.voice-names")
def test_voices_are_asked_for_by_names_that_the_engine_has(espeak: Espeak) -> None:
    for voice in voices().values():
        assert espeak._library.espeak_SetVoiceByName(voice.encode()) == 0, voice
    espeak._voice = ""
    for wrong in ("fr-fr", "en-gb"):
        assert espeak._library.espeak_SetVoiceByName(wrong.encode()) != 0
        assert wrong not in voices().values()
    assert [voice_of(tag) for tag in ("fr-FR", "fr", "en-GB", "pt-BR", "de-Latn-AT")] == [
        "fr", "fr", "en-gb-x-rp", "pt-br", "de",
    ]  # fmt: skip
    assert {voice_of(language) for language in languages()} <= set(voices().values())
    with pytest.raises(EngineError, match="no voice here for the language 'xx'"):
        voice_of("xx")


def test_the_engine_of_the_configuration_is_one() -> None:
    assert SpeechConfig().engine == "espeak"


def test_the_page_has_every_language() -> None:
    page = (REPOSITORY / "docs" / "speech.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z]+)` \| .* \| ([a-z-]+) \| digits", page, re.MULTILINE)
    assert rows == [(language, voice_of(language)) for language in languages()]
    assert set(re.findall(r"^\| `([a-z_]+)` \| [^|]*\|$", page, re.MULTILINE)) >= set(PHRASES)


@pytest.mark.rule("speech.one-process")
def test_the_daemons_part_imports_no_engine() -> None:
    modules = imported_by("connector.voice.speech")
    assert modules.isdisjoint({"numpy", "soxr", "babel", "piper", "ctypes", "rich"})
    assert imported_by("connector.cli.say").isdisjoint({"numpy", "soxr", "babel", "asyncio"})
