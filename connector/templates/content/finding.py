"""What the content gate says of a text it refuses."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["Finding", "Rule"]

Rule = Literal["lexicon", "price", "opt_out", "url", "hidden"]


class Finding(NamedTuple):
    """One wording that marks a text as marketing, or as one that hides what it says.

    rule   lexicon: a word or phrase; price: an amount or a share with a word that sells; opt_out: how to be
           taken off a list; url: an address that is not allowed; hidden: characters nobody sees
    entry  the entry of our lexicon or the rule's words, never the caller's text
    lang   the language of the lexicon that has the entry; empty where the rule knows no language
    start, end  the characters of the text as it was given: text[start:end]
    """

    rule: Rule
    entry: str
    lang: str
    start: int
    end: int
