"""A SIP user agent, sans-IO: datagrams, octets of connections and times in, events and octets out.

The owner's loop: ``receive`` what was read, handle ``events()``, call ``invite``, ``hang_up`` and the like,
send ``data_to_send()``, and wake up at ``next_timer()`` for ``handle_timer``. Times are monotonic seconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final

from protocols.sip import in_dialog
from protocols.sip.authorization import Authorization
from protocols.sip.call import Call
from protocols.sip.core import ALLOW, AgentLimits, Core
from protocols.sip.digest import Credentials
from protocols.sip.errors import LocalProtocolError, MessageError
from protocols.sip.errors import RemoteProtocolError as Broken
from protocols.sip.events import (
    Event,
    Flow,
    Invitation,
    Invited,
    OptionsAnswered,
    Refused,
    RegistrationTarget,
    RemoteProtocolError,
)
from protocols.sip.grammar import split_list
from protocols.sip.inquiry import Inquiry
from protocols.sip.message import DEFAULT_LIMITS, Limits, Request, Response, parse, response_to
from protocols.sip.registration import Registration
from protocols.sip.stream import PONG, KeepAlive, StreamReader
from protocols.sip.timers import Timers
from protocols.sip.transaction_tables import Input
from protocols.sip.transactions import server_key
from protocols.sip.uac import OutgoingCall
from protocols.sip.uas import IncomingCall
from protocols.sip.uri import Uri

MOST_OF_WHAT_CAME: Final = 2
"""An answer that is longer by this factor would make us an amplifier for attacks under a forged address."""

_OURS: Final = frozenset(ALLOW.split(", "))
_KNOWN: Final = frozenset(("REGISTER", "SUBSCRIBE", "PUBLISH", "MESSAGE"))
_OPTIONS: Final = frozenset(("100rel", "timer"))
_SCHEMES: Final = frozenset(("sip", "sips", "tel"))


class UserAgent:
    """Makes calls, keeps registrations, answers what belongs to them, and refuses everything else.

    ``rng(n)`` gives n random octets. ``accepts_calls`` is for a callee: without it every INVITE is refused.
    Nothing a peer sends raises. ``dropped`` counts messages that belong to nothing, or for which there was no
    room.

    Requests of an established UDP dialog go to the peer's Contact or Record-Route where that is an address:
    the remote of a ``data_to_send`` flow may be another than the call's.
    """

    def __init__(
        self,
        *,
        rng: Callable[[int], bytes],
        product: str = "",
        timers: Timers | None = None,
        limits: AgentLimits | None = None,
        message_limits: Limits = DEFAULT_LIMITS,
        accepts_calls: bool = False,
    ) -> None:
        self._core = Core(rng, product, timers or Timers(), limits or AgentLimits())
        self._message_limits = message_limits
        self._accepts_calls = accepts_calls
        self._readers: dict[Flow, StreamReader] = {}
        self._merged: set[tuple[str, str, int]] = set()
        self._came = 0
        self._secret = rng(16)

    # Numbers

    @property
    def calls(self) -> int:
        """Calls that have not ended."""
        return len(self._core.calls)

    @property
    def transactions(self) -> int:
        """Transactions under way, or waiting for repetitions."""
        return len(self._core.transactions)

    @property
    def alarms(self) -> int:
        """Times that are waited for."""
        return len(self._core.clock)

    @property
    def dropped(self) -> int:
        return self._core.dropped

    @property
    def resent(self) -> int:
        """Messages that a transaction had to repeat."""
        return self._core.transactions.resent

    # What we do

    def invite(self, invitation: Invitation, flow: Flow, now: float) -> Call:
        """Make a call. LocalProtocolError: a part of it cannot be sent, or there is no room for one more."""
        self._core.check_room()
        return OutgoingCall(self._core, invitation, flow, now)

    def register(self, registration: RegistrationTarget, flow: Flow, now: float) -> Registration:
        """Register, and go on doing so. LocalProtocolError: a part of it cannot be sent, or no room."""
        self._core.check_room()
        return Registration(self._core, registration, flow, now)

    def options(
        self, uri: str, flow: Flow, now: float, context: Any = None, credentials: Credentials | None = None
    ) -> None:
        """Ask whether somebody is there: one OptionsAnswered. LocalProtocolError: no URI, or no room."""
        core = self._core
        core.check_room()
        try:
            host = Uri.parse(uri).host
        except Broken as error:
            raise LocalProtocolError("uri", "a URI") from error
        hosts = frozenset((host.lower(), flow.remote[0].lower()))
        authorization = Authorization(credentials, hosts, core.token)
        call_id, tag = core.token(), core.token()
        numbers = iter(range(1, 100))

        def build() -> Request:
            lines = [
                core.via(flow),
                ("Max-Forwards", "70"),
                ("From", f"{core.contact('', flow)};tag={tag}"),
                ("To", f"<{uri}>"),
                ("Call-ID", call_id),
                ("CSeq", f"{next(numbers)} OPTIONS"),
                ("Contact", core.contact("", flow)),
                ("Accept", "application/sdp"),
            ]
            if core.product:
                lines.append(("User-Agent", core.product))
            return Request("OPTIONS", uri, lines)

        def done(response: Response | None, status: int, now: float) -> None:
            core.tell(OptionsAnswered(context, None if response is None else status))

        Inquiry(core, flow, build, done, authorization).send(now)

    # What happens to us

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take a datagram, or what was read from a connection."""
        if flow.reliable:
            self._receive_stream(data, flow, now)
        elif data.strip(b"\r\n\0"):  # not a keep-alive (RFC 5626 §3.5.1)
            self._came = len(data)
            try:
                message = parse(data, self._message_limits)
            except MessageError as error:
                self._broken(error, flow)
            else:
                self._take(message, flow, now)

    def flow_lost(self, flow: Flow, reason: str, now: float) -> None:
        """A connection has ended, or nobody listens at an address. The calls of a connection end with it."""
        self._readers.pop(flow, None)
        self._core.transactions.flow_lost(flow, now)
        if flow.reliable:
            for call in tuple(self._core.calls.values()):
                if call.flow == flow:
                    call.flow_lost(now)

    def data_to_send(self) -> list[tuple[Flow, bytes]]:
        """What to send since the last call, in order."""
        taken, self._core.out = self._core.out, []
        return taken

    def events(self) -> list[Event]:
        """What happened since the last call."""
        taken, self._core.events = self._core.events, []
        return taken

    def next_timer(self) -> float | None:
        """When to call ``handle_timer``."""
        return self._core.clock.next()

    def handle_timer(self, now: float) -> None:
        """Do what is due at ``now``; nothing when called early."""
        self._core.clock.ring(now)

    # Reading

    def _receive_stream(self, data: bytes, flow: Flow, now: float) -> None:
        reader = self._readers.get(flow)
        if reader is None:
            if len(self._readers) >= self._core.limits.connections:
                self._tell(RemoteProtocolError(flow, "too many connections", True))
                return
            reader = self._readers[flow] = StreamReader(self._message_limits)
        failed = reader.failed
        reader.receive(data)
        for message in reader.messages():
            if isinstance(message, KeepAlive):
                if message.kind == "ping":
                    self._core.send(flow, PONG)
            elif isinstance(message, MessageError):
                self._broken(message, flow)
            else:
                self._take(message, flow, now)
        if reader.failed is not None and failed is None:
            self._tell(RemoteProtocolError(flow, reader.failed, True))

    def _broken(self, error: MessageError, flow: Flow) -> None:
        self._tell(RemoteProtocolError(flow, error.reason))
        if error.partial is not None:
            _mark_source(error.partial, flow)
            response = response_to(error, self._tag(error.partial))
            if response is not None:
                self._answer(error.partial, flow, response)

    def _tell(self, event: Event) -> None:
        """An event that any stranger can cause."""
        if len(self._core.events) < self._core.limits.events:
            self._core.tell(event)
        else:
            self._core.dropped += 1

    def _take(self, message: Request | Response, flow: Flow, now: float) -> None:
        try:
            if isinstance(message, Response):
                self._take_response(message, flow, now)
            elif message.method == "ACK":
                self._take_ack(message, flow, now)
            else:
                self._take_request(message, flow, now)
        except Broken as error:
            self._tell(RemoteProtocolError(flow, error.reason))

    def _take_response(self, response: Response, flow: Flow, now: float) -> None:
        transaction = self._core.transactions.client_of(response)
        ours = transaction is not None and _same_side(transaction.flow, flow)
        if transaction is None or not ours or not transaction.receive(response, now):
            self._core.dropped += 1

    def _take_ack(self, ack: Request, flow: Flow, now: float) -> None:
        transaction = self._core.transactions.server_of(ack)
        if transaction is not None:
            if _same_side(transaction.flow, flow):
                transaction.receive_ack(ack, now)
            return
        call = self._core.calls.get((ack.call_id, ack.to.tag or ""))
        dialog = call.dialogs.get(ack.from_.tag or "") if call is not None else None
        if call is None or dialog is None or not dialog.accepts(flow):
            self._core.dropped += 1
        else:
            call.acknowledged(ack, now)

    def _take_request(self, request: Request, flow: Flow, now: float) -> None:
        transactions = self._core.transactions
        _mark_source(request, flow)
        known = transactions.server_of(request)
        if known is not None:
            known.step(Input.REPEATED, now)
        elif request.method == "CANCEL":
            self._take_cancel(request, flow, now)
        elif request.to.tag is not None:
            self._take_in_dialog(request, flow, now)
        elif request.method == "INVITE" and self._accepts_calls:
            self._take_invite(request, flow, now)
        else:
            self._take_stranger(request, flow)

    # Requests

    def _take_in_dialog(self, request: Request, flow: Flow, now: float) -> None:
        call = self._core.calls.get((request.call_id, request.to.tag or ""))
        dialog = call.dialogs.get(request.from_.tag or "") if call is not None else None
        if call is None or dialog is None:
            self._refuse(request, flow, 481, why="no such dialog")
        elif not dialog.accepts(flow):
            self._refuse(request, flow, 403, why="not from the peer of the dialog")
        elif unsupported := _unsupported(request):
            self._refuse(request, flow, 420, (("Unsupported", ", ".join(unsupported)),))
        elif len(self._core.transactions) >= self._core.limits.transactions or not dialog.hears(request):
            self._core.dropped += 1
        else:
            transaction = self._core.transactions.serve(request, _answers_to(request, flow), now)
            in_dialog.receive(call, dialog, transaction, request, now)

    def _take_cancel(self, request: Request, flow: Flow, now: float) -> None:
        """§9.2. The answer is that of any repetition, and needs no transaction."""
        branch = (*server_key(request)[:-1], "INVITE")
        invite = self._core.transactions.servers.get(branch)
        if invite is None or not _same_side(invite.flow, flow):
            self._refuse(request, flow, 481, why="nothing to cancel")
            return
        call = invite.user
        tag = call.local_tag if isinstance(call, Call) else ""
        self._answer(request, flow, self._core.response(request, 200, tag=tag))
        if isinstance(call, IncomingCall) and call.transaction is invite:
            call.cancelled(request, now)

    def _take_invite(self, request: Request, flow: Flow, now: float) -> None:
        core = self._core
        merged = (request.call_id, request.from_.tag or "", request.cseq.number)
        kind = (request.headers.get("content-type") or "application/sdp").partition(";")[0].strip().lower()
        if Uri.parse(request.uri).scheme not in _SCHEMES:
            self._refuse(request, flow, 416)
        elif merged in self._merged:  # §8.2.2.2
            self._refuse(request, flow, 482, why="merged request")
        elif unsupported := _unsupported(request):
            self._refuse(request, flow, 420, (("Unsupported", ", ".join(unsupported)),))
        elif request.body and kind != "application/sdp":
            self._refuse(request, flow, 415, (("Accept", "application/sdp"),))
        elif not _takes_sdp(request):
            self._refuse(request, flow, 406)
        elif len(core.calls) >= core.limits.calls or len(core.transactions) >= core.limits.transactions:
            self._refuse(request, flow, 503, (("Retry-After", "5"),))
        elif request.contact is None:
            self._refuse(request, flow, 400)
        else:
            transaction = core.transactions.serve(request, _answers_to(request, flow), now)
            try:
                call = IncomingCall(core, transaction, request, flow, now)
            except Broken:
                core.refuse(transaction, 400, now)
                return
            transaction.user = call
            self._merged.add(merged)
            core.clock.at(now + core.timers.patience, self._forget_merged, merged)
            transaction.respond(core.response(request, 100), now)
            core.tell(Invited(call, request, request.body))

    def _forget_merged(self, merged: tuple[str, str, int], now: float) -> None:
        self._merged.discard(merged)

    def _take_stranger(self, request: Request, flow: Flow) -> None:
        """What belongs to no dialog (§8.2.1, §12.2.2)."""
        method = request.method
        if Uri.parse(request.uri).scheme not in _SCHEMES:
            self._refuse(request, flow, 416, why="scheme of the request URI")
        elif unsupported := _unsupported(request):
            self._refuse(request, flow, 420, (("Unsupported", ", ".join(unsupported)),))
        elif method == "OPTIONS":
            headers = (("Allow", ALLOW), ("Accept", "application/sdp"), ("Supported", "100rel, timer"))
            response = self._core.response(request, 200, tag=self._tag(request), headers=headers)
            self._answer(request, flow, response)
        elif method == "INVITE":
            self._refuse(request, flow, 403, why="calls are not taken")
        elif method in _OURS:
            self._refuse(request, flow, 481, why="no such dialog")
        elif method in _KNOWN:
            self._refuse(request, flow, 405, (("Allow", ALLOW),), why="method not allowed")
        else:
            self._refuse(request, flow, 501, why="unknown method")

    def _refuse(
        self,
        request: Request,
        flow: Flow,
        status: int,
        headers: tuple[tuple[str, str], ...] = (),
        why: str = "",
    ) -> None:
        """Answer without a transaction (§8.2.7): nothing is kept of strangers, and nothing sent to them twice
        but for what they send twice.
        """
        response = self._core.response(request, status, tag=self._tag(request), headers=headers)
        self._answer(request, flow, response)
        if why:
            method = request.method if request.method in _OURS | _KNOWN else "other"
            self._tell(Refused(method, flow, why))

    def _answer(self, request: Request, flow: Flow, response: Response) -> None:
        """Over UDP whoever is answered may not have asked: he gets at most twice of what came."""
        data = response.encode()
        if flow.reliable or len(data) <= MOST_OF_WHAT_CAME * self._came:
            self._core.send(_answers_to(request, flow), data)
        else:
            self._core.dropped += 1

    def _tag(self, request: Request) -> str:
        """The same for a repeated request (§8.2.7)."""
        text = f"{request.via.branch}{request.headers.get('call-id')}".encode("utf-8", "surrogateescape")
        return hashlib.blake2s(text, key=self._secret, digest_size=10).hexdigest()


def _same_side(ours: Flow, source: Flow) -> bool:
    """Whether something came from where its transaction is: a host may answer from another port."""
    if ours.reliable or source.reliable:
        return ours == source
    return ours.remote[0] == source.remote[0]


def _unsupported(request: Request) -> list[str]:
    return [each for each in request.headers.all("require") if each.lower() not in _OPTIONS]


def _takes_sdp(request: Request) -> bool:
    """Whether its Accept leaves room for our answer (§20.1)."""
    kinds = [each.partition(";")[0].strip().lower() for each in request.headers.all("accept")]
    return not kinds or any(kind in ("application/sdp", "application/*", "*/*") for kind in kinds)


def _mark_source(request: Request, flow: Flow) -> None:
    """§18.2.1, RFC 3581 §4: say in the topmost Via where it came from."""
    via = request.via
    if via.param("rport") is None and via.host == flow.remote[0]:
        return
    marked = via.with_param("received", flow.remote[0])
    if via.param("rport") is not None:
        marked = marked.with_param("rport", str(flow.remote[1]))
    first, *lines = request.headers.values("via")
    request.headers.remove("via")
    for value in (*reversed(lines), ", ".join((str(marked), *split_list(first)[1:]))):
        request.headers.prepend("Via", value)


def _answers_to(request: Request, flow: Flow) -> Flow:
    """§18.2.2: where the answers go."""
    via = request.via
    if flow.reliable or via.rport is not None:
        return flow
    return flow._replace(remote=(flow.remote[0], via.port or 5060))
