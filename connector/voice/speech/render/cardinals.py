"""Whole numbers in words, for the languages in which espeak-ng reads figures wrongly.

In Mandarin it leaves zeros out, so that 2005 is heard as 2500; in Japanese it knows no changes of sound (3000
is sanzen, not sansen).
"""

from __future__ import annotations

import re

__all__ = ["cardinal", "figures_in_words"]

_BEYOND = 10**12

_CHINESE = "零一二三四五六七八九"
_TRADITIONAL = str.maketrans("两亿万", "兩億萬")
_JAPANESE = ("", "いち", "に", "さん", "よん", "ご", "ろく", "なな", "はち", "きゅう")
_CHANGED = {
    "いちじゅう": "じゅう", "いちひゃく": "ひゃく", "いちせん": "せん",
    "さんひゃく": "さんびゃく", "ろくひゃく": "ろっぴゃく", "はちひゃく": "はっぴゃく",
    "さんせん": "さんぜん", "はちせん": "はっせん",
}  # fmt: skip
_FIGURES = re.compile(r"[0-9]+")
_MORE_THAN_A_NUMBER = re.compile(r"\s*[年月日号號点點]")
_FOUR_OF_THEM = re.compile(r"よん(?=\s*(?:えん|ねん))")


def cardinal(number: int, language: str) -> str | None:
    """The words for a number from 0 to below 10^12; None for a language that keeps its figures."""
    if language in ("zh", "yue"):
        words = _chinese(number)
        return words.translate(_TRADITIONAL) if language == "yue" else words
    return _japanese(number) if language == "ja" else None


def figures_in_words(text: str, language: str) -> str:
    """`text` without figures; unchanged for a language that keeps them."""
    if cardinal(0, language) is None:
        return text
    text = _FIGURES.sub(lambda found: _counted(found, language), text)
    return _FOUR_OF_THEM.sub("よ", text) if language == "ja" else text


def _counted(found: re.Match[str], language: str) -> str:
    number = int(found.group())
    if number >= _BEYOND:
        return "".join(cardinal(int(figure), language) or "" for figure in found.group())
    alone = number == 2 and not _MORE_THAN_A_NUMBER.match(found.string, found.end())
    if alone and language != "ja":
        return "两" if language == "zh" else "兩"
    return cardinal(number, language) or ""


def _groups(number: int) -> list[int]:
    """Of four figures each, the lowest first."""
    groups = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    return groups


def _chinese(number: int) -> str:
    if number == 0:
        return _CHINESE[0]
    words = ""
    gap = False
    for place, group in reversed(list(enumerate(_groups(number)))):
        if group == 0:
            gap = True
            continue
        if words and (gap or group < 1000):
            words += _CHINESE[0]
        gap = False
        words += "两" if group == 2 and place else _chinese_group(group)
        words += ("", "万", "亿")[place]
    return words[1:] if words.startswith("一十") else words


def _chinese_group(group: int) -> str:
    words = ""
    gap = False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        figure, group = divmod(group, unit)
        if figure == 0:
            gap = bool(words)
            continue
        words += _CHINESE[0] * gap + ("两" if figure == 2 and unit == 1000 else _CHINESE[figure]) + name
        gap = False
    return words


def _japanese(number: int) -> str:
    if number == 0:
        return "ぜろ"
    words = ""
    for place, group in reversed(list(enumerate(_groups(number)))):
        if group:
            words += _japanese_group(group, place) + ("", "まん", "おく")[place]
    return words


def _japanese_group(group: int, place: int) -> str:
    words = ""
    if place and group // 1000 == 1:
        words, group = "いっせん", group % 1000
    for unit, name in ((1000, "せん"), (100, "ひゃく"), (10, "じゅう"), (1, "")):
        figure, group = divmod(group, unit)
        if figure:
            said = _JAPANESE[figure] + name
            words += _CHANGED.get(said, said)
    return words
