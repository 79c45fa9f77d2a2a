"""The carrier's rate limit."""

from __future__ import annotations


class TokenBucket:
    """Accepts `tps` submits a second, and up to `burst` at once after a pause. O(1) a submit."""

    def __init__(self, tps: float, burst: float, now: float) -> None:
        self.tps = tps
        self.burst = burst
        self._tokens = burst
        self._filled_at = now

    def take(self, now: float) -> bool:
        """Whether a submit at `now` (monotonic seconds) stays within the rate."""
        tokens = min(self.burst, self._tokens + (now - self._filled_at) * self.tps)
        self._filled_at = now
        if tokens < 1:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1
        return True
