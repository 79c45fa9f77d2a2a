"""Jobs that wait outside of the queue: after a refusal for now, or for the end of quiet hours."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from connector.dispatch.choosing import Choosing
from connector.dispatch.stopping import Stopping
from connector.model import LiveJob

__all__ = ["Pausing", "Waiting"]


class Waiting(NamedTuple):
    """What holds back the next attempt of a job.

    what      quiet_hours of the recipient, or room at a carrier
    until     their end, in seconds since 1970; None: nobody knows
    carriers  of room: what each that may have it lacks
    """

    what: Literal["quiet_hours", "room"]
    until: float | None = None
    carriers: Mapping[str, str] = {}


class Pausing(Stopping):
    """Each is looked at again when its time has come, or its deadline.

    quiet  how many wait for the end of quiet hours
    """

    choosing: Choosing
    quiet: int

    def waits_for(self, job: LiveJob, now: float) -> Waiting | None:
        """None: for nothing but an answer, a look-up, or the time of its next step."""
        course = job.course
        if course is None or job.cancelled or not (job.queued or course.paused):
            return None
        until = self.routing.quiet_until(job, now)
        if until is not None:
            return Waiting("quiet_hours", until if until < math.inf else None)
        if not job.queued:
            return None
        names = self.choosing.permitted(job.standing())
        lacks = {offer.route: offer.reason or "no room" for offer in self.choosing.offers(job, names, now)}
        return Waiting("room", None, lacks | dict.fromkeys(job.tried & lacks.keys(), "refused it"))

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
