"""What is spoken: prompts in both laws of G.711, so that no call has to encode anything, and what calls make
of them without a copy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, Self

from protocols.rtp.g711 import A_TO_MU, MU_TO_A, PCMA, PCMU

__all__ = ["SAMPLE_RATE", "Audio", "AudioSequence", "CodecName", "OneLaw", "Sound"]

SAMPLE_RATE = 8000
"""Samples a second of G.711; each is one octet."""

CodecName = Literal["PCMU", "PCMA"]


class Sound(Protocol):
    """What can be played to a call."""

    @property
    def seconds(self) -> float: ...

    def pieces(self, codec: CodecName) -> tuple[bytes, ...]:
        """The octets that leave in RTP when `codec` was agreed, piece after piece, nothing in between."""


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

    def pieces(self, codec: CodecName) -> tuple[bytes, ...]:
        return (self.samples(codec),)


@dataclass(frozen=True, slots=True)
class AudioSequence:
    """One after the other, with nothing in between: a call holds references to what all calls share."""

    parts: tuple[Audio, ...]

    @property
    def seconds(self) -> float:
        return sum(len(part.pcmu) for part in self.parts) / SAMPLE_RATE

    def pieces(self, codec: CodecName) -> tuple[bytes, ...]:
        return tuple(part.samples(codec) for part in self.parts)

    @property
    def pcmu(self) -> bytes:
        return b"".join(self.pieces("PCMU"))

    @property
    def pcma(self) -> bytes:
        return b"".join(self.pieces("PCMA"))


@dataclass(frozen=True, slots=True)
class OneLaw:
    """One prompt in the law that a call agreed on; the other is made of it should the call change to that."""

    law: CodecName
    octets: bytes = field(repr=False)

    @property
    def seconds(self) -> float:
        return len(self.octets) / SAMPLE_RATE

    def pieces(self, codec: CodecName) -> tuple[bytes, ...]:
        if codec == self.law:
            return (self.octets,)
        return (self.octets.translate(MU_TO_A if codec == "PCMA" else A_TO_MU),)
