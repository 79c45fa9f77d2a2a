"""Who waits for the planned instant of a follow-up.

Errands whose only flight left by the same route, to the same cell, with the same patience, stand in one line:
their instant comes at the same age, so that the first of the line is the next, and one plan serves all of
them. Errands with several flights under way, or asked about before, wait each for an instant of their own.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from heapq import heapify, heappop, heappush
from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connector.routing.errand import Errand, OffersOf

__all__ = ["Line", "Watched", "Wheel"]

_STALE_S = 1.0  # a plan is made anew after so long
_PER_TICK = 50  # plans made anew in one tick, so that a tick stays short
_AGAIN_S = 1.0  # where no follow-up pays, ask again after this


class Watched:
    """One errand that waits. `line`: None where it waits for an instant of its own, `at`."""

    __slots__ = ("at", "errand", "line", "offers_of", "token")

    def __init__(self, errand: Errand, token: Any, offers_of: OffersOf) -> None:
        self.errand: Errand | None = errand
        self.token = token
        self.offers_of = offers_of
        self.line: Line | None = None
        self.at = inf

    def __lt__(self, other: Watched) -> bool:
        return self.at < other.at


class Line:
    """Errands whose instant comes at the same age. `age_s`: inf, none comes."""

    __slots__ = ("age_s", "at", "key", "members", "planned_at")

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.members: OrderedDict[Watched, float] = OrderedDict()  # and when its flight left
        self.age_s = inf
        self.planned_at = -inf
        self.at = inf  # when it is looked at next

    def __lt__(self, other: Line) -> bool:
        return self.at < other.at


class Wheel:
    """All that wait.

    age_of  the age at which the follow-up of a fresh flight of this errand is worth most; inf: never; None:
            something was heard of it
    at_of   the instant of this errand, as it is now; inf: never
    """

    def __init__(
        self,
        age_of: Callable[[Errand, OffersOf, float], float | None],
        at_of: Callable[[Errand, OffersOf, float], float],
    ) -> None:
        self._age_of = age_of
        self._at_of = at_of
        self._lines: dict[Hashable, Line] = {}
        self._round: deque[Line] = deque()
        self._line_heap: list[tuple[float, Line]] = []
        self._alone: list[Watched] = []
        self._left = 0  # dead entries of it
        self._anew: deque[Watched] = deque()

    def __len__(self) -> int:
        return sum(len(line.members) for line in self._lines.values()) + len(self._alone) - self._left

    def join(self, watched: Watched, key: Hashable, left_at: float, now: float) -> None:
        """Wait in the line of `key`; those before must have left before."""
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = Line(key)
            self._round.append(line)
        watched.line = line
        line.members[watched] = left_at
        if now - line.planned_at >= _STALE_S:
            self._plan(line, watched, now)
        elif len(line.members) == 1:
            self._look_at(line, left_at + line.age_s)

    def wait(self, watched: Watched, at: float) -> None:
        """Wait for an instant of one's own; inf: until something changes."""
        watched.at = at
        heappush(self._alone, watched)

    def leave(self, watched: Watched) -> None:
        """It waits no more."""
        if watched.line is not None:
            del watched.line.members[watched]
        elif watched.errand is not None:
            self._left += 1
            if self._left > 64 and self._left * 2 > len(self._alone):
                self._alone = [
                    entry for entry in self._alone if entry.errand is not None and entry is not watched
                ]
                heapify(self._alone)
                self._left = 0
        watched.errand = watched.token = None
        watched.line = None

    def due(self, now: float) -> list[Watched]:
        """Those whose instant has come; they wait no more."""
        found: list[Watched] = []
        while self._line_heap and self._line_heap[0][0] <= now:
            at, line = heappop(self._line_heap)
            if at == line.at:
                self._take(line, now, found)
        while self._alone and self._alone[0].at <= now:
            watched = heappop(self._alone)
            if watched.errand is None:
                self._left -= 1
            else:
                found.append(watched)
        return found

    def next_due(self) -> float | None:
        """When `due` has something to tell, at the earliest."""
        at = min(self._line_heap[0][0] if self._line_heap else inf, self._alone[0].at if self._alone else inf)
        return at if at < inf else None

    def tick(self, now: float) -> None:
        """Make old plans anew, some at a time."""
        for _ in range(min(_PER_TICK, len(self._round))):
            line = self._round.popleft()
            if not line.members:
                del self._lines[line.key]
                line.planned_at = line.at = -inf
                continue
            self._round.append(line)
            if now - line.planned_at >= _STALE_S:
                self._plan(line, next(iter(line.members)), now)
        for _ in range(min(_PER_TICK, len(self._anew))):
            watched = self._anew.popleft()
            if watched.errand is not None and watched.line is None:
                self._move(watched, min(watched.at, self._at_of(watched.errand, watched.offers_of, now)))

    def changed(self, now: float) -> None:
        """A breaker has changed: all plans are old."""
        for line in self._lines.values():
            line.planned_at = -inf
        self._anew = deque(entry for entry in self._alone if entry.errand is not None)

    def _plan(self, line: Line, example: Watched, now: float) -> None:
        line.planned_at = now
        while True:
            assert example.errand is not None
            age_s = self._age_of(example.errand, example.offers_of, now)
            if age_s is not None:
                break
            # It is not like the others any more, and says nothing of their instant.
            del line.members[example]
            example.line = None
            self.wait(example, now)
            if not line.members:
                line.at = inf
                return
            example = next(iter(line.members))
        line.age_s = age_s
        self._look_at(line, next(iter(line.members.values())) + age_s)

    def _look_at(self, line: Line, at: float) -> None:
        line.at = at
        if at < inf:
            heappush(self._line_heap, (at, line))

    def _take(self, line: Line, now: float, found: list[Watched]) -> None:
        members, age_s = line.members, line.age_s
        line.at = inf
        while members:
            watched, left_at = next(iter(members.items()))
            if left_at + age_s > now:
                self._look_at(line, left_at + age_s)
                return
            del members[watched]
            watched.line = None
            found.append(watched)

    def _move(self, watched: Watched, at: float) -> None:
        """Another instant: an earlier one only, so that the heap stays in order without a search."""
        if at < watched.at:
            earlier = Watched(watched.errand, watched.token, watched.offers_of)  # type: ignore[arg-type]
            earlier.errand.watched = earlier  # type: ignore[union-attr]
            watched.errand = watched.token = None
            self._left += 1
            self.wait(earlier, at)
