"""Keeping an address of record registered (RFC 3261 §10)."""

from __future__ import annotations

from typing import Any, Final

from protocols.sip.authorization import Authorization
from protocols.sip.core import Core
from protocols.sip.errors import LocalProtocolError, RemoteProtocolError
from protocols.sip.events import Flow, Registered, RegistrationFailed, RegistrationTarget
from protocols.sip.headers import NameAddr, parse_retry_after, parse_seconds
from protocols.sip.inquiry import Inquiry
from protocols.sip.message import Request, Response
from protocols.sip.timers import Alarm
from protocols.sip.uri import Uri

BACKOFF_S: Final = (2.0, 300.0)
"""The first pause after a failure, and the longest."""

LONGEST_S: Final = 86_400

MOST_LONGER: Final = 3
"""How often in a row a registrar may want a longer time (423) before that is a failure."""

_HOPELESS: Final = frozenset((401, 403, 404, 405, 407, 410, 416, 604))
"""What asking again does not mend; asking on with wrong credentials gets accounts locked."""


class Registration:
    """One binding, refreshed by itself until ``end``. ``context`` is the owner's own."""

    def __init__(self, core: Core, target: RegistrationTarget, flow: Flow, now: float) -> None:
        self.context: Any = None
        self.flow = flow
        self._core = core
        self._target = target
        try:
            uris = (target.registrar, target.address_of_record)
            hosts = frozenset((flow.remote[0].lower(), *(Uri.parse(uri).host.lower() for uri in uris)))
        except RemoteProtocolError as error:
            raise LocalProtocolError("registrar or address of record", "a URI") from error
        self._authorization = Authorization(target.credentials, hosts, core.token)
        self._call_id = core.token()
        self._tag = core.token()
        self._contact = core.contact(target.contact_user, flow)
        self._cseq = 0
        self._expires = target.expires_s
        self._asked_for = 0
        self._failures = 0
        self._longer = 0
        self._ending = False
        self._asking = False
        self._alarm: Alarm | None = None
        self._ask(now)

    def __repr__(self) -> str:
        return "<Registration>"

    def end(self, now: float) -> None:
        """Remove the binding: Registered with 0, or RegistrationFailed without ``retry_after``."""
        if self._ending:
            return
        self._ending = True
        self._expires = 0
        if not self._asking:
            self._ask(now)

    def _ask(self, now: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._asking = True
        Inquiry(self._core, self.flow, self._request, self._answered, self._authorization).send(now)

    def _request(self) -> Request:
        self._cseq += 1
        self._asked_for = self._expires
        target = self._target
        lines = [
            self._core.via(self.flow),
            ("Max-Forwards", "70"),
            *(("Route", each) for each in target.route),
            ("From", f"<{target.address_of_record}>;tag={self._tag}"),
            ("To", f"<{target.address_of_record}>"),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._cseq} REGISTER"),
            ("Contact", self._contact),
            ("Expires", str(self._expires)),
        ]
        if self._core.product:
            lines.append(("User-Agent", self._core.product))
        return Request("REGISTER", target.registrar, lines)

    def _answered(self, response: Response | None, status: int, now: float) -> None:
        self._asking = False
        if response is not None and status == 423 and not self._ending:
            longer = parse_seconds(response.headers.get("min-expires") or "")
            if longer is not None and self._expires < longer <= LONGEST_S and self._longer < MOST_LONGER:
                self._longer += 1
                self._expires = longer
                self._ask(now)
                return
        if response is not None and status < 300:
            self._registered(response, now)
        elif self._ending:
            self._core.tell(RegistrationFailed(self, status, None))
        else:
            self._failed(response, status, now)

    def _registered(self, response: Response, now: float) -> None:
        self._failures = self._longer = 0
        if self._ending:
            if self._asked_for == 0:
                self._core.tell(Registered(self, 0))
            else:  # the end was asked for while this was under way
                self._ask(now)
            return
        granted = self._granted(response)
        self._core.tell(Registered(self, granted))
        early = max(granted * 0.8, granted - 30.0) if granted > 10 else granted / 2
        pause = max(early, 1.0) if granted else BACKOFF_S[1]  # 0: this registrar keeps nothing
        self._alarm = self._core.clock.at(now + pause, self._due, None)

    def _granted(self, response: Response) -> int:
        """§10.2.4: what our own Contact in the answer has, or Expires, or what we asked for."""
        ours = NameAddr.parse(self._contact).address()
        for value in response.headers.all("contact"):
            try:
                contact = NameAddr.parse(value)
                address = contact.address()
            except RemoteProtocolError:
                continue
            if (address.user, address.host, address.port) == (ours.user, ours.host, ours.port):
                seconds = parse_seconds(contact.param("expires") or "")
                if seconds is not None:
                    return min(seconds, LONGEST_S)
        seconds = parse_seconds(response.headers.get("expires") or "")
        return min(seconds if seconds is not None else self._expires, LONGEST_S)

    def _failed(self, response: Response | None, status: int, now: float) -> None:
        if status in _HOPELESS:
            self._core.tell(RegistrationFailed(self, status, None))
            return
        first, longest = BACKOFF_S
        pause = min(first * 2 ** min(self._failures, 10), longest)
        pause *= 0.5 + self._core.fraction() / 2
        asked = parse_retry_after(response.headers.get("retry-after") or "") if response else None
        if asked is not None:
            pause = max(pause, min(asked, 3600.0))
        self._failures += 1
        self._core.tell(RegistrationFailed(self, status, pause))
        self._alarm = self._core.clock.at(now + pause, self._due, None)

    def _due(self, argument: object, now: float) -> None:
        self._alarm = None
        self._ask(now)
