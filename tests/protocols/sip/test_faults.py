"""Two user agents over a network that loses, doubles, delays and reorders: every call ends exactly once on
both sides, and nothing is left of it anywhere.
"""

import random
from collections import Counter, defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols.sip.agent import UserAgent
from protocols.sip.call import Call
from protocols.sip.call_state import CallState
from protocols.sip.errors import LocalProtocolError
from protocols.sip.events import Answered, Cancelled, Ended, Event, Flow, Invited, Rejected
from protocols.sip.message import parse
from tests.protocols.sip.network import THEIRS, World, invitation, random_bytes
from tests.protocols.sip.playbook import SESSION, answer, from_stranger

FINAL = (Rejected, Ended, Cancelled)


class Traffic:
    """Calls of random fates: reliable or plain ringing, early media, answered, refused, left ringing, hung up
    by either side at any time, before the answer too.
    """

    def __init__(self, seed: int, calls: int, *, apart_s: float = 0.05, **faults: object) -> None:
        self.world = World(seed, **faults)
        # RFC 4028 Section 1: without a session timer nobody learns of a BYE whose every copy was lost. All
        # eleven are lost once in half a million calls at this share.
        self.expires = (0, 90) if self.world.loss < 0.3 else (90,)
        self.chance = random.Random(seed)
        self.ends: dict[Call, list[Event]] = defaultdict(list)
        self.answers: Counter[Call] = Counter()
        self.made: list[Call] = []
        self.taken: list[Call] = []
        self.refused: set[Call] = set()
        self.world.on_event = self.on_event
        for number in range(calls):
            self.world.at(self.world.now + number * apart_s, self.make)
        self.world.run(calls * apart_s + 700)

    def make(self) -> None:
        world = self.world
        expires = self.chance.choice(self.expires)
        call = world.caller.invite(invitation(session_expires_s=expires), world.flow, world.now)
        self.made.append(call)
        longest = self.chance.choice((1, 15, 40, 200))
        world.at(world.now + self.chance.random() * longest, lambda: call.hang_up(world.now, 16))

    def on_event(self, agent: UserAgent, event: Event) -> None:
        call = getattr(event, "call", None)
        if isinstance(event, FINAL):
            self.ends[call].append(event)
        elif isinstance(event, Answered):
            assert not self.ends[call]
            self.answers[call] += 1
        elif isinstance(event, Invited):
            self.taken.append(call)
            self.take(call)

    def take(self, call: Call) -> None:
        world, chance, fate = self.world, self.chance, self.chance.random()

        def ring() -> None:
            if call.state is CallState.INVITED:
                media = chance.choice((None, THEIRS))
                call.ring(chance.choice((180, 183)), world.now, media, chance.random() < 0.5)

        def accept() -> None:
            if call.state is CallState.INVITED:
                call.accept(THEIRS, world.now)

        def reject() -> None:
            if call.state is CallState.INVITED:
                call.reject(486, world.now)
                self.refused.add(call)

        def leave() -> None:
            if call.state is not CallState.INVITED:
                call.hang_up(world.now)

        rings_at = world.now + chance.random() * 3
        if fate < 0.7:
            world.at(rings_at, ring)
        if fate < 0.6:
            world.at(rings_at + chance.random() * 10, accept)
        elif fate < 0.9:
            world.at(rings_at + chance.random() * 10, reject)
        if chance.random() < 0.3:
            world.at(rings_at + chance.random() * 20, leave)

    def check(self) -> None:
        for call in self.made:
            assert len(self.ends[call]) == 1, self.ends[call]
            assert call.ended
        for call in self.taken:
            assert len(self.ends[call]) == (0 if call in self.refused else 1), self.ends[call]
            assert call.ended
        assert max(self.answers.values(), default=1) == 1
        assert self.world.empty()


def test_two_hundred_calls_at_ten_percent_loss() -> None:
    traffic = Traffic(1, 200, loss=0.1)
    traffic.check()
    ends = [traffic.ends[call][0] for call in traffic.made]
    assert not any(isinstance(end, Rejected) and end.local for end in ends), "10 % loss kills no call"
    assert sum(traffic.answers[call] for call in traffic.made) > 50
    assert traffic.world.caller.resent > 0


@pytest.mark.parametrize("seed", range(10))
def test_two_thousand_calls_with_faults(seed: int) -> None:
    chance = random.Random(seed)
    Traffic(
        seed + 100,
        200,
        loss=chance.random() * 0.4,
        doubled=chance.random() * 0.3,
        jitter_s=chance.choice((0.0, 0.3, 2.0)),
    ).check()


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    loss=st.floats(0, 0.6),
    doubled=st.floats(0, 0.5),
    jitter_s=st.sampled_from((0.0, 0.1, 1.0, 5.0)),
    tcp=st.booleans(),
)
def test_any_faults_on_any_traffic(
    seed: int, loss: float, doubled: float, jitter_s: float, tcp: bool
) -> None:
    if tcp:
        loss = doubled = jitter_s = 0.0
    transport = "tcp" if tcp else "udp"
    Traffic(seed, 10, loss=loss, doubled=doubled, jitter_s=jitter_s, transport=transport).check()


def test_a_peer_that_vanishes_in_the_middle() -> None:
    for seed in range(10):
        world = World(seed)
        world.caller.invite(invitation(), world.flow, world.now)
        world.run(seed * 0.005)
        world.agents.pop(world.flow.remote)
        world.run(400)
        assert len([event for _, event in world.events if isinstance(event, FINAL)]) == 1
        assert (world.caller.calls, world.caller.transactions, world.caller.alarms) == (0, 0, 0)


# Hostile peers

FLOW = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.2", 5060))
STREAM = FLOW._replace(transport="tcp")
PIECES = st.sampled_from(
    b'INVITE|sip:a@b|SIP/2.0| |\r\n|\r\n\r\n|Via: |z9hG4bK|tag=|;|,|<|>|"|l: 0|200|\0|\xff|CSeq: 1'.split(
        b"|"
    )
)


BINARY = st.binary(max_size=20)


def listening(accepts_calls: bool = True) -> tuple[UserAgent, list[bytes]]:
    """An agent with a call under way, and what might be said to it."""
    agent = UserAgent(rng=random_bytes(3), accepts_calls=accepts_calls)
    agent.invite(invitation(), FLOW, 0.0)
    invite = parse(agent.data_to_send()[0][1])
    texts = [answer(invite, status, body=SESSION).encode() for status in (100, 183, 200, 401, 487, 503)]
    texts += [from_stranger(method, body=SESSION).encode() for method in ("INVITE", "ACK", "BYE", "CANCEL")]
    texts += [from_stranger("UPDATE", to="x", body=SESSION).encode()]
    return agent, texts


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 10), st.integers(0, 600), PIECES | st.binary(max_size=20)), max_size=12)
)
def test_no_datagram_raises(changes: list[tuple[int, int, bytes]]) -> None:
    agent, texts = listening()
    for which, at, piece in changes:
        text = texts[which]
        agent.receive(text[:at] + piece + text[at + len(piece) :], FLOW, 1.0)
        agent.receive(piece, FLOW, 1.0)
        agent.handle_timer(1.5)
    while (at_ := agent.next_timer()) is not None and at_ < 1000:
        agent.handle_timer(at_)
    for event in agent.events():
        assert repr(event)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10), max_size=5), st.lists(st.integers(1, 200), min_size=1, max_size=30))
def test_any_chunks_of_a_connection_say_the_same(which: list[int], sizes: list[int]) -> None:
    outcomes = []
    for chunks in ([10**6], sizes):
        agent, texts = listening()
        data = b"\r\n\r\n".join(texts[each] for each in which) + b"\r\n\r\nrubbish\r\n\r\n"
        at = number = 0
        while at < len(data):
            size = chunks[number % len(chunks)]
            agent.receive(data[at : at + size], STREAM, 1.0)
            at, number = at + size, number + 1
        outcomes.append(([repr(event) for event in agent.events()], agent.data_to_send(), agent.dropped))
    assert outcomes[0] == outcomes[1]


def test_a_flood_of_strangers_leaves_nothing() -> None:
    agent = UserAgent(rng=random_bytes(3))
    for number in range(20_000):
        agent.receive(from_stranger("INVITE", branch=f"b{number}").encode(), FLOW, 1.0)
        agent.data_to_send()
    assert (agent.calls, agent.transactions, agent.alarms) == (0, 0, 0)
    with pytest.raises(LocalProtocolError):
        agent.options("nothing", FLOW, 1.0)
