"""A peer that says anything at any time, in any order, damaged or not: nothing raises, what we send can
be read, and when both sides have gone nothing is left.
"""

import random

import pytest

from protocols.sip.agent import UserAgent
from protocols.sip.call import Call
from protocols.sip.digest import Challenge, Credentials
from protocols.sip.errors import LocalProtocolError, SdpError
from protocols.sip.events import Invited, RegistrationTarget
from protocols.sip.message import Request, Response, parse
from protocols.sip.uas import IncomingCall
from tests.protocols.sip.network import THEIRS, invitation, random_bytes
from tests.protocols.sip.playbook import FLOW, SESSION, answer, from_stranger, of_peer

CREDENTIALS = Credentials("bob", "secret")
TARGET = RegistrationTarget(
    registrar="sip:example.com",
    address_of_record="sip:bob@example.com",
    contact_user="bob",
    credentials=CREDENTIALS,
)
STATUSES = (100, 180, 183, 200, 200, 202, 401, 407, 408, 422, 423, 481, 486, 487, 491, 500, 503, 600)
METHODS = ("BYE", "INVITE", "UPDATE", "INFO", "NOTIFY", "PRACK", "OPTIONS", "REFER", "ACK", "CANCEL", "HACK")
BODIES = (b"", SESSION, SESSION.replace(b"8 0 101", b"18"), b"junk")
HEADERS = (
    *(("RSeq", str(number)) for number in (1, 2, 3)),
    ("Require", "100rel"),
    ("Session-Expires", "1;refresher=uas"),
    ("Session-Expires", "100;refresher=uas"),
    ("Session-Expires", "999999999;refresher=uac"),
    ("Min-SE", "200"),
    *(
        ("Record-Route", value)
        for value in ("<sip:192.0.2.5;lr>", "<sip:x>", "rubbish", "<tel:1>", "<sip:a>," * 40)
    ),
    *(("Contact", value) for value in ("<sip:192.0.2.5>", "<tel:1>", "*", "rubbish", "<mailto:x@y>")),
    ("Event", "refer"),
    ("Subscription-State", "terminated"),
    ("Refer-To", "<sip:x@y>"),
    ("RAck", "1 1 INVITE"),
    ("Supported", "100rel"),
    ("Allow", "UPDATE"),
    ("Reason", "Q.850;cause=16"),
)
DAMAGE = (
    b"\r",
    b"\n",
    b"\0",
    b"\xff",
    b"<",
    b'"',
    b";",
    b",",
    b" ",
    b"9" * 30,
    b"\r\n ",
    b"%",
    b"@",
    b"[",
    b"::",
)


class Chaos:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = 0.0
        self.agent = UserAgent(rng=random_bytes(seed), accepts_calls=self.chance.random() < 0.7)
        self.call = self.agent.invite(
            invitation(session_expires_s=90, credentials=CREDENTIALS), FLOW, self.now
        )
        self.registration = self.agent.register(TARGET, FLOW, self.now)
        self.heard: list[Request] = []
        self.taken: list[IncomingCall] = []
        self.listen()
        self.invite = self.heard[0]

    def listen(self) -> None:
        for _, data in self.agent.data_to_send():
            if data[:11] not in (b"SIP/2.0 400", b"SIP/2.0 416"):  # these repeat what was broken
                message = parse(data)
                if isinstance(message, Request) and message.method != "ACK":
                    self.heard = [*self.heard[-11:], message]
        for event in self.agent.events():
            assert repr(event)
            if isinstance(event, Invited):
                self.taken.append(event.call)

    def message(self) -> Request | Response:
        chance = self.chance
        headers = chance.sample(HEADERS, chance.choice((0, 0, 1, 2)))
        body, kind = chance.choice(BODIES), chance.random()
        if kind < 0.5:
            if chance.random() < 0.3:
                nonce = Challenge("example.com", str(chance.random()), "MD5", ("auth",))
                headers.append(("WWW-Authenticate", str(nonce)))
            tag = chance.choice(("bob", "x"))
            return answer(chance.choice(self.heard), chance.choice(STATUSES), *headers, tag=tag, body=body)
        method, number = chance.choice(METHODS), chance.randrange(1, 30)
        branch = str(chance.randrange(30))
        if kind < 0.8:
            tag = chance.choice(("bob", "x"))
            return of_peer(self.invite, method, number, *headers, tag=tag, branch=branch, body=body)
        to = chance.choice(["", "", *(call.local_tag for call in self.taken)])
        return from_stranger(chance.choice(("INVITE", method)), *headers, branch=branch, to=to, body=body)

    def hear(self) -> None:
        chance = self.chance
        data = bytearray(self.message().encode())
        for _ in range(chance.choice((0, 0, 0, 1, 3))):
            at = chance.randrange(len(data))
            data[at : at + chance.choice((0, 1, 5))] = chance.choice(DAMAGE)
        flow = FLOW if chance.random() < 0.95 else FLOW._replace(remote=("203.0.113.1", 5060))
        self.agent.receive(bytes(data), flow, self.now)
        self.agent.handle_timer(self.now)
        self.listen()

    def act(self) -> None:
        for call in [self.call, *self.taken]:
            self.do_something(call)
        if self.chance.random() < 0.02:
            self.registration.end(self.now)

    def do_something(self, call: Call) -> None:
        what = self.chance.random()
        try:
            if what < 0.03:
                call.hang_up(self.now)
            elif what < 0.06:
                call.refer("sip:agent@example.com", self.now)
            elif what < 0.2 and isinstance(call, IncomingCall):
                call.ring(180, self.now, self.chance.choice((None, THEIRS)), self.chance.random() < 0.5)
            elif what < 0.3 and isinstance(call, IncomingCall):
                call.accept(THEIRS, self.now)
            elif what < 0.33 and isinstance(call, IncomingCall):
                call.reject(486, self.now)
        except (LocalProtocolError, SdpError):
            pass  # out of place, or nothing in common: said so, and nothing has changed

    def part(self) -> None:
        for call in [self.call, *self.taken]:
            call.hang_up(self.now)
        self.registration.end(self.now)
        until = self.now + 4000
        while (at := self.agent.next_timer()) is not None and at < until:
            self.now = max(self.now, at)
            self.agent.handle_timer(at)
            self.listen()


@pytest.mark.parametrize("seed", range(40))
def test_anything_at_any_time(seed: int) -> None:
    for part in range(10):
        chaos = Chaos(seed * 10 + part)
        for _ in range(chaos.chance.randrange(1, 60)):
            chaos.now += chaos.chance.choice((0, 0, 0.1, 0.5, 5, 40, 100))
            chaos.hear()
            chaos.act()
        chaos.part()
        assert all(call.ended for call in [chaos.call, *chaos.taken])
        assert (chaos.agent.calls, chaos.agent.transactions, chaos.agent.alarms) == (0, 0, 0)
