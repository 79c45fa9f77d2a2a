"""One bind of an account: keeps the session, and sends what is ready as window and rate permit."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from connector.carriers.backoff import Backoff, BindFailure, classify
from connector.carriers.bind_state import TABLE, BindInput, BindState
from connector.carriers.dial import Dial
from connector.carriers.enquiries import Enquiry
from connector.carriers.line import Line, Part, Unanswered
from connector.carriers.link import Link
from connector.carriers.throttle import Pace, TokenBucket
from connector.carriers.window import WindowSizer
from connector.log import event as log_event
from connector.metrics import BindLive, CarrierMetrics
from protocols.smpp import events as smpp
from protocols.smpp.constants import status_name
from protocols.smpp.errors import LocalProtocolError
from protocols.smpp.pdu import QuerySm
from protocols.smpp.session import Session, SessionConfig

__all__ = ["Bind", "BindOwner", "BindState", "Part"]

_log = logging.getLogger(__name__)

_STEADY_S = 10.0
"""A session that lasts this long is a good one; who cuts at once must not be sought without pause."""

_KNOCK_S = 1.0
"""After an outbind that led to no session."""

_MALFORMED_EVERY_S = 10.0
"""A peer that sends nothing but what cannot be read must not fill the log."""

_AHEAD_S = 0.25
"""At the carrier's pace so much is committed before it may leave: a slow commit must not slow the pace."""

_CONGESTED = 90
"""congestion_state from which we slow down: 90 to 99 is "congested" (SMPP 5.0 §4.8.4.18)."""


class BindOwner(Protocol):
    """What the bind tells the carrier it belongs to."""

    def answered(self, part: Part, event: smpp.SubmitAnswered | smpp.LateAnswer, now: float) -> None: ...
    def timed_out(self, part: Part, now: float) -> None: ...
    def lost(self, parts: list[Part], now: float) -> None: ...
    def returned(self, parts: list[Part], now: float) -> None: ...
    def delivered(self, bind: Bind, event: smpp.DeliverReceived, now: float) -> None: ...
    def after_read(self, bind: Bind, now: float) -> None: ...


class Rates(NamedTuple):
    """What holds a bind back.

    budget  of the account, shared by all its binds
    pace    what the carrier takes: the bind's own, or the account's
    share   PDUs a second that fall to one bind
    """

    budget: TokenBucket
    pace: Pace
    share: Callable[[], float]


class Bind:
    """`run` keeps the session up until `stop`. Only PDUs whose intent is committed are handed to `send`.

    pending  PDUs handed over or announced (`announce`) and not yet written
    window   submit_sm that may be in flight now
    """

    def __init__(
        self,
        name: str,
        *,
        dial: Dial,
        session_config: Callable[[], SessionConfig],
        backoff: Backoff,
        rates: Rates,
        sizer: WindowSizer,
        owner: BindOwner,
        metrics: CarrierMetrics,
        now: Callable[[], float],
    ) -> None:
        self.name = name
        self.state = BindState.DOWN
        self.pending = 0
        self.session: Session | None = None
        self.window = 0
        self.failure: BindFailure | None = None
        self.pace = rates.pace
        self._dial = dial
        self._session_config = session_config
        self._backoff = backoff
        self._budget = rates.budget
        self._share = rates.share
        self._sizer = sizer
        self._owner = owner
        self._metrics = metrics
        self._now = now
        self._line = Line()
        self._room = 0
        self._unanswered = Unanswered()
        self._bound_at = math.inf
        self._malformed = 0  # not told yet
        self._tell_malformed_at = 0.0
        self._link: Link | None = None
        self._wake: asyncio.TimerHandle | None = None
        self._stopping = asyncio.Event()
        self._nudge = asyncio.Event()
        self._idle: asyncio.Future[None] | None = None
        self._takers: dict[type[Any], Callable[[Any, float], None]] = {
            smpp.SubmitAnswered: self._on_answer,
            smpp.LateAnswer: self._on_late_answer,
            smpp.DeliverReceived: self._on_deliver,
            smpp.SubmitTimedOut: self._on_timeout,
            smpp.SubmitsLost: self._on_lost,
            smpp.QueryAnswered: lambda event, now: event.context(event.status, event.pdu),
            smpp.CancelAnswered: lambda event, now: event.context(event.status, None),
            smpp.AlertReceived: self._on_alert,
            smpp.Bound: self._on_bound,
            smpp.BindRefused: self._on_refused,
            smpp.OutbindReceived: self._on_outbind,
            smpp.PeerUnbound: self._on_peer_unbound,
            smpp.Unbound: self._on_unbound,
            smpp.LinkDead: self._on_dead,
            smpp.ProtocolViolation: self._on_violation,
            smpp.MalformedPdu: self._on_malformed,
        }

    # Sending

    def room(self, now: float) -> int:
        """PDUs that may still be announced, as far as this bind goes; at most 0 when none."""
        if self.state is not BindState.BOUND or self.session is None:
            return 0
        room = self._room - self.session.in_flight - self.pending
        pace = self.pace
        if not pace.free:
            # What is announced now may leave when it is committed.
            room = min(room, int(max(0.0, pace.tokens(now)) + pace.rate * _AHEAD_S) + 1 - self.pending)
        return room

    def announce(self, parts: int) -> None:
        """Keep room for so many PDUs, whose intent is being committed."""
        self.pending += parts

    def send(self, parts: list[Part], now: float) -> None:
        """Write the announced parts now or as soon as may be; `returned` gets back what cannot leave."""
        if self.state not in (BindState.BOUND, BindState.DRAINING):
            self.pending -= len(parts)
            self._owner.returned(parts, now)
            return
        self._line.add(parts)

    def pump(self, now: float) -> None:
        """Write what window and rate permit. Call once after a group of `send`."""
        session = self.session
        if session is None:
            return
        if self._line:
            self._write(session, now)
        if self._link is not None:
            self._link.flush()
        if self._idle is not None:
            self._look_whether_idle(session)

    def _write(self, session: Session, now: float) -> None:
        free = session.window_free
        line, pace, metrics = self._line, self.pace, self._metrics
        expired: list[Part] = []
        held = not pace.free
        written = 0
        while free > 0 and line:
            part = line.first()
            job = part.attempt.job
            if job.deadline_at <= now or part.attempt.refused:
                self.pending -= 1
                expired.append(line.pop())
                continue
            if (held and pace.next_at(now) > now) or not self._budget.take(now):
                self._wake_at(max(pace.next_at(now), self._budget.next_at(now)))
                break
            if held:
                pace.take(now)
            line.pop()
            session.submit(part.pdu, part, now)
            part.attempt.written += 1
            part.attempt.left_at = now
            free -= 1
            written += 1
            metrics.to_submit.observe(now - job.accepted_at)
        if written:
            self.pending -= written
            metrics.submitted += written
            pace.sent(written, now)
        if expired:
            self._owner.returned(expired, now)

    def resend(self, part: Part, sent_at: float, now: float) -> None:
        """The carrier was too busy for it: slower from now on, and it goes back to the head of the line.

        Several keep the order in which they were handed over, whatever the order of the answers.
        """
        self.pace.slow(now, sent_at)
        if self.state in (BindState.BOUND, BindState.DRAINING):
            self._line.put_back(part)
            self.pending += 1
            self._wake_at(max(self.pace.next_at(now), self._budget.next_at(now)))
        else:
            self._owner.returned([part], now)

    def acknowledge(self, sequence: int, now: float) -> None:
        """deliver_sm_resp; written by the next `pump`."""
        if self._unanswered.remove(sequence) and self._link is not None:
            self._link.resume()
        if self.session is not None:
            self.session.acknowledge(sequence, now)

    @property
    def enquiries_free(self) -> int:
        """query_sm and cancel_sm that may leave now."""
        return self.session.enquiries_free if self.session and self.state is BindState.BOUND else 0

    def enquire(self, enquiry: Enquiry, now: float) -> None:
        """Ask; only while `enquiries_free`. Written by the next `pump`."""
        assert self.session is not None
        if isinstance(enquiry.pdu, QuerySm):
            self.session.query(enquiry.pdu, enquiry.answered, now)
        else:
            self.session.cancel(enquiry.pdu, enquiry.answered, now)

    def live(self) -> BindLive:
        session = self.session
        return BindLive(self.name, self.state, session.in_flight if session else 0, self.window)

    # The life of the connection

    async def run(self) -> None:
        """Connect, bind and stay bound; after each end wait as `Backoff` says. Returns after `stop`."""
        while not self._stopping.is_set():
            self._nudge.clear()
            if await self._pause(self._dial.turn_s(self._now())):
                break
            self.failure = BindFailure.LINK
            self._bound_at = math.inf
            try:
                await self._one_session()
            except Exception as error:  # an error of ours must not end the bind for good
                log_event(_log, "session failed", level=logging.ERROR, bind=self.name, error=error)
            self._step(BindInput.ENDED)
            if self._stopping.is_set():
                break
            wait = self._wait_s()
            if wait is None:
                self._step(BindInput.FORBIDDEN)
                log_event(_log, "credentials refused; not trying again", level=logging.ERROR, bind=self.name)
            await self._pause(wait)
        self._step(BindInput.STOP)

    def _wait_s(self) -> float | None:
        """Seconds until the next attempt; None: not before somebody has acted."""
        now = self._now()
        failure = self.failure or BindFailure.LINK
        if self._dial.inbound and failure is not BindFailure.CREDENTIALS:
            # It is the carrier that decides when to come again; who only knocks must not fill the log.
            return 0.0 if self._bound_at < math.inf else _KNOCK_S
        if now - self._bound_at >= _STEADY_S:
            self._backoff.steady()
            self._dial.worked()
        elif failure in (BindFailure.LINK, BindFailure.REFUSED) and not self._dial.failed(now):
            return 0.0  # another address is left
        return self._backoff.wait_s(failure)

    async def _pause(self, wait_s: float | None) -> bool:
        """True when it must stop. `again` ends the pause."""
        if wait_s != 0.0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nudge.wait(), wait_s)
        return self._stopping.is_set()

    def again(self) -> None:
        """Do not wait any longer: the reason of the last failure may be gone."""
        self._step(BindInput.AGAIN)
        self._nudge.set()

    async def retire(self, grace_s: float) -> None:
        """Make room for another bind: take nothing new, finish what is under way, then `stop`.

        Cancelled, it leaves the bind as it is then; called again it goes on.
        """
        self._step(BindInput.RETIRE)
        if self.state is BindState.DRAINING and self.session is not None:
            self._idle = asyncio.get_running_loop().create_future()
            self._look_whether_idle(self.session)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle, grace_s)
            self._idle = None
        await self.stop(grace_s)

    def _look_whether_idle(self, session: Session) -> None:
        if self._idle is not None and not self._idle.done() and not self.pending and not session.in_flight:
            self._idle.set_result(None)

    async def stop(self, grace_s: float) -> None:
        """Unbind, and close at the latest after `grace_s`."""
        self._stopping.set()
        self._nudge.set()
        link, session = self._link, self.session
        if link is None or session is None:
            return
        bound = self.state in (BindState.BOUND, BindState.DRAINING)
        self._step(BindInput.STOP)
        if bound:
            self._give_back(self._now())
            with contextlib.suppress(LocalProtocolError):  # the session has ended, its connection has not yet
                session.unbind(self._now())
            link.flush()
        try:
            await asyncio.wait_for(asyncio.shield(link.closed), grace_s)
        except TimeoutError:
            link.abort()
            await link.closed

    async def _one_session(self) -> None:
        self._step(BindInput.CONNECT)
        try:
            config = self._session_config()
            session = Session(config)
            link = Link(session, self._now, self._on_events)
            await self._dial.connect(link, self._now())
        except (OSError, TimeoutError, LocalProtocolError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            log_event(_log, "connect failed", level=logging.WARNING, bind=self.name, reason=reason)
            return
        self.session, self._link = session, link
        self._sizer.forget()
        self._unanswered = Unanswered()
        try:
            if self._stopping.is_set():
                link.abort()
            else:
                log_event(_log, "connected", bind=self.name, address=link.peer)
                self._step(BindInput.CONNECTED)
                self._open(session, link)
            await link.closed
        finally:
            link.abort()
            self.session = self._link = None
            self._give_back(self._now())
            if self._idle is not None and not self._idle.done():
                self._idle.set_result(None)

    def _open(self, session: Session, link: Link) -> None:
        try:
            if self._dial.inbound:
                session.await_outbind(self._now())
            else:
                session.bind(self._now())
        except LocalProtocolError:  # the peer spoke first, and that was the end of it
            link.close()
        link.flush()

    def _give_back(self, now: float) -> None:
        if parts := self._line.clear():
            self.pending -= len(parts)
            self._owner.returned(parts, now)

    def _step(self, cause: BindInput) -> bool:
        """Make the step of the table; False when there is none."""
        target = TABLE[self.state].get(cause)
        if target is None:
            return False
        if target is not self.state:
            self.state = target
            self._metrics.bind_changes[target] += 1
            log_event(_log, f"bind {target}", bind=self.name)
        return True

    def _wake_at(self, at: float) -> None:
        if self._wake is None:
            delay = max(0.001, at - self._now())
            self._wake = asyncio.get_running_loop().call_later(delay, self._woken)

    def _woken(self) -> None:
        self._wake = None
        self._owner.after_read(self, self._now())

    # Events of the session

    def _on_events(self, events: list[Any], now: float) -> None:
        for event in events:
            self._takers[type(event)](event, now)
        if self.session is not None and self.state is BindState.BOUND:
            self._size(self.session)
        self._owner.after_read(self, now)

    def _size(self, session: Session) -> None:
        rate = min(self._share(), self.pace.rate)
        window = self._sizer.window(rate)
        if window != self.window:
            self.window = window
            session.set_window(window)
        self._room = self._sizer.room(window, rate)

    def _on_answer(self, event: smpp.SubmitAnswered, now: float) -> None:
        self._sizer.answered(now - event.sent_at)
        if event.congestion is not None and event.congestion >= _CONGESTED:
            self.pace.ease(now, event.sent_at)
        self._owner.answered(event.context, event, now)

    def _on_late_answer(self, event: smpp.LateAnswer, now: float) -> None:
        self._owner.answered(event.context, event, now)

    def _on_deliver(self, event: smpp.DeliverReceived, now: float) -> None:
        if self._unanswered.add(event.sequence, event.pdu) and self._link is not None:
            self._link.pause()
        self._owner.delivered(self, event, now)

    def _on_timeout(self, event: smpp.SubmitTimedOut, now: float) -> None:
        self._metrics.timed_out += 1
        self._owner.timed_out(event.context, now)

    def _on_lost(self, event: smpp.SubmitsLost, now: float) -> None:
        self._owner.lost(event.contexts, now)

    def _on_alert(self, event: smpp.AlertReceived, now: float) -> None:
        """A handset can be reached again: nothing of ours waits for that."""

    def _on_bound(self, event: smpp.Bound, now: float) -> None:
        self._bound_at = now
        self.failure = None
        self._step(BindInput.ACCEPTED)
        if self._stopping.is_set() and self.session is not None:
            self.session.unbind(now)  # or it would stay with the carrier as a ghost

    def _on_refused(self, event: smpp.BindRefused, now: float) -> None:
        self.failure = classify(event.status)
        log_event(_log, "bind refused", level=logging.ERROR, bind=self.name, status=status_name(event.status))
        self._step(BindInput.REJECTED)
        self._close()

    def _on_outbind(self, event: smpp.OutbindReceived, now: float) -> None:
        if self._dial.admits(event.password):
            assert self.session is not None
            self.session.bind(now)
        else:
            log_event(_log, "outbind refused: wrong password", level=logging.ERROR, bind=self.name)
            self._step(BindInput.REJECTED)
            self._close()

    def _on_peer_unbound(self, event: smpp.PeerUnbound, now: float) -> None:
        self._step(BindInput.PEER_UNBOUND)
        self._give_back(now)
        self._close()

    def _on_unbound(self, event: smpp.Unbound, now: float) -> None:
        self._close()

    def _on_dead(self, event: smpp.LinkDead, now: float) -> None:
        log_event(_log, "link dead", level=logging.WARNING, bind=self.name, reason=event.reason)
        if self._link is not None:
            self._link.abort()

    def _on_violation(self, event: smpp.ProtocolViolation, now: float) -> None:
        log_event(
            _log, "peer broke the protocol", level=logging.ERROR, bind=self.name, reason=str(event.error)
        )
        self._close()

    def _on_malformed(self, event: smpp.MalformedPdu, now: float) -> None:
        self._malformed += 1
        if now >= self._tell_malformed_at:
            log_event(
                _log, "PDU refused", level=logging.WARNING, bind=self.name, reason=event.reason,
                number=self._malformed,
            )  # fmt: skip
            self._malformed, self._tell_malformed_at = 0, now + _MALFORMED_EVERY_S

    def _close(self) -> None:
        if self._link is not None:
            self._link.flush()
            self._link.close()
