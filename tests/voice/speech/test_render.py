"""Segments to words."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.segments import Amount, Date, Digits, Pause, Segment, Text
from connector.voice.speech.errors import RenderError
from connector.voice.speech.names import languages
from connector.voice.speech.render.cardinals import cardinal
from connector.voice.speech.render.pieces import SayDigits, SayText, Silence, pieces


def said(segment: Segment, tag: str) -> str:
    (piece,) = pieces((segment,), tag)
    assert isinstance(piece, SayText)
    return piece.text


@pytest.mark.rule("speech.whole-amounts")
@pytest.mark.parametrize(
    ("value", "currency", "tag", "words"),
    [
        ("5000", "EUR", "de", "5000 Euro"),
        ("5000.00", "EUR", "de", "5000 Euro"),
        ("5E3", "EUR", "de", "5000 Euro"),
        ("1", "USD", "en", "1 US dollar"),
        ("1234.50", "USD", "en", "1234 US dollars and 50 cents"),
        ("0.01", "USD", "en", "1 cent"),
        ("0.05", "GBP", "en-GB", "5 pence"),
        ("12.5", "EUR", "fr", "12 euros et 50 centimes"),
        ("12.345", "EUR", "en", "12 point three four five euros"),
        ("12.50", "KWD", "en", "12 point five zero Kuwaiti dinars"),
        ("12.5", "KWD", "en", "12 point five zero Kuwaiti dinars"),
        ("5000", "JPY", "en", "5000 Japanese yen"),
        ("2", "PLN", "pl", "2 złote polskie"),
        ("5.22", "PLN", "pl", "5 złotych polskich i 22 grosze"),
        ("12.50", "TZS", "sw", "shilingi za Tanzania 12 nukta tano sifuri"),
        ("3.02", "EUR", "cs", "3 eura a 2 centy"),
        ("21.21", "RUB", "ru", "21 российский рубль 21 копейка"),
        ("14.40", "MYR", "ms", "14 Ringgit Malaysia 40 sen"),
        ("2005.50", "USD", "zh", "两千零五 点 五 零美元"),
        ("11.11", "EUR", "zh", "十一 点 一 一欧元"),
        ("2", "CNY", "zh", "两 元人民币"),
        ("5000", "TWD", "zh-Hant", "五千 新台幣"),
        ("2012", "HKD", "yue", "兩千零一十二 港幣"),
        ("5000", "JPY", "ja", "ごせん えん"),
        ("14", "JPY", "ja", "じゅうよ えん"),
        ("8.05", "USD", "ja", "はち てん ぜろ ご ドル"),
    ],
)
def test_an_amount(value: str, currency: str, tag: str, words: str) -> None:
    assert said(Amount(value, currency), tag) == words


@pytest.mark.parametrize(
    ("value", "currency", "why"),
    [
        ("12,50", "EUR", "a decimal such as"), ("", "EUR", "a decimal such as"),
        ("NaN", "EUR", "a number from 0"), ("Infinity", "EUR", "a number from 0"),
        ("-1", "EUR", "a number from 0"), ("1E12", "EUR", "a number from 0"),
        ("7.25", "EURO", "ISO 4217"), ("7.25", "QQQ", "ISO 4217"), ("7.25", "", "ISO 4217"),
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused_without_being_named(value: str, currency: str, why: str) -> None:
    with pytest.raises(RenderError, match=why) as caught:
        pieces((Amount(value, currency),), "en")
    assert not value or value not in str(caught.value)


@pytest.mark.rule("speech.expand")
@pytest.mark.parametrize(
    ("day", "tag", "words"),
    [
        ("2026-11-23", "de", "dreiundzwanzigster November 2026"),
        ("2026-11-01", "fr", "premier novembre 2026"),
        ("2026-11-02", "fr", "2 novembre 2026"),
        ("2026-03-01", "en", "March first, 2026"),
        ("2026-03-01", "it", "primo marzo 2026"),
        ("2026-03-03", "ru", "третьего марта две тысячи двадцать шестого года"),
        ("2040-03-03", "ru", "третьего марта 2040 года"),
        ("2026-03-03", "ko", "2026년 3월 3일"),
        ("2020-02-02", "zh", "二零二零年 二月 二日"),
        ("2020-02-02", "zh-TW", "二零二零年 二月 二日"),
        ("2026-12-20", "yue", "二零二六年 十二月 二十日"),
        ("2024-04-20", "ja", "にせんにじゅうよねん しがつ はつか"),
        ("2026-12-24", "ms", "24 Disember 2026"),
    ],
)
def test_a_date(day: str, tag: str, words: str) -> None:
    assert said(Date(day), tag) == words


@pytest.mark.parametrize("day", ["2026-02-30", "23.11.2026", "", "2026-11"])
def test_what_is_no_day_is_refused_without_being_named(day: str) -> None:
    with pytest.raises(RenderError, match="a day as YYYY-MM-DD"):
        pieces((Date(day),), "en")


@pytest.mark.rule("speech.expand")
@pytest.mark.parametrize(
    ("text", "tag", "words"),
    [
        ("in 5 minutes", "en", "in 5 minutes"),
        ("code 482917", "en", "code four, eight, two, nine, one, seven"),
        ("PIN 0042", "en", "PIN zero, zero, four, two"),
        ("5,000 euros", "en", "5000 euros"),
        ("1,234,567 people", "en", "1234567 people"),
        ("1,234.50", "en", "1234 point five zero"),
        ("5.000 Euro", "de", "5000 Euro"),
        ("5,000 Euro", "de", "5000 Euro"),
        ("2,5 Prozent", "de", "2 Komma fünf Prozent"),
        ("1.234,50", "de", "1234 Komma fünf null"),
        ("5 000 euros", "fr", "5000 euros"),
        ("5\u202f000 euros", "fr", "5000 euros"),
        ("1,23,456", "hi", "123456"),
        ("٤٢", "ar", "42"),
        ("v1.2.3", "en", "v1, 2, 3"),
        ("2分钟,2月2日,12点", "zh", "两分钟,二月二日,十二点"),
        ("10211", "zh", "幺, 零, 二, 幺, 幺"),
        ("3ふん", "ja", "さんふん"),
    ],
)
def test_figures_in_a_text(text: str, tag: str, words: str) -> None:
    assert said(Text(text), tag) == words


@pytest.mark.parametrize(
    ("number", "zh", "ja"),
    [
        (0, "零", "ぜろ"), (10, "十", "じゅう"), (20, "二十", "にじゅう"), (101, "一百零一", "ひゃくいち"),
        (110, "一百一十", "ひゃくじゅう"), (600, "六百", "ろっぴゃく"),
        (333, "三百三十三", "さんびゃくさんじゅうさん"),
        (1012, "一千零一十二", "せんじゅうに"), (3800, "三千八百", "さんぜんはっぴゃく"),
        (8000, "八千", "はっせん"),
        (10_000, "一万", "いちまん"), (20_002, "两万零二", "にまんに"), (100_000, "十万", "じゅうまん"),
        (10_000_000, "一千万", "いっせんまん"), (100_200_003, "一亿零二十万零三", "いちおくにじゅうまんさん"),
    ],
)  # fmt: skip
def test_whole_numbers_where_the_engine_misreads_them(number: int, zh: str, ja: str) -> None:
    assert (cardinal(number, "zh"), cardinal(number, "ja"), cardinal(number, "de")) == (zh, ja, None)


@given(one=st.integers(0, 10**12 - 1), other=st.integers(0, 10**12 - 1), small=st.integers(0, 10**5))
def test_no_two_numbers_have_the_same_words(one: int, other: int, small: int) -> None:
    for language in ("zh", "yue", "ja"):
        words = {
            number: cardinal(number, language) for number in (one, other, small, small * 10, small * 10_000)
        }
        assert len(set(words.values())) == len(words)


def test_japanese_is_kana() -> None:
    assert pieces((Text("ありがとうございます、アルファ"),), "ja") == [
        SayText("ありがとうございます、アルファ")
    ]
    for segment in (Text("四月"), Text("々"), Amount("5", "KPW"), Text("𠮟る")):
        with pytest.raises(RenderError, match="no kanji is expected"):
            pieces((segment,), "ja-JP")


def test_neighbours_become_one_sentence() -> None:
    segments = (
        Text("Ihr Konto:"), Amount("5", "EUR"), Text("am"), Date("2026-11-23"),
        Pause(0.5), Digits("12"), Text("!"),
    )  # fmt: skip
    assert pieces(segments, "de") == [
        SayText("Ihr Konto: 5 Euro am dreiundzwanzigster November 2026"),
        Silence(0.5),
        SayDigits("12"),
        SayText("!"),
    ]


@pytest.mark.parametrize("digits", ["", "12a", "١٢", "1" * 33, "1 2"])
def test_digits_are_digits(digits: str) -> None:
    with pytest.raises(RenderError, match="1 to 32 of 0 to 9"):
        pieces((Digits(digits),), "en")


def test_limits() -> None:
    with pytest.raises(RenderError, match="no digit words for the language 'xx'"):
        pieces((Text("x"),), "xx")
    with pytest.raises(RenderError, match="at most 2000"):
        pieces((Text("x" * 2001),), "en")
    assert pieces((Pause(-1), Pause(1e9)), "en") == [Silence(0.0), Silence(10.0)]
    assert pieces((), "en") == []
    assert pieces((Text("  "),), "en") == []
    assert pieces((Text("all\0 of it\x07"),), "en") == [SayText("all of it")]


@pytest.mark.rule("speech.expand")
@given(
    tag=st.sampled_from(languages()),
    value=st.decimals(min_value=0, max_value=10**9, places=2).map(str),
    currency=st.sampled_from(["EUR", "USD", "INR", "PLN", "XAF"]),
    day=st.integers(0, 40_000).map(lambda days: (date(2000, 1, 1) + timedelta(days)).isoformat()),
    text=st.text(max_size=60),
)
def test_an_engine_gets_whole_numbers_and_nothing_else_in_figures(
    tag: str, value: str, currency: str, day: str, text: str
) -> None:
    if tag == "ja":
        currency = "EUR"
        text = "".join(character for character in text if ord(character) < 0x2E80)
    for segment in (Amount(value, currency), Date(day), Text(text)):
        for piece in pieces((segment,), tag):
            assert isinstance(piece, SayText)
            assert not re.search(r"\d[.,'\u2019]\d|(?<!\d)0\d|[^\x00-\x7f](?<=\d)", piece.text)
            if isinstance(segment, Text):
                assert all(len(run) <= 4 for run in re.findall(r"\d+", piece.text) if "," not in segment.text)
