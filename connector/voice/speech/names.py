"""The names of what is spoken: phrases, languages and paces; what the daemon may know without an engine."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Literal, get_args

import msgspec

from connector.config.voice import call_language

__all__ = [
    "DIGITS", "PACES", "PHRASES", "Pace", "PhraseName", "Vocabulary", "languages", "match", "narrowed",
    "vocabulary",
]  # fmt: skip

Pace = Literal["normal", "slow"]
PACES: Final[tuple[Pace, ...]] = get_args(Pace)

PhraseName = Literal[
    "greeting", "gate", "gate_message", "code_intro", "again", "menu_agent", "menu", "confirm",
    "confirm_agent", "confirmed", "denied", "connecting", "agent_unavailable", "goodbye",
]  # fmt: skip
PHRASES: Final[tuple[PhraseName, ...]] = get_args(PhraseName)

DIGITS: Final = "0123456789"


class _Digits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    words: Annotated[tuple[str, ...], msgspec.Meta(min_length=10, max_length=10)]
    point: str


class Vocabulary(msgspec.Struct, frozen=True):
    """What of one language needs no rules.

    words    the ten digits as read out in a code
    point    the word between a number and its decimals
    phrases  the text of every fixed phrase
    """

    words: tuple[str, ...]
    point: str
    phrases: dict[PhraseName, str]


@cache
def _digits() -> dict[str, _Digits]:
    return msgspec.convert(tomllib.loads(_read("digits.toml")), dict[str, _Digits])


def languages() -> tuple[str, ...]:
    """The BCP 47 languages that can be spoken, in the order of the alphabet."""
    return tuple(_digits())


def match(tag: str) -> str | None:
    """The language of `languages()` that serves a BCP 47 tag ("de-AT" is served by "de"), None without
    one.
    """
    return call_language(tag)


def narrowed(tag: str) -> str:
    """`tag` for those who know no aliases: "en-GB" stays, "no" becomes "nb" and "zh-HK" "yue"."""
    language = match(tag)
    return tag if language is None or tag.lower().startswith(language) else language


@cache
def vocabulary(language: str) -> Vocabulary:
    """Of one of `languages()`; KeyError for another."""
    digits = _digits()[language]
    found = tomllib.loads(_read(f"phrases/{language}.toml"))
    phrases = msgspec.convert(found, dict[PhraseName, str])
    if phrases.keys() != set(PHRASES):
        raise KeyError(f"phrases/{language}.toml: expected exactly {', '.join(PHRASES)}")
    return Vocabulary(digits.words, digits.point, phrases)


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")
