"""What calls count."""

from __future__ import annotations

from collections import Counter

from .histogram import DELAYS, Histogram

__all__ = ["TrunkMetrics"]


class TrunkMetrics:
    """One trunk's counters (calls) and times.

    placed           INVITE left
    ended            over, by connector.voice.outcomes.CallClass, "delivered" among them
    talk_s           seconds from answers to ends
    to_ringing       seconds, INVITE → 18x
    to_answer        seconds, INVITE → 200
    packets_lost     of those that the peer sent
    packets_spoofed  from elsewhere than the peer: heard by nobody
    """

    __slots__ = (
        "ended", "packets_lost", "packets_spoofed", "placed", "talk_s", "to_answer", "to_ringing",
    )  # fmt: skip

    def __init__(self) -> None:
        self.placed = 0
        self.ended: Counter[str] = Counter()
        self.talk_s = 0.0
        self.packets_lost = 0
        self.packets_spoofed = 0
        self.to_ringing = Histogram(DELAYS)
        self.to_answer = Histogram(DELAYS)
