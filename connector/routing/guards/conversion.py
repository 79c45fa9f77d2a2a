"""A guard against destinations whose codes nobody uses: pumped messages are read by no one."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from math import inf
from typing import TYPE_CHECKING, Any, Final

from .ask import Ask, Objection, Verdict
from .book import Book
from .parts import Parts, joined, merged, parts_of

if TYPE_CHECKING:
    from connector.config.guards import ConversionGuard

__all__ = ["MOST_SHARES", "Conversion", "Share", "Teller"]

MOST_SHARES: Final = 50_000
_LAST_DIGITS: Final = 4
_COARSE: Final = 4  # a network or a country is judged after so many times more
_ENOUGH: Final = 20  # conversions before an application's silence says anything
_TOLD_S: Final = 86_400.0  # an application that has told of none for so long does not tell
_SLICES: Final = 64
_RARELY: Final = 0.01  # half-lives: what is younger is as good as new
_MOST_IN_SLICE: Final = 10_000
_SHOWN: Final = 10


class Share:
    """The used part of what was sent to a block, a network or a country.

    jobs   whose time is over; used: their codes and those of younger jobs. Both fade
    small  whether it was too small for its jobs when it was counted last
    """

    __slots__ = ("after", "at", "jobs", "small", "trial_at", "used")

    def __init__(self, after: float, at: float) -> None:
        self.after = after
        self.jobs = self.used = 0.0
        self.at = at
        self.small = False
        self.trial_at = 0.0  # one more job passes then, where it is too small

    def fade(self, half_life_s: float, now: float) -> None:
        age_s = now - self.at
        if age_s > _RARELY * half_life_s:
            keep: float = 0.5 ** (age_s / half_life_s)
            self.jobs *= keep
            self.used *= keep
            self.at = now


class Teller:
    """Of one application: how many conversions it has told, and until when its silence counts."""

    __slots__ = ("told", "until")

    def __init__(self) -> None:
        self.told = 0.0
        self.until = -inf


class Conversion:
    """Of each application by itself. A job is counted `wait_s` after it was accepted. Of more than
    MOST_SHARES shares (about 11 MB) the half with fewer jobs is forgotten.
    """

    name = "conversion"

    def __init__(self, rules: ConversionGuard, now: float) -> None:
        self.dry_run = rules.dry_run
        self._rules = rules
        self._half_life_s = rules.half_life_s
        self.shares: Book[Share] = Book(MOST_SHARES, self._weight)
        self._tellers: dict[str, Teller] = {}
        self._slice_s = rules.wait_s / _SLICES
        self.newest: list[Sequence[Share]] = []
        """Of each job of this moment that counts."""
        self._waiting: deque[list[Sequence[Share]]] = deque([self.newest])
        self.since, self.until = now, now + self._slice_s

    def _weight(self, share: Share, now: float) -> float:
        share.fade(self._half_life_s, now)
        return share.jobs + share.used

    def teller(self, app: str) -> Teller:
        teller = self._tellers.get(app)
        if teller is None:
            teller = self._tellers[app] = Teller()
        return teller

    def of(self, ask: Ask, now: float) -> tuple[Share, ...]:
        """The shares that count this job and those like it, the block's first."""
        app, number, destination = ask.app, ask.number, ask.destination
        after = float(self._rules.after)
        names = [f"{app} {number[:-_LAST_DIGITS]}{'x' * _LAST_DIGITS}", f"{app} {destination.country}"]
        if destination.network:
            names.append(f"{app} {destination.country} {destination.network}")
        afters = (after, _COARSE * after, _COARSE * after)
        return tuple(
            self.shares.get(name, partial(Share, least, now), now)
            for name, least in zip(names, afters, strict=False)
        )

    def judge(self, shares: Sequence[Share], now: float) -> Objection | None:
        wait_s = 0.0
        for share in shares:
            if self._is_small(share, now):
                wait_s = max(wait_s, min(share.trial_at - now, self._rules.trial_every_s))
        if wait_s <= 0.0:
            return None
        message = "codes sent to numbers like this one are hardly ever used"
        return Objection(self.name, self.dry_run, Verdict(message, retry_after_s=round(wait_s, 3)))

    def count(self, shares: Sequence[Share], now: float) -> None:
        """A job that passes all the same where a share is too small."""
        self.newest.append(shares)
        for share in shares:
            if share.small:
                share.trial_at = now + self._rules.trial_every_s

    def undo(self, shares: Sequence[Share]) -> None:
        if shares in self.newest:
            self.newest.remove(shares)

    def feedback(self, ask: Ask, now: float) -> None:
        """A code was used; one that was not counts by its silence."""
        teller = self.teller(ask.app)
        teller.told += 1.0
        if teller.told >= _ENOUGH:
            teller.until = now + _TOLD_S
            for share in self.of(ask, now):
                share.fade(self._half_life_s, now)
                share.used += 1.0
                self._is_small(share, now)

    def slide(self, now: float) -> None:
        """Jobs of the oldest slices have had their time; needed when it is not `since` to `until`."""
        steps = 1 + int((now - self.until) / self._slice_s) if now >= self.until else 1
        self.since, self.until = now, now + self._slice_s
        for _ in range(min(steps, _SLICES + 1)):
            # More at once than anybody sends are judged by a part of them.
            del self.newest[_MOST_IN_SLICE:]
            self.newest = []
            self._waiting.append(self.newest)
            if len(self._waiting) > _SLICES + 1:
                self._judge_all(self._waiting.popleft(), now)

    def _judge_all(self, jobs: list[Sequence[Share]], now: float) -> None:
        rarely_s = _RARELY * self._half_life_s
        for share, count in Counter(chain.from_iterable(jobs)).items():
            if now - share.at > rarely_s:
                share.fade(self._half_life_s, now)
            share.jobs += count
            if share.jobs >= share.after or share.small:
                self._is_small(share, now)

    def _is_small(self, share: Share, now: float) -> bool:
        share.fade(self._half_life_s, now)
        share.small = share.jobs >= share.after and share.used < self._rules.floor * share.jobs
        return share.small

    def dump(self, now: float) -> Parts:
        """Each part of shares and tellers: of the one or the other."""
        entries, tellers = self.shares.entries, self._tellers

        def shares(names: Sequence[str]) -> Any:
            return {
                name: [share.jobs, share.used, share.at]
                for name in names
                if (share := entries[name]).jobs >= 1.0
            }, {}

        def telling(apps: Sequence[str]) -> Any:
            return {}, {app: [(teller := tellers[app]).told, teller.until] for app in apps}

        return joined(parts_of(tellers, MOST_SHARES, telling), parts_of(entries, MOST_SHARES, shares))

    def restore(self, parts: Any, now: float) -> None:
        shares = merged((share for share, _ in parts), MOST_SHARES)
        tellers = merged((teller for _, teller in parts), MOST_SHARES)
        for name, counts in shares.items():
            jobs, used, at = map(_counted, counts)
            after = float(self._rules.after) * (1 if name.endswith("x") else _COARSE)
            share = self.shares.get(name, partial(Share, after, min(at, now)), now)
            share.jobs, share.used = jobs, used
            self._is_small(share, now)
        for app, (told, until) in tellers.items():
            teller = self.teller(str(app))
            teller.told, teller.until = _counted(told), min(float(until), now + _TOLD_S)

    def overview(self, now: float) -> Iterator[tuple[str, Any]]:
        yield "entries", len(self.shares.entries)
        small = sorted(
            (share.jobs, name, share.used)
            for name, share in self.shares.entries.items()
            if share.small and self._is_small(share, now)
        )
        rows = [
            {"what": name, "jobs": round(jobs, 1), "used": round(used / jobs, 3)}
            for jobs, name, used in reversed(small[-_SHOWN:])
        ]
        yield "refused_destinations", rows


def _counted(value: Any) -> float:
    if not 0.0 <= (count := float(value)) < inf:
        raise ValueError("no count")
    return count
