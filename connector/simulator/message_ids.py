"""Message ids, and the ways in which a carrier spells one id differently in response and receipt."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from typing import NamedTuple


class MessageId(NamedTuple):
    """One id as it stands in submit_sm_resp and in the receipt."""

    response: bytes
    receipt: bytes


def _dashed(number: int) -> bytes:
    return str(uuid.UUID(int=number << 64 | number)).encode()


SPELLINGS: dict[str, Callable[[int], MessageId]] = {
    "same": lambda n: MessageId(b"%d" % n, b"%d" % n),
    "hex_in_response": lambda n: MessageId(b"%X" % n, b"%d" % n),
    "decimal_in_response": lambda n: MessageId(b"%d" % n, b"%X" % n),
    "upper": lambda n: MessageId(b"%x" % n, b"%X" % n),
    "lower": lambda n: MessageId(b"%X" % n, b"%x" % n),
    "zeros": lambda n: MessageId(b"%d" % n, b"%024d" % n),
    "uuid": lambda n: MessageId(_dashed(n), _dashed(n).replace(b"-", b"")),
}
"""Spelling of the id with number `n`, by the name of the option `id_form`."""


class MessageIds:
    """Numbers messages from a start drawn from the seed: runs with other seeds share no id.

    Numbers lie above 2**63, so that a peer that keeps ids in a signed 64-bit integer is found out.
    """

    def __init__(self, rng: random.Random) -> None:
        self._last = 0x8000000000000000 + (rng.getrandbits(40) << 22)

    def next(self, form: str) -> MessageId:
        """The next id, spelt as `form` (a key of SPELLINGS)."""
        self._last += 1
        return SPELLINGS[form](self._last)
