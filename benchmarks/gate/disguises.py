"""Ways to write a phrase so that a reader sees it and a search for it does not."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from random import Random
from string import ascii_letters

__all__ = ["DISGUISES", "compose"]

_TABLES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
_ALIKE: dict[str, str] = _TABLES["alike"]
_SIGNS: dict[str, str] = _TABLES["signs"]
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_MARKS = "\u0300\u0301\u0302\u0308\u030a\u0327\u0335"
_BETWEEN = (" ", ".", "-", "_", "*", "·", "\n", "  ")


def _confusable(text: str, random: Random) -> str:
    return "".join(
        random.choice(_ALIKE.get(letter.lower(), letter)) if random.random() < 0.5 else letter
        for letter in text
    )


def _unseen(text: str, random: Random) -> str:
    return "".join(
        letter + random.choice(_UNSEEN) if letter.isalnum() and random.random() < 0.5 else letter
        for letter in text
    )


def _full_width(text: str, random: Random) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def _styled(text: str, random: Random) -> str:
    """Letters of mathematics, or in circles."""
    start = random.choice((0x1D5D4, 0x1D400, 0x24B6))
    small = start + 26
    return "".join(
        chr(start + ord(letter) - 65) if "A" <= letter <= "Z"
        else chr(small + ord(letter) - 97) if "a" <= letter <= "z" else letter
        for letter in text
    )  # fmt: skip


def _spaced(text: str, random: Random) -> str:
    between = random.choice(_BETWEEN)
    return "   ".join(between.join(word) for word in text.split())


def _signs(text: str, random: Random) -> str:
    """Digits and signs for letters; the first letter of each word stays one."""
    written = ""
    for index, letter in enumerate(text):
        choices = _SIGNS.get(letter.lower())
        first = index == 0 or not text[index - 1].isalnum()
        written += random.choice(choices) if choices and not first and random.random() < 0.7 else letter
    return written


def _accents(text: str, random: Random) -> str:
    return "".join(
        letter + random.choice(_MARKS) if letter in ascii_letters and random.random() < 0.3 else letter
        for letter in text
    )


def _case(text: str, random: Random) -> str:
    return "".join(random.choice((letter.lower(), letter.upper())) for letter in text)


def _broken(text: str, random: Random) -> str:
    """One of the longer words goes on in the next line."""
    words = text.split(" ")
    long = [number for number, word in enumerate(words) if len(word) >= 6]
    if long:
        number = random.choice(long)
        cut = random.randint(2, len(words[number]) - 2)
        words[number] = words[number][:cut] + random.choice(("\n", "-\n")) + words[number][cut:]
    return " ".join(words)


DISGUISES: dict[str, Callable[[str, Random], str]] = {
    "case": _case,
    "signs": _signs,
    "confusable": _confusable,
    "accents": _accents,
    "styled": _styled,
    "full_width": _full_width,
    "broken": _broken,
    "spaced": _spaced,
    "unseen": _unseen,
}
"""By name, in the order in which several may be applied to one text."""


def compose(text: str, names: set[str], random: Random) -> str:
    """The text under several disguises."""
    for name, disguise in DISGUISES.items():
        if name in names:
            text = disguise(text, random)
    return text
