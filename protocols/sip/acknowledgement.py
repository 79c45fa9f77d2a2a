"""The 2xx that we sent, repeated until its ACK comes (RFC 3261 §13.3.1.4), over any transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.sip import sdp
from protocols.sip.call_state import CallState
from protocols.sip.errors import SdpError
from protocols.sip.events import MediaChanged
from protocols.sip.message import Request, Response
from protocols.sip.timers import Alarm
from protocols.sip.transactions import ServerTransaction

if TYPE_CHECKING:
    from protocols.sip.call import Call


class AwaitedAck:
    """Of the last INVITE or re-INVITE of a call that we accepted; a new one takes the place of the last."""

    __slots__ = ("_alarm", "_call", "_interval", "_offered", "_response", "_transaction", "_until")

    def __init__(self, call: Call) -> None:
        self._call = call
        self._alarm: Alarm | None = None
        self._response: Response | None = None
        self._transaction: ServerTransaction | None = None
        self._offered = False
        self._interval = 0.0
        self._until = 0.0

    def begin(self, transaction: ServerTransaction, response: Response, offered: bool, now: float) -> None:
        """Send the 2xx. ``offered``: it carries an offer, which the ACK has to answer."""
        self.stop()
        timers = self._call.core.timers
        self._transaction, self._response, self._offered = transaction, response, offered
        self._interval, self._until = timers.t1, now + timers.patience
        transaction.user = self._call
        transaction.respond(response, now)
        self._alarm = self._call.core.clock.at(now + timers.t1, self._again, None)

    def stop(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._response = self._transaction = None

    def _again(self, argument: object, now: float) -> None:
        self._alarm = None
        if self._response is None or self._transaction is None:
            return
        if now >= self._until:
            self.stop()
            self._call.unacknowledged(now)
            return
        self._transaction.respond(self._response, now)
        self._interval = min(2 * self._interval, self._call.core.timers.t2)
        at = min(now + self._interval, self._until)
        self._alarm = self._call.core.clock.at(at, self._again, None)

    def acknowledged(self, ack: Request, now: float) -> bool:
        """Whether this ACK was awaited. An answer in it that cannot be agreed to leaves all as it was."""
        response = self._response
        if response is None or ack.cseq.number != response.cseq.number:
            return False
        self.stop()
        call = self._call
        if self._offered and call.media is not None:
            try:
                agreed = sdp.accept(ack.body, call.media)
            except SdpError:
                return True
            changed = call.state is CallState.ANSWERED and agreed != call.agreed
            call.agreed = agreed
            if changed:
                call.core.tell(MediaChanged(call, agreed))
        return True
