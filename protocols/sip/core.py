"""What the calls, registrations and requests of one user agent share: transactions, alarms, names, output."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from protocols.sip.errors import LocalProtocolError
from protocols.sip.events import Event, Flow
from protocols.sip.message import Request, Response
from protocols.sip.timers import Clock, Timers
from protocols.sip.transactions import COOKIE, ServerTransaction, Transactions
from protocols.sip.uri import Uri, host_text

if TYPE_CHECKING:
    from protocols.sip.call import Call

ALLOW: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, NOTIFY, REFER"
REASONS: Final = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    410: "Gone",
    406: "Not Acceptable",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    607: "Unwanted",
    608: "Rejected",
}


class AgentLimits(msgspec.Struct, frozen=True):
    """How much a user agent keeps. Beyond ``transactions`` and ``calls`` requests of the peer are dropped and
    ours raise; beyond ``events`` unread ones of the peer's making are dropped. All drops are counted.
    """

    transactions: int = 200_000
    calls: int = 100_000
    events: int = 100_000
    connections: int = 1_000
    forks: int = 16


class Core:
    """``calls`` are found by (Call-ID, our own tag)."""

    def __init__(
        self, rng: Callable[[int], bytes], product: str, timers: Timers, limits: AgentLimits
    ) -> None:
        timers.check()
        self.rng = rng
        self.product = product
        self.timers = timers
        self.limits = limits
        self.clock = Clock()
        self.out: list[tuple[Flow, bytes]] = []
        self.events: list[Event] = []
        self.transactions = Transactions(self.clock, timers, self.send)
        self.calls: dict[tuple[str, str], Call] = {}
        self.dropped = 0

    def send(self, flow: Flow, data: bytes) -> None:
        self.out.append((flow, data))

    def tell(self, event: Event) -> None:
        self.events.append(event)

    def token(self) -> str:
        """80 random bits: of a tag, a branch, a Call-ID (§19.3)."""
        return self.rng(10).hex()

    def number(self) -> int:
        """31 random bits but never 0: of a session id, a first RSeq."""
        return (int.from_bytes(self.rng(4), "big") & 0x7FFFFFFF) or 1

    def fraction(self) -> float:
        """0 up to 1, for pauses that must not coincide."""
        return int.from_bytes(self.rng(4), "big") / 2**32

    def via(self, flow: Flow) -> tuple[str, str]:
        """Our Via with a branch of its own; the answer comes back where the request left (RFC 3581)."""
        host, port = flow.local
        branch = COOKIE + self.token()
        return "Via", f"SIP/2.0/{flow.transport.upper()} {host_text(host)}:{port};branch={branch};rport"

    def contact(self, user: str, flow: Flow) -> str:
        """Where the peer finds us."""
        host, port = flow.local
        params = () if flow.transport == "udp" else (("transport", flow.transport),)
        return f"<{Uri('sip', user or None, None, host, port, params)}>"

    def check_room(self) -> None:
        """LocalProtocolError: there is no room for one more call or transaction."""
        if len(self.calls) >= self.limits.calls or len(self.transactions) >= self.limits.transactions:
            raise LocalProtocolError("limits", "fewer calls and transactions at once")

    def response(
        self,
        request: Request,
        status: int,
        *,
        tag: str = "",
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> Response:
        """§8.2.6: an answer with what it repeats of its request; ``tag`` of To where it has none."""
        source = request.headers
        to = request.to
        lines = [("Via", value) for value in source.values("via")]
        if request.method == "INVITE":
            lines += (("Record-Route", value) for value in source.values("record-route"))
        lines += (
            ("From", source.get("from") or ""),
            ("To", str(to.with_tag(tag)) if tag and to.tag is None else source.get("to") or ""),
            ("Call-ID", request.call_id),
            ("CSeq", str(request.cseq)),
            *headers,
        )
        if self.product:
            lines.append(("Server", self.product))
        return Response(status, REASONS.get(status, ""), lines, body)

    def refuse(
        self,
        transaction: ServerTransaction,
        status: int,
        now: float,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Answer a request finally, with a tag that nothing is known by (§8.2.6.2)."""
        request = transaction.request
        if request is not None:
            tag = self.token()
            transaction.respond(self.response(request, status, tag=tag, headers=headers), now)
