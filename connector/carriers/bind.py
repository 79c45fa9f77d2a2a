"""One bind of an account: connects, keeps the session, and sends what is ready as window and rate permit."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from connector.carriers.backoff import Backoff, BindFailure, classify
from connector.carriers.contract import Attempt
from connector.carriers.link import Link
from connector.carriers.throttle import TokenBucket
from connector.log import event as log_event
from connector.metrics import BindLive, CarrierMetrics
from protocols.smpp import events as smpp
from protocols.smpp.constants import status_name
from protocols.smpp.errors import LocalProtocolError
from protocols.smpp.pdu import SubmitSm
from protocols.smpp.session import Session, SessionConfig

__all__ = ["Bind", "BindOwner", "BindState", "Part"]

_log = logging.getLogger(__name__)

_MAX_UNACKNOWLEDGED = 5_000
"""Receipts taken and not yet committed; above, the carrier has to wait."""

_STEADY_S = 10.0
"""A session that lasts this long is a good one; who cuts at once must not be sought without pause."""

_MALFORMED_EVERY_S = 10.0
"""A peer that sends nothing but what cannot be read must not fill the log."""


class BindState(StrEnum):
    """Where a bind is on its way."""

    DOWN = "down"
    CONNECTING = "connecting"
    BINDING = "binding"
    BOUND = "bound"
    CLOSING = "closing"
    REFUSED = "refused"
    """The carrier rejected our credentials; only an operator can mend that."""


class Part(NamedTuple):
    """One submit_sm of an attempt; `number` from 1."""

    attempt: Attempt
    number: int
    pdu: SubmitSm


class BindOwner(Protocol):
    """What the bind tells the carrier it belongs to."""

    def answered(self, part: Part, event: smpp.SubmitAnswered | smpp.LateAnswer, now: float) -> None: ...
    def timed_out(self, part: Part, now: float) -> None: ...
    def lost(self, parts: list[Part], now: float) -> None: ...
    def returned(self, parts: list[Part], now: float) -> None: ...
    def delivered(self, bind: Bind, event: smpp.DeliverReceived, now: float) -> None: ...
    def after_read(self, bind: Bind, now: float) -> None: ...


class Bind:
    """`run` keeps the session up until `stop`. Only PDUs whose intent is committed are handed to `send`.

    pending  PDUs handed over or announced (`announce`) and not yet written
    """

    def __init__(
        self,
        name: str,
        *,
        address: tuple[str, int],
        session_config: Callable[[], SessionConfig],
        connect_timeout_s: float,
        backoff: Backoff,
        bucket: TokenBucket,
        owner: BindOwner,
        metrics: CarrierMetrics,
        now: Callable[[], float],
    ) -> None:
        self.name = name
        self.state = BindState.DOWN
        self.pending = 0
        self.session: Session | None = None
        self.window = 0
        self._address = address
        self._session_config = session_config
        self._connect_timeout_s = connect_timeout_s
        self._backoff = backoff
        self._bucket = bucket
        self._owner = owner
        self._metrics = metrics
        self._now = now
        self._ready: deque[Part] = deque()
        self._again: deque[Part] = deque()  # turned away as too many: these go first
        self._unacknowledged = 0
        self._bound_at = math.inf
        self._malformed = 0  # not told yet
        self._tell_malformed_at = 0.0
        self._link: Link | None = None
        self._failure: BindFailure | None = None
        self._wake: asyncio.TimerHandle | None = None
        self._stopping = asyncio.Event()
        self._takers: dict[type[Any], Callable[[Any, float], None]] = {
            smpp.SubmitAnswered: self._on_answer,
            smpp.LateAnswer: self._on_answer,
            smpp.DeliverReceived: self._on_deliver,
            smpp.SubmitTimedOut: self._on_timeout,
            smpp.SubmitsLost: self._on_lost,
            smpp.Bound: self._on_bound,
            smpp.BindRefused: self._on_refused,
            smpp.PeerUnbound: self._on_peer_unbound,
            smpp.Unbound: self._on_unbound,
            smpp.LinkDead: self._on_dead,
            smpp.ProtocolViolation: self._on_violation,
            smpp.MalformedPdu: self._on_malformed,
        }

    # Sending

    def room(self) -> int:
        """PDUs that may still be announced.

        A little more than the window: intents are committed while earlier submits are answered, or each
        answer would leave its slot empty for the length of a commit.
        """
        if self.state is not BindState.BOUND or self.session is None:
            return 0
        return self.window + self.window // 8 + 1 - self.session.in_flight - self.pending

    def announce(self, parts: int) -> None:
        """Keep room for so many PDUs, whose intent is being committed."""
        self.pending += parts

    def send(self, parts: list[Part], now: float) -> None:
        """Write the announced parts now or as soon as may be; `returned` gets back what cannot leave."""
        if self.state is not BindState.BOUND:
            self.pending -= len(parts)
            self._owner.returned(parts, now)
            return
        self._ready.extend(parts)

    def pump(self, now: float) -> None:
        """Write what window and rate permit. Call once after a group of `send`."""
        session = self.session
        if session is None:
            return
        free = session.window_free
        observe = self._metrics.to_submit.observe
        expired: list[Part] = []
        while free > 0 and (line := self._again or self._ready):
            part = line[0]
            job = part.attempt.job
            if job.deadline_at <= now or part.attempt.refused:
                self.pending -= 1
                expired.append(line.popleft())
                continue
            if not self._bucket.take(now):
                self._wake_at(self._bucket.next_at(now))
                break
            line.popleft()
            session.submit(part.pdu, part, now)
            part.attempt.written += 1
            part.attempt.left_at = now
            self.pending -= 1
            free -= 1
            self._metrics.submitted += 1
            observe(now - job.accepted_at)
        if self._link is not None:
            self._link.flush()
        if expired:
            self._owner.returned(expired, now)

    def resend(self, part: Part, now: float) -> None:
        """The carrier was too busy for it: back to the head of the line."""
        if self.state is BindState.BOUND:
            self._again.append(part)
            self.pending += 1
            self._wake_at(self._bucket.next_at(now))
        else:
            self._owner.returned([part], now)

    def acknowledge(self, sequence: int, now: float) -> None:
        """deliver_sm_resp; written by the next `pump`."""
        self._unacknowledged -= 1
        if self._unacknowledged == _MAX_UNACKNOWLEDGED // 2 and self._link is not None:
            self._link.resume()
        if self.session is not None:
            self.session.acknowledge(sequence, now)

    def live(self) -> BindLive:
        session = self.session
        return BindLive(self.name, self.state, session.in_flight if session else 0, self.window)

    # The life of the connection

    async def run(self) -> None:
        """Connect, bind and stay bound; after each end wait as `Backoff` says. Returns after `stop`."""
        while not self._stopping.is_set():
            self._failure = BindFailure.LINK
            self._bound_at = math.inf
            try:
                await self._one_session()
            except Exception as error:  # an error of ours must not end the bind for good
                log_event(_log, "session failed", level=logging.ERROR, bind=self.name, error=error)
            if self._stopping.is_set():
                break
            if self._now() - self._bound_at >= _STEADY_S:
                self._backoff.steady()
            wait = self._backoff.wait_s(self._failure)
            if wait is None:
                self._enter(BindState.REFUSED)
                log_event(_log, "credentials refused; not trying again", level=logging.ERROR, bind=self.name)
                await self._stopping.wait()
                break
            self._enter(BindState.DOWN)
            try:
                await asyncio.wait_for(self._stopping.wait(), wait)
            except TimeoutError:
                continue
        self._enter(BindState.DOWN)

    async def stop(self, grace_s: float) -> None:
        """Unbind, and close at the latest after `grace_s`."""
        self._stopping.set()
        link, session = self._link, self.session
        if link is None or session is None:
            return
        if self.state is BindState.BOUND:
            self._enter(BindState.CLOSING)
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
        self._enter(BindState.CONNECTING)
        try:
            config = self._session_config()
            session = Session(config)
            loop = asyncio.get_running_loop()
            _, link = await asyncio.wait_for(
                loop.create_connection(lambda: Link(session, self._now, self._on_events), *self._address),
                self._connect_timeout_s,
            )
        except (OSError, TimeoutError, LocalProtocolError) as error:
            reason = f"{type(error).__name__}: {error}"
            log_event(_log, "connect failed", level=logging.WARNING, bind=self.name, reason=reason)
            return
        self.session, self._link, self.window = session, link, config.window
        self._unacknowledged = 0
        if self._stopping.is_set():
            link.abort()
        else:
            self._enter(BindState.BINDING)
            session.bind(self._now())
            link.flush()
        try:
            await link.closed
        finally:
            link.abort()
            self.session = self._link = None
            self._give_back(self._now())

    def _give_back(self, now: float) -> None:
        parts = [*self._again, *self._ready]
        if parts:
            self._again.clear()
            self._ready.clear()
            self.pending -= len(parts)
            self._owner.returned(parts, now)

    def _enter(self, state: BindState) -> None:
        if state is not self.state:
            self.state = state
            self._metrics.bind_changes[state] += 1
            log_event(_log, f"bind {state}", bind=self.name)

    def _wake_at(self, at: float) -> None:
        if self._wake is None:
            delay = max(0.001, at - self._now())
            self._wake = asyncio.get_running_loop().call_later(delay, self._woken)

    def _woken(self) -> None:
        self._wake = None
        self.pump(self._now())

    # Events of the session

    def _on_events(self, events: list[Any], now: float) -> None:
        for event in events:
            self._takers[type(event)](event, now)
        self._owner.after_read(self, now)

    def _on_answer(self, event: smpp.SubmitAnswered | smpp.LateAnswer, now: float) -> None:
        self._owner.answered(event.context, event, now)

    def _on_deliver(self, event: smpp.DeliverReceived, now: float) -> None:
        self._unacknowledged += 1
        if self._unacknowledged == _MAX_UNACKNOWLEDGED and self._link is not None:
            self._link.pause()
        self._owner.delivered(self, event, now)

    def _on_timeout(self, event: smpp.SubmitTimedOut, now: float) -> None:
        self._metrics.timed_out += 1
        self._owner.timed_out(event.context, now)

    def _on_lost(self, event: smpp.SubmitsLost, now: float) -> None:
        self._owner.lost(event.contexts, now)

    def _on_bound(self, event: smpp.Bound, now: float) -> None:
        self._bound_at = now
        self._enter(BindState.BOUND)

    def _on_refused(self, event: smpp.BindRefused, now: float) -> None:
        self._failure = classify(event.status)
        log_event(_log, "bind refused", level=logging.ERROR, bind=self.name, status=status_name(event.status))
        self._close()

    def _on_peer_unbound(self, event: smpp.PeerUnbound, now: float) -> None:
        self._enter(BindState.CLOSING)
        self._give_back(now)
        self._close()

    def _on_unbound(self, event: smpp.Unbound, now: float) -> None:
        self._close()

    def _on_dead(self, event: smpp.LinkDead, now: float) -> None:
        log_event(_log, "link dead", level=logging.WARNING, bind=self.name, reason=event.reason)
        self._abort()

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

    def _abort(self) -> None:
        if self._link is not None:
            self._link.abort()
