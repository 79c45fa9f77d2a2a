"""Links in texts: https, to where the template's author permits, and written so that nothing is disguised."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from .refusal import Unfit

__all__ = ["link_fault"]

# RFC 3986 §3.3 to §3.5, without "@": what stands before one in a link looks like a host.
_BEYOND: Final = re.compile(r"[^A-Za-z0-9._~!$&'()*+,;=:/?#%-]").search
_BROKEN: Final = re.compile(r"%(?![0-9A-Fa-f]{2})").search
# Controls, the dot, slash, backslash and @ in disguise (RFC 3986 §2.1).
_DISGUISED: Final = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff]|2[EeFf]|5[Cc]|40)").search
_CLIMBING: Final = re.compile(r"/\.{1,2}(?=[/?#]|$)").search


def link_fault(link: str, allow: Collection[str]) -> Unfit | None:
    """What keeps `link` from a text; it must begin with one of `allow`, each with its host complete."""
    begin = max((start for start in allow if link.startswith(start)), key=len, default=None)
    if begin is None:
        return Unfit("is not of an allowed place, expected it to begin as `allow` says", (0, len(link)))
    checks = (
        (_BEYOND, "has a character that no link has here"),
        (_BROKEN, "has a % without two hexadecimal digits"),
        (_DISGUISED, "has a character in disguise (%), expected it plain or not at all"),
    )
    for check, reason in checks:
        if (found := check(link, len(begin))) is not None:
            return Unfit(reason, found.span())
    # The last slash of `allow` counts: "https://host/" and then "/evil.example" is one link.
    if (at := link.find("//", len(begin) - 1)) >= 0:
        return Unfit("has // within its path, expected one", (at, at + 2))
    if (found := _CLIMBING(link, len("https://"))) is not None:
        return Unfit("climbs within its path, expected no . or .. there", found.span())
    return None
