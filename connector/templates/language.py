"""Which of a template's languages serves a reader: BCP 47 tags, matched by lookup. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

__all__ = ["lookup"]

T = TypeVar("T")

# Tags that were replaced, and names that people use for another (IANA registry, CLDR languageAlias).
_TODAY: Final = {
    "iw": "he", "in": "id", "ji": "yi", "jw": "jv", "mo": "ro", "no": "nb", "tl": "fil", "cmn": "zh",
}  # fmt: skip
_SPELLINGS: Final = {
    tag: [other for pair in _TODAY.items() for other in pair if tag in pair and other != tag]
    for pair in _TODAY.items()
    for tag in pair
}

# Where Chinese is written in the traditional script (CLDR likelySubtags).
_TRADITIONAL: Final = frozenset(["tw", "hk", "mo"])
_SCRIPTS: Final = frozenset(["hant", "hans"])


def lookup(texts: Mapping[str, T], lang: str) -> T | None:
    """The text for the tag, or for a coarser form of it (RFC 4647 §3.4). Keys are in lower case.

    A replaced tag counts as the one of today, and the other way round. Chinese of a region is looked for in
    the region's script before its language alone: zh-TW is served by zh-Hant before zh, and zh by zh-Hans.
    """
    tag = lang.casefold()
    language, dash, rest = tag.partition("-")
    for spelling in (tag, *(other + dash + rest for other in _SPELLINGS.get(language, ()))):
        for candidate in _coarser(spelling):
            if (found := texts.get(candidate)) is not None:
                return found
    return None


def _coarser(tag: str) -> Iterator[str]:
    """The tag, then without subtags at its end; a single character is never the last."""
    subtags = tag.split("-")
    asked = frozenset(subtags[1:])
    while len(subtags) > 1:
        yield "-".join(subtags)
        subtags.pop()
        if len(subtags) > 1 and len(subtags[-1]) == 1:
            subtags.pop()
    language = subtags[0]
    # Whoever names a script means it.
    script = "" if language != "zh" or asked & _SCRIPTS else "hant" if asked & _TRADITIONAL else "hans"
    if script and asked:
        yield f"{language}-{script}"
    yield language
    if script and not asked:
        yield f"{language}-{script}"
