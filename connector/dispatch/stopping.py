"""What ends a job from outside: the application, a newer job, the user, or a receipt."""

from __future__ import annotations

from collections.abc import Sequence

from connector.carriers.contract import Attempt
from connector.dispatch.outcomes import AttemptOutcomes
from connector.metrics import Metrics
from connector.model import LiveJob
from connector.routing.errand import Flight

__all__ = ["Stopping"]


class Stopping(AttemptOutcomes):
    """Nothing more leaves for a job that is stopped; a call that has said nothing yet is hung up."""

    _metrics: Metrics
    _intended: set[tuple[int, int]]

    def ended(self, jobs: Sequence[tuple[int, str]]) -> None:
        """Receipts ended these jobs: those that still wait, as after a lost answer, must not leave again."""
        for key in jobs:
            if (job := self.live.get(key)) is not None:
                self.forget(job)

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
        calls = self._calls_of(job)
        spoken = [call for call in calls if not call.carrier.hang_up(call, now)]
        left = [each for each in self._possible(job) if (job.key, each.number) not in self._intended]
        if spoken or job.resent or any(flight.channel == "sms" for flight in left):
            self._stop(job)
            self._unfollow(job)
            if not job.under_way:
                self.forget(job)
            return False
        self._finish(job, "cancelled", "cancelled", "cancelled by the application", now, context)
        return True

    def feedback(self, key: int, app: int, id: str, converted: bool, attempt: int | None, now: float) -> None:
        """The user has used the code, or will not: something is learned, and nothing more need be sent."""
        self.following.feedback(key, converted, attempt, now)
        if converted and (job := self.live.get((app, id))) is not None and job.key == key:
            self.forget(job)

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
        if job.follow:
            self._journal.batch.unfollows.append(job.key)
            self._journal.touch()
