"""Octets of short messages without header in the codecs a profile can name."""

from __future__ import annotations

from connector.config import Coding
from protocols.gsm import coding, packing

__all__ = ["CODECS", "REPLACEMENT", "decode", "encode", "laid_out"]

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

CODECS: tuple[Coding, ...] = ("gsm7", "latin1", "utf8", "gsm7_packed", "ascii", "ucs2")
"""The likeliest first."""


def encode(text: str, codec: Coding, header: bytes = b"") -> bytes:
    """As short_message carries it, behind `header`. Raises GsmError where the alphabet lacks a character."""
    return header + laid_out(coding.encode(text, codec), codec, header)


def laid_out(octets: bytes, codec: Coding, header: bytes) -> bytes:
    """Septets begin at a septet boundary behind a header (TS 23.040 §9.2.3.24)."""
    return packing.pack(octets, packing.fill_after(len(header))) if codec == "gsm7_packed" else octets


def decode(octets: bytes, codec: Coding) -> str:
    """The reverse; what is no character becomes `REPLACEMENT`."""
    return coding.text_of(packing.unpack(octets) if codec == "gsm7_packed" else octets, codec)
