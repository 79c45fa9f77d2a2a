"""Carriers that count in their own ways, and senders that learn their limits: hours in seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import Self

from connector.carriers.throttle import Pace, TokenBucket

_TIMER_S = 0.001
_WINDOW = 50


class Limiter:
    """Takes `rate` PDUs a second in one way or another."""

    rate: float

    def take(self, now: float) -> bool:
        raise NotImplementedError

    def fresh(self) -> Self:
        return deepcopy(self)


class Bursts(Limiter):
    """Saves up to `burst` PDUs."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self._burst = rate, burst
        self._saved, self._at = burst, 0.0

    def take(self, now: float) -> bool:
        self._saved = min(self._burst, self._saved + (now - self._at) * self.rate)
        self._at = now
        if self._saved < 1:
            return False
        self._saved -= 1
        return True


class Seconds(Limiter):
    """So many in each second of its clock."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._second, self._taken = -1, 0

    def take(self, now: float) -> bool:
        if int(now) != self._second:
            self._second, self._taken = int(now), 0
        if self._taken >= self.rate:
            return False
        self._taken += 1
        return True


@dataclass(frozen=True)
class Figures:
    accepted_a_second: float
    turned_away: int
    turned_away_share: float


@dataclass
class Run:
    """Counts by the second."""

    accepted: Counter[int] = field(default_factory=Counter)
    turned_away: Counter[int] = field(default_factory=Counter)

    def between(self, begin: int, end: int) -> Figures:
        accepted = sum(self.accepted[second] for second in range(begin, end))
        refused = sum(self.turned_away[second] for second in range(begin, end))
        return Figures(accepted / (end - begin), refused, refused / max(1, accepted + refused))


class _Drive:
    def __init__(
        self,
        carriers: Sequence[Limiter],
        ceiling: float,
        round_trip_s: float,
        rng: Random,
        binds: int,
        scope: str,
    ) -> None:
        self.run = Run()
        self._carriers = carriers
        self._trip_s = round_trip_s / 2
        self._rng = rng
        shared = Pace(ceiling)
        self._paces = [shared if scope == "account" else Pace(ceiling) for _ in range(binds)]
        self._budget = TokenBucket(ceiling, 0.0)
        # A window that the rate can fill, as connector.carriers.window makes it.
        self._window = max(_WINDOW, int(4 * max(carrier.rate for carrier in carriers) * round_trip_s))
        self._in_flight = [0] * binds
        self._asleep = [False] * binds
        self._due: list[tuple[float, int, str, int, float, bool]] = []
        self._pushed = 0
        for bind in range(binds):
            self._sleep(bind, 0.0)

    def _push(self, at: float, what: str, bind: int, sent_at: float = 0.0, taken: bool = False) -> None:
        self._pushed += 1
        heappush(self._due, (at, self._pushed, what, bind, sent_at, taken))

    def _sleep(self, bind: int, at: float) -> None:
        if not self._asleep[bind]:
            self._asleep[bind] = True
            self._push(at + self._rng.random() * _TIMER_S, "wake", bind)

    def _pump(self, bind: int, now: float) -> None:
        pace, sent = self._paces[bind], 0
        while self._in_flight[bind] < self._window:
            if (at := pace.next_at(now)) > now or not self._budget.take(now):
                self._sleep(bind, max(at, self._budget.next_at(now), now + _TIMER_S))
                break
            pace.take(now)
            self._in_flight[bind] += 1
            sent += 1
            self._push(now + self._trip_s, "arrive", bind, now)
        if sent:
            pace.sent(sent, now)

    def until(self, end: float, changes: Mapping[float, float]) -> None:
        coming = sorted(changes.items())
        while self._due:
            now, _, what, bind, sent_at, taken = heappop(self._due)
            if now >= end:
                break
            while coming and coming[0][0] <= now:
                self._carriers[0].rate = coming.pop(0)[1]
            if what == "arrive":
                taken = self._carriers[bind % len(self._carriers)].take(now)
                (self.run.accepted if taken else self.run.turned_away)[int(now)] += 1
                self._push(now + self._trip_s, "answer", bind, sent_at, taken)
            elif what == "wake":
                self._asleep[bind] = False
                self._pump(bind, now)
            else:
                self._in_flight[bind] -= 1
                if not taken:
                    self._paces[bind].slow(now, sent_at)
                self._pump(bind, now)


def drive(
    carriers: Sequence[Limiter],
    *,
    ceiling: float,
    round_trip_s: float,
    seconds: float,
    rng: Random,
    binds: int = 1,
    scope: str = "bind",
    changes: Mapping[float, float] | None = None,
) -> Run:
    """As fast as `ceiling` and what is learnt permit. `changes`: rates of the first carrier, by second."""
    drive = _Drive(carriers, ceiling, round_trip_s, rng, binds, scope)
    drive.until(seconds, changes or {})
    return drive.run
