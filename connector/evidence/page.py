"""HTML put together so that nothing of others can break out of its place, or show as what it is not."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from html import escape
from typing import Final

__all__ = ["Markup", "given", "join", "page", "tag"]

_VOID: Final = frozenset({"br", "meta", "wbr"})
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class Markup(str):
    """HTML that is ready; every other text is escaped where it is put in."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str) -> Markup:
    """One element. An attribute that is a word of Python's ends in `_`; `_` within one is a hyphen."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value
    )
    if name in _VOID:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{join(children)}</{name}>")


def join(pieces: Iterable[str], between: str = "") -> Markup:
    """`pieces` one after another; those that are no Markup are escaped."""
    return Markup(_escaped(between).join(_escaped(piece) for piece in pieces))


def given(text: object) -> Markup:
    """What an application or a carrier gave, for a reader: in its own direction, and with what cannot be seen
    or would turn its neighbours around as `⟨U+202E⟩`.
    """
    return tag("bdi", "".join(_visible(character) for character in str(text)))


def page(title: str, css: str, body: Iterable[str], class_: str = "") -> str:
    """A document that needs nothing besides itself: no script, no font, no picture is fetched."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag(
            "meta",
            http_equiv="Content-Security-Policy",
            content="default-src 'none'; style-src 'unsafe-inline'",
        ),
        tag("title", "".join(_visible(character) for character in title)),
        tag("style", Markup(css)),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', *body), lang='en', class_=class_)}\n"


def _escaped(text: str) -> str:
    return text if isinstance(text, Markup) else escape(text)


def _visible(character: str) -> str:
    point = ord(character)
    noncharacter = point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF
    if noncharacter or unicodedata.category(character) in _UNSEEN:
        return f"⟨U+{point:04X}⟩"
    return character
