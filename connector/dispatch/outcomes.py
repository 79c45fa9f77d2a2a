"""What carriers tell of attempts, and what becomes of the job after each."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal

from connector.carriers.contract import Attempt, CallEnd, CallStep, Carrier, PartAnswer, Unsendable
from connector.carriers.statuses import StatusClass, refusal
from connector.dispatch.course import Course, Start
from connector.dispatch.following import Following
from connector.journal import ops
from connector.journal.ops import Answer, EventType, Inbound, Receipt, Settle
from connector.journal.writer import Journal
from connector.lifecycle import After, Ending, Situation, after
from connector.model import Channel, LiveJob, Outcome
from connector.queue import DeadlineQueue
from connector.routing.errand import FailureKind, Flight
from connector.routing.router import Router

__all__ = ["AttemptOutcomes"]

PAUSE_S = 1.0
_ENDINGS = {
    StatusClass.THROTTLED: Ending.REFUSED_NOW,  # in time the carrier tries again by itself; this came late
    StatusClass.TRANSIENT: Ending.REFUSED_NOW,
    StatusClass.AMBIGUOUS: Ending.REFUSED_NOW,
    StatusClass.PERMANENT_HERE: Ending.REFUSED_HERE,
    StatusClass.PERMANENT: Ending.REFUSED_EVERYWHERE,
}
_Result = Literal["refused", "deferred", "unknown", "unsent", "completed", "missed"]


class AttemptOutcomes(ABC):
    """Keeps the contract `Outcomes`; the journeys and the queue are the dispatcher's."""

    live: dict[tuple[int, str], LiveJob]
    channels: dict[Channel, frozenset[str]]
    queue: DeadlineQueue
    router: Router
    following: Following
    spent: Callable[[int, float, float], None]
    _journal: Journal
    _calls: dict[tuple[int, int], Attempt]
    _loop: asyncio.AbstractEventLoop
    _now: Callable[[], float]

    @abstractmethod
    def admit(self, job: LiveJob) -> None: ...
    @abstractmethod
    def release(self, job: LiveJob) -> None: ...
    @abstractmethod
    def advance(self, job: LiveJob, now: float) -> None: ...
    @abstractmethod
    def take(self, job: LiveJob, step: int, start: Start, now: float) -> None: ...
    @abstractmethod
    def leave_to_receipts(self, job: LiveJob) -> None: ...
    @abstractmethod
    def _has_left(self, job: LiveJob) -> None: ...
    @abstractmethod
    def _pause(self, job: LiveJob, seconds: float) -> None: ...
    @abstractmethod
    def _finish(
        self,
        job: LiveJob,
        outcome: Outcome,
        type: EventType,
        reason: str,
        now: float,
        context: object = None,
        *,
        carrier: str | None = None,
        attempt: int | None = None,
        channel: Channel | None = None,
    ) -> None: ...

    # Messages

    def sent(self, attempt: Attempt, answer: PartAnswer, now: float) -> None:
        job, carrier = attempt.job, attempt.carrier
        complete = attempt.answered == attempt.parts
        self._journal.batch.answers.append(
            Answer(
                job, attempt.number, answer.part, attempt.parts, carrier.account, carrier.name, answer.key,
                answer.raw, now, complete, answer.late, attempt.substituted,
            )
        )  # fmt: skip
        self._journal.touch()
        if not complete:
            return
        job.under_way.discard(attempt.number)
        course = job.course
        assert course is not None
        if (flight := course.flight(attempt.number)) is not None:
            self.router.accepted(course.errand, flight, now)
        if course.single or job.cancelled:
            self.queue.cancel(job)  # it may have waited to be sent again; that is not needed now
            self.release(job)
            return
        self._has_left(job)
        if job.queued:
            course.void = course.start == "again"
        elif (job.app, job.id) in self.live:
            self.advance(job, now)

    def refused(self, attempt: Attempt, status: int, kind: StatusClass, now: float) -> None:
        job = attempt.job
        ending = self._ending(attempt, kind)
        self._settle(
            attempt, "deferred" if ending is Ending.REFUSED_NOW else "refused", status, refusal(status), now
        )
        throttled = kind is StatusClass.THROTTLED
        if throttled:
            self.router.throttled(attempt.carrier.name, now)
        self._failed(attempt, FailureKind.THROTTLED if throttled else FailureKind.REFUSED, now)
        if attempt.number < job.attempts or job.queued:
            job.resent = False  # a late answer: it is not unknown any more
        self._go_on(attempt, ending, refusal(status), now)

    def _ending(self, attempt: Attempt, kind: StatusClass) -> Ending:
        if kind is StatusClass.AMBIGUOUS:
            job, name = attempt.job, attempt.carrier.name
            if name in job.doubted:
                return Ending.REFUSED_HERE
            job.doubted |= {name}
        return _ENDINGS[kind]

    def unknown(self, attempt: Attempt, reason: str, now: float) -> None:
        self._settle(attempt, "unknown", None, reason, now)
        self._failed(attempt, FailureKind.UNANSWERED, now)
        self._go_on(attempt, Ending.UNKNOWN, reason, now)

    def unsent(self, attempt: Attempt, reason: str, now: float) -> None:
        self._settle(attempt, "unsent", None, reason, now)
        self._failed(attempt, FailureKind.THROTTLED, now)  # it is not the route that has failed
        self._go_on(attempt, Ending.UNSENT, reason, now)

    def unsendable(self, job: LiveJob, carrier: Carrier, error: Unsendable, now: float) -> None:
        """A carrier cannot say it: nothing has left, and nothing will by it."""
        self._bar(job, *(self.channels[carrier.channel] if error.everywhere else (carrier.name,)))
        self._next(job, Ending.REFUSED_HERE, str(error), now)

    # Calls

    def call_progress(self, attempt: Attempt, step: CallStep, now: float, digit: str | None = None) -> None:
        self._journal.batch.call_steps.append(
            ops.CallStep(attempt.job, attempt.number, attempt.carrier.name, step, now, digit)
        )
        self._journal.touch()

    def call_ended(self, attempt: Attempt, end: CallEnd, now: float) -> None:
        job, name = attempt.job, attempt.carrier.name
        self._calls.pop((job.key, attempt.number), None)
        if end.detail is not None:
            self._journal.batch.call_records.append(ops.CallRecord(job.key, attempt.number, end.detail))
        if end.result == "delivered":
            self._settle(attempt, "completed", end.status, end.reason, now)
            self._heard(attempt, now)
            self._finish(
                job, "delivered", "completed", end.reason, now,
                carrier=name, attempt=attempt.number, channel="voice",
            )  # fmt: skip
        elif end.result == "undelivered":
            self._settle(attempt, "missed", end.status, end.reason, now)
            self._failed(attempt, FailureKind.HANDSET, now)
            self._missed(attempt, end, now)
        elif end.result == "refused":
            ending = self._ending(attempt, end.kind)
            if ending is Ending.REFUSED_NOW and end.redial_s is None:
                ending = Ending.REFUSED_HERE  # often enough
            result: _Result = "deferred" if ending is Ending.REFUSED_NOW else "refused"
            self._settle(attempt, result, end.status, end.reason, now)
            self._failed(attempt, FailureKind.REFUSED, now)
            self._go_on(attempt, ending, end.reason, now, pause_s=end.redial_s or PAUSE_S)
        elif end.result == "unsent":
            self.unsent(attempt, end.reason, now)
        else:
            self.unknown(attempt, end.reason, now)

    def _heard(self, attempt: Attempt, now: float) -> None:
        job = attempt.job
        job.under_way.discard(attempt.number)
        if job.course is not None and (flight := job.course.flight(attempt.number)) is not None:
            self.router.arrived(job.course.errand, flight, now)

    def _missed(self, attempt: Attempt, end: CallEnd, now: float) -> None:
        """Nobody heard it: once more after a while, where that is permitted and in time."""
        job, course = attempt.job, attempt.job.course
        assert course is not None
        if job.cancelled:
            self._release_at_end(job)
        elif (
            end.redial_s is not None
            and now + end.redial_s < job.deadline_at
            and not course.stopped
            and not job.queued
        ):
            self.router.unwatch(course.errand)
            course.drop(attempt.number)  # the step goes on
            job.tried = job.barred
            self._pause(job, end.redial_s)
        else:
            self.give_up(job, end.reason, now, carrier=attempt.carrier.name, attempt=attempt.number)

    # To the journal

    def receipt(self, receipt: Receipt) -> None:
        self._journal.batch.receipts.append(receipt)
        self._journal.touch()

    def inbound(self, inbound: Inbound) -> None:
        self._journal.batch.inbound.append(inbound)
        self._journal.touch()

    # What becomes of the job

    def give_up(
        self,
        job: LiveJob,
        reason: str,
        now: float,
        *,
        carrier: str | None,
        attempt: int | None,
        outcome: Outcome = "undelivered",
        type: EventType = "undelivered",
    ) -> None:
        """This attempt has failed: the next step of the journey, or the end."""
        course = job.course
        assert course is not None
        if job.cancelled or (not course.single and (job.queued or course.paused)):
            return
        if not course.single:
            due = course.due(job, now, self.channels)
            if due.now or job.under_way or course.hopeful or not course.is_over(job, self.channels):
                self.advance(job, now)
                return
        flight = course.flight(attempt) if attempt is not None else None
        channel = job.channel if flight is None else flight.channel
        self._finish(
            job, outcome, type, reason, now, carrier=carrier, attempt=attempt,
            channel="voice" if channel == "voice" else "sms",
        )  # fmt: skip

    def arrived(self, job: LiveJob, flight: Flight, reason: str, now: float) -> None:
        """Its end: delivered, as the receipts of this flight say."""
        self._finish(
            job, "delivered", "delivered", reason, now,
            carrier=flight.route, attempt=flight.number, channel="sms",
        )  # fmt: skip

    def _failed(self, attempt: Attempt, kind: FailureKind, now: float) -> None:
        """An attempt has ended."""
        job, course = attempt.job, attempt.job.course
        job.under_way.discard(attempt.number)
        flight = None if course is None else course.flight(attempt.number)
        if course is None or flight is None:
            return
        self.router.failed(course.errand, flight, now, kind)
        if kind in (FailureKind.THROTTLED, FailureKind.REFUSED):
            self.router.unwatch(course.errand)  # that was planned for what has left
            course.drop(attempt.number)  # it never was
            self.spent(job.app, -flight.price, now)

    def _settle(self, attempt: Attempt, result: _Result, status: int | None, reason: str, now: float) -> None:
        self._journal.batch.settles.append(
            Settle(
                attempt.job, attempt.number, attempt.carrier.account, attempt.carrier.name,
                result, status, now, reason, attempt.carrier.channel,
            )
        )  # fmt: skip
        self._journal.touch()

    def _bar(self, job: LiveJob, *names: str) -> None:
        job.tried |= {*names}
        job.barred |= {*names}

    def _go_on(
        self, attempt: Attempt, ending: Ending, reason: str, now: float, *, pause_s: float = PAUSE_S
    ) -> None:
        """What follows an attempt that has ended without a message id."""
        job, carrier = attempt.job, attempt.carrier
        if job.cancelled:
            self._release_at_end(job)
            return
        if ending is Ending.REFUSED_HERE:
            self._bar(job, carrier.name)
        elif ending is Ending.REFUSED_NOW:
            job.tried |= {carrier.name}
        if attempt.number < job.attempts and job.course is not None and job.course.single:
            return  # late words of an attempt that another one has followed
        self._next(job, ending, reason, now, carrier=carrier.name, number=attempt.number, pause_s=pause_s)

    def _release_at_end(self, job: LiveJob) -> None:
        if not job.under_way:
            self.release(job)

    def _next(
        self,
        job: LiveJob,
        ending: Ending,
        reason: str,
        now: float,
        *,
        carrier: str | None = None,
        number: int | None = None,
        pause_s: float = PAUSE_S,
    ) -> None:
        """The step of `lifecycle.TABLE`. `number`: of the attempt that has ended; None: nothing had left."""
        course = job.course
        assert course is not None
        names = course.names(course.step, self.channels)
        if not course.single:
            names -= {flight.route for flight in course.errand.flights if flight.number != number}
        if job.deadline_at <= now:
            situation = Situation.TOO_LATE
        elif course.stopped or job.barred.issuperset(names):
            situation = Situation.NO_ROUTE
        elif job.tried.issuperset(names):
            situation = Situation.LATER
        else:
            situation = Situation.ROUTE_LEFT
        others = not course.single and (bool(job.under_way) or job.queued or course.hopeful_besides(number))
        if others:
            self._beside_others(job, course, situation, now, pause_s)
            return
        may_resend = job.on_unknown == "resend_once" and not job.resent
        step = after(
            ending, situation, may_resend=may_resend, in_doubt=job.resent, receipts=job.channel == "sms"
        )
        if step is After.REJECTED:
            if ending is Ending.REFUSED_EVERYWHERE or situation is Situation.TOO_LATE:
                course.stopped = True
            self.give_up(job, reason, now, carrier=carrier, attempt=number, outcome="rejected", type="failed")
        elif step is After.UNKNOWN:
            self._give_up_unknown(job, course, reason, now, carrier, number)
        elif step is After.EXPIRED:
            self._finish(job, "expired", "expired", "its deadline passed before it could leave", now)
        elif step is After.AWAIT_RECEIPT:
            if course.single:
                self.release(job)
            else:
                self._has_left(job)
                self.advance(job, now)
        else:
            self._wait(job, course, step, now, pause_s)

    def _give_up_unknown(
        self, job: LiveJob, course: Course, reason: str, now: float, carrier: str | None, attempt: int | None
    ) -> None:
        """Nobody knows how a call ended. It is not repeated; a message may follow, or be on its way."""
        possible = any(f.channel == "sms" and f.state != "failed" for f in course.errand.flights)
        if not course.single and (possible or not course.is_over(job, self.channels)):
            self.advance(job, now)
            return
        self._finish(
            job, "unknown", "unknown", reason, now, carrier=carrier, attempt=attempt, channel="voice"
        )

    def _beside_others(
        self, job: LiveJob, course: Course, situation: Situation, now: float, pause_s: float
    ) -> None:
        """Other attempts of the job may still arrive: this one's failure ends nothing."""
        if job.queued or course.paused:
            return
        if situation is Situation.LATER:
            job.tried = job.barred
            self._pause(job, pause_s)
        else:
            self.advance(job, now)

    def _wait(self, job: LiveJob, course: Course, step: After, now: float, pause_s: float) -> None:
        if step is After.PAUSE:
            job.tried = job.barred
        job.resent = job.resent or step is After.RESEND
        if job.queued or course.paused:
            return  # a late answer, for a job that waits to be sent again already
        if (job.app, job.id) not in self.live:
            self.admit(job)
        if step is After.PAUSE:
            self._pause(job, pause_s)
        elif step is After.RESEND or course.single:
            self.take(job, course.step, "again" if step is After.RESEND else "at_once", now)
        else:
            self.advance(job, now)
