"""Addresses of the web in a text, and which of them are allowed. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

__all__ = ["Addresses", "is_address"]

# With a scheme, with www., or a host name and a path: what a telephone makes a link of. A host name alone may
# be the name of a shop.
_ADDRESS: Final = re.compile(
    r"(?<![\w@])(?:[a-z][a-z0-9+.-]{1,20}://\S+|www\.\w\S+|\w[\w-]*(?:\.[\w-]+)*\.[^\W\d_]{2,}/\S*)",
    re.IGNORECASE,
)
_TRAILING: Final = ".,;:!?)]}>\"'»”’…。、」』\uff0c\uff01\uff1f\uff09"
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]{1,20}://", re.IGNORECASE)
_AFTER: Final = frozenset("/?#")


def is_address(phrase: str) -> bool:
    """Whether an entry of `allow` is the beginning of an address, not a phrase."""
    return _SCHEME.match(phrase) is not None


class Addresses:
    """Knows which addresses may stand in a text: those that begin with one of `allowed`.

    Scheme and host are compared without case. Where an allowed address has no path, it is the whole host.
    """

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed: Final = tuple(_host_lowered(prefix) for prefix in allowed)

    def find(self, text: str) -> Iterator[tuple[int, int, bool]]:
        """(start, end, whether it is allowed) of every address, in order."""
        for match in _ADDRESS.finditer(text):
            address = match.group().rstrip(_TRAILING)
            yield match.start(), match.start() + len(address), self._is_allowed(_host_lowered(address))

    def _is_allowed(self, address: str) -> bool:
        return any(
            address.startswith(prefix)
            and (prefix[-1] in "/?#=&" or len(address) == len(prefix) or _goes_on(prefix, address))
            for prefix in self._allowed
        )


def _goes_on(prefix: str, address: str) -> bool:
    has_path = "/" in prefix.partition("://")[2]
    return has_path or address[len(prefix)] in _AFTER


def _host_lowered(address: str) -> str:
    scheme, mark, rest = address.rpartition("://")
    end = next((index for index, character in enumerate(rest) if character in _AFTER), len(rest))
    return f"{scheme.lower()}{mark}{rest[:end].lower()}{rest[end:]}"
