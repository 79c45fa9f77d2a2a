"""Jobs that wait to leave, earliest deadline first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush, heapreplace

from connector.model import LiveJob, Standing

__all__ = ["DeadlineQueue"]

_Heap = list[tuple[float, int, LiveJob]]
_USUAL = Standing(frozenset(), ())


class DeadlineQueue:
    """One heap for each standing of jobs with the carriers: none hides behind one that must wait longer.

    Cancelled jobs stay until they come up, and are dropped then.
    """

    def __init__(self) -> None:
        self._heaps: dict[Standing, _Heap] = {}
        self._cancelled = 0
        self._size = 0

    def __len__(self) -> int:
        return self._size - self._cancelled

    def push(self, job: LiveJob) -> None:
        """Nothing for a job that was cancelled before it came here."""
        if job.cancelled:
            return
        job.queued = True
        standing = job.standing()
        heap = self._heaps.get(standing)
        if heap is None:
            heap = self._heaps[standing] = []
        heappush(heap, (job.deadline_at, job.key, job))
        self._size += 1

    def pop(self, may_leave: Callable[[Standing], bool]) -> LiveJob | None:
        """The most urgent job whose standing `may_leave`."""
        return next((job for job, _ in self.leaving(may_leave)), None)

    def leaving(self, may_leave: Callable[[Standing], bool]) -> Iterator[tuple[LiveJob, Standing]]:
        """The most urgent jobs whose standing `may_leave`, one after the other, each with its line.

        Each line is looked at once: what must stay is taken to stay until the end. Jobs that are pushed
        meanwhile need not be among them.
        """
        heads = [
            (*heap[0][:2], standing)
            for standing, heap in list(self._heaps.items())
            if self._clean(standing, heap)
        ]
        heapify(heads)
        while heads:
            standing = heads[0][2]
            heap = self._heaps.get(standing, [])
            if not self._clean(standing, heap) or not may_leave(standing):
                heappop(heads)
                continue
            if heap[0][:2] == heads[0][:2]:
                yield self._take(heap), standing
                heap = self._heaps.get(standing, [])
            if self._clean(standing, heap):
                heapreplace(heads, (*heap[0][:2], standing))
            else:
                heappop(heads)

    def pop_expired(self, now: float) -> list[LiveJob]:
        """Those whose deadline has passed."""
        expired = []
        for standing, heap in list(self._heaps.items()):
            while self._clean(standing, heap) and heap[0][0] <= now:
                expired.append(self._take(heap))
        return expired

    def next_deadline(self) -> float | None:
        return min(
            (heap[0][0] for standing, heap in list(self._heaps.items()) if self._clean(standing, heap)),
            default=None,
        )

    def empty(self) -> list[LiveJob]:
        """Take everything out, in no order: the jobs' standing is to change."""
        heaps, self._heaps = self._heaps, {}
        self._cancelled = self._size = 0
        jobs = [entry[2] for heap in heaps.values() for entry in heap if not entry[2].cancelled]
        for job in jobs:
            job.queued = False
        return jobs

    def withdraw(self, line: Callable[[Standing], bool], which: Callable[[LiveJob], bool]) -> list[LiveJob]:
        """Take out the jobs that are `which` of each `line`, in no order."""
        found: list[LiveJob] = []
        for standing, heap in self._heaps.items():
            if heap and line(standing):
                jobs = [entry[2] for entry in heap if not entry[2].cancelled and which(entry[2])]
                if jobs:
                    for job in jobs:
                        job.queued = False
                    heap[:] = [entry for entry in heap if entry[2].cancelled or entry[2].queued]
                    heapify(heap)
                    self._size -= len(jobs)
                    found += jobs
        return found

    def waiting(self, standing: Standing) -> int:
        """How many jobs wait in this line, cancelled ones among them."""
        return len(self._heaps.get(standing, ()))

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

    def _clean(self, standing: Standing, heap: _Heap) -> bool:
        """Drop cancelled jobs from the head; False when nothing is left."""
        while heap and heap[0][2].cancelled:
            self._take(heap)
            self._cancelled -= 1
        if not heap and standing != _USUAL:
            self._heaps.pop(standing, None)
        return bool(heap)
