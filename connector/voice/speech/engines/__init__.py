"""What every engine offers, and the one that a name stands for. Engines live in worker processes only."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

from connector.voice.speech.errors import EngineError
from connector.voice.speech.names import Pace

__all__ = ["Engine", "Pcm", "open_engine"]


class Pcm(NamedTuple):
    """Sound as the engine makes it: `samples` of 16 bits, little-endian, one channel, `rate` of them a
    second.
    """

    samples: bytes
    rate: int


class Engine(Protocol):
    """Text to sound, one at a time."""

    @property
    def name(self) -> str:
        """With its version: part of every prompt's key."""

    def speak(self, text: str, tag: str, pace: Pace) -> Pcm:
        """`text` in the language `tag` (BCP 47); EngineError without a voice for it."""


def open_engine(name: str, models: Path | None) -> Engine:
    """`espeak` or `piper`; `models` is piper's folder of voices. EngineError when it is not installed."""
    if name == "espeak":
        from .espeak import Espeak

        return Espeak()
    if name == "piper":
        from .piper import Piper

        return Piper(models)
    raise EngineError(f"engine {name!r}: espeak or piper is expected")
