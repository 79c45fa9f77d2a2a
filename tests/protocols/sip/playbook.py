"""Conversations with a user agent: ``>>`` is what happens to it, ``<<`` what it must do, in order.

    call = play.invite()
    play << "INVITE" >> answer(play.sent, 180) << Progress
    play >> answer(play.sent, 200, body=SESSION) << "ACK" << Answered
    play >> 4.0

Right of ``>>``: a message or octets of the peer, or a number of seconds that pass. Right of ``<<``: the
method of a request or the status of a response sent, an event, or its class. What is not expected fails the
test at the next step or at its end. ``play.sent`` is the request expected last, ACK and CANCEL left out,
``play.last`` whatever message was, ``play.told`` the event.
"""

from protocols.sip import sdp
from protocols.sip.agent import UserAgent
from protocols.sip.call import Call
from protocols.sip.digest import Challenge
from protocols.sip.events import Flow, Invitation
from protocols.sip.message import Request, Response, parse
from protocols.sip.sdp import LocalMedia
from protocols.sip.timers import Timers
from tests.protocols.sip.network import CALLEE, CALLER, MEDIA, THEIRS, invitation, random_bytes

FLOW = Flow("udp", CALLER, CALLEE)
SESSION = sdp.offer(THEIRS, 7, 7)
CONTACT = ("Contact", "<sip:bob@192.0.2.2:5060>")
SDP = ("Content-Type", "application/sdp")
CHALLENGE = ("WWW-Authenticate", str(Challenge("example.com", "n1", "SHA-256", ("auth",))))


class Playbook:
    def __init__(self, *, flow: Flow = FLOW, **options: object) -> None:
        self.agent = UserAgent(rng=random_bytes(1), **options)
        self.flow = flow
        self.now = 1000.0
        self.out: list[tuple[Flow, Request | Response]] = []
        self.events: list[object] = []
        self.sent = self.last = self.told = self.to = None

    def __rshift__(self, step: object) -> "Playbook":
        self.nothing_more()
        if isinstance(step, int | float):
            self._pass(step)
        else:
            data = step if isinstance(step, bytes) else step.encode()
            self.agent.receive(data, self.flow, self.now)
        self._collect()
        return self

    def __lshift__(self, expected: object) -> "Playbook":
        self._collect()
        if isinstance(expected, str | int):
            assert self.out, f"nothing was sent where {expected} was expected; events: {self.events}"
            self.to, self.last = self.out.pop(0)
            if isinstance(self.last, Request):
                assert self.last.method == expected
                if expected not in ("ACK", "CANCEL"):
                    self.sent = self.last
            else:
                assert self.last.status == expected
        else:
            assert self.events, f"no event where {expected} was expected; sent: {self.out}"
            self.told = self.events.pop(0)
            if isinstance(expected, type):
                assert isinstance(self.told, expected), self.told
            else:
                assert self.told == expected
        return self

    def nothing_more(self) -> None:
        self._collect()
        assert self.out == []
        assert self.events == []

    def over(self) -> None:
        """Nothing is left once all repetitions have been waited for."""
        self.nothing_more()
        self >> 400
        assert (self.agent.calls, self.agent.transactions, self.agent.alarms) == (0, 0, 0)

    def invite(self, **changes: object) -> Call:
        return self.agent.invite(invitation(**changes), self.flow, self.now)

    def answered(self, *headers: tuple[str, str], **changes: object) -> Call:
        """A call that is up, with the peer's tag "bob"."""
        call = self.invite(**changes)
        self << "INVITE"
        self >> answer(self.sent, 200, *headers, body=SESSION)
        self._collect()
        self.last = self.out[0][1]
        self.out.clear()
        self.events.clear()
        return call

    def _pass(self, seconds: float) -> None:
        until = self.now + seconds
        for _ in range(10_000):
            at = self.agent.next_timer()
            if at is None or at > until:
                break
            self.now = max(self.now, at)
            self.agent.handle_timer(self.now)
        else:
            raise AssertionError(f"the timer stands still at {self.now}")
        self.now = until

    def _collect(self) -> None:
        self.out += [(flow, parse(data)) for flow, data in self.agent.data_to_send()]
        self.events += self.agent.events()


def answer(
    request: Request, status: int, *headers: tuple[str, str], tag: str = "bob", body: bytes = b""
) -> Response:
    """What the peer answers; from 101 on with its tag and Contact."""
    source = request.headers
    to = request.to
    lines = [("Via", value) for value in source.values("via")]
    lines += [("From", source.get("from")), ("Call-ID", request.call_id), ("CSeq", str(request.cseq))]
    lines.append(("To", str(to.with_tag(tag)) if status > 100 and to.tag is None else str(to)))
    if status > 100 and not any(name == "Contact" for name, _ in headers):
        lines.append(CONTACT)
    if body:
        lines.append(SDP)
    return Response(status, "", [*lines, *headers], body)


def of_peer(
    invite: Request,
    method: str,
    number: int = 1,
    *headers: tuple[str, str],
    tag: str = "bob",
    branch: str = "",
    body: bytes = b"",
) -> Request:
    """A request of the callee within the dialog that an INVITE of ours began."""
    lines = [
        ("Via", f"SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKpeer{branch or f'{method}{number}'}"),
        ("From", str(invite.to.with_tag(tag))),
        ("To", invite.headers.get("from")),
        ("Call-ID", invite.call_id),
        ("CSeq", f"{number} {method}"),
        ("Max-Forwards", "70"),
        CONTACT,
        *headers,
    ]
    return Request(method, "sip:alice@192.0.2.1:5060", lines, body)


def from_stranger(
    method: str,
    *headers: tuple[str, str],
    branch: str = "s1",
    to: str = "",
    number: int = 1,
    body: bytes = b"",
) -> Request:
    """A request of somebody who calls us, or wants something else; ``to`` is the tag of To."""
    lines = [
        ("Via", f"SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK{branch};rport"),
        ("From", "<sip:carol@example.com>;tag=carol"),
        ("To", f"<sip:alice@example.com>{f';tag={to}' if to else ''}"),
        ("Call-ID", "strange"),
        ("CSeq", f"{number} {method}"),
        ("Max-Forwards", "70"),
        ("Contact", "<sip:carol@192.0.2.2:5060>"),
        *headers,
    ]
    if body:
        lines.append(SDP)
    return Request(method, "sip:alice@192.0.2.1:5060", lines, body)


__all__ = ["FLOW", "MEDIA", "THEIRS", "Invitation", "LocalMedia", "Playbook", "Timers", "answer", "of_peer"]
