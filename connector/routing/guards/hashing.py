"""Numbers as guards remember them: hashed with a key, so that a copy of the state tells nobody's number."""

from __future__ import annotations

from array import array
from hashlib import blake2b
from typing import Final

__all__ = ["BLOCK", "Hasher", "tail_of"]

BLOCK: Final = 1000
"""Numbers that differ in their last three digits only share a hash; each adds its own secret bits."""


class Hasher:
    """`key`: up to 64 octets that only this lane knows. All hashes have 64 bits.

    offsets  what the number with these last three digits adds to its block's hash by exclusive or
    """

    def __init__(self, key: bytes) -> None:
        self._keyed = blake2b(key=key[:64], digest_size=8, person=b"number block")
        each = (
            blake2b(offset.to_bytes(2, "big"), key=key[:64], digest_size=8, person=b"last digits").digest()
            for offset in range(BLOCK)
        )
        self.offsets = array("Q", b"".join(each))

    def block(self, prefix: str) -> int:
        """Of what the numbers of a block begin with."""
        keyed = self._keyed.copy()
        keyed.update(prefix.encode())
        return int.from_bytes(keyed.digest(), "big")

    def beside(self, number: str, step: int) -> int | None:
        """The block before (-1) or after (1) that of an E.164 number; None where numbers have one digit more
        or less.
        """
        digits = number[1:-3]
        if not digits.isdigit():
            return None
        next_to = str(int(digits) + step)
        return self.block(f"+{next_to}") if len(next_to) == len(digits) else None


def tail_of(number: str) -> int:
    """The last four digits; of what is no E.164 number just any."""
    try:
        return int(number[-4:]) % 10_000
    except ValueError:
        return 0
