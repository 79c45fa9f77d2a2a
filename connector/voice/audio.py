"""What is spoken: one prompt in both laws of G.711, so that no call has to encode anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Self

from protocols.rtp.g711 import PCMA, PCMU

__all__ = ["SAMPLE_RATE", "Audio", "CodecName"]

SAMPLE_RATE = 8000
"""Samples a second of G.711; each is one octet."""

CodecName = Literal["PCMU", "PCMA"]


@dataclass(frozen=True, slots=True)
class Audio:
    """The same samples in µ-law and A-law (ITU-T G.711), 8,000 octets a second each, of equal length."""

    pcmu: bytes = field(repr=False)
    pcma: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.pcmu) != len(self.pcma):
            raise ValueError(f"{len(self.pcmu)} samples in µ-law, {len(self.pcma)} in A-law: not the same")

    @classmethod
    def from_pcm(cls, pcm16: bytes) -> Self:
        """Of linear samples: 16 bits, little-endian, 8,000 a second, one channel."""
        return cls(PCMU.encode(pcm16), PCMA.encode(pcm16))

    @classmethod
    def silence(cls, seconds: float) -> Self:
        samples = round(seconds * SAMPLE_RATE)
        return cls(bytes([PCMU.silence]) * samples, bytes([PCMA.silence]) * samples)

    @classmethod
    def join(cls, parts: list[Audio]) -> Self:
        """One after the other, with nothing in between."""
        return cls(b"".join(part.pcmu for part in parts), b"".join(part.pcma for part in parts))

    @property
    def seconds(self) -> float:
        return len(self.pcmu) / SAMPLE_RATE

    def samples(self, codec: CodecName) -> bytes:
        """The octets that leave in RTP when `codec` was agreed."""
        return self.pcmu if codec == "PCMU" else self.pcma
