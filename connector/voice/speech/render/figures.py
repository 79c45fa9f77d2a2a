"""Figures in a text that somebody wrote: what an engine would misread is put into words.

Engines read "482917" as one number and, in German, "5,000" as a decimal. A whole number of up to four figures
they read well in every language here (tests/voice/speech/test_phonemes.py), so it may stay.
"""

from __future__ import annotations

import re
import unicodedata

from babel import Locale

from connector.voice.speech.names import vocabulary

from .amounts import locale_of, spoken_decimals

__all__ = ["without_figures"]

_NUMBER = re.compile(r"[0-9]+(?:[.,'\u2019\u066b\u066c\xa0\u202f][0-9]+)*")
_MOST_FIGURES = 4
_LONGEST_GROUP = 3
_SPACES = "\xa0\u202f"
_SPACED = re.compile(r"(?<=[0-9]) (?=[0-9]{3}(?![0-9]))")


def without_figures(text: str, tag: str, language: str) -> str:
    """Codes and other long or zero-led figures digit by digit, decimals by their digits, thousands without
    marks.

    Digits of every script are understood. `1.234` is read as the language writes it: a decimal in English,
    and one thousand two hundred and thirty-four in German. Nobody writes three zeros for decimals: `5,000` is
    five thousand everywhere.
    """
    if not any(character.isdecimal() for character in text):
        return text
    text = "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in text)
    locale = locale_of(tag)
    if locale.number_symbols["latn"]["group"] in _SPACES:
        text = _SPACED.sub("\u202f", text)
    return _NUMBER.sub(lambda found: _spoken(found.group(), locale, language), text)


def _spoken(number: str, locale: Locale, language: str) -> str:
    symbols = locale.number_symbols["latn"]
    group, point = symbols["group"], symbols["decimal"]
    separator = rf"[{_SPACES}]" if group in _SPACES else re.escape(group)
    whole, _, decimals = number.partition(point)
    if decimals == "000" and whole[0] != "0" and len(whole) <= _LONGEST_GROUP:
        return whole + decimals
    grouped = re.fullmatch(rf"[1-9][0-9]{{0,2}}(?:{separator}[0-9]{{2,3}})*{separator}[0-9]{{3}}", whole)
    plain = re.sub(r"[^0-9]", "", whole) if grouped else whole
    if not plain.isdecimal() or (decimals and not decimals.isdecimal()):
        parts = re.split(r"[^0-9]+", number)
        return ", ".join(_whole(part, language, grouped=False) for part in parts)
    spoken = _whole(plain, language, grouped=grouped is not None)
    return f"{spoken} {spoken_decimals(decimals, language)}" if decimals else spoken


def _whole(figures: str, language: str, *, grouped: bool) -> str:
    is_code = len(figures) > _MOST_FIGURES or (figures[0] == "0" and len(figures) > 1)
    if grouped or not is_code:
        return figures
    words = vocabulary(language).words
    return ", ".join(words[int(figure)] for figure in figures)
