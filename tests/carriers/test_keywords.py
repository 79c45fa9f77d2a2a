"""Opt-out keywords: whole messages in many languages, and nothing that only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.carriers import keywords
from connector.carriers.keywords import Keywords, Words, folded

SHIPPED = keywords.shipped()
WORDS = keywords.read()
SOMEWHERE = "+15550100"

STOPS = {
    "en": "STOP", "fr": "Arrêt", "es": "BAJA", "pt": "Sair", "de": "Abmelden", "nl": "afmelden",
    "it": "Disiscrivimi", "sv": "Stoppa", "da": "AFMELD", "nb": "Avmeld", "fi": "Lopeta", "pl": "Rezygnuję",
    "cs": "Odhlásit", "hu": "LEIRATKOZÁS", "ro": "Dezabonare", "hr": "Odjava", "el": "ΔΙΑΓΡΑΦΉ",
    "ru": "ОТПИСАТЬСЯ", "uk": "Відписатися", "tr": "İptal", "ar": "إلغاء", "he": "הסר", "fa": "لغو",
    "hi": "रोकें", "bn": "বন্ধ", "ta": "நிறுத்து", "zh": "退订", "ja": "配信停止", "ko": "수신거부",
    "th": "หยุด", "vi": "HỦY", "id": "BERHENTI", "sw": "Sitisha",
}  # fmt: skip


@pytest.mark.parametrize(("language", "word"), STOPS.items())
def test_stop_in_each_language(language: str, word: str) -> None:
    assert SHIPPED.of(word, SOMEWHERE) == ("stop", language)


def test_there_are_many_languages() -> None:
    assert len(WORDS) >= 40
    assert set(STOPS) <= set(WORDS)


@pytest.mark.parametrize(
    "text",
    [
        "stop", "Stop", "STOP", " stop ", "STOP.", "Stop!!", '"STOP"', "“Stop”", "(stop)", "ＳＴＯＰ",
        "stop\r\n", "STOP 🛑", "stop ❤️", "st\u00adop", "\u200bstop", "*STOP*", "stop all",
        "STOP  ALL", "Stop sms.", "stopall", "OPT-OUT", "opt out", "STOP PUB", "stopp alle", "Salir",
    ],
)  # fmt: skip
def test_however_it_is_written(text: str) -> None:
    found = SHIPPED.of(text, SOMEWHERE)
    assert found is not None
    assert found[0] == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "!", "no", "yes", "ok", "t", "r", "n", "1", "stop?", "Stop it", "stopped", "non-stop",
        "bus stop", "don't stop", "please do not stop", "stop worrying", "the end", "weekend", "quite",
        "I cancel nothing", "stop, start", "s t o p", "fin", "dung", "dùng", "đúng", "bajada", "rest",
        "retour", "seis", "acha", "dur", "ret", "huy", "abi", "stop " * 30,
    ],
)  # fmt: skip
def test_no_false_alarm(text: str) -> None:
    assert SHIPPED.of(text, SOMEWHERE) is None


@pytest.mark.parametrize("text", ["İPTAL", "iptal", "IPTAL", "İptal et"])
def test_the_dotted_capital_of_turkish(text: str) -> None:
    assert SHIPPED.of(text, "+905321234567") == ("stop", "tr")


def test_single_letters_mean_something_in_their_country_only() -> None:
    assert SHIPPED.of("T", "+8613800138000") == ("stop", "zh")
    assert SHIPPED.of("TC", "+84912345678") == ("stop", "vi")
    assert SHIPPED.of("RET", "+905321234567") == ("stop", "tr")
    for handset in ("+15550100", "13800138000", "+85212345678"):
        assert SHIPPED.of("T", handset) is None
        assert SHIPPED.of("TC", handset) is None


def test_start_and_help() -> None:
    for text, expected in {
        "START": ("start", "en"), "unstop": ("start", "en"), "Alta": ("start", "es"),
        "старт": ("start", "ru"),
        "HELP": ("help", "en"), "Hilfe": ("help", "de"), "AIDE": ("help", "fr"), "帮助": ("help", "zh"),
    }.items():  # fmt: skip
        assert SHIPPED.of(text, SOMEWHERE) == expected


def test_a_shared_word_is_the_first_languages() -> None:
    words = Keywords({"aa": Words(stop=("same",)), "bb": Words(stop=("same", "other"))})
    assert words.of("same", SOMEWHERE) == ("stop", "aa")
    assert words.of("other", SOMEWHERE) == ("stop", "bb")


def test_no_word_of_the_file_means_two_things() -> None:
    kinds: dict[str, dict[str, str]] = {}
    for tag, words in WORDS.items():
        for kind in ("stop", "start", "help"):
            for word in getattr(words, kind):
                kinds.setdefault(folded(word), {})[kind] = tag
    assert {word: found for word, found in kinds.items() if len(found) > 1} == {}


def test_every_word_of_the_file_is_found_as_it_stands_and_in_capitals() -> None:
    for words in WORDS.values():
        for kind in ("stop", "start", "help"):
            for word in getattr(words, kind):
                assert folded(word), word
                for written in (word, word.upper(), word.title(), f"  {word}. "):
                    found = SHIPPED.of(written, SOMEWHERE)
                    assert found is not None, written
                    assert found[0] == kind, written


def test_short_words_of_the_file_are_bound_to_a_country() -> None:
    for tag, words in WORDS.items():
        assert bool(words.local_stop) == bool(words.country_code), tag
        for word in (*words.stop, *words.start, *words.help):
            letters = folded(word)
            assert len(letters) >= 3 or not letters.isascii() or letters == "td", word


@given(st.text(max_size=100), st.sampled_from(["", " ", "\r\n", "!", "…", ' "']))
def test_any_text_is_looked_at_and_what_is_around_it_does_not_matter(text: str, around: str) -> None:
    if len(text) <= 60:
        assert SHIPPED.of(around + text + around, SOMEWHERE) == SHIPPED.of(text, SOMEWHERE)
