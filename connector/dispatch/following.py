"""Jobs that have left and may be sent again: when to look at each, and what receipts and users say."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import Protocol

from connector.dispatch.choosing import Choosing
from connector.dispatch.course import Course, Start
from connector.journal.ops import Told
from connector.model import Channel, LiveJob
from connector.routing.errand import FailureKind, Flight
from connector.routing.journey import Due
from connector.routing.router import Router

__all__ = ["Desk", "Following"]

_MOST_REMEMBERED = 50_000
_REMEMBERED_S = 60.0
"""After its deadline: until then users may tell whether they have used it."""
_FEW = 1_000  # times that may be of jobs long gone
_CAUSE = {"expired": FailureKind.HANDSET, "failed": FailureKind.ROUTE}
"""A carrier that has tried until the end has not reached the handset; else nobody says whose fault it is."""


class Desk(Protocol):
    """What a followed job needs of the dispatcher."""

    live: dict[tuple[int, str], LiveJob]
    channels: dict[Channel, frozenset[str]]

    def advance(self, job: LiveJob, now: float) -> None:
        """Do what its journey says now."""

    def take(self, job: LiveJob, step: int, start: Start, now: float) -> None:
        """Put it in line for a step."""

    def give_up(self, job: LiveJob, reason: str, now: float, *, carrier: str, attempt: int) -> None:
        """All that has left has failed: the next step, or the end."""

    def arrived(self, job: LiveJob, flight: Flight, reason: str, now: float) -> None:
        """Its end: delivered, as the receipts of this flight say."""

    def leave_to_receipts(self, job: LiveJob) -> None:
        """Nothing more will be sent: only its receipts can tell."""


class Following:
    """Asks the router for the instant of each follow-up, keeps the times of journeys and the deadlines."""

    def __init__(self, desk: Desk, router: Router, choosing: Choosing) -> None:
        self._desk = desk
        self._choosing = choosing
        self._router = router
        self._jobs: dict[int, LiveJob] = {}
        self._times: list[tuple[float, int]] = []  # of jobs by their row, some of them gone
        self._remembered: OrderedDict[int, Course] = OrderedDict()

    def __len__(self) -> int:
        return len(self._jobs)

    def remember(self, job: LiveJob, course: Course) -> None:
        """Something can be learned of it, for a while also when it is final. The oldest are forgotten."""
        self._remembered[job.key] = course
        if len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.popitem(last=False)

    def tick(self, now: float) -> None:
        """Forget those of which nothing more will be heard."""
        before = now - _REMEMBERED_S
        while self._remembered:
            key, course = next(iter(self._remembered.items()))
            if course.errand.deadline_at > before:
                break
            del self._remembered[key]
            self.close(course, now)

    def close(self, course: Course, now: float) -> None:
        """Its job is final."""
        if not course.closed:
            course.closed = True
            self._router.closed(course.errand, now)

    # When to look

    def follow(self, job: LiveJob, course: Course, due: Due, now: float) -> None:
        """Nothing is to be done for it now: look again when `due` says, or when a follow-up is worth it."""
        over = not job.under_way and job.follow < 2 and course.is_over(job, self._desk.channels)
        if over or now >= job.deadline_at:
            if not job.under_way:  # else a call that rings must still be found, to be stopped
                self._desk.leave_to_receipts(job)
            return
        if job.key not in self._jobs:
            self._jobs[job.key] = job
            self.remember(job, course)
            heappush(self._times, (job.deadline_at, job.key))
        if due.at is not None and due.at < job.deadline_at:
            heappush(self._times, (due.at, job.key))
        if due.predicted and course.errand.watched is None:
            names = self._names(job, course, due.predicted)
            offers = self._choosing.offers
            self._router.watch(
                course.errand, job, (names, course.pricing), lambda at: offers(job, names, at), now
            )

    def _names(self, job: LiveJob, course: Course, steps: Sequence[int]) -> frozenset[str]:
        channels = self._desk.channels
        return frozenset().union(*(course.unused(step, job, channels) for step in steps))

    def leave(self, job: LiveJob) -> None:
        """It is not followed any more."""
        if self._jobs.pop(job.key, None) is not None and len(self._times) > _FEW + 4 * len(self._jobs):
            self._times = [entry for entry in set(self._times) if entry[1] in self._jobs]
            heapify(self._times)
        if job.course is not None and job.course.errand.watched is not None:
            self._router.unwatch(job.course.errand)

    def next_at(self) -> float | None:
        """When `wake` has something to do."""
        while self._times and self._times[0][1] not in self._jobs:
            heappop(self._times)
        times = [self._times[0][0] if self._times else None, self._router.next_due()]
        return min((time for time in times if time is not None), default=None)

    def wake(self, now: float) -> None:
        """Do what it is time for."""
        for job in self._router.due(now):
            self._predicted(job, now)
        while self._times and self._times[0][0] <= now:
            job = self._jobs.get(heappop(self._times)[1])
            if job is None:
                continue
            if job.deadline_at <= now:
                self._at_deadline(job, now)
            else:
                self._desk.advance(job, now)

    def _predicted(self, job: LiveJob, now: float) -> None:
        course = job.course
        if course is None or job.key not in self._jobs or job.queued or course.paused:
            return
        if course.settled_by is not (routing := self._choosing.routing):
            routing.settle(course, job)
        due = course.due(job, now, self._desk.channels)
        names = self._names(job, course, due.predicted)
        found = self._router.follow_up(course.errand, self._choosing.offers(job, names, now), now)
        if found is None or found.at > now:
            self.follow(job, course, due, now)
            return
        channels = self._desk.channels
        step = next(step for step in due.predicted if found.route in course.unused(step, job, channels))
        self._desk.take(job, step, "on_predicted_miss", now)

    def _at_deadline(self, job: LiveJob, now: float) -> None:
        course = job.course
        assert course is not None
        course.stopped = True
        if job.under_way or job.queued:
            return  # whoever has it now will see that it is too late
        arrived = next((flight for flight in course.errand.flights if flight.state == "arrived"), None)
        if arrived is not None:
            reason = "a receipt says so, and no other word came before its deadline"
            self._desk.arrived(job, arrived, reason, now)
        else:
            self._desk.leave_to_receipts(job)

    # What is heard

    def told(self, told: Sequence[Told], now: float) -> None:
        """Receipts have decided these attempts."""
        for each in told:
            job = self._desk.live.get((each.app, each.id))
            if job is not None and job.key != each.key:
                job = None
            course = self._remembered.get(each.key) if job is None else job.course
            flight = None if course is None else course.flight(each.attempt)
            if course is None or flight is None:
                continue
            if each.result == "delivered":
                self._router.arrived(course.errand, flight, each.at)
            else:
                self._router.failed(course.errand, flight, each.at, _CAUSE[each.result])
            if each.ended:
                self.close(course, now)
            if job is None or each.ended or job.cancelled:
                continue
            if each.result == "delivered":
                self.leave(job)  # what is planned for it changes
                if job.queued and job.course is not None:
                    job.course.void = True
                self._desk.advance(job, now)
            else:
                self._desk.give_up(job, each.reason, now, carrier=flight.route, attempt=each.attempt)

    def feedback(
        self, key: int, converted: bool, attempt: int | None, now: float, *, ends: bool = True
    ) -> None:
        """The user has used the code, or will not; `attempt`: whose code it was. `ends`: the job too."""
        if (course := self._remembered.get(key)) is not None:
            self._router.feedback(course.errand, converted, now, attempt)
            if converted and ends:
                self.close(course, now)
