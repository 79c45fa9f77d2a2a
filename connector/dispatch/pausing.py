"""Jobs that wait outside of the queue: after a refusal for now, or for the end of quiet hours."""

from __future__ import annotations

from collections.abc import Callable

from connector.dispatch.stopping import Stopping
from connector.model import LiveJob

__all__ = ["Pausing"]


class Pausing(Stopping):
    """Each is looked at again when its time has come, or its deadline.

    quiet  how many wait for the end of quiet hours
    """

    quiet: int

    def _rest(self, job: LiveJob, until: float, now: float) -> None:
        """The recipient's quiet hours: nothing leaves before they end."""
        if until < job.deadline_at:
            self.quiet += 1
            self._pause(job, until - now, self._rested)
        elif job.under_way or self._possible(job):
            self._stop(job)
            self._end_course(job, now)
        else:
            reason = "its deadline is within the recipient's quiet hours"
            self._finish(job, "expired", "expired", reason, now)

    def _rested(self, job: LiveJob) -> None:
        self.quiet -= 1
        self._resume(job)

    def _pause(self, job: LiveJob, seconds: float, then: Callable[[LiveJob], None] | None = None) -> None:
        course = job.course
        assert course is not None
        course.paused = True
        left = max(0.0, job.deadline_at - self._now())  # then it expires, and is told so at once
        self._loop.call_later(min(seconds, left), then or self._resume, job)

    def _resume(self, job: LiveJob) -> None:
        assert job.course is not None
        job.course.paused = False
        self.advance(job, self._now())
