"""Requests that the user agent never sees: what is ignored, registrars, and answers no honest UAS gives.

Over TCP they are known only where a segment begins with the request, as segments of a few requests do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from protocols.sip.errors import SipError
from protocols.sip.message import Request, Response, parse

from .front import front_of, user_of

if TYPE_CHECKING:
    from protocols.sip.events import Flow

    from .callee import Callee

_EXPIRES_S = 3600
_TAG_OCTETS = 6


class Shortcuts:
    """Decides over each piece of data before the user agent does."""

    def __init__(self, callee: Callee) -> None:
        self._callee = callee
        self._tags = callee.stream("tags")

    def take(self, data: bytes, flow: Flow) -> bool:
        """Whether this was dealt with, so that the user agent is not to have it."""
        front = front_of(data)
        if front is None:
            return False
        line = self._callee.line_of(front.call_id)
        options = line.options if line else self._callee.options_for(front.number)
        if front.method in options.ignore:
            return True
        if front.method == "REGISTER":
            return self._register(data, flow)
        if line is None:
            return False
        if front.method == "CANCEL" and options.late_200 and not line.answered:
            self._answer(data, flow, 200, "OK")
            line.answer()
            return True
        if front.method == "REFER" and options.refer == "refused":
            return self._answer(data, flow, 603, "Decline")
        return False

    def _register(self, data: bytes, flow: Flow) -> bool:
        """A registrar that forgets at once: the callee never calls anybody (RFC 3261 §10.3)."""
        try:
            request = parse(data)
            number = user_of(request.to)
        except SipError:
            return False
        if not isinstance(request, Request):
            return False
        refusal = self._callee.gate.refusal(request, self._callee.options_for(number))
        if refusal is not None:
            return self._answer(data, flow, refusal.status, refusal.reason, refusal.headers)
        expires = request.headers.get("expires") or str(_EXPIRES_S)
        contacts = [
            ("Contact", contact if "expires=" in contact else f"{contact};expires={expires}")
            for contact in request.headers.all("contact")
            if contact != "*"
        ]
        self._callee.records.counters.registered += 1
        return self._answer(data, flow, 200, "OK", [*contacts, ("Expires", expires)])

    def _answer(
        self, data: bytes, flow: Flow, status: int, reason: str, headers: Iterable[tuple[str, str]] = ()
    ) -> bool:
        """Answer a request without a transaction; a retransmission gets another answer (RFC 3261 §8.2.7)."""
        try:
            request = parse(data)
            via = request.via.with_param("received", flow.remote[0])
            to = (
                request.to if request.to.tag else request.to.with_tag(self._tags.randbytes(_TAG_OCTETS).hex())
            )
        except SipError:
            return False
        if via.param("rport") is not None:
            via = via.with_param("rport", str(flow.remote[1]))
        below = request.headers.all("via")[1:]
        response = Response(
            status,
            reason,
            [
                ("Via", str(via)),
                *(("Via", each) for each in below),
                ("From", str(request.from_)),
                ("To", str(to)),
                ("Call-ID", request.call_id),
                ("CSeq", str(request.cseq)),
                *headers,
            ],
        )
        self._callee.send(flow, response.encode())
        return True
