"""Which of a carrier's addresses a bind tries next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["Address", "Addresses", "Spacing", "address_of"]

Address = tuple[str, int]

_RETURN_S: Final = 60.0


class Addresses:
    """The addresses of one account, the first preferred; each bind has its own.

    A session that works stays where it is. Whoever must connect begins with the first address again when its
    last failure is `return_s` ago; until then with the one that worked, or the one after the last failure.
    """

    def __init__(self, addresses: Sequence[Address], *, return_s: float = _RETURN_S) -> None:
        if not addresses:
            raise ValueError("at least one address is expected")
        self._addresses = tuple(addresses)
        self._return_s = return_s
        self._index = 0
        self._failures = 0
        self._first_failed_at = 0.0

    def next(self, now: float) -> Address:
        """Where to connect."""
        if self._index and now - self._first_failed_at >= self._return_s:
            self._index = 0
        return self._addresses[self._index]

    def failed(self, now: float) -> bool:
        """No session came about, or it did not last. True when all have failed since the last wait: wait."""
        if self._index == 0:
            self._first_failed_at = now
        self._index = (self._index + 1) % len(self._addresses)
        self._failures += 1
        return self._failures % len(self._addresses) == 0

    def worked(self) -> None:
        """A session lasted."""
        self._failures = 0


class Spacing:
    """Binds of one account are asked for one after the other, `spacing_s` apart."""

    def __init__(self, spacing_s: float) -> None:
        self._spacing_s = spacing_s
        self._next_at = 0.0

    def wait_s(self, now: float) -> float:
        """Take the next turn; how many seconds until it comes."""
        at = max(now, self._next_at)
        self._next_at = at + self._spacing_s
        return at - now


def address_of(text: str) -> Address:
    """("smsc.example", 2776) from "smsc.example:2776" or "[2001:db8::1]:2776". Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ValueError(f"{text!r} is no address, expected host:port")
    return host.removeprefix("[").removesuffix("]"), int(port)
