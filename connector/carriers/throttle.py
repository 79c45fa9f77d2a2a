"""A token bucket, counted in PDUs: what an account may send a second."""

from __future__ import annotations

__all__ = ["TokenBucket"]

_BURST_S = 0.1
"""A bucket holds this much of the rate: enough to send in batches, too little to look like a burst to a
carrier that counts by the second."""

_HOLD_S = 0.5


class TokenBucket:
    """`rate` tokens a second, at most max(1, rate × 0.1 s) saved up. Time is an argument."""

    def __init__(self, rate: float, now: float) -> None:
        if not rate > 0:
            raise ValueError(f"a rate above 0 is expected, not {rate}")
        self.rate = rate
        self.capacity = max(1.0, rate * _BURST_S)
        self._tokens = self.capacity
        self._at = now

    def tokens(self, now: float) -> float:
        """Below 0 while held."""
        if now > self._at:
            self._tokens = min(self.capacity, self._tokens + (now - self._at) * self.rate)
            self._at = now
        return self._tokens

    def take(self, now: float) -> bool:
        """One token, if there is one."""
        # A token counts as whole a little early: sums of floats must not cost a turn of the clock.
        if self.tokens(now) < 1.0 - 1e-6:
            return False
        self._tokens -= 1.0
        return True

    def next_at(self, now: float) -> float:
        """When `take` will succeed."""
        lacking = 1.0 - self.tokens(now)
        # Seconds since 1970 are rounded to a quarter of a microsecond: at a high rate, a piece of a token.
        return max(now, self._at) + (lacking / self.rate + 1e-6 if lacking > 0 else 0.0)

    def hold(self, now: float) -> None:
        """The carrier says that we are too fast: nothing more for half a second."""
        self._tokens = min(self.tokens(now), 0.0)
        self._at = max(self._at, now + _HOLD_S)
