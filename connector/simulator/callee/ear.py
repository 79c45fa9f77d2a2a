"""Whether the caller speaks or is quiet, from G.711 frames."""

from __future__ import annotations

from protocols.rtp.g711 import PCMA, PCMU, Law

_LOUD = 2
"""Mean loudness of a frame above which somebody speaks: about 42 dB below the full scale."""


def _loudness(law: Law) -> bytes:
    """For each of the 256 codes how far it is from silence, in 1/256 of the full scale."""
    return bytes(min(255, abs(sample) >> 7) for sample in law.samples)


_TABLES = {law.name: _loudness(law) for law in (PCMU, PCMA)}


class Ear:
    """Hears words and the silence behind them; times are monotonic seconds."""

    def __init__(self) -> None:
        self._loud_at: float | None = None
        self.first_loud_at: float | None = None

    def hear(self, payload: bytes, codec: str, now: float) -> None:
        """Take in one frame."""
        if payload and sum(payload.translate(_TABLES[codec])) > _LOUD * len(payload):
            self._loud_at = now
            if self.first_loud_at is None:
                self.first_loud_at = now

    def quiet_s(self, now: float) -> float | None:
        """For how long the caller has been quiet; None while nobody has spoken since `forget`."""
        return None if self._loud_at is None else now - self._loud_at

    def forget(self) -> None:
        """Wait for words again."""
        self._loud_at = None
