"""What the jobs of a class may cost on average: over ten minutes that slide."""

from __future__ import annotations

from collections import deque

__all__ = ["Budget"]

_WINDOW_S = 600.0
_SLICE_S = 15.0
_BURST = 5.0  # as if so many jobs more had been: the first extra send must not wait for many jobs


class Budget:
    """Counts of one class. `extra_sends`, `cost`: the most a job, on average."""

    __slots__ = ("_extra", "_jobs", "_slices", "_spent", "_until", "cost", "extra_sends")

    def __init__(self, extra_sends: float, cost: float, now: float) -> None:
        self.extra_sends = extra_sends
        self.cost = cost
        self._slices: deque[list[float]] = deque([[0.0, 0.0, 0.0]])  # jobs, extra sends, money; newest last
        self._until = now + _SLICE_S  # then the newest slice ends
        self._jobs = self._extra = self._spent = 0.0

    def job(self, price: float, now: float) -> None:
        """The first message of a job has left."""
        if now >= self._until:
            self._slide(now)
        newest = self._slices[-1]
        newest[0] += 1.0
        newest[2] += price
        self._jobs += 1.0
        self._spent += price

    def extra(self, price: float, now: float) -> None:
        """A further message of a job has left."""
        if now >= self._until:
            self._slide(now)
        newest = self._slices[-1]
        newest[1] += 1.0
        newest[2] += price
        self._extra += 1.0
        self._spent += price

    def allows(self, price: float, now: float) -> bool:
        """Whether a further message at `price` keeps within both limits."""
        if now >= self._until:
            self._slide(now)
        jobs = self._jobs + _BURST
        return self._extra + 1.0 <= self.extra_sends * jobs and self._spent + price <= self.cost * jobs

    def averages(self, now: float) -> tuple[float, float]:
        """Extra sends and money a job, over the last ten minutes."""
        if now >= self._until:
            self._slide(now)
        jobs = max(self._jobs, 1.0)
        return self._extra / jobs, self._spent / jobs

    def dump(self, now: float) -> list[float]:
        """Jobs, extra sends and money within the window."""
        if now >= self._until:
            self._slide(now)
        return [self._jobs, self._extra, self._spent]

    def restore(self, counts: list[float]) -> None:
        """Take `counts` of `dump` as if they were of this moment."""
        jobs, extra, spent = counts
        self._slices[-1] = [jobs, extra, spent]
        self._jobs, self._extra, self._spent = jobs, extra, spent

    def _slide(self, now: float) -> None:
        steps = int((now - self._until) / _SLICE_S) + 1
        self._until += steps * _SLICE_S
        slices = self._slices
        slices.extend([0.0, 0.0, 0.0] for _ in range(min(steps, int(_WINDOW_S / _SLICE_S))))
        while len(slices) > _WINDOW_S / _SLICE_S:
            slices.popleft()
        self._jobs, self._extra, self._spent = (sum(s[i] for s in slices) for i in range(3))
