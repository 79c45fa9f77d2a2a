"""What ends a job from outside: the application, a newer job, the user, or a receipt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from weakref import WeakValueDictionary

from connector.carriers.contract import Attempt
from connector.dispatch.outcomes import AttemptOutcomes
from connector.dispatch.routing import Routing
from connector.metrics import Metrics
from connector.model import LiveJob
from connector.routing.errand import Flight

__all__ = ["Stopping"]


class Numbers(Protocol):
    """A set of E.164 numbers with +."""

    def __contains__(self, number: str, /) -> bool: ...


class Stopping(AttemptOutcomes):
    """Nothing more leaves for a job that is stopped; a call that has said nothing yet is hung up."""

    routing: Routing
    _metrics: Metrics
    _intended: set[tuple[int, int]]
    _purposes: WeakValueDictionary[tuple[int, str, str], LiveJob]
    _departed: WeakValueDictionary[tuple[int, str], LiveJob]
    """Not live; the late answer to an attempt that is unknown would bring them back."""

    def ended(self, jobs: Sequence[tuple[int, str]]) -> None:
        """Receipts ended these jobs: those that still wait, as after a lost answer, must not leave again."""
        for key in jobs:
            if (job := self.live.get(key)) is not None:
                self.forget(job)

    def _claim_purpose(self, job: LiveJob, now: float) -> None:
        if job.supersedes is None:
            return
        purpose = (job.app, job.recipient, job.supersedes)
        older = self._purposes.pop(purpose, None)
        if not job.cancelled:
            self._purposes[purpose] = job
        if older is not None and older is not job:
            self.supersede(older, now)

    def _depart(self, job: LiveJob) -> None:
        """It is not live any more: nothing brings it back, but for a late answer."""
        if not job.cancelled and any(flight.state == "unknown" for flight in self._possible(job)):
            self._departed[job.app, job.id] = job
        elif job.supersedes is not None:
            purpose = (job.app, job.recipient, job.supersedes)
            if self._purposes.get(purpose) is job:
                del self._purposes[purpose]

    def withhold(self, app: int, id: str) -> None:
        """A job that is not live is never sent again, whatever late answers say."""
        if (job := self._departed.get((app, id))) is not None:
            self._stop(job)
            self._unfollow(job)

    def supersede(self, job: LiveJob, now: float) -> None:
        """A newer job has taken its place: it ends, whatever is under way."""
        self._stop_attempts(job, now)
        self._metrics.jobs_superseded += 1
        self._finish(job, "cancelled", "cancelled", "superseded by a newer job", now)

    def cancel(self, job: LiveJob, context: object, now: float) -> bool:
        """Take back a live job.

        True: it ends so, and the answer to `context` follows its commit. False: it may have arrived already,
        but nothing more is sent for it.
        """
        if job.cancelled:
            return False
        if self._may_be_heard(job, now):
            self._let_be(job)
            return False
        self._finish(job, "cancelled", "cancelled", "cancelled by the application", now, context)
        return True

    def opt_out(self, numbers: Numbers, now: float) -> int:
        """Nothing more is sent to these numbers. Of what waits a job is rejected, unless something of it may
        have arrived: then its receipts decide. Returns how many jobs there were.
        """
        live = [job for job in self.live.values() if job.recipient in numbers]
        jobs = [job for job in live if not (job.cancelled or (job.course and job.course.stopped))]
        for job in jobs:
            if self._may_be_heard(job, now):
                self._let_be(job)
            else:
                self._finish(job, "rejected", "failed", "this number wants nothing of this lane", now)
        departed = [job for job in self._departed.values() if job.recipient in numbers]
        for job in departed:
            self.withhold(job.app, job.id)
        for call in [*self._calls.values()]:  # also one whose job was stopped by its deadline
            if call.job.recipient in numbers:
                call.carrier.hang_up(call, now)
        return len(jobs)

    def _may_be_heard(self, job: LiveJob, now: float) -> bool:
        """Whether something of it may have arrived; a call that has said nothing yet is hung up."""
        calls = self._calls_of(job)
        spoken = [call for call in calls if not call.carrier.hang_up(call, now)]
        left = [each for each in self._possible(job) if (job.key, each.number) not in self._intended]
        heard = any(each.channel == "sms" or each.state == "unknown" for each in left)
        return bool(spoken) or job.resent or heard

    def _let_be(self, job: LiveJob) -> None:
        """What is under way goes on to its end; nothing follows, also after a restart."""
        self._stop(job)
        self._unfollow(job)
        if not job.under_way:
            self.forget(job)

    def feedback(
        self, key: int, app: int, id: str, converted: bool, attempt: int | None, now: float,
        journey: str = "",
    ) -> bool:  # fmt: skip
        """The user has used the code, or will not: something is learned.

        True: that ends the job, of which nothing more is sent. `journey`: of one that is not live.
        """
        job = self.live.get((app, id))
        if job is not None and (job.key != key or job.course is None):
            job = None
        stop = job.course.journey.stop if job is not None and job.course else self.routing.stop_of(journey)
        ends = converted and "converted" in stop
        self.following.feedback(key, converted, attempt, now, ends=ends)
        if ends and job is not None:
            self.forget(job)
        return ends

    def _calls_of(self, job: LiveJob) -> list[Attempt]:
        if not self._calls:
            return []
        return [call for (key, _), call in self._calls.items() if key == job.key]

    def _possible(self, job: LiveJob) -> list[Flight]:
        """What has left of it and may have arrived."""
        course = job.course
        return [flight for flight in course.errand.flights if flight.state != "failed"] if course else []

    def _stop(self, job: LiveJob) -> None:
        """What is under way goes on to its end; nothing follows."""
        if job.course is not None:
            job.course.stopped = True

    def forget(self, job: LiveJob) -> None:
        """It became final without us: nothing more may leave; what is under way can be stopped in a call
        that has said nothing yet.
        """
        self.queue.cancel(job)
        self._stop_attempts(job, self._now())
        if not job.under_way:
            self.release(job)

    def _stop_attempts(self, job: LiveJob, now: float) -> None:
        self._stop(job)
        for call in self._calls_of(job):
            call.carrier.hang_up(call, now)

    def _unfollow(self, job: LiveJob) -> None:
        self._journal.batch.unfollows.append(job.key)
        self._journal.touch()

    def leave_to_receipts(self, job: LiveJob) -> None:
        """Nothing more will be sent: only its receipts can tell."""
        if job.follow:
            self._unfollow(job)
        self.release(job)

    def _end_course(self, job: LiveJob, now: float) -> None:
        """It was stopped: what has left may still arrive."""
        assert job.course is not None
        if not job.course.single:
            self.advance(job, now)
        elif not job.under_way:
            self.leave_to_receipts(job)
