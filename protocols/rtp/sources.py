"""Who sends: one source at a time, and another only once it has shown that it is one."""

from __future__ import annotations

from protocols.rtp.receiver import Arrival, Reception

__all__ = ["Sources"]


class Sources:
    """The stream of one peer, whose SSRC may change (a re-INVITE, a collision, a transfer behind the peer).

    A new SSRC takes over with its second packet in sequence, so that stray ones change nothing. The counts go
    on over all of them.

    current  the source that is believed, or on probation when it is the first; None before any
    """

    __slots__ = ("_candidate", "_duplicates", "_lost", "_rate", "_received", "_reordered", "current")

    def __init__(self, rate: int = 8000) -> None:
        self.current: Reception | None = None
        self._candidate: Reception | None = None
        self._rate = rate
        self._received = 0
        self._lost = 0
        self._duplicates = 0
        self._reordered = 0

    def receive(self, ssrc: int, sequence: int, timestamp: int, now: float) -> Arrival:
        """Count one packet; RESTARTED when it is the first one of a source that takes over."""
        current = self.current
        if current is not None and ssrc == current.ssrc:
            return current.receive(sequence, timestamp, now)
        if current is None or not current.valid:
            self.current = current = Reception(ssrc, self._rate)
            return current.receive(sequence, timestamp, now)
        candidate = self._candidate
        if candidate is None or candidate.ssrc != ssrc:
            candidate = self._candidate = Reception(ssrc, self._rate)
        arrival = candidate.receive(sequence, timestamp, now)
        if not candidate.valid:
            return arrival
        self._retire(current)
        self.current, self._candidate = candidate, None
        return Arrival.RESTARTED

    def _retire(self, source: Reception) -> None:
        self._received += source.received
        self._lost += source.lost
        self._duplicates += source.duplicates
        self._reordered += source.reordered

    @property
    def received(self) -> int:
        return self._received + (self.current.received if self.current else 0)

    @property
    def lost(self) -> int:
        return self._lost + (self.current.lost if self.current else 0)

    @property
    def duplicates(self) -> int:
        return self._duplicates + (self.current.duplicates if self.current else 0)

    @property
    def reordered(self) -> int:
        return self._reordered + (self.current.reordered if self.current else 0)

    @property
    def jitter_s(self) -> float:
        return self.current.jitter_s if self.current else 0.0
