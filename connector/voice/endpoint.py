"""The asyncio shell of a user agent: one UDP socket, connections as needed, one timer, one write a turn."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, Protocol

import connector
from connector.log import event as log_event
from connector.voice.datagrams import Address, Datagrams
from connector.voice.resolve import Target
from connector.voice.streams import ContextOf, Streams
from protocols.sip import events as sip
from protocols.sip.agent import UserAgent
from protocols.sip.timers import Timers

__all__ = ["Endpoint", "Owner"]

_log = logging.getLogger(__name__)

_TELL_EVERY_S: Final = 10.0
"""Strangers who scan for open PBXs send a lot: they are counted, and told of once in a while."""


class Owner(Protocol):
    """The context of a call, or of a registration: what its events go to."""

    def sip(self, event: Any, now: float) -> None: ...


class Endpoint:
    """One for all trunks of a process. `told` is the address for Contact, Via and SDP where the host's own
    is not what peers see; else "".

    agent      call its verbs, then `touch`
    strangers  requests that nobody asked for, by method, and what could not be read, as "unreadable"
    """

    def __init__(
        self,
        listen: Address,
        told: str,
        *,
        now: Callable[[], float],
        rng: Callable[[int], bytes] = secrets.token_bytes,
        timers: Timers | None = None,
    ) -> None:
        self.agent = UserAgent(
            rng=rng, product=f"carrier-connector/{connector.__version__}", timers=timers or Timers()
        )
        self.strangers: Counter[str] = Counter()
        self._now = now
        self._datagrams = Datagrams(listen, told, self._read)
        self._streams = Streams(
            self, "" if ipaddress.ip_address(listen[0]).is_unspecified else listen[0], told
        )
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._turn: asyncio.Handle | None = None
        self._idle: asyncio.Event | None = None
        self._busy = self._closed = False
        self._told_at = 0.0

    @property
    def dropped(self) -> int:
        """Datagrams that were lost here, coming or going."""
        return self._datagrams.dropped + self._datagrams.unsent

    @property
    def connections(self) -> int:
        return len(self._streams)

    async def open(self) -> None:
        """Raises OSError."""
        self._loop = asyncio.get_running_loop()
        await self._datagrams.open()

    async def settle(self, timeout_s: float) -> None:
        """Until no call is left, but not for longer than that."""
        self._idle = asyncio.Event()
        if self.agent.calls:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), timeout_s)

    async def close(self) -> None:
        """Nothing is said to anybody: the calls must have ended before."""
        self._closed = True
        await self._datagrams.close()
        await self._streams.close()
        for handle in (self._timer, self._turn):
            if handle is not None:
                handle.cancel()

    async def flow(self, target: Target, context_of: ContextOf | None = None) -> sip.Flow:
        """The way to `target`, connected where it is a connection. Raises OSError and TimeoutError."""
        if target.transport == "udp":
            return sip.Flow("udp", self._datagrams.local(target.address), target.remote)
        return await self._streams.flow(target, context_of)

    def touch(self) -> None:
        """A verb of the agent was called: write, and tell what comes of it, at the end of this turn."""
        if self._turn is None and not self._busy:
            self._turn = self._loop.call_soon(self._go_on)

    # Readers

    def _read(self, batch: list[tuple[bytes, Address]]) -> None:
        now, agent, local = self._now(), self.agent, self._datagrams.local
        for data, remote in batch:
            try:
                agent.receive(data, sip.Flow("udp", local(remote[0]), (remote[0], remote[1])), now)
            except OSError:
                self.strangers["unreadable"] += 1  # no way leads to where it says that it comes from
            except Exception as error:  # an error of ours with one message must not deafen all trunks
                log_event(_log, "a SIP message was not taken", level=logging.ERROR, error=error)
        self._process(now)

    def received(self, data: bytes, flow: sip.Flow) -> None:
        now = self._now()
        self.agent.receive(data, flow, now)
        self._process(now)

    def lost(self, flow: sip.Flow, reason: str) -> None:
        now = self._now()
        self.agent.flow_lost(flow, reason, now)
        self._process(now)

    # The turn

    def _go_on(self) -> None:
        self._turn = None
        self._process(self._now())

    def _process(self, now: float) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            # What is told may make the agent say more, and what cannot be sent is told.
            while self._tell(now) or self._write(now):
                pass
        finally:
            self._busy = False
        if self._idle is not None and not self.agent.calls:
            self._idle.set()
        self._arm()

    def _tell(self, now: float) -> bool:
        events = self.agent.events()
        for event in events:
            try:
                self._hand_on(event, now)
            except Exception as error:  # an error of ours in one call must not end the others
                log_event(_log, "a SIP event was not taken", level=logging.ERROR, error=error)
        return bool(events)

    def _hand_on(self, event: Any, now: float) -> None:
        match event:
            case sip.OptionsAnswered(context, status):
                context(status, now)
            case sip.Registered() | sip.RegistrationFailed():
                event.registration.context.sip(event, now)
            case sip.Refused(method, flow, why):
                self._stranger(method, flow, why, now)
            case sip.RemoteProtocolError(flow, why, close):
                self._stranger("unreadable", flow, why, now)
                if close:
                    self._streams.drop(flow)
            case _ if event.call.context is not None:
                event.call.context.sip(event, now)

    def _stranger(self, method: str, flow: sip.Flow, why: str, now: float) -> None:
        # The method is the stranger's word: only those that exist are told apart.
        self.strangers[method if method in _METHODS else "other"] += 1
        if now >= self._told_at + _TELL_EVERY_S:
            self._told_at = now
            log_event(
                _log, "not asked for", level=logging.WARNING,
                transport=flow.transport, reason=why, so_far=self.strangers.total(),
            )  # fmt: skip

    def _write(self, now: float) -> bool:
        messages = self.agent.data_to_send()
        streams: dict[sip.Flow, list[bytes]] = {}
        failed: dict[sip.Flow, str] = {}
        for flow, data in messages:
            if flow.transport != "udp":
                streams.setdefault(flow, []).append(data)
            elif not self._datagrams.send(data, flow.remote):
                failed[flow] = "no way there"
        for flow, parts in streams.items():
            if not self._streams.send(flow, b"".join(parts)):
                failed[flow] = "the connection is closed"
        for flow, reason in failed.items():
            self.agent.flow_lost(flow, reason, now)
        return bool(messages)

    def _arm(self) -> None:
        at = self.agent.next_timer()
        if at is None or self._closed:
            return
        # A timer that fires early costs one look; making a new one for every message would cost more.
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_later(max(0.0, at - self._now()), self._fire)

    def _fire(self) -> None:
        self._timer = None
        now = self._now()
        self.agent.handle_timer(now)
        self._process(now)


_METHODS: Final = frozenset(
    (
        "unreadable", "ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS", "PRACK",
        "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE",
    )
)  # fmt: skip
