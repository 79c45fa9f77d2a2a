"""One leg of a call: an INVITE, tried at one address after the other, and its media."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final, Protocol

from connector.log import event as log_event
from connector.voice.lane import VoiceLane
from connector.voice.media.session import Listener, MediaSession, MediaStatistics, PortsExhausted
from connector.voice.resolve import Target
from connector.voice.uplink import Uplink
from protocols.sip import events as sip
from protocols.sip.call import Call
from protocols.sip.call_state import CallState
from protocols.sip.errors import SipError
from protocols.sip.events import Ended, Rejected

__all__ = ["SILENCE_S", "Leg", "LegOwner", "NoWay"]

_log = logging.getLogger(__name__)

SILENCE_S: Final = 4.0
"""An INVITE to which nothing comes back is given up after this, and not by timer B after 32 s, when whoever
waits for a code is gone. It has left four times by then (at 0, 0.5, 1.5 and 3.5 s), and who has got one of
them says 100 within 0.2 s (RFC 3261 §17.2.1).
"""
_UNHEARD: Final = (CallState.CALLING, CallState.GIVING_UP)
_CONGESTED: Final = 503
_TIMED_OUT: Final = 408
_INCOMPATIBLE: Final = 88
"""Q.850: incompatible destination."""


class NoWay(Exception):
    """No INVITE could leave; the reason names no host."""


class LegOwner(Listener, Protocol):
    """Whose leg it is: hears its media, and what SIP says of it."""

    def leg_left(self, leg: Leg, now: float) -> None:
        """An INVITE leaves, to the first or to the next address."""

    def leg_event(self, leg: Leg, event: Any, now: float) -> None:
        """Every event of `protocols.sip.events` that has a call; one of Rejected and Ended is the last.

        A Rejected after which another address is tried is not told.
        """


class Leg:
    """`dial` once; then everything is told to the owner, until `close`.

    call    the newest INVITE's; None before the first
    silent  nothing at all has come back to that one
    """

    def __init__(self, lane: VoiceLane, uplink: Uplink, owner: LegOwner) -> None:
        self.call: Call | None = None
        self.media: MediaSession | None = None
        self.silent = False
        self._lane = lane
        self._uplink = uplink
        self._owner = owner
        self._left: list[Target] = []
        self._target: Target | None = None
        self._called = self._caller_id = ""
        self._dial_until = 0.0
        self._given_up = False
        self._turn: asyncio.Task[None] | None = None
        self._patience: asyncio.TimerHandle | None = None

    async def dial(self, called: str, caller_id: str, until: float) -> None:
        """Send the INVITE for a number or SIP URI; no further address is tried after `until`.

        Raises NoWay, Unresolvable, PortsExhausted and OSError: then nothing has left.
        """
        self._called, self._caller_id, self._dial_until = called, caller_id, until
        self._left = await self._uplink.towards(called, self._lane.now())
        if not await self._invite_next():
            raise NoWay("no address of the trunk can be reached")

    def hang_up(self, now: float, cause: int | None = None) -> None:
        """CANCEL or BYE; the end is told as an event, also of an INVITE that nothing comes back to. Before it
        has left nothing is told.
        """
        self._given_up = True
        if self.call is not None:
            self.call.hang_up(now, cause)
            self._lane.endpoint.touch()

    def close(self) -> MediaStatistics | None:
        """Give back the ports; what became of the media, if there were any."""
        self._given_up = True
        if self._turn is not None:
            self._turn.cancel()
        if self._patience is not None:
            self._patience.cancel()
        if self.call is not None:
            self.call.context = None
        if self.media is None:
            return None
        self.media.close()
        return self.media.statistics()

    def _unwanted(self) -> bool:
        """It may have become so during any `await`."""
        return self._given_up

    async def _invite_next(self) -> bool:
        lane, uplink = self._lane, self._uplink
        while self._left and not self._unwanted() and lane.now() < self._dial_until:
            target = self._target = self._left.pop(0)
            if self.media is None:
                self.media = lane.media(self._owner, uplink.config.media.timeout_s)
            try:
                flow = await uplink.flow(target)
            except (OSError, TimeoutError) as error:
                uplink.failed(target, type(error).__name__, lane.now())
                continue
            if self._unwanted():
                break
            offer = uplink.media(flow.local[0], self.media.local[1])
            invitation = uplink.invitation(self._called, self._caller_id, offer)
            now = lane.now()
            self.call = lane.endpoint.agent.invite(invitation, flow, now)
            self.call.context = self
            self.silent = True
            self._await_answer(SILENCE_S)
            self._owner.leg_left(self, now)
            lane.endpoint.touch()
            return True
        return False

    # Silence

    def _await_answer(self, seconds: float) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._patience = asyncio.get_running_loop().call_later(seconds, self._out_of_patience)

    def _out_of_patience(self) -> None:
        self._patience = None
        call, now = self.call, self._lane.now()
        if call is None or call.state not in _UNHEARD:
            self.silent = False
            return
        if (left := call.invited_at + SILENCE_S - now) > 0.001:  # it was challenged, and asked again
            self._await_answer(left)
            return
        # Its transaction goes on: a 1xx that still comes is answered by CANCEL, a 200 by ACK and BYE. Nobody
        # is told, and the media of such a call must find nobody: the next has ports of its own.
        call.context = None
        wanted = not self._given_up
        call.hang_up(now)
        self._lane.endpoint.touch()
        if self.media is not None:
            self.media.close()
            self.media = None
        silence = Rejected(call, _TIMED_OUT, "no answer", None, None, True)
        if self._goes_on(silence, now):
            self._turn = asyncio.create_task(self._again(silence))
        else:
            self._owner.leg_event(self, silence if wanted else Ended(call, "us", None), now)

    # What SIP says

    def sip(self, event: Any, now: float) -> None:
        if event.call is not self.call:
            return
        match event:
            case sip.Trying() | sip.Progress():
                self._heard(now)
            case sip.Answered(_, agreed) | sip.MediaChanged(_, agreed):
                self._heard(now)
                if not self._connect(agreed):
                    self.hang_up(now, _INCOMPATIBLE)
                    return
            case sip.Rejected() if self._goes_on(event, now):
                self._turn = asyncio.create_task(self._again(event))
                return
            case sip.Ended(call) if call.severed and self._target is not None:
                self._uplink.take_leave(call, self._target, self._lane.now)
        self._owner.leg_event(self, event, now)

    def _heard(self, now: float) -> None:
        self.silent = False
        if self._target is not None:
            self._uplink.health.worked(self._target, now)

    def _connect(self, agreed: Any) -> bool:
        assert self.media is not None
        try:
            self.media.connect(agreed, self._lane.monotonic())
        except ValueError:
            return False
        return True

    def _goes_on(self, event: Rejected, now: float) -> bool:
        """RFC 3263 §4.3: no answer at all, no connection, or 503, and the telephone has not rung."""
        silence = event.local and event.status == _TIMED_OUT
        if not (event.status == _CONGESTED or silence):
            if not event.local:
                self._heard(now)
            return False
        assert self.call is not None
        rang = self.call.provisional_seen
        if self._target is not None and not rang and (event.local or event.retry_after is not None):
            said = "no answer to INVITE" if event.local else f"INVITE answered {event.status}"
            since = self.call.invited_at if silence else None
            self._uplink.failed(self._target, said, now, event.retry_after, since)
        return bool(self._left) and not self._given_up and not rang

    async def _again(self, refused: Rejected) -> None:
        try:
            sent = await self._invite_next()
        except (SipError, PortsExhausted, OSError) as error:  # nothing of ours can be sent there
            log_event(_log, "no INVITE to the next address", level=logging.ERROR, error=error)
            sent = False
        if not sent:
            self._owner.leg_event(self, refused, self._lane.now())
