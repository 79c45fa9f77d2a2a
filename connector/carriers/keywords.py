"""Opt-out keywords: what a handset's message wants when it consists of nothing else.

The words stand in keywords.toml, by language. Only a whole message counts: "stop" in a sentence may be about
anything. The English words are those that carriers in North America have to honour.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from importlib.resources import files

import msgspec

from connector.journal.inbound import Keyword

__all__ = ["Keywords", "Words", "folded", "read", "shipped"]

_LONGEST = 64
"""Characters; a longer message is a text, and need not be looked at."""

# A question is no order; an emoji carries a variation selector.
_QUESTION = frozenset("?؟")
_VARIATION_SELECTOR = "\ufe0f"


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One language of keywords.toml, which explains the keys."""

    stop: tuple[str, ...]
    start: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    stop_suffixes: tuple[str, ...] = ()
    country_code: str = ""
    local_stop: tuple[str, ...] = ()


class Keywords:
    """`words` by BCP 47 tag; where two languages share a word, the first one is named."""

    def __init__(self, words: Mapping[str, Words]) -> None:
        self._everywhere: dict[str, Keyword] = {}
        self._local: dict[str, list[tuple[str, Keyword]]] = {}
        for tag, known in words.items():
            suffixed = [f"{word} {suffix}" for word in known.stop for suffix in known.stop_suffixes]
            for word in (*known.stop, *suffixed):
                self._everywhere.setdefault(folded(word), ("stop", tag))
            for word in known.start:
                self._everywhere.setdefault(folded(word), ("start", tag))
            for word in known.help:
                self._everywhere.setdefault(folded(word), ("help", tag))
            for word in known.local_stop:
                place = (f"+{known.country_code}", ("stop", tag))
                self._local.setdefault(folded(word), []).append(place)  # type: ignore[arg-type]

    def of(self, text: str, handset: str) -> Keyword | None:
        """What a message that says `text` and nothing else wants; `handset` as E.164 with +."""
        if len(text) > _LONGEST:
            return None
        word = folded(text)
        for prefix, keyword in self._local.get(word, ()):
            if handset.startswith(prefix):
                return keyword
        return self._everywhere.get(word)


def shipped() -> Keywords:
    """Those of keywords.toml."""
    return Keywords(read())


def read() -> dict[str, Words]:
    """keywords.toml."""
    text = files(__package__).joinpath("keywords.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Words])


def folded(text: str) -> str:
    """`text` without what writers of one word do differently: case, width, spaces, punctuation around it."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    # Turkish: dotted I became i and a dot that no i bears; dotless i has the capital of every i. Formatting
    # characters are invisible.
    text = text.replace("\u0131", "i").replace("i\u0307", "i")
    text = " ".join("".join(each for each in text if unicodedata.category(each) != "Cf").split())
    start, end = 0, len(text)
    while start < end and _is_around(text[start]):
        start += 1
    while end > start and _is_around(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_around(character: str) -> bool:
    if character in _QUESTION:
        return False
    return character == _VARIATION_SELECTOR or unicodedata.category(character)[0] in "PSZ"
