"""What is believed of one route to one destination: an immutable estimate."""

from __future__ import annotations

from math import log
from random import Random

from connector.routing.arrival.grid import (
    END_S,
    FIRST_S,
    LOG_FIRST,
    PER_LOG,
    PER_WIDTH,
    STARTS,
    interpolate,
    interpolate_both,
)

__all__ = ["Curve"]


class Curve:
    """Probabilities of one (route, channel, cell). Times are seconds since the message left.

    Every probability includes the handsets that nothing reaches. With several flights to one handset that
    part is common to all of them: P(one arrives) = (1 - u) · (1 - Π (1 - p_i / (1 - u))), where u is
    `unreachable`, or `unreachable / silence(s)` once a flight has been silent for s.
    """

    __slots__ = (
        "_receipts", "_scale", "_silent", "doubt", "trust", "unannounced", "unreachable", "used", "weight",
    )  # fmt: skip

    def __init__(
        self, receipts: list[float], silent: list[float], *, unreachable: float, trust: float,
        unannounced: float, weight: float, doubt: str = "", used: tuple[float, ...] = (0.0,),
        scale: float = 1.0,
    ) -> None:  # fmt: skip
        """At the end of each interval of the grid.

        receipts     P(receipt by then)
        silent       P(neither a receipt nor a definite failure by then)
        trust        part of the receipts that is true
        unannounced  arrivals without a receipt, per receipt
        used         P(used by each look | arrived)
        """
        self._receipts = receipts
        self._silent = silent
        self._scale = scale
        self.unreachable = unreachable
        self.trust = trust
        last = receipts[-1] * scale
        most = silent[-1] + (1.0 - scale) * receipts[-1] - unreachable
        most = most / last if last > 0.0 and most > 0.0 else 0.0
        self.unannounced = unannounced if unannounced < most else most
        self.weight = weight
        self.doubt = doubt
        self.used = used

    def p(self, t_s: float) -> float:
        """P(arrives within `t_s` of leaving)."""
        if FIRST_S <= t_s < END_S:  # `interpolate`, without the call: nothing is asked as often as this
            receipts = self._receipts
            i = int((log(t_s) - LOG_FIRST) * PER_LOG) + 1
            low = receipts[i - 1]
            told = low + (receipts[i] - low) * (t_s - STARTS[i]) * PER_WIDTH[i]
        else:
            told = interpolate(self._receipts, t_s)
        p = (self.trust + self.unannounced) * self._scale * told
        return p if p < 1.0 else 1.0

    def p_given_silence(self, t_s: float, silent_s: float) -> float:
        """P(arrives, or has arrived without a receipt, within `t_s` of leaving | nothing in `silent_s`)"""
        receipts, scale = self._receipts, self._scale
        told, silent = interpolate_both(receipts, self._silent, silent_s)
        silent += (1.0 - scale) * told
        if silent <= 0.0:
            return 0.0
        by_then = interpolate(receipts, t_s)
        coming = by_then - told if by_then > told else 0.0
        p = (self.trust * coming + self.unannounced * by_then) * scale / silent
        return p if p < 1.0 else 1.0

    def p_given_receipt(self, looks: int = 0) -> float:
        """How far a receipt is to be believed: 1 - the share of invented ones; less after so many looks at
        which the code had not been used (6, 12, 25 s after it).
        """
        if looks <= 0 or self.trust >= 1.0:
            return self.trust
        unused = self.trust * (1.0 - self.used[min(looks, len(self.used)) - 1])
        return unused / (unused + 1.0 - self.trust)

    def silence(self, s: float) -> float:
        """P(neither a receipt nor a definite failure within `s` of leaving)."""
        told, silent = interpolate_both(self._receipts, self._silent, s)
        left = silent + (1.0 - self._scale) * told
        return left if left > 0.0 else 0.0  # a scale above 1 leaves nothing, and rounding less

    def sampled(self, rng: Random, scale: float) -> Curve:
        """A draw of what else may be true, `scale` standard deviations wide; the same curve for 0."""
        last = self._receipts[-1] * self._scale
        if scale <= 0.0 or last <= 0.0:
            return self
        spread = scale * (max(last * (1.0 - last), 0.0) / (self.weight + 2.0)) ** 0.5
        most = self._receipts[-1] + self._silent[-1] - self.unreachable
        drawn = min(max(last + spread * rng.gauss(0.0, 1.0), 0.0), max(most, 0.0))
        return Curve(
            self._receipts, self._silent, unreachable=self.unreachable, trust=self.trust,
            unannounced=self.unannounced, weight=self.weight, doubt=self.doubt, used=self.used,
            scale=drawn / self._receipts[-1],
        )  # fmt: skip
