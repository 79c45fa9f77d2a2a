"""What the peer asks for within a dialog, and our answers (RFC 3261 §12.2.2, §14.2, §15.1.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from protocols.sip.call import SDP_TYPE, Call, cause_of
from protocols.sip.call_state import CallState
from protocols.sip.core import ALLOW
from protocols.sip.dialog import Dialog
from protocols.sip.errors import RemoteProtocolError, SdpError
from protocols.sip.events import Digit, MediaChanged
from protocols.sip.message import Request
from protocols.sip.session_timer import MIN_SE, of_request, too_small
from protocols.sip.transactions import ServerTransaction

_SIGNAL: Final = re.compile(rb"\s*Signal\s*=\s*([0-9*#A-Da-d]|1[0-5])\s*(?:\r?\n|$)", re.IGNORECASE)
_PLAIN: Final = re.compile(rb"\s*([0-9*#A-Da-d]|1[0-5])\s*")
_BY_NUMBER: Final = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}

_Taker = Callable[[Call, Dialog, ServerTransaction, Request, float], None]


def receive(call: Call, dialog: Dialog, transaction: ServerTransaction, request: Request, now: float) -> None:
    """A new request of a dialog, from where it may come."""
    if not dialog.in_order(request.cseq.number):
        call.respond(transaction, 500, now)
        return
    taker = _TAKERS.get(request.method)
    if taker is None:
        call.respond(transaction, 405, now, (("Allow", ALLOW),))
        return
    taker(call, dialog, transaction, request, now)


def _bye(call: Call, dialog: Dialog, transaction: ServerTransaction, request: Request, now: float) -> None:
    call.respond(transaction, 200, now)
    call.peer_left(cause_of(request), now)


def _refuses_session(call: Call, transaction: ServerTransaction, request: Request, now: float) -> bool:
    """What an INVITE or UPDATE cannot have now (§14.2, RFC 3311 §5.2, RFC 4028 §9)."""
    refreshing = call.refreshing
    if call.state is not CallState.ANSWERED:
        call.respond(transaction, 500, now, (("Retry-After", "1"),))
    elif refreshing is not None and refreshing.inviting:
        call.respond(transaction, 491, now)
    elif too_small(request):
        call.respond(transaction, 422, now, (("Min-SE", str(MIN_SE)),))
    elif not _has_target(request):
        call.respond(transaction, 400, now)
    else:
        return False
    return True


def _has_target(request: Request) -> bool:
    contact = request.contact
    try:
        return contact is None or contact.address().scheme in ("sip", "sips")
    except RemoteProtocolError:
        return False


def _invite(call: Call, dialog: Dialog, transaction: ServerTransaction, request: Request, now: float) -> None:
    media = call.media
    if _refuses_session(call, transaction, request, now):
        return
    before = call.agreed
    if media is None:
        call.respond(transaction, 488, now)
        return
    if request.body:
        try:
            body, _ = call.answer_offer(request.body, media)
        except SdpError:
            call.respond(transaction, 488, now)
            return
    else:
        body = call.describe(media)
    _aim(dialog, request)
    timer, headers = of_request(request)
    lines = (("Contact", call.contact), ("Allow", ALLOW), ("Supported", "timer"), *headers, SDP_TYPE)
    response = call.core.response(request, 200, headers=lines, body=body)
    call.awaited_ack.begin(transaction, response, not request.body, now)
    call.watch(timer, now)
    _tell_media(call, before)


def _update(call: Call, dialog: Dialog, transaction: ServerTransaction, request: Request, now: float) -> None:
    if _refuses_session(call, transaction, request, now):
        return
    before, body = call.agreed, b""
    if request.body:
        try:
            if call.media is None:
                raise SdpError("there is no session yet")
            body, _ = call.answer_offer(request.body, call.media)
        except SdpError:
            call.respond(transaction, 488, now)
            return
    _aim(dialog, request)
    timer, headers = of_request(request)
    lines = (("Contact", call.contact), ("Supported", "timer"), *headers)
    call.respond(transaction, 200, now, (*lines, SDP_TYPE) if body else lines, body)
    call.watch(timer, now)
    _tell_media(call, before)


def _aim(dialog: Dialog, request: Request) -> None:
    """Take the Contact as the new target; it was looked at before."""
    dialog.refresh_target(request.contact)
    dialog.learn_allowed(request)


def _tell_media(call: Call, before: object) -> None:
    if call.agreed is not None and call.agreed != before:
        call.core.tell(MediaChanged(call, call.agreed))


def _info(call: Call, dialog: Dialog, transaction: ServerTransaction, request: Request, now: float) -> None:
    kind = (request.headers.get("content-type") or "").partition(";")[0].strip().lower()
    match = None
    if kind == "application/dtmf-relay":
        match = _SIGNAL.match(request.body)
    elif kind == "application/dtmf":
        match = _PLAIN.fullmatch(request.body)
    elif request.body:
        call.respond(transaction, 415, now, (("Accept", "application/dtmf-relay, application/dtmf"),))
        return
    call.respond(transaction, 200, now)
    if match is not None and call.state is CallState.ANSWERED:
        key = match[1].decode("ascii").upper()
        call.core.tell(Digit(call, _BY_NUMBER.get(key, key)))


def _notify(call: Call, dialog: Dialog, transaction: ServerTransaction, request: Request, now: float) -> None:
    event = (request.headers.get("event") or "").partition(";")[0].strip().lower()
    if event != "refer":
        call.respond(transaction, 489, now)
    elif call.transfer is None:
        call.respond(transaction, 481, now)
    else:
        call.respond(transaction, 200, now)
        call.transfer.notified(request, now)


def _prack(call: Call, dialog: Dialog, transaction: ServerTransaction, request: Request, now: float) -> None:
    status = 200 if call.pracked(request, now) else 481
    call.respond(transaction, status, now)


def _options(
    call: Call, dialog: Dialog, transaction: ServerTransaction, request: Request, now: float
) -> None:
    call.respond(transaction, 200, now, (("Allow", ALLOW), ("Accept", "application/sdp")))


def _refer(call: Call, dialog: Dialog, transaction: ServerTransaction, request: Request, now: float) -> None:
    call.referred(transaction, request, now)


_TAKERS: Final[dict[str, _Taker]] = {
    "BYE": _bye,
    "INVITE": _invite,
    "UPDATE": _update,
    "INFO": _info,
    "NOTIFY": _notify,
    "PRACK": _prack,
    "OPTIONS": _options,
    "REFER": _refer,
}
