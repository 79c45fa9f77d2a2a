"""ITU-T G.711: µ-law (PCMU, RTP payload type 0) and A-law (PCMA, payload type 8) by table.

Linear samples are signed, 16 bit, little-endian. A sample on the border of two intervals belongs to the upper
one, as in the ITU-T's own software (G.191): the magnitude of a negative sample is its one's complement. The
silence octets are those of the smallest positive magnitude, 0xFF and 0xD5.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from typing import Final

__all__ = ["A_TO_MU", "MU_TO_A", "PCMA", "PCMU", "Law"]

_MU_BIAS = 33
_MU_LARGEST = 0x1FFF
_A_EVEN_BITS = 0x55


def _mu_code(magnitude: int) -> int:
    """Of a magnitude of 13 bits: segment and interval, sign bit clear and nothing inverted (table 2)."""
    biased = min(magnitude + _MU_BIAS, _MU_LARGEST)
    segment = biased.bit_length() - 6
    return segment << 4 | biased >> segment + 1 & 0x0F


def _mu_encode(sample: int) -> int:
    if sample < 0:
        return ~(0x80 | _mu_code(~sample >> 2)) & 0xFF
    return ~_mu_code(sample >> 2) & 0xFF


def _mu_decode(octet: int) -> int:
    code = ~octet & 0x7F
    segment, interval = code >> 4, code & 0x0F
    magnitude = ((2 * interval + _MU_BIAS) << segment) - _MU_BIAS
    return (magnitude if octet & 0x80 else -magnitude) << 2


def _a_code(magnitude: int) -> int:
    """Of a magnitude of 11 bits, without the inversion of even bits (table 1)."""
    segment = max(magnitude.bit_length() - 4, 0)
    return segment << 4 | magnitude >> max(segment - 1, 0) & 0x0F


def _a_encode(sample: int) -> int:
    """Bit 8 is the sign and is 1 for positive values, before and after the inversion of even bits."""
    code = _a_code(~sample >> 4) if sample < 0 else 0x80 | _a_code(sample >> 4)
    return code ^ _A_EVEN_BITS


def _a_decode(octet: int) -> int:
    code = octet ^ _A_EVEN_BITS
    segment, interval = code >> 4 & 0x07, code & 0x0F
    magnitude = 2 * interval + 1 if segment == 0 else (2 * interval + 33) << segment - 1
    return (magnitude if code & 0x80 else -magnitude) << 3


class Law:
    """One of the two laws.

    payload_type  the static one of RFC 3551 §6
    silence       the octet of no sound
    """

    def __init__(
        self, name: str, payload_type: int, silence: int,
        encode: Callable[[int], int], decode: Callable[[int], int],
    ) -> None:  # fmt: skip
        self.name = name
        self.payload_type = payload_type
        self.silence = silence
        self.samples: Final = tuple(decode(octet) for octet in range(256))
        # By the sample's 16 bits read without sign, so that an octet is found without a comparison.
        self._octets = bytes(encode(bits - 0x10000 if bits & 0x8000 else bits) for bits in range(0x10000))

    def __repr__(self) -> str:
        return self.name

    def encode(self, pcm16: bytes) -> bytes:
        """One octet for each sample; ValueError when `pcm16` ends within a sample."""
        samples = array("H", pcm16)
        if sys.byteorder == "big":
            samples.byteswap()
        octets = self._octets
        return bytes([octets[bits] for bits in samples])

    def decode(self, octets: bytes) -> bytes:
        """Two octets for each sample."""
        known = self.samples
        samples = array("h", [known[octet] for octet in octets])
        if sys.byteorder == "big":
            samples.byteswap()
        return samples.tobytes()


PCMU: Final = Law("PCMU", 0, 0xFF, _mu_encode, _mu_decode)
PCMA: Final = Law("PCMA", 8, 0xD5, _a_encode, _a_decode)


# Tables 3 and 4: intervals by number. They keep most numbers as they are, where going through linear samples
# would shift whole segments by one.
_MU_NUMBERS = (
    *(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7), *range(8, 24), 24, 26, 28, 30, *range(32, 44), 45,
    *range(47, 62), *range(63, 79), 79, *range(81, 128),
)  # fmt: skip
_A_NUMBERS = (
    *range(1, 16, 2), *range(16, 32), *(32, 32, 33, 33, 34, 34, 35, 35), *range(36, 48), *(48, 48, 49, 49),
    *range(50, 64), *(64, 64), *range(65, 80), 80, *range(80, 128),
)  # fmt: skip

MU_TO_A: Final = bytes(octet & 0x80 ^ 0x55 ^ _MU_NUMBERS[~octet & 0x7F] for octet in range(256))
"""For bytes.translate: each µ-law octet in A-law."""
A_TO_MU: Final = bytes(octet & 0x80 | 0x7F - _A_NUMBERS[(octet ^ 0x55) & 0x7F] for octet in range(256))
