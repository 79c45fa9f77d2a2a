"""A token bucket, counted in PDUs: what an account may send a second."""

from __future__ import annotations

__all__ = ["TokenBucket"]

_BURST_S = 0.1
"""A bucket holds this much of the rate: enough to send in batches, too little to look like a burst to a
carrier that counts by the second."""

# After "too fast": a pause, then slower by a factor, then faster again by the same amount each second,
# measured by the rate that was too much. With a carrier that takes a tenth of the rate this reaches 97 % of
# what it takes, and 2 % is turned away; a pause alone, of half a second, reached 21 %.
_HOLD_S = 0.1
_SLOWER = 0.7
_FASTER_A_SECOND = 0.3
_FASTER_AT_LEAST = 0.02  # of the agreed rate, or a carrier that was in trouble would be spared for hours
_SLOWEST = 1.0


class TokenBucket:
    """`rate` tokens a second, at most max(1, rate × 0.1 s) saved up. Time is an argument.

    `pace` is the rate that the carrier lets us have: additive increase up to `rate`, multiplicative decrease
    at each `hold`.
    """

    def __init__(self, rate: float, now: float) -> None:
        if not rate > 0:
            raise ValueError(f"a rate above 0 is expected, not {rate}")
        self.rate = self.pace = rate
        self._faster = 0.0
        self.capacity = max(1.0, rate * _BURST_S)
        self._tokens = self.capacity
        self._at = now

    def tokens(self, now: float) -> float:
        """Below 0 while held."""
        if now > self._at:
            passed = now - self._at
            if self.pace < self.rate:
                self.pace = min(self.rate, self.pace + self._faster * passed)
                self.capacity = max(1.0, self.pace * _BURST_S)
            self._tokens = min(self.capacity, self._tokens + passed * self.pace)
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
        return max(now, self._at) + (lacking / self.pace + 1e-6 if lacking > 0 else 0.0)

    def hold(self, now: float) -> None:
        """The carrier says that we are too fast: nothing more for a tenth of a second, and slower after it.

        More of the same burst's answers do not slow down again.
        """
        self._tokens = min(self.tokens(now), 0.0)
        if now >= self._at:
            self._faster = max(self.pace * _FASTER_A_SECOND, self.rate * _FASTER_AT_LEAST)
            self.pace = max(self.pace * _SLOWER, min(self.rate, _SLOWEST))
            self.capacity = max(1.0, self.pace * _BURST_S)
        self._at = max(self._at, now + _HOLD_S)
