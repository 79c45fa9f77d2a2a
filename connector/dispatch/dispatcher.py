"""Waits for room, chooses the carrier late, commits the intent, and only then lets the bytes leave.

Everything here runs in the event loop and returns at once. What must be durable goes into the journal's open
batch; the daemon calls the `…_committed` methods with what has been committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from connector.acknowledgements import Acknowledgements
from connector.carriers.contract import Attempt, Carrier, Unsendable
from connector.dispatch.choosing import LOOK_AGAIN_S, Choosing
from connector.dispatch.course import Course, Start
from connector.dispatch.enquiries import Enquiries
from connector.dispatch.following import Following
from connector.dispatch.pausing import Pausing
from connector.dispatch.rooms import Rooms, channels_of, limits_of
from connector.dispatch.routing import Routing
from connector.journal.ops import EventType, Finish, Intend, Settle
from connector.journal.recovery import Outstanding, Recovered
from connector.journal.writer import Journal
from connector.lifecycle import Ending
from connector.log import event as log_event
from connector.metrics import CarrierLive, Metrics
from connector.model import Channel, LiveJob, Outcome, Standing
from connector.queue import DeadlineQueue
from connector.routing.errand import Choice, Flight

if TYPE_CHECKING:
    from connector.lookup import Answer, NumberLookup

__all__ = ["Dispatcher"]

_log = logging.getLogger(__name__)


class Dispatcher(Pausing):
    """Holds every job that may still be sent.

    acknowledgements  for what carriers told, when it is committed
    enquiries  to carriers, of what they have accepted
    live       by (application, id)
    waiting    how many of them have not left for the first time; `holding`: by application
    channels   names of the carriers in use, by channel
    lookup     knows more of numbers than their digits; None: nobody is asked
    spent      told (row of the application, price, now) of whatever leaves; below 0: it was turned away
    """

    def __init__(
        self,
        journal: Journal,
        metrics: Metrics,
        now: Callable[[], float],
        routing: Routing | None = None,
        rng: Random | None = None,
    ) -> None:
        self.live: dict[tuple[int, str], LiveJob] = {}
        self.holding: Counter[int] = Counter()
        self.waiting = 0
        self.queue = DeadlineQueue()
        self.routing = routing or Routing()
        self.router = self.routing.router(rng or Random(), now())
        self.choosing = Choosing(self.routing, self.router)
        self.enquiries = Enquiries({})
        self.following = Following(self, self.router, self.choosing)
        self.channels: dict[Channel, frozenset[str]] = channels_of({})
        self.quiet = 0
        self.lookup: NumberLookup | None = None
        self.spent: Callable[[int, float, float], None] = lambda app, price, now: None
        self._journal = journal
        self._metrics = metrics
        self._now = now
        self._carriers: dict[str, Carrier] = {}
        self._known: dict[str, Carrier] = {}  # those that are no longer chosen as well
        self.acknowledgements = Acknowledgements(self._known, lambda name: name in self._carriers, metrics)
        self._calls: dict[tuple[int, int], Attempt] = {}  # under way, by job and number
        self._intended: set[tuple[int, int]] = set()  # likewise, but not committed: nothing has left
        self._purposes = WeakValueDictionary()
        self._departed = WeakValueDictionary()
        self._scheduled = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._look_at = math.inf  # when what holds a job back, though there is room, may have changed
        self._draining = False

    def start(self, carriers: Sequence[Carrier]) -> None:
        self._loop = asyncio.get_running_loop()
        for carrier in carriers:
            carrier.start()
        self.use(carriers)

    def configure(self, routing: Routing) -> None:
        """Go by this one from now on; `use` follows."""
        self.routing = self.choosing.routing = routing
        routing.configure(self.router)

    def use(self, carriers: Sequence[Carrier]) -> None:
        """Choose among these from now on, all of them started. What others have under way goes on."""
        self._carriers = {carrier.name: carrier for carrier in carriers}
        self._known.update(self._carriers)
        self.channels = channels_of(self._carriers)
        self.choosing.use(self._carriers, self.channels)
        self.enquiries = Enquiries(self._carriers)
        now = self._now()
        for job in self.queue.empty():
            course = job.course
            assert course is not None
            if course.single or course.start == "again":
                self.take(job, course.step, course.start, now)
            else:
                self.advance(job, now)  # to another step, where nobody is left for this one
        self.room()

    @property
    def followed(self) -> int:
        """Jobs that have left and may be sent again."""
        return len(self.following)

    # Jobs come and go

    def admit(self, job: LiveJob) -> None:
        """Hold a job; it may leave after `enqueue`, when its row is committed."""
        self.live[job.app, job.id] = job
        job.held = True
        self.holding[job.app] += 1
        self.waiting += 1

    def release(self, job: LiveJob) -> None:
        """Forget a job: it is final, or only a receipt can say more."""
        if self.live.get((job.app, job.id)) is job:
            del self.live[job.app, job.id]
            self._has_left(job)
        self.following.leave(job)
        self._depart(job)

    def _has_left(self, job: LiveJob) -> None:
        if job.held:
            job.held = False
            self.holding[job.app] -= 1
            self.waiting -= 1

    def enqueue(self, job: LiveJob) -> None:
        """Its row is committed: its journey begins, and that of an older one for the same purpose ends."""
        now = self._now()
        if job.course is None:
            job.course = self.routing.course(job)
        self._claim_purpose(job, now)
        if self.lookup is None or job.course.errand.flights:
            self.advance(job, now)
        else:
            course = job.course
            course.paused = True
            self.lookup.ask(job.recipient, lambda answer: self._looked_up(job, course, answer))

    def _looked_up(self, job: LiveJob, course: Course, answer: Answer | None) -> None:
        """Another program has said where the number is, or has not."""
        if answer is not None:
            course.move(answer.applied(course.destination))
            course.errand.absent = answer.reachable is False
            self.routing.settle(course, job)
        self._resume(job)

    # Journeys

    def advance(self, job: LiveJob, now: float) -> None:
        """Do what its journey says now."""
        course = job.course
        assert course is not None
        if job.queued or job.cancelled or course.paused:
            return
        if course.single:
            self.take(job, course.step, "at_once", now)
            return
        if course.settled_by is not self.routing:
            self.routing.settle(course, job)
        due = course.due(job, now, self.channels)
        if due.now:
            step = due.now[0]
            start = course.journey.steps[step].start
            self.take(job, step, "on_failure" if start == "on_predicted_miss" else start, now)
        elif not course.errand.flights and not job.under_way and course.is_over(job, self.channels):
            self._finish(job, "rejected", "failed", "no carrier may take it any more", now)
        else:
            self.following.follow(job, course, due, now)

    def take(self, job: LiveJob, step: int, start: Start, now: float) -> None:
        """Put it in line for a step."""
        course = job.course
        assert course is not None
        if course.settled_by is not self.routing:
            self.routing.settle(course, job)
        quiet_until = self.routing.quiet_until(job, now)
        if quiet_until is not None:
            self._rest(job, quiet_until, now)
            return
        if step != course.step:
            job.tried = job.barred  # what refused it for now may take it now
        course.step, course.start, course.void = step, start, False
        job.turn_to(course.journey.steps[step].channel)
        routes = course.names(step, self.channels)
        if not course.single:
            # Only where nobody knows whether it has left, it may leave there once more.
            again = start == "again"
            routes -= {f.route for f in course.errand.flights if not (again and f.state == "unknown")}
        if job.tried.issuperset(routes):
            job.tried = job.barred
        job.routes = None if routes == self.channels[job.channel] else routes
        job.group = (*course.errand.cell, course.errand.klass) if len(routes) > 1 else None
        job.limits = limits_of(self._carriers, job)
        self.queue.push(job)
        self.room()

    # Dispatch

    def room(self) -> None:
        """Look for work at the end of this turn of the loop."""
        if not self._scheduled and not self._draining:
            self._scheduled = True
            self._loop.call_soon(self._pump)

    def tick(self, now: float) -> None:
        """A few times a second: what was learned changes what is best."""
        self.router.tick(now)
        for change in self.router.breaker_changes():
            self._metrics.breaker_changes[change.route, change.state] += 1
            what = f"breaker {change.state}"
            log_event(_log, what, route=change.route, country=change.country, reason=change.reason)
        self.following.tick(now)
        for job in self.queue.withdraw(self.choosing.is_cut_off, _doubles):
            self.advance(job, now)  # by somebody else
        if len(self.queue) or len(self.following):
            self.room()

    def _pump(self) -> None:
        self._scheduled = False
        if self._draining:
            return
        now = self._now()
        for job in self.queue.pop_expired(now):
            self._expired(job, now)
        self.following.wake(now)
        self._look_at = math.inf
        if len(self.queue):
            self._leave(now)
        self._arm(now)

    def _leave(self, now: float) -> None:
        rooms = self.choosing.rooms(now)
        self.choosing.ahead = Counter()
        held: set[Standing] = set()
        if not rooms:
            return
        fit: list[str] = []

        def may_leave(standing: Standing) -> bool:
            nonlocal fit
            fit = [] if standing in held else self._fit(standing, rooms)
            return bool(fit)

        for urgent, standing in self.queue.leaving(may_leave):
            if not self._start(urgent, standing, fit, rooms, now) and urgent.queued:
                held.add(standing)
            if not rooms:
                break

    def _expired(self, job: LiveJob, now: float) -> None:
        if job.under_way:
            return  # what is under way tells of its end
        if job.resent or self._possible(job):
            self.leave_to_receipts(job)  # an attempt may have arrived: only its receipt can tell
        else:
            self._finish(job, "expired", "expired", "no carrier could take it before its deadline", now)

    def _fit(self, standing: Standing, rooms: Rooms) -> list[str]:
        """The carriers with room that a job of this standing may use now."""
        fit = rooms.fit(self.choosing.permitted(standing), standing.tried)
        if standing.limits:
            for name, at in rooms.limited(standing.limits).items():
                self._look_at = min(self._look_at, at)
                if name in fit:
                    fit.remove(name)
        return fit

    def _start(self, job: LiveJob, standing: Standing, fit: list[str], rooms: Rooms, now: float) -> bool:
        """Have it leave by one of `fit`; False when it does not now."""
        course = job.course
        assert course is not None
        if course.void or course.stopped:
            self.advance(job, now)  # the attempt that seemed lost was answered, or nothing is to follow it
            return False
        if job.tried != standing.tried:
            self.queue.push(job)  # refused while it waited here: to the line of its own standing
            self.room()
            return False
        quiet_until = self.routing.quiet_until(job, now)
        if quiet_until is not None:
            self._rest(job, quiet_until, now)
            return False
        choice = self.choosing.choose(job, course, standing, fit, rooms, now)
        if choice is None or choice.route not in fit:
            self._hold(job, course, choice, now)
            return False
        carrier = self._carriers[choice.route]
        try:
            attempt = carrier.prepare(job, now)
        except Unsendable as error:
            self.unsendable(job, carrier, error, now)
            return True
        rooms.take(carrier.name, attempt.parts)
        job.attempts = attempt.number
        job.under_way.add(attempt.number)
        price = self.routing.price(carrier.name, job.recipient) * attempt.parts
        flight = Flight(carrier.name, job.channel, course.step, attempt.number, now, price)
        self.router.left(course.errand, flight, now, trial=choice.trial)
        self.spent(job.app, price, now)
        if flight.watch is not None:
            self.following.remember(job, course)
        self._journal.batch.intends.append(
            Intend(
                job, carrier.account, carrier.name, attempt.parts, now, choice.decision, attempt,
                job.channel, course.step,
            )
        )  # fmt: skip
        self._journal.touch()
        self._intended.add((job.key, attempt.number))
        if not course.single:
            course.progress.begin(course.step, now)
            self._count(job, course, flight)
            self.advance(job, now)
        return True

    def _hold(self, job: LiveJob, course: Course, choice: Choice | None, now: float) -> None:
        """It waits in line for somebody better, or again for the instant of its follow-up."""
        if choice is None and course.doubles:
            self.advance(job, now)
            return
        standing = job.standing()
        self.queue.push(job)
        self._look_at = min(self._look_at, now + LOOK_AGAIN_S)
        if choice is not None:
            self.choosing.ahead[choice.route] += self.queue.waiting(standing)

    def _count(self, job: LiveJob, course: Course, flight: Flight) -> None:
        counted = self._metrics.job_class(course.errand.klass)
        counted.cost += flight.price / self.routing.mean_price
        if len(course.errand.flights) > 1:
            counted.extra_sends += 1
            self._metrics.follow_ups[flight.route, flight.channel, course.start] += 1

    def _arm(self, now: float) -> None:
        """Wake up when a deadline passes, the rate limit gives room again, or somebody is to be looked at."""
        times = [self.queue.next_deadline(), self.following.next_at()]
        if len(self.queue):
            times.append(self._look_at if self._look_at < math.inf else None)
            # Where there is room already, what still waits may not go there: not the time, but another
            # carrier's room, must wake us.
            times += [c.room_at(now) for c in self._carriers.values() if c.room(now) <= 0]
        at = min((time for time in times if time is not None), default=None)
        if at is None or (self._timer is not None and self._timer_at <= at):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_later(max(0.001, at - now), self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.room()

    # Committed

    def intends_committed(self, intends: list[Intend], now: float) -> None:
        """Now, and not before, the bytes may leave."""
        carriers: set[Carrier] = set()
        for intend in intends:
            attempt: Attempt = intend.context
            self._intended.discard((intend.job.key, attempt.number))
            if not intend.applied or intend.job.cancelled:
                # It ended meanwhile, or an attempt that was thought lost was answered: give the room back.
                self.queue.cancel(intend.job)
                attempt.refused = True
            elif intend.job.course is not None and intend.job.course.stopped:
                attempt.refused = True
            if intend.channel == "voice":
                self._calls[intend.job.key, attempt.number] = attempt
            attempt.carrier.send(attempt, now)
            carriers.add(attempt.carrier)
        for carrier in carriers:
            carrier.pump(now)

    # After a restart

    def recover(self, recovered: Recovered, now: float) -> None:
        """Take up what the last process left, however it ended."""
        for known in self._carriers.values():
            known.remember_forms(recovered.id_forms.get(known.account, {}))
        lost = {each.job.key: each for each in recovered.outstanding}
        for each in recovered.outstanding:
            self._journal.batch.settles.append(
                Settle(
                    each.job, each.attempt, each.account, each.carrier, "unknown", None, now, _lost(each),
                    each.channel,
                )
            )  # fmt: skip
            self._journal.touch()
        jobs = {each.job.key: each.job for each in recovered.outstanding}
        jobs |= {job.key: job for job in (*recovered.waiting, *recovered.following)}
        for job in recovered.superseded:
            jobs.pop(job.key, None)
            self.supersede(job, now)
        for job in jobs.values():
            self.admit(job)
            job.course = self.routing.course(job)
            job.course.resume(job, recovered.flights[job.key], self.routing.price)
            if job.key in lost:
                self._claim_purpose(job, now)
                last = lost[job.key]
                self._next(job, Ending.UNKNOWN, _lost(last), now, carrier=last.carrier, number=last.attempt)
            else:
                self.enqueue(job)

    # Stop

    async def drain(self, timeout_s: float) -> None:
        """Send nothing more and wait for the answers under way; what still waits stays in the journal."""
        self._draining = True
        if self._timer is not None:
            self._timer.cancel()
        drains = [carrier.drain() for carrier in self._carriers.values()]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*drains), timeout_s)

    async def stop(self) -> None:
        await asyncio.gather(*(carrier.stop() for carrier in self._carriers.values()))

    def carriers_live(self, now: float) -> tuple[CarrierLive, ...]:
        lives = (carrier.live(now) for carrier in self._carriers.values())
        return tuple(live for live in lives if isinstance(live, CarrierLive))

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
    ) -> None:
        self.queue.cancel(job)
        self.release(job)
        if job.course is not None:
            self.following.close(job.course, now)
        self._journal.batch.finishes.append(
            Finish(
                job.key, job.app, job.id, outcome, type, reason, now, job.content.traceparent,
                attempt or job.attempts or None, context, carrier, channel or job.channel,
            )
        )  # fmt: skip
        self._journal.touch()


def _doubles(job: LiveJob) -> bool:
    return job.course is not None and job.course.doubles


def _lost(attempt: Outstanding) -> str:
    during = "during the call" if attempt.channel == "voice" else "before the submit_sm_resp"
    return f"the daemon ended {during}"
