"""Jobs that wait to leave, earliest deadline first."""

from __future__ import annotations

from collections.abc import Collection
from heapq import heappop, heappush

from connector.model import LiveJob

__all__ = ["DeadlineQueue"]

_Heap = list[tuple[float, int, LiveJob]]


class DeadlineQueue:
    """One heap for each set of carriers that refused: a job never hides behind one that must wait longer.

    Cancelled jobs stay until they come up, and are dropped then.
    """

    def __init__(self) -> None:
        self._heaps: dict[frozenset[str], _Heap] = {}
        self._cancelled = 0
        self._size = 0

    def __len__(self) -> int:
        return self._size - self._cancelled

    def push(self, job: LiveJob) -> None:
        """Nothing for a job that was cancelled before it came here."""
        if job.cancelled:
            return
        job.queued = True
        heap = self._heaps.get(job.tried)
        if heap is None:
            heap = self._heaps[job.tried] = []
        heappush(heap, (job.deadline_at, job.key, job))
        self._size += 1

    def pop(self, carriers: Collection[str]) -> LiveJob | None:
        """The most urgent job that at least one of `carriers` has not refused."""
        best: _Heap | None = None
        for tried, heap in list(self._heaps.items()):
            if not self._clean(tried, heap) or all(name in tried for name in carriers):
                continue
            if best is None or heap[0] < best[0]:
                best = heap
        if best is None:
            return None
        return self._take(best)

    def pop_expired(self, now: float) -> list[LiveJob]:
        """Those whose deadline has passed."""
        expired = []
        for tried, heap in list(self._heaps.items()):
            while self._clean(tried, heap) and heap[0][0] <= now:
                expired.append(self._take(heap))
        return expired

    def next_deadline(self) -> float | None:
        return min(
            (heap[0][0] for tried, heap in list(self._heaps.items()) if self._clean(tried, heap)),
            default=None,
        )

    def cancel(self, job: LiveJob) -> None:
        """Take back a job, in the queue or on its way there."""
        if job.queued and not job.cancelled:
            self._cancelled += 1
        job.cancelled = True

    def _take(self, heap: _Heap) -> LiveJob:
        job = heappop(heap)[2]
        job.queued = False
        self._size -= 1
        return job

    def _clean(self, tried: frozenset[str], heap: _Heap) -> bool:
        """Drop cancelled jobs from the head; False when nothing is left."""
        while heap and heap[0][2].cancelled:
            self._take(heap)
            self._cancelled -= 1
        if not heap and tried:
            del self._heaps[tried]
        return bool(heap)
