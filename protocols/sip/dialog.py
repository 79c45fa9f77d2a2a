"""A dialog (RFC 3261 §12): who is at the other end, by which way, and the numbers of both directions."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from protocols.sip.addresses import may_be_sent_to
from protocols.sip.errors import RemoteProtocolError
from protocols.sip.events import Flow
from protocols.sip.headers import NameAddr
from protocols.sip.message import Request, Response
from protocols.sip.sdp import Agreed
from protocols.sip.uri import Uri

MAX_ROUTES: Final = 32
"""More Record-Routes than this are a loop, not a way."""

MOST_REQUESTS: Final = 1_000
"""A dialog with more requests of the peer than this is a flood: from there on only its BYE is heard."""

_PORTS: Final = {"udp": 5060, "tcp": 5060, "tls": 5061}


class Dialog:
    """``local`` and ``remote`` are From and To as they stand in our requests, with tags.

    ``flow`` is where its requests go, ``hosts`` from where those of the peer may come.
    """

    __slots__ = (
        "agreed",
        "call_id",
        "flow",
        "hosts",
        "last_rseq",
        "local",
        "local_cseq",
        "remote",
        "remote_allows_update",
        "remote_cseq",
        "remote_tag",
        "requests",
        "route_set",
        "target",
    )

    def __init__(self, call_id: str, local: str, remote: str, remote_tag: str, flow: Flow) -> None:
        self.call_id = call_id
        self.local = local
        self.remote = remote
        self.remote_tag = remote_tag
        self.flow = flow
        self.hosts: tuple[str, ...] = (flow.remote[0],)
        self.target = ""
        self.route_set: tuple[str, ...] = ()
        self.local_cseq = 0
        self.remote_cseq: int | None = None
        self.last_rseq: int | None = None
        self.requests = 0
        self.remote_allows_update = False
        self.agreed: Agreed | None = None

    @classmethod
    def of_answer(cls, response: Response, local_cseq: int, flow: Flow) -> Dialog:
        """§12.1.2: what a UAC makes of a 101–299 with a tag.

        Raises:
            RemoteProtocolError: it has no Contact, or more routes than ``MAX_ROUTES``.
        """
        headers = response.headers
        remote = headers.get("to") or ""
        dialog = cls(response.call_id, headers.get("from") or "", remote, response.to.tag or "", flow)
        dialog.local_cseq = local_cseq
        dialog.learn_route(tuple(reversed(headers.all("record-route"))))
        dialog.refresh_target(response.contact)
        dialog.learn_allowed(response)
        return dialog

    @classmethod
    def of_invite(cls, request: Request, local_tag: str, flow: Flow) -> Dialog:
        """§12.1.1: what a UAS makes of an INVITE it answers.

        Raises:
            RemoteProtocolError: it has no Contact, or more routes than ``MAX_ROUTES``.
        """
        headers = request.headers
        local = str(request.to.with_tag(local_tag))
        dialog = cls(request.call_id, local, headers.get("from") or "", request.from_.tag or "", flow)
        dialog.remote_cseq = request.cseq.number
        dialog.learn_route(headers.all("record-route"))
        dialog.refresh_target(request.contact)
        dialog.learn_allowed(request)
        return dialog

    def learn_route(self, routes: tuple[str, ...]) -> None:
        """§12.1: it never changes once the dialog is confirmed."""
        if len(routes) > MAX_ROUTES:
            raise RemoteProtocolError("there are more Record-Routes than allowed")
        self.route_set = routes

    def refresh_target(self, contact: NameAddr | None) -> None:
        """§12.2.1.2, §12.2.2: the Contact of an INVITE, an UPDATE or their answers is where it goes on.

        Raises:
            RemoteProtocolError: it is no SIP URI, or missing in a dialog without a target.
        """
        if contact is None:
            if not self.target:
                raise RemoteProtocolError("Contact is missing")
            return
        if contact.address().scheme not in ("sip", "sips"):
            raise RemoteProtocolError("Contact is no SIP URI")
        if contact.uri != self.target:
            self.target = contact.uri
            self._aim()

    def learn_allowed(self, message: Request | Response) -> None:
        allow = message.headers.get("allow")
        if allow is not None:
            self.remote_allows_update = "UPDATE" in allow.upper()

    def accepts(self, source: Flow) -> bool:
        """Whether a request that says it is of this dialog comes from where it may."""
        return source == self.flow or source.remote[0] in self.hosts

    def hears(self, request: Request) -> bool:
        """Count a request of the peer; False when there were too many."""
        self.requests += 1
        return self.requests <= MOST_REQUESTS or request.method == "BYE"

    def in_order(self, number: int) -> bool:
        """§12.2.2: note the CSeq of a request; False when a later one has been here."""
        if self.remote_cseq is not None and number < self.remote_cseq:
            return False
        self.remote_cseq = number
        return True

    def way(self) -> tuple[str, tuple[str, ...]]:
        """§12.2.1.1: the request URI and the Routes, for a loose router or a strict one first."""
        routes = self.route_set
        if not routes:
            return self.target, ()
        first = NameAddr.parse(routes[0])
        if first.address().param("lr") is not None:
            return self.target, routes
        return first.uri, (*routes[1:], f"<{self.target}>")

    def request(self, method: str, number: int, headers: list[tuple[str, str]], body: bytes = b"") -> Request:
        """A request of the dialog; ``headers`` begin with its Via."""
        uri, routes = self.way()
        lines = [
            *headers[:1],
            ("Max-Forwards", "70"),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number} {method}"),
        ]
        if routes:
            lines += (("Route", each) for each in routes)
        lines += headers[1:]
        return Request(method, uri, lines, body)

    def next_cseq(self) -> int:
        self.local_cseq += 1
        return self.local_cseq

    def _aim(self) -> None:
        """Find the next hop. A name is left to whoever resolved the flow's remote address, as is an address
        that nothing can be sent to from there; a connection is kept, whatever lies behind it.
        """
        hop = Uri.parse(NameAddr.parse(self.route_set[0]).uri if self.route_set else self.target)
        flow = self.flow
        if flow.transport == "udp" and _leads_to(hop.host, flow.remote[0]):
            transport = hop.param("transport")
            if transport is None or transport.lower() == "udp":
                self.flow = flow._replace(remote=(hop.host, hop.port or _PORTS["udp"]))
        if hop.host not in self.hosts:
            self.hosts = (*self.hosts[:1], hop.host)


def _leads_to(host: str, peer: str) -> bool:
    """Whether requests to a peer may go to this host instead."""
    try:
        found = ip_address(host)
        return not found.is_unspecified and may_be_sent_to(found, ip_address(peer))
    except ValueError:
        return False
