"""Keeping a session alive: the session timer, refreshes by UPDATE or re-INVITE (RFC 4028)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from protocols.sip import sdp
from protocols.sip.errors import RemoteProtocolError, SdpError
from protocols.sip.events import MediaChanged
from protocols.sip.message import Response
from protocols.sip.session_timer import SessionTimer, asked, min_se_of, of_answer
from protocols.sip.timers import Alarm
from protocols.sip.transaction_tables import Input
from protocols.sip.transactions import ClientTransaction

if TYPE_CHECKING:
    from protocols.sip.call import Call

TRIES: Final = 3
"""How often a refresh is put off by 491 or made again for 401, 407 or 422 before the session may expire."""


class Refreshing:
    """Of one answered call. ``inviting``: a re-INVITE of ours is under way, so that one of the peer is glare
    (RFC 3261 §14.2).
    """

    def __init__(self, call: Call) -> None:
        self.inviting = False
        self._call = call
        self._timer: SessionTimer | None = None
        self._transaction: ClientTransaction | None = None
        self._refresh: Alarm | None = None
        self._end: Alarm | None = None
        self._acks: tuple[int, bytes] = (0, b"")
        self._tries = 0
        self._answered: dict[tuple[int, str], int] = {}
        self._min_se = 0
        self._number = 0

    def stop(self) -> None:
        for alarm in (self._refresh, self._end):
            if alarm is not None:
                alarm.cancel()
        self._refresh = self._end = None

    def close(self, now: float) -> None:
        """The call has ended: a re-INVITE that is not answered soon never will be (RFC 3261 §15.1.2)."""
        self.stop()
        if self.inviting and self._transaction is not None:
            clock, patience = self._call.core.clock, self._call.core.timers.patience
            clock.at(now + patience, self._abandon, self._transaction)

    def _abandon(self, transaction: ClientTransaction, now: float) -> None:
        transaction.step(Input.ABANDON, now)

    def begin(self, timer: SessionTimer | None, now: float) -> None:
        self.stop()
        self._timer = timer
        self._tries = 0
        self._answered = {}
        if timer is not None:
            clock = self._call.core.clock
            self._end = clock.at(now + timer.bye_after, self._expired, None)
            if timer.ours:
                self._refresh = clock.at(now + timer.refresh_after, self._due, None)

    def _expired(self, argument: object, now: float) -> None:
        self._call.expired(now)

    # Refreshes of ours

    def _due(self, argument: object, now: float) -> None:
        call = self._call
        dialog = call.dialog
        self._refresh = None
        if dialog is None or self._timer is None:
            return
        headers = [("Contact", call.contact), ("Supported", "timer")]
        headers += asked(self._timer.seconds, self._min_se, "uac")
        if dialog.remote_allows_update:
            call.ask(dialog, "UPDATE", headers, b"", self._update_answered, now)
        else:
            self._invite(headers, now)

    def _invite(self, headers: list[tuple[str, str]], now: float) -> None:
        call = self._call
        dialog = call.dialog
        if dialog is None:
            return
        self.inviting = True
        self._number = dialog.next_cseq()
        lines = [call.core.via(dialog.flow), *headers, ("Content-Type", "application/sdp")]
        request = dialog.request("INVITE", self._number, lines, call.session)
        if call.authorization is not None:
            for name, value in call.authorization.headers("INVITE", request.uri, request.body):
                request.headers.add(name, value)
        self._transaction = call.core.transactions.request(request, dialog.flow, self, now)

    def answered(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """What came to our re-INVITE."""
        if response.status < 200:
            return
        if response.status < 300:
            self._acknowledge(response, now)
            if not self.inviting:
                return
            self.inviting = False
            self._take_session(response, now)
        else:
            self.inviting = False
        self._update_answered(response, response.status, now, challenges=True)

    def failed(self, transaction: ClientTransaction, status: int, now: float) -> None:
        self.inviting = False
        self._update_answered(None, status, now)

    def _acknowledge(self, response: Response, now: float) -> None:
        call = self._call
        dialog = call.dialog
        number = response.cseq.number
        if dialog is not None and self._acks[0] != number:
            ack = dialog.request("ACK", number, [call.core.via(dialog.flow)])
            self._acks = (number, ack.encode())
        if self._acks[0] == number:
            call.core.send(dialog.flow if dialog is not None else call.flow, self._acks[1])

    def _take_session(self, response: Response, now: float) -> None:
        call = self._call
        if call.media is None or not response.body:
            return
        try:
            agreed = sdp.accept(response.body, call.media)
        except SdpError:
            return  # the session stays as it was (RFC 3261 §14.1)
        if agreed != call.agreed:
            call.agreed = agreed
            call.core.tell(MediaChanged(call, agreed))

    def _update_answered(
        self, response: Response | None, status: int, now: float, challenges: bool = False
    ) -> None:
        call = self._call
        if call.dialog is None:
            return
        if response is None or status in (408, 481):
            call.gone(now)
        elif status < 300:
            with suppress(RemoteProtocolError):  # one that cannot be read leaves the old one
                call.dialog.refresh_target(response.contact)
            self.begin(of_answer(response), now)
        elif self._tries < TRIES:
            self._tries += 1
            self._again(response, status, now, challenges)

    def _again(self, response: Response, status: int, now: float, challenges: bool) -> None:
        call = self._call
        pause: float | None = None
        if status == 491:  # §14.1: who made the Call-ID waits longer
            pause = 2.1 + call.core.fraction() * 1.9
        elif status == 422 and self._timer is not None:
            larger = min_se_of(response, self._timer.seconds)
            if larger is not None:
                self._min_se = larger
                self._timer = self._timer._replace(seconds=larger)
                pause = 0.0
        elif challenges and self._may_ask_again(response):
            pause = 0.0
        if pause is not None:
            self._refresh = call.core.clock.at(now + pause, self._due, None)

    def _may_ask_again(self, response: Response) -> bool:
        authorization = self._call.authorization
        return authorization is not None and authorization.learn(response, self._answered)
