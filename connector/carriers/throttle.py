"""How fast PDUs may leave: the rate we agreed on, and the rate that the carrier turns out to take."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["Pace", "TokenBucket"]

_BURST_S: Final = 0.1
"""A bucket holds this much of the rate: enough to send in batches, too little to look like a burst to a
carrier that counts by the second."""

_WHOLE: Final = 1.0 - 1e-6
"""A token counts as whole a little early: sums of floats must not cost a turn of the clock."""

_LATE_S: Final = 1e-6
"""Seconds since 1970 are rounded to a quarter of a microsecond: at a high rate, a piece of a token."""


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
        """Below 0 after more was spent than there was."""
        if now > self._at:
            self._tokens = min(self.capacity, self._tokens + (now - self._at) * self.rate)
            self._at = now
        return self._tokens

    def take(self, now: float) -> bool:
        """One token, if there is one."""
        if self.tokens(now) < _WHOLE:
            return False
        self._tokens -= 1.0
        return True

    def spend(self, tokens: int, now: float) -> None:
        """So many tokens, whether they are there or not."""
        self._tokens = self.tokens(now) - tokens

    def next_at(self, now: float) -> float:
        """When `take` will succeed."""
        lacking = 1.0 - self.tokens(now)
        return max(now, self._at) + (lacking / self.rate + _LATE_S if lacking > 0 else 0.0)


# The way of the rate after "too fast", in the manner of CUBIC (RFC 9438): a cut, then quickly back to just
# below the rate that was too much, slowly past it, and ever faster when nobody objects. A cut soon after the
# last one is twice as deep, since what was thought to be known of the carrier is wrong; and the deeper the
# cut, the faster all of it goes.
_CUT: Final = 0.03
_DEEPEST: Final = 0.5
_SURE: Final = 0.1  # deeper cuts are searches
_CURVE: Final = 1.4e-4  # of the rate, a second³: a cut of 3 % is made up for in 6 s
_PROBE_S: Final = 8.0  # past the last known limit; after it the limit is sought anew
_SEEK_A_SECOND: Final = 1.1

_HOLD_S: Final = 0.02  # nothing leaves after a cut; doubles as the cut does
_HOLD_MOST_S: Final = 0.5
_CALM_S: Final = 1.0
_CALM_PDUS: Final = 20.0  # a carrier of one PDU a second says little in a second
_PATIENCE: Final = 3.0  # so much slower than at 20 a second it goes there, at most

_SLOWEST: Final = 1.0  # or a carrier that was in trouble would be spared for hours
_SLOWEST_SHARE: Final = 0.01
_EASE: Final = 0.02
_EASE_EVERY_S: Final = 0.1
_EASED_S: Final = 5.0  # without complaint: what comes then is another matter
_MEASURE_S: Final = 0.5

# PDUs that may leave together after a timer or a commit came late.
_SLACK_PDUS: Final = 2.0
_SLACK_S: Final = 0.03


class Pace:
    """The rate that a carrier lets one bind, or one account, have: learnt from what it turns away.

    At `ceiling` nothing is held back here. Below it PDUs leave evenly, `rate` a second.
    """

    def __init__(self, ceiling: float) -> None:
        self.ceiling = self.rate = ceiling
        self._floor = min(_SLOWEST, ceiling * _SLOWEST_SHARE)
        self._peak = ceiling  # the rate that was too much
        self._depth = _CUT  # of the last cut
        self._cut_at = -math.inf
        self._eased_at = -math.inf
        self._eased_from = ceiling
        self._hold_s = _HOLD_S
        self._tokens = 0.0
        self._at = -math.inf
        self._measured_at = -math.inf
        self._sent = 0
        self._actual = math.inf  # PDUs a second that really left, when known

    @property
    def free(self) -> bool:
        """Nothing is held back."""
        return self.rate >= self.ceiling

    def rate_at(self, now: float) -> float:
        """PDUs a second that may leave now; `rate` is as of the last look."""
        self.tokens(now)
        return self.rate

    def tokens(self, now: float) -> float:
        """PDUs that may leave at once, without end while nothing is held back; below 1 in a pause."""
        if self.rate >= self.ceiling:
            return math.inf
        if now > self._at:
            self.rate = rate = min(self.ceiling, self._curve(now))
            self._tokens = min(_SLACK_PDUS + rate * _SLACK_S, self._tokens + (now - self._at) * rate)
            self._at = now
        return self._tokens

    def take(self, now: float) -> bool:
        """One PDU, if it may leave now."""
        if self.rate >= self.ceiling:
            return True
        if self.tokens(now) < _WHOLE:
            return False
        self._tokens -= 1.0
        return True

    def next_at(self, now: float) -> float:
        """When `take` will succeed."""
        lacking = 1.0 - self.tokens(now)
        return max(now, self._at) + lacking / self.rate + _LATE_S if lacking > 0 else now

    def sent(self, pdus: int, now: float) -> None:
        """So many were just written: what really leaves may be less than what may."""
        self._sent += pdus
        passed = now - self._measured_at
        if passed >= _MEASURE_S:
            # After a pause the figure means nothing.
            self._actual = self._sent / passed if passed < 2 * _MEASURE_S else math.inf
            self._sent, self._measured_at = 0, now

    def slow(self, now: float, sent_at: float) -> None:
        """The carrier turned away a PDU that left at `sent_at`: a pause, and slower after it.

        From PDUs that left before the last cut nothing new is learnt: one burst slows down once.
        """
        if sent_at < self._cut_at:
            return
        self._engage(now)
        if now - self._cut_at < self._hold_s + max(_CALM_S, _CALM_PDUS / self.rate):
            cut = min(_DEEPEST, max(_CUT, self._depth * 2))
            self._hold_s = min(_HOLD_MOST_S, self._hold_s * 2)
        else:
            cut, self._hold_s = (_DEEPEST if self._cut_at == -math.inf else _CUT), _HOLD_S
        self._cut(cut, now)
        self._tokens = min(self._tokens, 0.0)
        self._at = max(self._at, now + self._hold_s)

    def ease(self, now: float, sent_at: float) -> None:
        """The carrier says that it is nearly full: a little slower, before it turns anything away.

        Its load may be others' doing: below half of the rate at which it began to complain we do not go.
        """
        if sent_at < self._cut_at or now - self._cut_at < _EASE_EVERY_S or self._actual == math.inf:
            return
        self._engage(now)
        if now - self._eased_at > _EASED_S:
            self._eased_from = self.rate
        self._eased_at = now
        self._cut(_EASE if self.rate > self._eased_from / 2 else 0.0, now)

    def _engage(self, now: float) -> None:
        self.tokens(now)
        if self.free:
            self.rate = max(self._floor, min(self.rate, self._actual))
            self._tokens, self._at = 0.0, now

    def _cut(self, depth: float, now: float) -> None:
        self._peak, self._depth, self._cut_at = self.rate, depth, now
        self.rate = max(self.rate * (1 - depth), self._floor)

    def _curve(self, now: float) -> float:
        haste = max(1.0, self._depth / _SURE) / min(_PATIENCE, max(1.0, _CALM_PDUS / self._peak))
        # 0 when it is back at the peak.
        passed = (now - self._cut_at) * haste - math.cbrt(self._depth / _CURVE)
        if passed <= _PROBE_S:
            return max(self._peak * (1 + _CURVE * passed**3), self._floor)
        # The exponent is bounded: a night without traffic must not overflow.
        return self._peak * (1 + _CURVE * _PROBE_S**3) * math.pow(_SEEK_A_SECOND, min(passed - _PROBE_S, 1e3))
