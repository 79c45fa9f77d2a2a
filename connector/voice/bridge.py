"""The agent's leg: a second call, whose media and the listener's are joined while we stay in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.voice.audio import CodecName
from connector.voice.detail import Transfer
from connector.voice.lane import VoiceLane
from connector.voice.leg import Leg, LegOwner
from connector.voice.media.session import MediaSession
from connector.voice.uplink import Uplink
from protocols.sip import events as sip

__all__ = ["AgentLeg"]


class AgentLeg(LegOwner):
    """Rings the agent; when he answers, bridges him to `listener`. `told(ok)` is called with True then, and
    with False when he is not reached or his leg ends; once with each.

    Both legs' durations are kept: the listener's in the call, this one's in `transfer`.
    """

    listening = False

    def __init__(
        self,
        lane: VoiceLane,
        uplink: Uplink,
        listener: MediaSession,
        transfer: Transfer,
        *,
        since: Callable[[float], float],
        told: Callable[[bool, float], None],
    ) -> None:
        self.ring_until = lane.now() + uplink.config.calls.ring_s
        self.bridged = False
        self._lane = lane
        self._leg = Leg(lane, uplink, self)
        self._listener = listener
        self._transfer = transfer
        self._since = since
        self._told = told
        self._closed = False

    async def dial(self, called: str, caller_id: str) -> None:
        """Raises what `Leg.dial` raises."""
        await self._leg.dial(called, caller_id, self.ring_until)

    def hang_up(self, now: float) -> None:
        """The listener is gone, or it has rung long enough: nothing more is told."""
        if self._closed:
            return
        self._closed = True
        self._leg.hang_up(now)
        if self._transfer.ended is None:
            self._transfer.ended = self._since(now)
        if self.bridged:
            self._listener.unbridge()
        self._leg.close()

    def press(self, digit: str, now: float) -> None:
        """A key of the listener, as INFO; as telephone-events the bridge passes them on."""
        call = self._leg.call
        if call is not None and self.bridged:
            call.info_digit(digit, now)
            self._lane.endpoint.touch()

    # LegOwner

    def leg_left(self, leg: Leg, now: float) -> None: ...

    def leg_event(self, leg: Leg, event: Any, now: float) -> None:
        if self._closed:
            return
        match event:
            case sip.Answered():
                assert leg.media is not None
                self._transfer.answered = self._since(now)
                self._transfer.status = 200
                self.bridged = True
                self._listener.bridge(leg.media)
                self._told(True, now)
            case sip.Rejected():
                self._transfer.status = event.status
                self._gone(now)
            case sip.Ended():
                self._gone(now)

    def _gone(self, now: float) -> None:
        self.hang_up(now)
        self._told(False, now)

    # Listener

    def first_packet(self, now: float) -> None: ...
    def digit(self, digit: str, now: float) -> None: ...
    def played(self, now: float) -> None: ...
    def audio(self, frame: bytes, codec: CodecName, now: float) -> None: ...
    def timed_out(self, now: float) -> None:
        self._gone(self._lane.now())
