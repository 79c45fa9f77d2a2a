"""What the engine really says, by its phonemes: our words against words that were written out by hand."""

from collections.abc import Callable
from difflib import SequenceMatcher

import pytest

from connector.segments import Amount, Date, Digits, Text
from connector.voice.speech.names import languages, vocabulary
from connector.voice.speech.render.pieces import SayDigits, SayText, pieces

Phonemes = Callable[[str, str], str]

# 5000 EUR, which must not become five, or fifty.
FIVE_THOUSAND = {
    "bg": "пет хиляди евро",
    "cs": "pět tisíc eur",
    "da": "fem tusind euro",
    "de": "fünftausend Euro",
    "el": "πέντε χιλιάδες ευρώ",
    "en": "five thousand euros",
    "es": "cinco mil euros",
    "fi": "viisituhatta euroa",
    "fr": "cinq mille euros",
    "hi": "पाँच हज़ार यूरो",
    "hr": "pet tisuća eura",
    "hu": "ötezer euró",
    "id": "lima ribu Euro",
    "it": "cinquemila euro",
    "ja": "ごせんユーロ",
    "ko": "오천 유로",
    "ms": "lima ribu Euro",
    "nb": "fem tusen euro",
    "nl": "vijfduizend euro",
    "pl": "pięć tysięcy euro",
    "pt": "cinco mil Euros",
    "ro": "cinci mii de euro",
    "ru": "пять тысяч евро",
    "sk": "päť tisíc eur",
    "sv": "femtusen euro",
    "sw": "yuro elfu tano",
    "tr": "beş bin euro",
    "uk": "п'ять тисяч євро",
    "ur": "پانچ ہزار یورو",
    "yue": "五千歐元",
    "zh": "五千欧元",
}

CHRISTMAS = {
    "cs": "dvacátého čtvrtého prosince dva tisíce dvacet šest",
    "da": "den fireogtyvende december to tusind og seksogtyve",
    "de": "vierundzwanzigster Dezember zweitausendsechsundzwanzig",
    "en": "December twenty-fourth, two thousand twenty six",
    "es": "veinticuatro de diciembre de dos mil veintiséis",
    "fi": "kahdeskymmenesneljäs joulukuuta kaksituhatta kaksikymmentä kuusi",
    "fr": "vingt-quatre décembre deux mille vingt-six",
    "hu": "kétezer huszonhat december huszonnegyedike",
    "it": "ventiquattro dicembre duemilaventisei",
    "ja": "にせんにじゅうろくねんじゅうにがつにじゅうよっか",
    "ms": "dua puluh empat Disember dua ribu dua puluh enam",
    "nl": "vierentwintig december tweeduizend zesentwintig",
    "pl": "dwudziestego czwartego grudnia dwa tysiące dwudziestego szóstego roku",
    "pt": "vinte e quatro de dezembro de dois mil e vinte e seis",
    "ru": "двадцать четвёртого декабря две тысячи двадцать шестого года",
    "sv": "den tjugofjärde december tvåtusentjugosex",
    "tr": "yirmi dört Aralık iki bin yirmi altı",
    "uk": "двадцять четвертого грудня дві тисячі двадцять шостого року",
    "yue": "二零二六年十二月二十四日",
    "zh": "二零二六年十二月二十四日",
}


# Short words that the engine says otherwise in figures; compared by eye: ʔotə and ɒɒdə, iɫ and ir.
# Figures have other words in Japanese (rei, shi, shichi) and in Chinese (yi).
BY_EYE = {("da", 8), ("ko", 1), ("ja", 0), ("ja", 4), ("ja", 7), ("zh", 1)}


def alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def spoken(segment: Amount | Date | Text, language: str) -> str:
    (piece,) = pieces((segment,), language)
    assert isinstance(piece, SayText)
    return piece.text


@pytest.mark.rule("speech.whole-amounts", "speech.expand")
@pytest.mark.parametrize("language", FIVE_THOUSAND)
def test_five_thousand_euros(language: str, phonemes: Phonemes) -> None:
    said = phonemes(language, spoken(Amount("5000", "EUR"), language))
    meant = phonemes(language, FIVE_THOUSAND[language])
    assert alike(said, meant) >= 0.75, (said, meant)
    five = phonemes(language, spoken(Amount("5", "EUR"), language))
    fifty = phonemes(language, spoken(Amount("50", "EUR"), language))
    assert alike(said, meant) > max(alike(said, five), alike(said, fifty)), (said, five, fifty)


@pytest.mark.rule("speech.expand")
@pytest.mark.parametrize("language", CHRISTMAS)
def test_a_date(language: str, phonemes: Phonemes) -> None:
    said = phonemes(language, spoken(Date("2026-12-24"), language))
    meant = phonemes(language, CHRISTMAS[language])
    assert alike(said, meant) >= 0.75, (said, meant)


@pytest.mark.rule("speech.expand")
def test_dollars_and_cents(phonemes: Phonemes) -> None:
    said = phonemes("en", spoken(Amount("1234.50", "USD"), "en"))
    meant = phonemes("en", "one thousand two hundred thirty four U.S. dollars and fifty cents")
    assert alike(said, meant) >= 0.9, (said, meant)


@pytest.mark.rule("speech.expand")
def test_the_engine_alone_would_say_something_else(phonemes: Phonemes) -> None:
    """So that our words are known to be needed: both traps are still there."""
    assert "kɔmɑ" in phonemes("de", "5,000 Euro")
    assert "kɔmɑ" not in phonemes("de", spoken(Text("5,000 Euro"), "de"))
    digits = phonemes("en", " ".join(vocabulary("en").words[int(digit)] for digit in "482917"))
    assert alike(phonemes("en", "482917"), digits) < 0.6
    assert alike(phonemes("en", spoken(Text("482917"), "en")), digits) >= 0.95


@pytest.mark.rule("speech.digits-one-by-one", "speech.expand")
@pytest.mark.parametrize("language", languages())
def test_every_digit_is_the_word_that_the_language_has(language: str, phonemes: Phonemes) -> None:
    """A code is ten words; of each the engine's own reading of the figure is a second opinion."""
    assert pieces((Digits("482917"),), language) == [SayDigits("482917")]
    for figure, word in enumerate(vocabulary(language).words):
        said = phonemes(language, word)
        assert "(en)" not in said
        assert said
        ours = [alike(said, phonemes(language, str(other))) for other in range(10)]
        assert ours[figure] == max(ours) or (language, figure) in BY_EYE, (figure, word, said, ours)


@pytest.mark.rule("speech.expand")
@pytest.mark.parametrize("language", ["ja", "yue", "zh"])
def test_nothing_of_ours_has_a_sign_that_the_engine_cannot_read(language: str, phonemes: Phonemes) -> None:
    """It names such a sign in English."""
    assert "(en)" in phonemes("ja", "四")
    for name, text in vocabulary(language).phrases.items():
        assert "(en)" not in phonemes(language, text), name
    for month in range(1, 13):
        assert "(en)" not in phonemes(language, spoken(Date(f"2026-{month:02}-03"), language))
    for currency in ("EUR", "USD", "JPY", "CNY", "MYR", "INR"):
        assert "(en)" not in phonemes(language, spoken(Amount("12.34", currency), language))


@pytest.mark.rule("speech.expand")
def test_chinese_zeros_are_said(phonemes: Phonemes) -> None:
    """The engine alone leaves them out: 2005 is then 2500 to a listener."""
    zero = phonemes("zh", "零")
    assert zero not in phonemes("zh", "2005")
    assert zero in phonemes("zh", spoken(Amount("2005", "EUR"), "zh"))
    assert zero not in phonemes("zh", spoken(Amount("2500", "EUR"), "zh"))
