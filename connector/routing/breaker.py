"""A route that has stopped working is left out: cumulative sums of evidence, and trials afterwards.

Each observation is a log likelihood ratio: how much better "it works as badly as in an outage" explains it
than "it works as usual" (Page's CUSUM). There is a sum for each question that is asked of a flight, as
"receipt within 4 s?", and each flight answers each question once: what answers one question comes in the
order of leaving, so that good news is never late. No sum falls below 0; at the threshold the breaker opens.
Then a few jobs, paced, try the route; enough good news from these alone closes it.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from math import inf
from typing import Any, Literal, NamedTuple

__all__ = ["Breaker", "BreakerChange", "Breakers", "Key", "Kind", "Question", "State"]

THRESHOLD = 12.0
_SUSPECTED = 4.0
_GOOD_NEWS = 3.0  # of trials, the same measure with its sign turned
_FIRST_TRIAL_S = 3.0
_MOST_TRIAL_S = 12.0
_SLOWER = 1.4  # the pace after each trial that failed
_SAME_OUTAGE_S = 30.0
_SETTLED_S = 120.0  # what left before it closed is not heard of any more after this
_LIMIT = 4_000
_MOST_CHANGES = 1_000

Key = tuple[str, str]
"""Route and country; "": all of them."""
State = Literal["closed", "open", "half_open"]


class Kind(StrEnum):
    """What the evidence is about; the words are for operators."""

    RECEIPTS = "no receipts in time"
    CONVERSIONS = "receipts, but nobody used the code"
    REFUSALS = "submits refused"


Question = tuple[Kind, int]
"""What is asked of a flight, and the number of the age at which."""


class BreakerChange(NamedTuple):
    """A breaker has entered `state`. `country`: "" for all; `reason`: in words, "" when it closed."""

    route: str
    country: str
    state: State
    reason: str


class Breaker:
    """One route, for all countries or for one."""

    __slots__ = ("_good", "_interval_s", "_next_trial", "_sums", "closed_at", "kind", "opened_at", "tried")

    def __init__(self) -> None:
        self._sums: dict[Question, float] = {}
        self.opened_at: float | None = None
        self.closed_at = -inf  # what left before says nothing of it
        self.kind = Kind.RECEIPTS  # what opened it
        self.tried = 0  # trials since then
        self._good = 0.0
        self._next_trial = 0.0
        self._interval_s = _FIRST_TRIAL_S

    @property
    def state(self) -> State:
        if self.opened_at is None:
            return "closed"
        return "half_open" if self.tried else "open"

    def idle(self, now: float) -> bool:
        """Nothing is held against it."""
        return self.opened_at is None and not self._sums and now - self.closed_at > _SETTLED_S

    @property
    def doubts_receipts(self) -> bool:
        """Its receipts are thought to be invented."""
        return self.kind is Kind.CONVERSIONS

    def sum_of(self, question: Question) -> float:
        return self._sums.get(question, 0.0)

    def observe(self, question: Question, ratio: float, now: float) -> bool:
        """Evidence of a first attempt, while it is closed. True: it opens now."""
        total = self._sums.get(question, 0.0) + ratio
        if total <= 0.0:
            self._sums.pop(question, None)
            return False
        self._sums[question] = total
        if total < THRESHOLD or self.opened_at is not None:
            return False
        self.opened_at = now
        self.kind = question[0]
        self.tried = 0
        self._good = 0.0
        self._interval_s = _FIRST_TRIAL_S
        self._next_trial = now + _FIRST_TRIAL_S
        return True

    def trial_due(self, now: float) -> bool:
        """Whether one job may try the route now."""
        return self.opened_at is not None and now >= self._next_trial

    def trial_left(self, now: float) -> None:
        self.tried += 1
        self._next_trial = now + self._interval_s

    def tried_out(self, kind: Kind, ratio: float, now: float) -> bool:
        """Evidence of a trial. True: it closes now."""
        if self.opened_at is None or (kind is not self.kind and ratio <= 0.0):
            return False
        if ratio > 0.0:
            self._good = max(0.0, self._good - ratio)
            return False
        self._good -= ratio
        self._interval_s = _FIRST_TRIAL_S / 3.0
        self._next_trial = min(self._next_trial, now + self._interval_s)
        if self._good < _GOOD_NEWS:
            return False
        self.close(now)
        return True

    def close(self, now: float) -> None:
        """It works again."""
        self.opened_at = None
        self.closed_at = now
        self._sums.clear()

    def trial_failed(self) -> None:
        """Nothing came of a trial: slower from now on."""
        self._interval_s = min(_MOST_TRIAL_S, self._interval_s * _SLOWER)

    def reason(self, now: float) -> str:
        """Why it is open, in words; "" while it is closed."""
        if self.opened_at is None:
            return ""
        return f"breaker open for {now - self.opened_at:.0f} s: {self.kind}"

    def dump(self) -> list[object]:
        sums = [[str(kind), age, total] for (kind, age), total in self._sums.items()]
        return [sums, self.opened_at, str(self.kind), self._good]

    @classmethod
    def load(cls, data: Any, now: float) -> Breaker:
        """One of `dump`. Raises ValueError, TypeError on anything else."""
        sums, opened_at, kind, good = data
        breaker = cls()
        breaker._sums = {(Kind(name), int(age)): float(total) for name, age, total in sums}
        breaker.opened_at = None if opened_at is None else min(float(opened_at), now)
        breaker.kind = Kind(kind)
        breaker._good = float(good)
        return breaker


class Breakers:
    """All of them that are not idle; at most a few thousand.

    version  changes when one opens or closes
    """

    def __init__(self) -> None:
        self._breakers: dict[Key, Breaker] = {}
        self.open: dict[Key, Breaker] = {}
        self.version = 0
        self._changes: deque[BreakerChange] = deque(maxlen=_MOST_CHANGES)

    def changes(self) -> list[BreakerChange]:
        """What has changed since this was asked last, the first one first."""
        found = list(self._changes)
        self._changes.clear()
        return found

    def find(self, route: str, country: str) -> Breaker | None:
        """The open breaker that stands between `route` and `country`, None where none does."""
        if not self.open:
            return None
        return self.open.get((route, "")) or self.open.get((route, country))

    def confined(self, route: str, country: str) -> bool:
        """Whether the breaker of this country is open, and that of all is not."""
        return (route, country) in self.open and (route, "") not in self.open

    def suspects(self, route: str, question: Question) -> bool:
        """Whether the answers to this question point to an outage of the whole route."""
        breaker = self._breakers.get((route, ""))
        return breaker is not None and breaker.sum_of(question) > _SUSPECTED

    def observe(
        self, route: str, country: str, question: Question, ratio: float, left_at: float, now: float
    ) -> None:
        """Evidence about one flight of `route` to `country` that left at `left_at`."""
        for key in ((route, ""), (route, country)) if country else ((route, ""),):
            breaker = self._breakers.get(key)
            if breaker is None:
                if ratio <= 0.0 or len(self._breakers) >= _LIMIT:
                    continue
                breaker = self._breakers[key] = Breaker()
            if breaker.opened_at is None and left_at >= breaker.closed_at:
                if breaker.observe(question, ratio, now):
                    self._changed(key, breaker, now)
                elif breaker.idle(now):
                    del self._breakers[key]

    def tried_out(self, route: str, country: str, kind: Kind, ratio: float, now: float) -> bool:
        """Evidence of a trial. True: the route works again."""
        closed = False
        for key in ((route, ""), (route, country)) if country else ((route, ""),):
            breaker = self.open.get(key)
            if breaker is not None and breaker.opened_at is not None:
                since = breaker.opened_at
                if breaker.tried_out(kind, ratio, now):
                    self._changed(key, breaker, now)
                    self._close_countries(key, since - _SAME_OUTAGE_S, now)
                    closed = True
        return closed

    def trial_failed(self, route: str, country: str) -> None:
        for key in ((route, ""), (route, country)):
            if (breaker := self.open.get(key)) is not None:
                breaker.trial_failed()

    def trial_left(self, route: str, country: str, now: float) -> None:
        for key in ((route, ""), (route, country)):
            if (breaker := self.open.get(key)) is not None:
                breaker.trial_left(now)
                if breaker.tried == 1:
                    self._changes.append(BreakerChange(*key, breaker.state, breaker.reason(now)))

    def dump(self) -> list[object]:
        return [[*key, breaker.dump()] for key, breaker in self._breakers.items()]

    def restore(self, rows: list[list[Any]], now: float) -> None:
        """What `dump` gave. Raises ValueError, TypeError on anything else."""
        breakers = {
            (str(route), str(country)): Breaker.load(data, now) for route, country, data in rows[:_LIMIT]
        }
        self._breakers = breakers
        self.open = {key: breaker for key, breaker in breakers.items() if breaker.opened_at is not None}
        self.version += 1

    def _close_countries(self, key: Key, since: float, now: float) -> None:
        """The whole route works again: so do the countries that went with it."""
        route, country = key
        if not country:
            for other, breaker in [*self.open.items()]:
                if other[0] == route and breaker.opened_at is not None and breaker.opened_at >= since:
                    breaker.close(now)
                    self._changed(other, breaker, now)

    def _changed(self, key: Key, breaker: Breaker, now: float) -> None:
        self.version += 1
        self._changes.append(BreakerChange(*key, breaker.state, breaker.reason(now)))
        if breaker.opened_at is None:
            self.open.pop(key, None)
        else:
            self.open[key] = breaker
