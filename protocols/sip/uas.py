"""A call that we are asked to take: ringing, answer, refusal, CANCEL (RFC 3261 §13.3, RFC 3262)."""

from __future__ import annotations

from protocols.sip.call import SDP_TYPE, Call, cause_of, reason
from protocols.sip.call_state import INCOMING, CallInput, CallState
from protocols.sip.core import ALLOW, REASONS, Core
from protocols.sip.dialog import Dialog
from protocols.sip.digest import Challenge, Credentials, nonce_of, verify
from protocols.sip.errors import LocalProtocolError, RemoteProtocolError, SdpError
from protocols.sip.events import Answered, Cancelled, Ended, Event, Flow, Rejected, TransferAsked
from protocols.sip.headers import NameAddr, parse_rack
from protocols.sip.message import Request, Response
from protocols.sip.sdp import LocalMedia
from protocols.sip.session_timer import SessionTimer, of_request
from protocols.sip.timers import Alarm
from protocols.sip.transactions import ServerTransaction


class IncomingCall(Call):
    """Begins with an INVITE that 100 has answered.

    RemoteProtocolError: no dialog can be made of the INVITE.
    """

    table = INCOMING

    def __init__(
        self, core: Core, transaction: ServerTransaction, request: Request, flow: Flow, now: float
    ) -> None:
        tag = core.token()
        dialog = Dialog.of_invite(request, tag, flow)
        contact = core.contact(request.to.address().user or "", flow)
        super().__init__(core, flow, request.call_id, tag, None)
        self.state = CallState.INVITED
        self.dialog = dialog
        self.dialogs = {dialog.remote_tag: dialog}
        self.contact = contact
        self.transaction = transaction
        self.request = request
        self._timer: SessionTimer | None = None
        self._rseq = 0
        self._unpracked: Response | None = None
        self._interval = 0.0
        self._until = 0.0
        self._repeat: Alarm | None = None
        self._accepting: LocalMedia | None = None
        self._unanswered: Alarm | None = core.clock.at(now + core.timers.timer_c, self._too_long, None)

    # Verbs

    def ring(self, status: int, now: float, media: LocalMedia | None = None, reliable: bool = False) -> None:
        """101–199; with ``media`` early media is agreed. ``reliable`` takes effect where the caller supports
        100rel: the response is repeated until its PRACK, and the next one waits for that.

        LocalProtocolError: not a provisional status, or the call is answered; SdpError: no codec in common.
        """
        if not 100 < status < 200 or self.state is not CallState.INVITED:
            raise LocalProtocolError("ring", "101 to 199, in state INVITED")
        if self._unpracked is not None:
            raise LocalProtocolError("ring", "the PRACK of the last reliable one first")
        body = self._describe(media) if media is not None else b""
        headers: tuple[tuple[str, str], ...] = (("Contact", self.contact), ("Allow", ALLOW))
        options = [
            each.lower() for name in ("supported", "require") for each in self.request.headers.all(name)
        ]
        reliable = (reliable or "100rel" in self.request.headers.all("require")) and "100rel" in options
        if reliable:
            self._rseq = self._rseq + 1 if self._rseq else self.core.number() // 2 + 1
            headers = (*headers, ("Require", "100rel"), ("RSeq", str(self._rseq)))
        if body:
            headers = (*headers, SDP_TYPE)
        response = self.core.response(self.request, status, tag=self.local_tag, headers=headers, body=body)
        self.transaction.respond(response, now)
        if reliable:
            self._unpracked = response
            self._interval, self._until = self.core.timers.t1, now + self.core.timers.patience
            self._repeat = self.core.clock.at(now + self._interval, self._ring_again, None)

    def accept(self, media: LocalMedia, now: float) -> None:
        """200 with our answer, repeated until the ACK: then Answered. It waits for the PRACK of a reliable
        18x.

        LocalProtocolError: not in state INVITED; SdpError: no codec in common (the call is still to be
        rejected).
        """
        if self.state is not CallState.INVITED:
            raise LocalProtocolError("accept", f"state INVITED, not {self.state}")
        if self._unpracked is not None:
            self._accepting = media
            return
        body = self._describe(media)
        self._timer, headers = of_request(self.request)
        lines = (("Contact", self.contact), ("Allow", ALLOW), ("Supported", "timer, 100rel"), *headers)
        response = self.core.response(
            self.request, 200, tag=self.local_tag, headers=(*lines, SDP_TYPE), body=body
        )
        self._stop()
        self.step(CallInput.ACCEPT)
        self.awaited_ack.begin(self.transaction, response, not self.request.body, now)

    def reject(self, status: int, now: float, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """300–699, with headers such as Retry-After or Reason. No event follows: the end is the owner's own.

        LocalProtocolError: another status, or not in state INVITED.
        """
        if not 300 <= status <= 699:
            raise LocalProtocolError("status", "300 to 699")
        if self.state is not CallState.INVITED:
            raise LocalProtocolError("reject", f"state INVITED, not {self.state}")
        self.step(CallInput.REJECT)
        self.respond(self.transaction, status, now, headers)
        self._forget()

    def challenge(
        self, realm: str, now: float, *, proxy: bool = False, algorithm: str = "MD5", stale: bool = False
    ) -> Challenge:
        """Reject with 401 (or 407): the next INVITE brings an answer that ``verified`` checks."""
        challenge = Challenge(realm, self.core.token(), algorithm, ("auth",), self.core.token(), stale)
        name = "Proxy-Authenticate" if proxy else "WWW-Authenticate"
        self.reject(407 if proxy else 401, now, ((name, str(challenge)),))
        return challenge

    def verified(self, challenge: Challenge, credentials: Credentials) -> bool:
        """Whether the INVITE answers that challenge with those credentials."""
        headers = self.request.headers
        values = (*headers.values("authorization"), *headers.values("proxy-authorization"))
        return any(
            nonce_of(value) == challenge.nonce
            and verify(value, challenge, credentials, "INVITE", self.request.body)
            for value in values
        )

    def hang_up(self, now: float, cause: int | None = None) -> None:
        if self.state is CallState.INVITED:
            self.reject(480, now, tuple(reason(cause)))
        elif self.step(CallInput.HANG_UP):
            self._outcome = Ended(self, "us", cause)
            if self.state is CallState.LEAVING and self.dialog is not None:
                self.leave(self.dialog, self._outcome, cause, now)

    # What the caller does

    def cancelled(self, request: Request, now: float) -> None:
        """A CANCEL that was answered 200: the INVITE is answered 487, unless it was answered already."""
        if self.step(CallInput.CANCEL):
            self.respond(self.transaction, 487, now)
            self.finish(Cancelled(self, cause_of(request)), now)

    def peer_left(self, cause: int | None, now: float) -> None:
        if self.state is CallState.INVITED:  # §15.1.2: a BYE of the early dialog
            self.step(CallInput.BYE)
            self.respond(self.transaction, 487, now)
            self.finish(Cancelled(self, cause), now)
            return
        outcome = self._outcome
        before = self.state
        if self.step(CallInput.BYE):
            ours = before in (CallState.LEAVING, CallState.ACCEPTED_IN_VAIN)
            self.finish(outcome if ours and outcome else Ended(self, "peer", cause), now)

    def acknowledged(self, ack: Request, now: float) -> None:
        if not self.awaited_ack.acknowledged(ack, now) or not self.step(CallInput.ACK):
            return
        dialog = self.dialog
        if dialog is None:
            return
        if self.state is CallState.LEAVING:
            outcome = self._outcome
            cause = outcome.cause if isinstance(outcome, Ended) else None
            self.leave(dialog, outcome or Ended(self, "us", None), cause, now)
        elif self.agreed is None:
            self.step(CallInput.EXPIRED)
            self.leave(dialog, Rejected(self, 488, "no media in common", None, None, True), None, now)
        else:
            self.watch(self._timer, now)
            self.core.tell(Answered(self, self.agreed))

    def unacknowledged(self, now: float) -> None:
        before = self.state
        if before is CallState.ANSWERED:
            self.gone(now)
        elif self.step(CallInput.NO_ACK) and self.dialog is not None:
            ours = before is CallState.ACCEPTED_IN_VAIN and self._outcome is not None
            outcome = self._outcome if ours else Ended(self, "transport", None)
            self.leave(self.dialog, outcome or Ended(self, "us", None), None, now)

    def pracked(self, request: Request, now: float) -> bool:
        response = self._unpracked
        rack = parse_rack(request.headers.get("rack") or "")
        if response is None or rack is None:
            return False
        number, cseq, method = rack
        if (number, cseq, method) != (self._rseq, self.request.cseq.number, "INVITE"):
            return False
        self._unpracked = None
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None
        if self._accepting is not None:
            media, self._accepting = self._accepting, None
            self.core.clock.at(now, self._accept_now, media)  # behind the answer to the PRACK
        return True

    def _accept_now(self, media: LocalMedia, now: float) -> None:
        if self.state is not CallState.INVITED:
            return
        try:
            self.accept(media, now)
        except SdpError:
            self.reject(488, now)

    def referred(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        try:
            to = NameAddr.parse(request.headers.get("refer-to") or "").uri
        except RemoteProtocolError:
            self.respond(transaction, 400, now)
            return
        self.respond(transaction, 202, now, (("Contact", self.contact),))
        self.core.tell(TransferAsked(self, to))

    def lost(self, now: float) -> None:
        if self.state is CallState.INVITED:
            self.step(CallInput.FAILURE)
            self.finish(Cancelled(self, None), now)

    # Within

    def _describe(self, media: LocalMedia) -> bytes:
        """Our answer; once it is given in a reliable 18x, the same again (RFC 3262 §5)."""
        if self.session:
            return self.session
        offer = self.request.body
        return self.answer_offer(offer, media)[0] if offer else self.describe(media)

    def _too_long(self, argument: object, now: float) -> None:
        """Nobody decides: a caller may have gone without our knowing (§16.6, timer C)."""
        self._unanswered = None
        if self.step(CallInput.REJECT):
            self.respond(self.transaction, 480, now)
            self.finish(Rejected(self, 480, REASONS[480], None, None, True), now)

    def _ring_again(self, argument: object, now: float) -> None:
        self._repeat = None
        if self._unpracked is None:
            return
        if now >= self._until:  # RFC 3262 §3: without a PRACK the INVITE is refused
            self._unpracked = None
            if self.step(CallInput.REJECT):
                self.respond(self.transaction, 504, now)
                self.finish(Rejected(self, 504, REASONS.get(504, ""), None, None, True), now)
            return
        self.transaction.respond(self._unpracked, now)
        self._interval *= 2
        at = min(now + self._interval, self._until)
        self._repeat = self.core.clock.at(at, self._ring_again, None)

    def _forget(self) -> None:
        self._stop()
        self.state = CallState.ENDED
        self.core.calls.pop((self.call_id, self.local_tag), None)
        self.dialogs.clear()
        self.dialog = None

    def _stop(self) -> None:
        if self._unanswered is not None:
            self._unanswered.cancel()
            self._unanswered = None
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None
        self._unpracked = None
        self._accepting = None

    def finish(self, outcome: Event, now: float) -> None:
        self._stop()
        super().finish(outcome, now)
