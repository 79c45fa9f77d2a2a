"""What tones on the line mean by their frequencies and their rhythm."""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["Cadence"]

BEEP_S: Final = (0.12, 1.5)
"""A machine's beep is at least so long, and no longer."""

_BEEP_HZ: Final = (380.0, 2150.0)
_PROGRESS_HZ: Final = (330.0, 650.0)
"""Dial, busy, congestion and ringback tones lie here (ITU-T E.180 Supplement 2); some beeps do too."""

_SIT_HZ: Final = (950.0, 1400.0)
"""The first two of the special information tone's three, 330 ms each, within ±50 Hz (ITU-T E.180)."""

_SIT_TOLERANCE_HZ: Final = 50.0
_SIT_GAP_S: Final = 0.15
_SIT_LAST_S: Final = 0.6
_SAME: Final = 0.04
_SMOOTH: Final = 0.3
_APART_S: Final = 0.06
_STEADY_FRAMES: Final = 10
_BUSY_S: Final = (0.15, 0.75)
_BUSY_CYCLES: Final = 3


class Cadence:
    """Follows the tones of one call, frame by frame.

    tonal  what is heard now is a mixture of steady tones, as of ringback, and no speech
    """

    def __init__(self) -> None:
        self.tonal = False
        self._hertz = 0.0
        self._from: float | None = None
        self._to = 0.0
        self._maybe_sit: float | None = None
        self._sit_at: float | None = None
        self._talked = False
        self._steady = 0
        self._crossings = 0
        self._mixed_from: float | None = None
        self._mixed_to = 0.0
        self._cycles = 0

    def feed(
        self, hertz: float | None, loud: bool, crossings: int, talked: bool, now: float, frame_s: float
    ) -> Literal["machine", "beep"] | None:
        """One frame: its pure tone if it is one, whether it is loud, and its rising zero crossings.

        talked  somebody has spoken in this call: then a tone that could be ringback is a beep
        """
        self._steadiness(loud, crossings)
        told: Literal["machine", "beep"] | None = self._mixture(now, frame_s)
        self._talked = talked
        if hertz is not None and self._from is not None and abs(hertz - self._hertz) <= _SAME * hertz:
            self._to = now
            self._hertz += _SMOOTH * (hertz - self._hertz)
            if now - self._from > BEEP_S[1] and not _within(self._hertz, _PROGRESS_HZ):
                return "machine"
            return told
        if self._from is not None and (hertz is not None or now - self._to >= _APART_S):
            told = told or self._ended(self._hertz, self._to - self._from, now)
            self._from = None
        if hertz is not None:
            self._hertz, self._from, self._to = hertz, now - 2 * frame_s, now
        elif self._maybe_sit is not None and self._from is None and now - self._maybe_sit > _SIT_GAP_S:
            self._maybe_sit = None
            return told or "beep"
        return told

    def _ended(self, hertz: float, seconds: float, now: float) -> Literal["machine", "beep"] | None:
        """A beep and the first of three tones sound alike: the beep is told when no second one follows."""
        if not _within(seconds, BEEP_S) or not _within(hertz, _BEEP_HZ):
            return None
        if self._sit_at is not None and now - self._sit_at < _SIT_LAST_S:
            return None
        if self._maybe_sit is not None:
            self._maybe_sit = None
            if abs(hertz - _SIT_HZ[1]) > _SIT_TOLERANCE_HZ:
                return "beep"
            self._sit_at = now
            return "machine"
        if abs(hertz - _SIT_HZ[0]) <= _SIT_TOLERANCE_HZ:
            self._maybe_sit = now
            return None
        return "beep" if self._talked or not _within(hertz, _PROGRESS_HZ) else None

    def _steadiness(self, loud: bool, crossings: int) -> None:
        low, high = 6, 14  # rising crossings in 20 ms of 330 to 650 Hz
        if loud and low <= crossings <= high and abs(crossings - self._crossings) <= 1:
            self._steady += 1
        else:
            self._steady = 0
        self._crossings = crossings
        self.tonal = self._steady >= _STEADY_FRAMES

    def _mixture(self, now: float, frame_s: float) -> Literal["machine"] | None:
        """Busy and congestion tones: the same length of tone and silence, several times."""
        if self.tonal:
            if self._mixed_from is None:
                gap = now - _STEADY_FRAMES * frame_s - self._mixed_to
                if not _within(gap, _BUSY_S):
                    self._cycles = 0
                self._mixed_from = now - _STEADY_FRAMES * frame_s
            self._mixed_to = now
        elif self._mixed_from is not None:
            length = self._mixed_to - self._mixed_from
            self._mixed_from = None
            self._cycles = self._cycles + 1 if _within(length, _BUSY_S) else 0
            if self._cycles >= _BUSY_CYCLES:
                return "machine"
        return None


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]
