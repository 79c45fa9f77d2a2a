"""The lexicons: one TOML file for each language, and what their entries mean. Pure.

A file has lists of words and phrases, in any case and with their accents:

strong   marketing wherever it stands
weak     marketing in company: with another weak word, a cue or a share in per cent; or when it hides. Counts
         in texts of its own language, and in those whose language is not known
cues     no marketing alone, but company for a weak word
clean    phrases within which no word counts ("feel free")
price    as strong, with {percent} or {amount} in it
opt_out  how to be taken off a list

and `currencies`: the words and codes that amounts have in the language; signs of currencies are known.

A star at the start or end of an entry stands for any further letters. Scripts that write no spaces, and
Korean, which adds endings, have stars everywhere.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Collection, Iterator
from importlib.resources import files
from typing import Final, Literal, NamedTuple, get_args

from .fold import Spelling, visible

__all__ = ["Entry", "Form", "Kind", "entries", "forms"]

Kind = Literal["strong", "weak", "cues", "clean", "price", "opt_out"]
_WITHOUT_SPACES: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR"})
_CASES_DIFFER: Final = frozenset({"CYRILLIC", "GREEK"})
_AMOUNT: Final = ("¤ #", "# ¤")
_PERCENT: Final = ("# %", "% #")


class Entry(NamedTuple):
    """One line of a lexicon, as it stands there.

    script      as in the name of its first letter: "LATIN"
    currencies  its language's, of an entry with {amount}
    """

    text: str
    lang: str
    kind: Kind
    script: str
    currencies: tuple[str, ...] = ()

    @property
    def spaceless(self) -> bool:
        """Whether its script writes words without spaces between them."""
        return self.script in _WITHOUT_SPACES


class Form(NamedTuple):
    """An entry as it stands in a folded text.

    words  its folded words; `#` is any number
    open_start, open_end  whether a word may go on there
    """

    entry: Entry
    words: tuple[str, ...]
    open_start: bool
    open_end: bool

    @property
    def spaced(self) -> str:
        """The form where words have two spaces between them: one is the word's, one its neighbour's."""
        start, end = "" if self.open_start else " ", "" if self.open_end else " "
        return f"{start}{'  '.join(self.words)}{end}"

    @property
    def letters(self) -> str:
        return "".join(self.words)


def entries(allow: Collection[str]) -> Iterator[Entry]:
    """All entries of all files, and the operator's phrases that are never refused."""
    for phrase in allow:
        yield Entry(phrase, "", "clean", _script(phrase))
    folder = files(__package__).joinpath("lexicons")
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if not path.name.endswith(".toml"):
            continue
        lists = tomllib.loads(path.read_text("utf-8"))
        currencies = tuple(lists.pop("currencies", ()))
        lang = path.name.removesuffix(".toml")
        for kind in get_args(Kind):
            for text in lists.pop(kind, ()):
                yield Entry(text, lang, kind, _script(text), currencies if "{amount}" in text else ())
        if lists:
            raise ValueError(f"{path.name} has unknown lists: {', '.join(lists)}")


def forms(entry: Entry, spelling: Spelling) -> Iterator[Form]:
    """The folded forms of an entry: capitals of some scripts look like other letters than small ones."""
    bare = entry.text.strip("*")
    always = entry.spaceless or entry.script == "HANGUL"
    open_start = always or entry.text.startswith("*")
    open_end = always or entry.text.endswith("*")
    cases = (bare, bare.upper(), bare.title()) if entry.script in _CASES_DIFFER else (bare,)
    seen = set()
    for text in cases:
        for filled in _filled(text, entry.currencies):
            words = tuple(visible(filled).replace("#", "0").translate(spelling).split())
            words = tuple(word.replace("0", "#") for word in words) if "#" in filled else words
            if words and words not in seen:
                seen.add(words)
                yield Form(entry, words, open_start and bool(words[0].strip("#%¤")), open_end)


def _filled(text: str, currencies: Collection[str]) -> Iterator[str]:
    lower = text.lower()
    if "{percent}" in lower:
        yield from (text[: lower.index("{")] + share + text[lower.index("}") + 1 :] for share in _PERCENT)
    elif "{amount}" in lower:
        amounts = [*_AMOUNT, *(f"# {name}" for name in currencies), *(f"{name} #" for name in currencies)]
        yield from (text[: lower.index("{")] + amount + text[lower.index("}") + 1 :] for amount in amounts)
    else:
        yield text


def _script(text: str) -> str:
    letter = next((character for character in text if character.isalpha()), "a")
    return unicodedata.name(letter, "LATIN").partition(" ")[0]
