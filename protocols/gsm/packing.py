"""Seven bits a character in octets (TS 23.038 §6.1.2), and how the end of a text is told from padding."""

from __future__ import annotations

from typing import Final

_BITS: Final = tuple(format(septet & 0x7F, "07b") for septet in range(256))


def fill_after(header: int) -> int:
    """How many zero bits follow ``header`` octets, so that text begins at a septet (TS 23.040 §9.2.3.24)."""
    return -8 * header % 7


def pack(septets: bytes, fill_bits: int = 0) -> bytes:
    """Return ``septets`` (one an octet, 0 to 0x7F), the first after ``fill_bits`` zero bits, in octets.

    SMPP counts octets, and seven spare bits of zero would read as one more ``@``: as TS 23.038 §6.1.2.3.1
    has it, they are a CR, and a text whose own CR ends with the last octet gets a second CR, which shows
    nothing more.
    """
    spare = -(fill_bits + 7 * len(septets)) % 8
    if spare == 7 or (spare == 0 and septets[-1:] == b"\r"):
        septets += b"\r"
    bits = int("0" + "".join(map(_BITS.__getitem__, reversed(septets))), 2)
    return (bits << fill_bits).to_bytes((fill_bits + 7 * len(septets) + 7) // 8, "little")


def unpack(octets: bytes, count: int | None = None, fill_bits: int = 0) -> bytes:
    """Return the septets, one an octet: ``count`` of them, or as many as there are (fewer never raise).

    Without ``count`` a CR that ends with the last octet is padding, and is left out.
    """
    there = max(0, (8 * len(octets) - fill_bits) // 7)
    size = there if count is None else min(count, there)
    aligned = (int.from_bytes(octets, "little") >> fill_bits).to_bytes(len(octets), "little")
    septets = bytearray()
    for start in range(0, len(aligned), 7):  # seven octets hold eight septets
        block = int.from_bytes(aligned[start : start + 7], "little")
        septets += bytes([block >> shift & 0x7F for shift in range(0, 56, 7)])
    if count is None and size and septets[size - 1] == 0x0D and (fill_bits + 7 * size) % 8 == 0:
        size -= 1
    return bytes(septets[:size])
