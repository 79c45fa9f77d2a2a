"""Counts every accepted submit by destination and content: what a blind duplicate would show up in."""

from __future__ import annotations

from collections.abc import Iterator


class Submissions:
    """How often each (destination, short_message) was accepted; at most `limit` different ones.

    When it is full, new ones are not counted but `overflowed` is: a test that proves the absence of
    duplicates must see it at 0.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.overflowed = 0
        self._counts: dict[tuple[bytes, bytes], int] = {}

    def add(self, destination: bytes, content: bytes) -> None:
        key = (destination, content)
        count = self._counts.get(key, 0)
        if not count and len(self._counts) >= self.limit:
            self.overflowed += 1
            return
        self._counts[key] = count + 1

    def count(self, destination: str, content: bytes) -> int:
        """Accepted submits to `destination` (with or without plus) with exactly these octets."""
        return self._counts.get((destination.lstrip("+").encode("ascii"), content), 0)

    def repeated(self) -> Iterator[tuple[str, bytes, int]]:
        """(destination, short_message, count) of everything accepted more than once."""
        for (destination, content), count in self._counts.items():
            if count > 1:
                yield destination.decode("latin-1"), content, count

    def clear(self) -> None:
        self._counts.clear()
        self.overflowed = 0

    def as_json(self) -> dict[str, int]:
        """`different`, `total`, `repeated` (different ones seen more than once) and `overflowed`."""
        counts = self._counts.values()
        return {
            "different": len(counts),
            "total": sum(counts),
            "repeated": sum(count > 1 for count in counts),
            "overflowed": self.overflowed,
        }
