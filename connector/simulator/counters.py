"""What the simulated carrier has counted since it started or was reset."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """All counts are of PDUs or connections; nothing here ever decreases."""

    connections: int = 0
    binds: int = 0
    binds_refused: int = 0
    submits: int = 0
    accepted: int = 0
    throttled: int = 0
    above_window: int = 0
    rejected: int = 0
    unreadable: int = 0
    responses: int = 0
    responses_missing: int = 0
    garbage: int = 0
    cuts: int = 0
    silences: int = 0
    attacks: int = 0
    receipts_sent: int = 0
    receipts_answered: int = 0
    receipts_refused: int = 0
    receipts_again: int = 0
    window_peak: int = 0
