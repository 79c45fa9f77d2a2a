"""Which ASCII letter a character can be taken for: the data of Unicode UTS #39, and a few of our own."""

from __future__ import annotations

import tomllib
import unicodedata
from importlib.resources import files

import msgspec

__all__ = ["lookalikes"]


class _Twin(msgspec.Struct):
    """One entry of the package's list: a character (some are sequences)."""

    c: str


def lookalikes() -> dict[str, str]:
    """Character → the lower-case ASCII letter it looks like.

    Of confusable-homoglyphs only its data file is read: the module itself brings an HTTP client along. A
    character counts with the case it has; where its other case alone looks like a letter, that letter counts
    for both (the Cyrillic ve is a B only as a capital), so that words fold alike in any case.
    """
    data = files("confusable_homoglyphs").joinpath("confusables.json").read_bytes()
    table = msgspec.json.decode(data, type=dict[str, list[_Twin]])
    found: dict[str, str] = {}
    for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ":
        for twin in table.get(letter, ()):
            # Digits and signs are left to the spelling with digits, or every number would be a word.
            if len(twin.c) == 1 and not twin.c.isascii() and unicodedata.category(twin.c)[0] in "LSN":
                found.setdefault(twin.c, letter.lower())
    for character, letter in list(found.items()):
        other = character.swapcase()
        if len(other) == 1 and other.lower() == character.lower():
            found.setdefault(other, letter)
    ours = tomllib.loads(files(__package__).joinpath("lookalikes.toml").read_text("utf-8"))
    for letter, characters in ours["letters"].items():
        found.update(dict.fromkeys(characters, letter))
    return {character: letter for character, letter in found.items() if not character.isdecimal()}
