"""From accepted job to attempt: wait for room, choose the carrier late, commit the intent, then let it leave.

Everything here runs in the event loop and returns at once. What must be durable goes into the journal's open
batch; the daemon calls the `…_committed` methods with what has been committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import Callable, Sequence

from connector.acknowledgements import Acknowledgements
from connector.carriers.contract import Attempt, CallEnd, CallStep, Carrier, PartAnswer, SentPart, Unsendable
from connector.carriers.statuses import StatusClass, refusal
from connector.journal import ops
from connector.journal.ops import Answer, EventType, Finish, Inbound, Intend, Query, Receipt, Settle
from connector.journal.reader import Recovered
from connector.journal.writer import Journal
from connector.lifecycle import After, Ending, Situation, after
from connector.metrics import CarrierLive, Metrics
from connector.model import Channel, LiveJob, Outcome, Standing
from connector.queue import DeadlineQueue
from connector.routing.choice import Candidate, choose, decision

__all__ = ["Dispatcher"]

_PAUSE_S = 1.0
_ENDINGS = {
    StatusClass.THROTTLED: Ending.REFUSED_NOW,  # in time the carrier tries again by itself; this came late
    StatusClass.TRANSIENT: Ending.REFUSED_NOW,
    StatusClass.AMBIGUOUS: Ending.REFUSED_NOW,
    StatusClass.PERMANENT_HERE: Ending.REFUSED_HERE,
    StatusClass.PERMANENT: Ending.REFUSED_EVERYWHERE,
}


class Dispatcher:
    """Holds every job that has not been handed to a carrier for good.

    acknowledgements  for what carriers told, when it is committed
    live      by (application, id): waits, or its submits await their answers
    holding   how many of them, by application
    """

    def __init__(self, journal: Journal, metrics: Metrics, now: Callable[[], float]) -> None:
        self.live: dict[tuple[int, str], LiveJob] = {}
        self.holding: Counter[int] = Counter()
        self.queue = DeadlineQueue()
        self._journal = journal
        self._now = now
        self._carriers: dict[str, Carrier] = {}
        self._known: dict[str, Carrier] = {}  # those that are no longer chosen as well
        self.acknowledgements = Acknowledgements(self._known, lambda name: name in self._carriers, metrics)
        self._names: dict[Channel, frozenset[str]] = {"sms": frozenset(), "voice": frozenset()}
        self._foreign = self._names  # by channel: the carriers of the other one
        self._under_way: set[int] = set()
        self._calls: dict[int, Attempt] = {}  # by job
        self._scheduled = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._limits_at = math.inf  # when a limit below a carrier's own will let somebody leave
        self._draining = False

    def start(self, carriers: Sequence[Carrier]) -> None:
        self._loop = asyncio.get_running_loop()
        for carrier in carriers:
            carrier.start()
        self.use(carriers)

    def use(self, carriers: Sequence[Carrier]) -> None:
        """Choose among these from now on, all of them started. What others have under way goes on."""
        self._carriers = {carrier.name: carrier for carrier in carriers}
        self._known.update(self._carriers)
        self._names = {
            channel: frozenset(carrier.name for carrier in carriers if carrier.channel == channel)
            for channel in self._names
        }
        self._foreign = {"sms": self._names["voice"], "voice": self._names["sms"]}
        for job in self.queue.empty():
            self.enqueue(job)
        self.room()

    # Jobs come and go

    def admit(self, job: LiveJob) -> None:
        """Hold a job; it may leave after `enqueue`, when its row is committed."""
        self.live[job.app, job.id] = job
        self.holding[job.app] += 1

    def release(self, job: LiveJob) -> None:
        """Forget a job: it is final, or only a receipt can say more."""
        if self.live.get((job.app, job.id)) is job:
            del self.live[job.app, job.id]
            self.holding[job.app] -= 1
        self._under_way.discard(job.key)

    def enqueue(self, job: LiveJob) -> None:
        self._under_way.discard(job.key)
        job.limits = tuple(
            (name, limits) for name, carrier in self._carriers.items() if (limits := carrier.limits(job))
        )
        self.queue.push(job)
        self.room()

    def cancel(self, job: LiveJob, context: object, now: float) -> bool:
        """Take back a live job; False when an attempt is under way, or may have arrived."""
        if job.cancelled:
            return False
        if job.key in self._under_way:
            call = self._calls.get(job.key)
            if call is None or not call.carrier.hang_up(call, now):
                return False
        elif job.resent:
            self.forget(job)  # it is not sent again, but only a receipt can tell of the first time
            return False
        self.queue.cancel(job)
        self._finish(job, "cancelled", "cancelled", "cancelled by the application", now, context)
        return True

    def forget(self, job: LiveJob) -> None:
        """It became final without us: nothing more may leave; what is under way can be stopped in a call
        that has said nothing yet.
        """
        self.queue.cancel(job)
        if (call := self._calls.get(job.key)) is not None:
            call.carrier.hang_up(call, self._now())
        if not self.is_under_way(job):
            self.release(job)

    def is_under_way(self, job: LiveJob) -> bool:
        """An intent was made whose end is not known yet."""
        return job.key in self._under_way

    # Dispatch

    def room(self) -> None:
        """Look for work at the end of this turn of the loop."""
        if not self._scheduled and not self._draining:
            self._scheduled = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._scheduled = False
        if self._draining:
            return
        now = self._now()
        for job in self.queue.pop_expired(now):
            if job.resent:
                self.release(job)  # the first attempt may have arrived: only its receipt can tell
            else:
                self._finish(job, "expired", "expired", "no carrier could take it before its deadline", now)
        candidates = self._candidates(now)
        self._limits_at = math.inf
        if candidates:
            for urgent in self.queue.leaving(lambda standing: bool(self._fit(standing, candidates, now))):
                self._start(urgent, candidates, now)
                if not candidates:
                    break
        self._arm(now)

    def _fit(self, standing: Standing, candidates: dict[str, Candidate], now: float) -> list[Candidate]:
        """The candidates that a job of this standing may use now."""
        tried, limits, channel = standing
        others = tried | foreign if (foreign := self._foreign[channel]) else tried
        if not others and not limits:
            return list(candidates.values())
        fit = [candidate for name, candidate in candidates.items() if name not in others]
        for name, which in limits:
            if name in candidates and (at := self._carriers[name].limited_until(which, now)) > now:
                self._limits_at = min(self._limits_at, at)
                fit = [candidate for candidate in fit if candidate.name != name]
        return fit

    def _candidates(self, now: float) -> dict[str, Candidate]:
        if not len(self.queue):
            return {}
        rooms = ((carrier, carrier.room(now)) for carrier in self._carriers.values())
        return {c.name: Candidate(c.name, c.priority, room) for c, room in rooms if room > 0}

    def _start(self, job: LiveJob, candidates: dict[str, Candidate], now: float) -> None:
        fit = self._fit(Standing(job.tried, job.limits, job.channel), candidates, now)
        if not fit:
            self.queue.push(job)  # refused while it waited here: to the line of its own standing
            self.room()
            return
        chosen = choose(fit)
        carrier = self._carriers[chosen.name]
        try:
            attempt = carrier.prepare(job, now)
        except Unsendable as error:
            self._go_on(job, Ending.REFUSED_HERE, carrier, str(error), now, attempted=False)
            return
        chosen.room -= attempt.parts
        if chosen.room <= 0:
            del candidates[chosen.name]
        job.attempts = attempt.number
        self._under_way.add(job.key)
        reasons = decision(chosen.name, tuple(candidate.name for candidate in fit))
        self._journal.batch.intends.append(
            Intend(job, carrier.account, carrier.name, attempt.parts, now, reasons, attempt)
        )
        self._journal.touch()

    def _arm(self, now: float) -> None:
        """Wake up when a deadline passes, or the rate limit gives room again."""
        times = [self.queue.next_deadline()]
        if len(self.queue):
            times.append(self._limits_at if self._limits_at < math.inf else None)
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
            if not intend.applied or intend.job.cancelled:
                # It ended meanwhile, or an attempt that was thought lost was answered: give the room back.
                intend.job.cancelled = attempt.refused = True
            if attempt.job.channel == "voice":
                self._calls[attempt.job.key] = attempt
            attempt.carrier.send(attempt, now)
            carriers.add(attempt.carrier)
        for carrier in carriers:
            carrier.pump(now)

    # Outcomes: what carriers tell

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
        if complete:
            self.queue.cancel(job)  # it may have waited to be sent again; that is not needed now
            self.release(job)

    def refused(self, attempt: Attempt, status: int, kind: StatusClass, now: float) -> None:
        ending = self._ending(attempt, kind)
        result = "deferred" if ending is Ending.REFUSED_NOW else "refused"
        self._settle(attempt, result, status, refusal(status), now)
        if attempt.number < attempt.job.attempts or attempt.job.queued:
            attempt.job.resent = False  # a late answer: it is not unknown any more
        if attempt.number == attempt.job.attempts:
            self._go_on(attempt.job, ending, attempt.carrier, refusal(status), now)

    def _ending(self, attempt: Attempt, kind: StatusClass) -> Ending:
        if kind is StatusClass.AMBIGUOUS:
            job, name = attempt.job, attempt.carrier.name
            if name in job.doubted:
                return Ending.REFUSED_HERE
            job.doubted |= {name}
        return _ENDINGS[kind]

    def unknown(self, attempt: Attempt, reason: str, now: float) -> None:
        self._settle(attempt, "unknown", None, reason, now)
        self._go_on(attempt.job, Ending.UNKNOWN, attempt.carrier, reason, now)

    def unsent(self, attempt: Attempt, reason: str, now: float) -> None:
        self._settle(attempt, "unsent", None, reason, now)
        self._go_on(attempt.job, Ending.UNSENT, attempt.carrier, reason, now)

    def call_progress(self, attempt: Attempt, step: CallStep, now: float, digit: str | None = None) -> None:
        self._journal.batch.call_steps.append(
            ops.CallStep(attempt.job, attempt.number, attempt.carrier.name, step, now, digit)
        )
        self._journal.touch()

    def call_ended(self, attempt: Attempt, end: CallEnd, now: float) -> None:
        job, name = attempt.job, attempt.carrier.name
        self._calls.pop(job.key, None)
        if end.detail is not None:
            self._journal.batch.call_records.append(ops.CallRecord(job.key, attempt.number, end.detail))
        if end.result == "delivered":
            self._settle(attempt, "completed", end.status, end.reason, now)
            self._finish(job, "delivered", "completed", end.reason, now, carrier=name)
        elif end.result == "undelivered":
            self._settle(attempt, "missed", end.status, end.reason, now)
            self._missed(attempt, end, now)
        elif end.result == "refused":
            ending = self._ending(attempt, end.kind)
            if ending is Ending.REFUSED_NOW and end.redial_s is None:
                ending = Ending.REFUSED_HERE  # often enough
            result = "deferred" if ending is Ending.REFUSED_NOW else "refused"
            self._settle(attempt, result, end.status, end.reason, now)
            self._go_on(job, ending, attempt.carrier, end.reason, now, pause_s=end.redial_s or _PAUSE_S)
        elif end.result == "unsent":
            self.unsent(attempt, end.reason, now)
        else:
            self.unknown(attempt, end.reason, now)

    def _missed(self, attempt: Attempt, end: CallEnd, now: float) -> None:
        """Nobody heard it: once more after a while, where that is permitted and in time."""
        job = attempt.job
        if job.cancelled:
            self.release(job)
        elif end.redial_s is not None and now + end.redial_s < job.deadline_at:
            job.tried = job.barred
            self._pause(job, end.redial_s)
        else:
            self._finish(job, "undelivered", "undelivered", end.reason, now, carrier=attempt.carrier.name)

    def ended(self, jobs: Sequence[tuple[int, str]]) -> None:
        """Receipts ended these jobs: those that still wait, as after a lost answer, must not leave again."""
        for key in jobs:
            if (job := self.live.get(key)) is not None:
                self.forget(job)

    def receipt(self, receipt: Receipt) -> None:
        self._journal.batch.receipts.append(receipt)
        self._journal.touch()

    def inbound(self, inbound: Inbound) -> None:
        self._journal.batch.inbound.append(inbound)
        self._journal.touch()

    def inquire(self, queries: list[Query], now: float) -> None:
        """Ask the carriers what became of messages whose receipts are late."""
        by_carrier: dict[str, list[Query]] = {}
        for query in queries:
            by_carrier.setdefault(query.carrier, []).append(query)
        for name, group in by_carrier.items():
            if name in self._carriers:
                # After a reload the name may stand for another account, where the ids are somebody else's.
                account = self._carriers[name].account
                self._carriers[name].query([query for query in group if query.account == account], now)

    async def recall(self, parts: list[tuple[str, SentPart]]) -> bool:
        """Have carriers take back what they accepted, as (carrier, part); True when all did."""
        if not parts or any(
            name not in self._carriers or self._carriers[name].account != part.account for name, part in parts
        ):
            return False
        return all(await asyncio.gather(*(self._carriers[name].recall(part) for name, part in parts)))

    # After a restart

    def recover(self, recovered: Recovered, now: float) -> None:
        """Take up what the last process left, however it ended."""
        for known in self._carriers.values():
            known.remember_forms(recovered.id_forms.get(known.account, {}))
        for job in recovered.waiting:
            self.admit(job)
            self.enqueue(job)
        for job, account, carrier in recovered.outstanding:
            call = job.channel == "voice"
            reason = f"the daemon ended {'during the call' if call else 'before the submit_sm_resp'}"
            self.admit(job)
            self._journal.batch.settles.append(
                Settle(job, job.attempts, account, carrier, "unknown", None, now, reason)
            )
            if call:
                self._finish(job, "unknown", "unknown", reason, now, carrier=carrier)
            else:
                self._go_on(job, Ending.UNKNOWN, None, reason, now)
        self._journal.touch()

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

    # Steps

    def _settle(self, attempt: Attempt, result: str, status: int | None, reason: str, now: float) -> None:
        self._journal.batch.settles.append(
            Settle(
                attempt.job, attempt.number, attempt.carrier.account, attempt.carrier.name,
                result, status, now, reason,  # type: ignore[arg-type]
            )
        )  # fmt: skip
        self._journal.touch()

    def _go_on(
        self,
        job: LiveJob,
        ending: Ending,
        carrier: Carrier | None,
        reason: str,
        now: float,
        *,
        attempted: bool = True,
        pause_s: float = _PAUSE_S,
    ) -> None:
        if job.cancelled:
            self.release(job)
            return
        if carrier is not None and ending in (Ending.REFUSED_HERE, Ending.REFUSED_NOW):
            job.tried |= {carrier.name}
            if ending is Ending.REFUSED_HERE:
                job.barred |= {carrier.name}
        if job.deadline_at <= now:
            situation = Situation.TOO_LATE
        elif job.barred.issuperset(self._names[job.channel]):
            situation = Situation.NO_ROUTE
        elif job.tried.issuperset(self._names[job.channel]):
            situation = Situation.LATER
        else:
            situation = Situation.ROUTE_LEFT
        may_resend = job.on_unknown == "resend_once" and not job.resent
        step = after(
            ending, situation, may_resend=may_resend, in_doubt=job.resent, receipts=job.channel == "sms"
        )
        if step is After.REJECTED:
            name = carrier.name if carrier is not None and attempted else None
            self._finish(job, "rejected", "failed", reason, now, carrier=name)
        elif step is After.UNKNOWN:
            name = carrier.name if carrier is not None else None
            self._finish(job, "unknown", "unknown", reason, now, carrier=name)
        elif step is After.EXPIRED:
            self._finish(job, "expired", "expired", "its deadline passed before it could leave", now)
        elif step is After.AWAIT_RECEIPT:
            self.release(job)
        else:
            self._wait(job, step, pause_s)

    def _wait(self, job: LiveJob, step: After, pause_s: float) -> None:
        if step is After.PAUSE:
            job.tried = job.barred
        job.resent = job.resent or step is After.RESEND
        if job.queued:
            return  # a late answer, for a job that waits to be sent again already
        if (job.app, job.id) not in self.live:
            self.admit(job)
        if step is After.PAUSE:
            self._pause(job, pause_s)
        else:
            self.enqueue(job)

    def _pause(self, job: LiveJob, seconds: float) -> None:
        self._under_way.discard(job.key)
        left = max(0.0, job.deadline_at - self._now())  # then it expires, and is told so at once
        self._loop.call_later(min(seconds, left), self.enqueue, job)

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
    ) -> None:
        self.queue.cancel(job)
        self.release(job)
        self._journal.batch.finishes.append(
            Finish(
                job.key, job.app, job.id, outcome, type, reason, now, job.content.traceparent,
                job.attempts or None, context, carrier, job.channel,
            )
        )  # fmt: skip
        self._journal.touch()
