"""What the peer's stream is like: validity and order (A.1), loss (A.3), jitter (A.8)."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from protocols.rtp.rtcp import ReportBlock

__all__ = ["Arrival", "Reception"]

_MIN_SEQUENTIAL = 2
_MAX_DROPOUT = 3000
_MAX_MISORDER = 100
_SEQUENCES = 1 << 16
_WINDOW: Final = (1 << _MAX_MISORDER) - 1
_BREAK_S = 3.0


class Arrival(Enum):
    """What a packet is to the stream it belongs to."""

    PROBATION = auto()
    """Of a source not yet believed: the second packet in sequence makes it valid."""
    IN_ORDER = auto()
    LATE = auto()
    """In time to be counted, but after one with a higher number."""
    DUPLICATE = auto()
    STRAY = auto()
    """Far from the others: the second in sequence there restarts the stream."""
    RESTARTED = auto()
    """The first counted one after such a jump."""


class Reception:
    """One source, that is one SSRC; `rate` in samples a second.

    received    packets counted since the source became valid, duplicates not among them
    jitter_s    mean deviation of the spacing of packets, smoothed by 1/16 (§6.4.1)
    """

    __slots__ = (
        "_arrived", "_bad", "_base", "_cycles", "_expected_at_report", "_expected_before", "_highest",
        "_probation", "_rate", "_received_at_report", "_report", "_seen", "_timestamp", "duplicates",
        "jitter_s", "received", "reordered", "ssrc",
    )  # fmt: skip

    def __init__(self, ssrc: int, rate: int = 8000) -> None:
        self.ssrc = ssrc
        self.received = 0
        self.duplicates = 0
        self.reordered = 0
        self.jitter_s = 0.0
        self._rate = rate
        self._probation = _MIN_SEQUENTIAL
        self._highest = -1
        self._cycles = 0
        self._base = 0
        self._bad: int | None = None
        self._seen = 0
        self._expected_before = 0
        self._expected_at_report = 0
        self._received_at_report = 0
        self._timestamp: int | None = None
        self._arrived = 0.0
        self._report: tuple[int, float] | None = None

    @property
    def valid(self) -> bool:
        return not self._probation

    @property
    def expected(self) -> int:
        """Packets the peer has sent by its sequence numbers, since the source became valid."""
        if self._probation:
            return 0
        return self._expected_before + self._cycles + self._highest - self._base + 1

    @property
    def lost(self) -> int:
        """Packets that did not come, or not yet."""
        return max(0, self.expected - self.received)

    def receive(self, sequence: int, timestamp: int, now: float) -> Arrival:
        """Count one packet that came at `now`."""
        ahead = sequence - self._highest & 0xFFFF
        if self._probation:
            return self._on_probation(sequence, timestamp, now)
        if 0 < ahead < _MAX_DROPOUT:
            if sequence < self._highest:
                self._cycles += _SEQUENCES
            self._highest = sequence
            self._seen = (self._seen << ahead | 1) & _WINDOW
            arrival = Arrival.IN_ORDER
        elif ahead == 0 or ahead > _SEQUENCES - _MAX_MISORDER:
            bit = 1 << (-ahead & 0xFFFF)
            if self._seen & bit:
                self.duplicates += 1
                return Arrival.DUPLICATE
            self._seen |= bit
            self.reordered += 1
            arrival = Arrival.LATE
        elif sequence == self._bad:
            self._begin(sequence)
            arrival = Arrival.RESTARTED
        else:
            self._bad = sequence + 1 & 0xFFFF
            return Arrival.STRAY
        self.received += 1
        self._measure(timestamp, now)
        return arrival

    def _on_probation(self, sequence: int, timestamp: int, now: float) -> Arrival:
        follows = self._highest >= 0 and sequence == self._highest + 1 & 0xFFFF
        self._probation = self._probation - 1 if follows else _MIN_SEQUENTIAL - 1
        self._highest = sequence
        self._measure(timestamp, now)
        if self._probation:
            return Arrival.PROBATION
        self._begin(sequence)
        self.received = 1
        return Arrival.IN_ORDER

    def _begin(self, sequence: int) -> None:
        if self.received:
            self._expected_before = self.expected
        self._base = self._highest = sequence
        self._cycles = 0
        self._bad = None
        self._seen = 1

    def _measure(self, timestamp: int, now: float) -> None:
        """Jitter; packets that share a timestamp (telephone-events) were not sampled at different times."""
        if timestamp == self._timestamp:
            return
        if self._timestamp is not None:
            samples = (timestamp - self._timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
            difference = abs(now - self._arrived - samples / self._rate)
            # A stream that pauses, or begins its timestamps anew, does not jitter.
            if difference < _BREAK_S:
                self.jitter_s += (difference - self.jitter_s) / 16
        self._timestamp, self._arrived = timestamp, now

    def sender_report(self, ntp: int, now: float) -> None:
        """The peer's SR came at `now` with this 64-bit NTP timestamp."""
        self._report = (ntp >> 16 & 0xFFFFFFFF, now)

    def report(self, now: float) -> ReportBlock:
        """The report block about this source (§6.4.1); the fraction is of the time since the last one."""
        expected = self.expected - self._expected_at_report
        received = self.received + self.duplicates - self._received_at_report
        self._expected_at_report += expected
        self._received_at_report += received
        lost = max(0, expected - received)
        last, delay = (self._report[0], now - self._report[1]) if self._report else (0, 0.0)
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=lost * 256 // expected if expected > 0 else 0,
            lost=max(-0x800000, min(0x7FFFFF, self.expected - self.received - self.duplicates)),
            highest=self._cycles + max(0, self._highest) & 0xFFFFFFFF,
            jitter=min(0xFFFFFFFF, int(self.jitter_s * self._rate)),
            last_report=last,
            delay=min(0xFFFFFFFF, int(delay * 65536)),
        )
