"""The carrier's rate limits."""

from __future__ import annotations

from .options import Pairs


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

    @property
    def used(self) -> float:
        """The share of the burst that the last submit left used, 0…1."""
        return 1 - self._tokens / self.burst


class Limits:
    """Rates of single senders and of destinations by prefix (option `limits`); the first that fits counts."""

    def __init__(self, limits: Pairs) -> None:
        self._senders: dict[bytes, TokenBucket] = {}
        self._prefixes: list[tuple[bytes, TokenBucket]] = []
        for whom, tps in limits:
            name, rate = whom.encode("latin-1", "replace"), float(tps)
            bucket = TokenBucket(rate, max(1.0, rate / 10), 0.0)
            if name.startswith(b"+"):
                self._prefixes.append((name[1:], bucket))
            else:
                self._senders[name] = bucket

    def take(self, sender: bytes, digits: bytes, now: float) -> bool:
        """Whether a submit from `sender` to international `digits` stays within their rate."""
        bucket = self._senders.get(sender)
        if bucket is None:
            bucket = next((found for prefix, found in self._prefixes if digits.startswith(prefix)), None)
        return bucket is None or bucket.take(now)
