"""Names of people and shops in texts: letters and what stands between them, nothing that a handset links."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from .refusal import Unfit

__all__ = ["name_fault"]

_BETWEEN: Final = frozenset(" '-.\u2019\u00b7")
_JOINERS: Final = frozenset("\u200c\u200d")
_VIRAMA: Final = 9  # Canonical_Combining_Class


def name_fault(name: str) -> Unfit | None:
    """What keeps `name` from being one."""
    if name[0] != " " and name.replace(" ", "").isalpha():
        return None
    for at, character in enumerate(name):
        category = unicodedata.category(character)
        if category[0] in "LM" or character in _BETWEEN or _joins(name, at):
            continue
        what = "a digit" if category[0] == "N" else "a character that names do not have"
        return Unfit(f"has {what}, expected letters, spaces and ' - .", (at, at + 1))
    if unicodedata.category(name[0])[0] != "L":
        return Unfit("begins with no letter, expected one", (0, 1))
    return _link(name)


def _joins(name: str, at: int) -> bool:
    """Joiners have a meaning after a virama, and between letters of Arabic script (RFC 5892 §A.1, §A.2)."""
    if name[at] not in _JOINERS or not 0 < at < len(name) - 1:
        return False
    if unicodedata.combining(name[at - 1]) == _VIRAMA:
        return True
    return unicodedata.bidirectional(name[at - 1]) == unicodedata.bidirectional(name[at + 1]) == "AL"


_LETTER: Final = re.compile(r"[^\W\d_]")
_DOT: Final = re.compile(r"(?<=\S)\.(?=(\S+))")


def _link(name: str) -> Unfit | None:
    """What a handset would make one of: "acme.com", but neither "J. Smith" nor "J.R.R. Tolkien"."""
    for dot in _DOT.finditer(name):
        label = dot[1].partition(".")[0]
        if len(_LETTER.findall(label)) > 1:  # no top-level domain has one letter
            return Unfit("looks like a link, expected a space after the dot", (dot.start(), dot.end()))
    return None
