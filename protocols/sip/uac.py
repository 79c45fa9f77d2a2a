"""A call that we make: INVITE, its answers, CANCEL, forks (RFC 3261 §9, §13; RFC 3262)."""

from __future__ import annotations

from typing import Final

from protocols.sip import sdp
from protocols.sip.authorization import Authorization
from protocols.sip.call import SDP_TYPE, Call, cause_of, reason
from protocols.sip.call_state import OUTGOING, CallInput, CallState
from protocols.sip.core import ALLOW, Core
from protocols.sip.dialog import Dialog
from protocols.sip.errors import LocalProtocolError, RemoteProtocolError, SdpError
from protocols.sip.events import Answered, Ended, Event, Flow, Invitation, Progress, Rejected, Trying
from protocols.sip.headers import NameAddr, parse_retry_after, parse_rseq
from protocols.sip.inquiry import Inquiry, no_matter
from protocols.sip.message import Request, Response
from protocols.sip.sdp import Agreed
from protocols.sip.session_timer import asked, min_se_of, of_answer
from protocols.sip.timers import Alarm
from protocols.sip.transaction_tables import Input
from protocols.sip.transactions import ClientTransaction
from protocols.sip.uri import Uri

MOST_PRACKS: Final = 8
"""PRACKs of a call without an answer: a UAS waits for each before it sends the next reliable 18x (RFC 3262
§3), so that only as many are under way as answers may have been overtaken.
"""


class OutgoingCall(Call):
    """Begins with its INVITE; ``core.check_room`` was asked before.

    LocalProtocolError: a part of the invitation cannot be sent.
    """

    table = OUTGOING

    def __init__(self, core: Core, invitation: Invitation, flow: Flow, now: float) -> None:
        hosts = _hosts(invitation, flow)
        authorization = Authorization(invitation.credentials, hosts, core.token)
        super().__init__(core, flow, core.token(), core.token(), authorization)
        self._invitation: Invitation | None = invitation
        self._from = str(_address(invitation.from_).with_tag(self.local_tag))
        self._to = str(_address(invitation.to))
        self.contact = core.contact(invitation.contact_user, flow)
        self._cseq = 0
        self._min_se = 0
        self._answered: dict[tuple[int, str], int] = {}
        self._invite: Request | None = None
        self._transaction: ClientTransaction | None = None
        self._silence: Alarm | None = None
        self._acks: dict[str, tuple[Flow, bytes]] = {}
        self._told: dict[tuple[int, str], Agreed | None] = {}
        self._trying = False
        self._pracks = 0
        try:
            self.describe(invitation.offer)
            self._send_invite(now)
        except Exception:
            core.calls.pop((self.call_id, self.local_tag), None)
            raise

    def _send_invite(self, now: float) -> None:
        invitation = self._invitation
        if invitation is None:
            return
        core = self.core
        self._cseq += 1
        supported = "timer" if invitation.reliable == "no" else "timer, 100rel"
        lines = [
            core.via(self.flow),
            ("Max-Forwards", "70"),
            *(("Route", each) for each in invitation.route),
            ("From", self._from),
            ("To", self._to),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self._cseq} INVITE"),
            ("Contact", self.contact),
            ("Allow", ALLOW),
            ("Supported", supported),
            *asked(invitation.session_expires_s, self._min_se),
            *invitation.headers,
        ]
        if invitation.reliable == "required":
            lines.append(("Require", "100rel"))
        if core.product:
            lines.append(("User-Agent", core.product))
        lines.append(SDP_TYPE)
        if self.authorization is not None:
            lines += self.authorization.headers("INVITE", invitation.request_uri, self.session)
        request = Request("INVITE", invitation.request_uri, lines, self.session)
        self._invite = request
        self.invited_at = now
        self._transaction = core.transactions.request(request, self.flow, self, now)

    # Verbs

    def hang_up(self, now: float, cause: int | None = None) -> None:
        before = self.state
        if not self.step(CallInput.HANG_UP):
            return
        outcome = Ended(self, "us", cause)
        if before is CallState.ANSWERED:
            if self.dialog is not None:
                self.leave(self.dialog, outcome, cause, now)
            return
        self._outcome = outcome
        if self.state is CallState.CANCELLING:
            self._cancel(cause, now)

    def _cancel(self, cause: int | None, now: float) -> None:
        """§9.1: same branch, same route. Without a final answer in time the call is over all the same."""
        invite = self._invite
        if invite is None:
            return
        lines = [
            ("Via", str(invite.via)),
            ("Max-Forwards", "70"),
            *(("Route", each) for each in invite.headers.values("route")),
            ("From", self._from),
            ("To", self._to),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self._cseq} CANCEL"),
            *reason(cause),
        ]
        request = Request("CANCEL", invite.uri, lines)
        Inquiry(self.core, self.flow, lambda: request, no_matter, None).send(now)
        self._wait(self.core.timers.patience, now)

    def _wait(self, seconds: float, now: float) -> None:
        """Timer C, and the end of patience with a CANCEL."""
        if self._silence is not None:
            self._silence.cancel()
        self._silence = self.core.clock.at(now + seconds, self._silent, None)

    def _silent(self, argument: object, now: float) -> None:
        self._silence = None
        if not self.step(CallInput.SILENCE):
            return
        if self.state is CallState.CANCELLING:
            self._outcome = Rejected(self, 408, "no provisional answer", None, None, True)
            self._cancel(None, now)
            return
        if self._transaction is not None:  # a 2xx may still come, and would have to be ended
            self.core.clock.at(now + self.core.timers.patience, self._abandon, self._transaction)
        self.finish(self._outcome or Ended(self, "us", None), now)

    def _abandon(self, transaction: ClientTransaction, now: float) -> None:
        transaction.step(Input.ABANDON, now)

    def finish(self, outcome: Event, now: float) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        self._told.clear()
        self._invite = self._transaction = self._invitation = None
        super().finish(outcome, now)

    # Answers to the INVITE

    def answered(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        if response.status < 200:
            if transaction is self._transaction:
                self._provisional(response, now)
        elif response.status < 300:
            self._accepted(response, now)
        elif transaction is self._transaction:
            self._refused(response, now)

    def failed(self, transaction: ClientTransaction, status: int, now: float) -> None:
        if transaction is self._transaction and self.step(CallInput.FAILURE):
            text = "no answer" if status == 408 else "transport lost"
            self.finish(self._outcome or Rejected(self, status, text, None, None, True), now)

    def _provisional(self, response: Response, now: float) -> None:
        before = self.state
        if not self.step(CallInput.PROVISIONAL):
            return
        if before is CallState.GIVING_UP:
            outcome = self._outcome
            self._cancel(outcome.cause if isinstance(outcome, Ended) else None, now)
        elif before is CallState.CALLING or (before is CallState.PROCEEDING and response.status > 100):
            self._wait(self.core.timers.timer_c, now)
        if response.status == 100:
            if not self._trying and before is CallState.CALLING:
                self._trying = True
                self.core.tell(Trying(self))
            return
        self.provisional_seen = True
        agreed = None
        dialog = self._early(response)
        if dialog is not None:
            if not self._reliable_in_order(dialog, response, now):
                return
            agreed = self._early_media(dialog, response)
        key = (response.status, response.to.tag or "")
        if key not in self._told or self._told[key] != agreed:
            if len(self._told) < self.core.limits.forks * 4:
                self._told[key] = agreed
            self.core.tell(Progress(self, response.status, response.reason, agreed))

    def _early(self, response: Response) -> Dialog | None:
        """§12.1: the early dialog of a fork, as long as there are few."""
        tag = response.to.tag
        if not tag:
            return None
        dialog = self.dialogs.get(tag)
        if dialog is None and len(self.dialogs) < self.core.limits.forks:
            try:
                dialog = Dialog.of_answer(response, self._cseq, self.flow)
            except RemoteProtocolError:
                return None  # an 18x without Contact may be told, and no more
            self.dialogs[tag] = dialog
        return dialog

    def _reliable_in_order(self, dialog: Dialog, response: Response, now: float) -> bool:
        """RFC 3262 §4: acknowledge what comes in order; False for what is repeated, or too early."""
        if "100rel" not in (each.lower() for each in response.headers.all("require")):
            return True
        rseq = parse_rseq(response.headers.get("rseq") or "")
        if rseq is None or (dialog.last_rseq is not None and rseq != dialog.last_rseq + 1):
            return False
        if self._pracks >= MOST_PRACKS:
            self.core.dropped += 1
            return False
        dialog.last_rseq = rseq
        self._pracks += 1
        self.ask(dialog, "PRACK", [("RAck", f"{rseq} {response.cseq}")], b"", self._prack_answered, now)
        return True

    def _prack_answered(self, response: Response | None, status: int, now: float) -> None:
        self._pracks -= 1

    def _early_media(self, dialog: Dialog, response: Response) -> Agreed | None:
        if response.body and self.media is not None:
            try:
                dialog.agreed = sdp.accept(response.body, self.media)
            except SdpError:
                return dialog.agreed
            self.agreed = dialog.agreed
        return dialog.agreed

    def _accepted(self, response: Response, now: float) -> None:
        """A 2xx: its own ACK for each fork, and for all but the first a BYE (§13.2.2.4)."""
        tag = response.to.tag or ""
        if tag in self._acks:
            self.core.send(*self._acks[tag])
            return
        if len(self._acks) > self.core.limits.forks:
            self.core.dropped += 1
            return
        dialog = self._dialog_of(response, tag)
        self._acknowledge(dialog, tag)
        before = self.state
        if not self.step(CallInput.ANSWER):
            self.ask(dialog, "BYE", [], b"", no_matter, now)
            return
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        self.dialogs = {tag: dialog}
        self.dialog = dialog
        self._told.clear()
        if before in (CallState.GIVING_UP, CallState.CANCELLING):
            outcome = self._outcome or Ended(self, "us", None)
            self.leave(dialog, outcome, outcome.cause if isinstance(outcome, Ended) else None, now)
            return
        self._begin(dialog, response, now)

    def _begin(self, dialog: Dialog, response: Response, now: float) -> None:
        agreed = dialog.agreed
        if response.body and self.media is not None:
            try:
                agreed = sdp.accept(response.body, self.media)
            except SdpError:
                agreed = dialog.agreed
        if agreed is None:
            self.step(CallInput.EXPIRED)
            self.leave(dialog, Rejected(self, 488, "no media in common", None, None, True), None, now)
            return
        self.agreed = dialog.agreed = agreed
        self.watch(of_answer(response), now)
        self.core.tell(Answered(self, agreed))

    def _dialog_of(self, response: Response, tag: str) -> Dialog:
        """§13.2.2.4: the route set is that of the 2xx, whatever an early dialog had."""
        early = self.dialogs.get(tag)
        contact = response.contact
        routes = tuple(reversed(response.headers.all("record-route")))
        if early and contact and (contact.uri, routes) == (early.target, early.route_set):
            early.learn_allowed(response)
            return early
        try:
            dialog = Dialog.of_answer(response, self._cseq, self.flow)
        except RemoteProtocolError:  # without a Contact it must be ended all the same
            to = response.headers.get("to") or ""
            dialog = Dialog(self.call_id, self._from, to, tag, self.flow)
            dialog.local_cseq = self._cseq
            dialog.target = early.target if early is not None else _address(self._to).uri
        if early is not None:
            dialog.local_cseq = early.local_cseq
            dialog.remote_cseq = early.remote_cseq
            dialog.agreed = early.agreed
            dialog.remote_allows_update |= early.remote_allows_update
        return dialog

    def _acknowledge(self, dialog: Dialog, tag: str) -> None:
        """§13.2.2.4: the INVITE's number and credentials, a branch of its own; kept for repeated 2xx."""
        lines = [self.core.via(dialog.flow)]
        if self._invite is not None:
            for name in ("Authorization", "Proxy-Authorization"):
                lines += ((name, value) for value in self._invite.headers.values(name))
        ack = dialog.request("ACK", self._cseq, lines).encode()
        self._acks[tag] = (dialog.flow, ack)
        self.core.send(dialog.flow, ack)

    def _refused(self, response: Response, now: float) -> None:
        if self.state in (CallState.CALLING, CallState.PROCEEDING) and self._worth_repeating(response):
            self.step(CallInput.ASKED_AGAIN)
            if self._silence is not None:
                self._silence.cancel()
                self._silence = None
            self.dialogs.clear()
            self._send_invite(now)
            return
        if not self.step(CallInput.REFUSAL):
            return
        outcome = self._outcome
        if outcome is None or (response.status != 487 and not isinstance(outcome, Rejected)):
            retry = parse_retry_after(response.headers.get("retry-after") or "")
            cause = cause_of(response)
            outcome = Rejected(self, response.status, response.reason, retry, cause, False)
        self.finish(outcome, now)

    def _worth_repeating(self, response: Response) -> bool:
        invitation = self._invitation
        if response.status == 422 and invitation is not None and not self._min_se:
            larger = min_se_of(response, invitation.session_expires_s)
            self._min_se = larger or 0
            return larger is not None
        return self.authorization is not None and self.authorization.learn(response, self._answered)


def _address(value: NameAddr | str) -> NameAddr:
    return NameAddr.parse(value) if isinstance(value, str) else value


def _hosts(invitation: Invitation, flow: Flow) -> frozenset[str]:
    """Whose realms may have credentials that name none."""
    try:
        uris = (invitation.request_uri, _address(invitation.from_).uri)
        hosts = [Uri.parse(uri).host.lower() for uri in (*uris, _address(invitation.to).uri)]
    except RemoteProtocolError as error:
        raise LocalProtocolError("request URI, from or to", "a URI") from error
    return frozenset((flow.remote[0].lower(), *hosts[:2]))
