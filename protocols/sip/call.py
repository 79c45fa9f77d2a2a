"""A call, whoever made it: its state, its dialog, what we ask for within it, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from protocols.sip import sdp
from protocols.sip.acknowledgement import AwaitedAck
from protocols.sip.authorization import Authorization
from protocols.sip.call_state import CallInput, CallState
from protocols.sip.core import Core
from protocols.sip.dialog import Dialog
from protocols.sip.errors import LocalProtocolError
from protocols.sip.events import Ended, Event, Flow, Refused, Transferred
from protocols.sip.headers import parse_reason
from protocols.sip.inquiry import Done, Inquiry, no_matter
from protocols.sip.message import Request, Response
from protocols.sip.refresh import Refreshing
from protocols.sip.sdp import Agreed, LocalMedia
from protocols.sip.session_timer import SessionTimer
from protocols.sip.transactions import ServerTransaction
from protocols.sip.transfer import Transfer

_KEYS: Final = "0123456789*#ABCD"

_LOST: Final = 503
"""What a request of ours ends with whose transport is gone (§8.1.3.1)."""

SDP_TYPE: Final = ("Content-Type", "application/sdp")


def reason(cause: int | None) -> list[tuple[str, str]]:
    """Reason (RFC 3326) of a CANCEL or BYE."""
    return [] if cause is None else [("Reason", f"Q.850;cause={cause}")]


def cause_of(message: Request | Response) -> int | None:
    """The cause of Q.850 that a message tells."""
    return parse_reason(message.headers.values("reason"))


class Call:
    """What both directions have in common. ``context`` is the owner's own and comes back with every event.

    ``agreed`` is what the media is sent by, ``provisional_seen`` whether a 101–199 has come, ``invited_at``
    when our newest INVITE left, ``severed`` whether the connection was lost and ``leave_over`` is left to do.
    """

    table: Mapping[CallState, Mapping[CallInput, CallState]]

    def __init__(
        self, core: Core, flow: Flow, call_id: str, local_tag: str, authorization: Authorization | None
    ) -> None:
        self.core = core
        self.flow = flow
        self.call_id = call_id
        self.local_tag = local_tag
        self.authorization = authorization
        self.context: Any = None
        self.state = CallState.CALLING
        self.agreed: Agreed | None = None
        self.provisional_seen = False
        self.invited_at = 0.0
        self.contact = ""
        self.dialogs: dict[str, Dialog] = {}
        self.dialog: Dialog | None = None
        self.media: LocalMedia | None = None
        self.session_id = core.number()
        self.session_version = self.session_id
        self.session: bytes = b""
        self.transfer: Transfer | None = None
        self.refreshing: Refreshing | None = None
        self.awaited_ack = AwaitedAck(self)
        self._outcome: Event | None = None
        self._severed: Dialog | None = None
        core.calls[call_id, local_tag] = self

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.state}>"

    @property
    def ended(self) -> bool:
        return self.state is CallState.ENDED

    @property
    def severed(self) -> bool:
        return self._severed is not None

    # Verbs

    def hang_up(self, now: float, cause: int | None = None) -> None:
        """End the call, whatever is right: CANCEL, BYE, or BYE as soon as it may be. Once it is ending or
        ended, nothing happens. ``cause`` of Q.850 is told in Reason.
        """
        raise NotImplementedError

    def leave_over(self, flow: Flow, now: float) -> None:
        """BYE for a ``severed`` call over a new connection (RFC 3261 §18.1.1); its answer changes nothing."""
        dialog, self._severed = self._severed, None
        if dialog is not None:
            dialog.flow = flow
            self.ask(dialog, "BYE", [], b"", no_matter, now)

    def refer(self, to: str, now: float) -> None:
        """Transfer the peer to a URI (RFC 3515): TransferProgress, then one Transferred.

        LocalProtocolError: the call is not answered, or being transferred already.
        """
        dialog = self._answered_dialog("refer")
        if self.transfer is not None:
            raise LocalProtocolError("refer", "one transfer at a time")
        self.transfer = Transfer(self, now)
        headers = [("Refer-To", f"<{to}>"), ("Contact", self.contact)]
        self.ask(dialog, "REFER", headers, b"", self.transfer.answered, now)

    def info_digit(self, digit: str, now: float) -> None:
        """Press a key by INFO (application/dtmf-relay).

        LocalProtocolError: the call is not answered, or it is no key.
        """
        dialog = self._answered_dialog("info_digit")
        if len(digit) != 1 or digit not in _KEYS:
            raise LocalProtocolError("digit", "one of 0 to 9, *, #, A to D")
        body = f"Signal={digit}\r\nDuration=160\r\n".encode("ascii")
        self.ask(dialog, "INFO", [("Content-Type", "application/dtmf-relay")], body, no_matter, now)

    def transfer_status(self, status: int, now: float) -> None:
        """Tell the peer how the transfer that it asked for goes (RFC 3515 §2.4.5); from 200 on it is over.

        LocalProtocolError: the call is not answered.
        """
        dialog = self._answered_dialog("transfer_status")
        state = "active;expires=60" if status < 200 else "terminated;reason=noresource"
        headers = [
            ("Event", "refer"),
            ("Subscription-State", state),
            ("Contact", self.contact),
            ("Content-Type", "message/sipfrag;version=2.0"),
        ]
        body = f"SIP/2.0 {status} {'OK' if 200 <= status < 300 else 'Status'}\r\n".encode("ascii")
        self.ask(dialog, "NOTIFY", headers, body, no_matter, now)

    def _answered_dialog(self, verb: str) -> Dialog:
        if self.state is not CallState.ANSWERED or self.dialog is None:
            raise LocalProtocolError(verb, f"state ANSWERED, not {self.state}")
        return self.dialog

    # Steps

    def step(self, cause: CallInput) -> bool:
        """Make the step of the table; False when the state has no such cell."""
        target = self.table[self.state].get(cause)
        if target is None:
            return False
        self.state = target
        return True

    def finish(self, outcome: Event, now: float) -> None:
        """The end, told once: nothing of the call is found or waited for from here on."""
        self.state = CallState.ENDED
        self.core.calls.pop((self.call_id, self.local_tag), None)
        self.awaited_ack.stop()
        if self.refreshing is not None:
            self.refreshing.close(now)
        if self.transfer is not None:
            self.end_transfer(False, self.transfer.status)
        self.dialogs.clear()
        self.dialog = self.refreshing = self.media = self._outcome = None
        self.session = b""
        self.core.tell(outcome)

    def end_transfer(self, ok: bool, status: int) -> None:
        if self.transfer is not None:
            self.transfer.stop()
            self.transfer = None
            self.core.tell(Transferred(self, ok, status))

    # Within the dialog

    def ask(
        self,
        dialog: Dialog,
        method: str,
        headers: list[tuple[str, str]],
        body: bytes,
        done: Done,
        now: float,
    ) -> None:
        """Send a request of the dialog, again when it is challenged."""

        def build() -> Request:
            lines = [self.core.via(dialog.flow), *headers]
            if self.core.product:
                lines.append(("User-Agent", self.core.product))
            return dialog.request(method, dialog.next_cseq(), lines, body)

        Inquiry(self.core, dialog.flow, build, done, self.authorization).send(now)

    def leave(self, dialog: Dialog, outcome: Event, cause: int | None, now: float) -> None:
        """BYE: whatever it is answered with, or if it is not, the call ends with that outcome."""
        self._outcome = outcome
        self.awaited_ack.stop()
        if self.refreshing is not None:
            self.refreshing.stop()
        self.ask(dialog, "BYE", reason(cause), b"", self._bye_answered, now)

    def _bye_answered(self, response: Response | None, status: int, now: float) -> None:
        if response is None and self.flow.reliable and status == _LOST:
            self._severed = self.dialog
        if self.step(CallInput.BYE_ANSWERED):
            self.finish(self._outcome or Ended(self, "us", None), now)

    def peer_left(self, cause: int | None, now: float) -> None:
        """A BYE has come and been answered: if ours is under way, ours was first."""
        outcome = self._outcome if self.state is CallState.LEAVING else None
        if self.step(CallInput.BYE):
            self.finish(outcome or Ended(self, "peer", cause), now)

    def gone(self, now: float) -> None:
        """The peer knows the call no more, or nobody is there (481, 408 within the dialog; §12.2.1.2)."""
        if self.state is CallState.ANSWERED and self.dialog is not None:
            self.step(CallInput.EXPIRED)
            self.leave(self.dialog, Ended(self, "transport", None), None, now)

    def expired(self, now: float) -> None:
        """Nobody refreshed the session (RFC 4028 §10)."""
        if self.step(CallInput.EXPIRED) and self.dialog is not None:
            self.leave(self.dialog, Ended(self, "session_timer", None), None, now)

    def flow_lost(self, now: float) -> None:
        """The connection is gone, and with it the call: only ``leave_over`` can still tell the peer."""
        dialog = self.dialog
        if self.step(CallInput.FAILURE):
            self._severed = dialog
            self.finish(self._outcome or Ended(self, "transport", None), now)

    def acknowledged(self, ack: Request, now: float) -> None:
        """The ACK of a 2xx of ours."""
        self.awaited_ack.acknowledged(ack, now)

    def unacknowledged(self, now: float) -> None:
        """No ACK has come of a 2xx of ours (RFC 3261 §13.3.1.4)."""
        self.gone(now)

    def lost(self, now: float) -> None:
        """The transport of an INVITE that we accepted. Over UDP the ACK may still come, or be missed."""
        if self.flow.reliable:
            self.flow_lost(now)

    def pracked(self, request: Request, now: float) -> bool:
        """Whether a PRACK acknowledges something of ours."""
        return False

    def referred(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """The peer wants us to call somebody else: never from where only we make calls."""
        self.respond(transaction, 603, now)
        self.core.tell(Refused("REFER", self.flow, "transfer of a call that is ours"))

    # Media

    def describe(self, media: LocalMedia) -> bytes:
        """Our offer; the version goes up with each that differs (RFC 3264 §8)."""
        body = sdp.offer(media, self.session_id, self.session_version)
        if self.session and body != self.session:
            self.session_version += 1
            body = sdp.offer(media, self.session_id, self.session_version)
        self.session, self.media = body, media
        return body

    def answer_offer(self, offer: bytes, media: LocalMedia) -> tuple[bytes, Agreed]:
        """Our answer and what is agreed by it. SdpError where nothing suits."""
        body, agreed = sdp.answer(offer, media, self.session_id, self.session_version)
        if self.session and body != self.session:
            self.session_version += 1
            body, agreed = sdp.answer(offer, media, self.session_id, self.session_version)
        self.session, self.media, self.agreed = body, media, agreed
        return body, agreed

    def watch(self, timer: SessionTimer | None, now: float) -> None:
        """The call is up, or was refreshed: wait for the next time (RFC 4028)."""
        if self.refreshing is None:
            self.refreshing = Refreshing(self)
        self.refreshing.begin(timer, now)

    def respond(
        self,
        transaction: ServerTransaction,
        status: int,
        now: float,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> None:
        """Answer a request of the dialog."""
        if transaction.request is not None:
            response = self.core.response(
                transaction.request, status, tag=self.local_tag, headers=headers, body=body
            )
            transaction.respond(response, now)
