"""Conversations with a session: ``>>`` is what happens to it, ``<<`` what it must do, in order.

    play >> "bind" << (BindTransceiver(...), 1)
    play >> (BindTransceiverResp(b"smsc"), 1) << Bound(None, b"smsc")
    play >> ("submit", SubmitSm(...), "context") << (SubmitSm(...), 2)
    play >> 10.0 << SubmitTimedOut("context", 2)

Right of ``>>``: a verb, a tuple of a verb and its arguments, a number of seconds that pass, octets, or a
PDU from the peer with its sequence_number and perhaps its command_status. Right of ``<<``: an event, or a PDU
sent with the same.
What is not expected fails the test at the next step or at its end.
"""

from collections.abc import Callable, Iterator

import pytest

from protocols.smpp.framing import FrameReader
from protocols.smpp.pdu import BindTransceiverResp, Message, Pdu, decode, encode
from protocols.smpp.session import Session, SessionConfig


class Playbook:
    def __init__(self, **config: object) -> None:
        account = {"system_id": b"acme", "password": b"secret", "window": 3}
        self.session = Session(SessionConfig(**{**account, **config}))
        self.now = 1000.0
        self.sent: list[Message] = []
        self.events: list[object] = []

    def __rshift__(self, step: object) -> "Playbook":
        self.nothing_more()
        if isinstance(step, bytes):
            self.session.receive(step, self.now)
        elif isinstance(step, float | int):
            self._pass(step)
        elif isinstance(step, str):
            getattr(self.session, step)(self.now)
        elif isinstance(step[0], Pdu):
            pdu, sequence, *status = step
            self.session.receive(encode(pdu, sequence=sequence, status=sum(status)), self.now)
        else:
            verb, *arguments = step
            getattr(self.session, verb)(*arguments, self.now)
        self._collect()
        return self

    def __lshift__(self, expected: object) -> "Playbook":
        if isinstance(expected, tuple):
            pdu, sequence, *status = expected
            assert self.sent, f"nothing was sent where {pdu} was expected; events: {self.events}"
            message = self.sent.pop(0)
            assert (message.pdu, message.sequence, message.status) == (pdu, sequence, sum(status))
        else:
            assert self.events, f"no event where {expected} was expected; sent: {self.sent}"
            assert self.events.pop(0) == expected
        return self

    def nothing_more(self) -> None:
        assert self.sent == []
        assert self.events == []

    def bound(self) -> "Playbook":
        """Through the bind, which uses sequence_number 1."""
        self.session.bind(self.now)
        self.session.receive(encode(BindTransceiverResp(b"smsc"), sequence=1), self.now)
        self.session.events()
        self.session.data_to_send()
        return self

    def _pass(self, seconds: float) -> None:
        """Let the time pass, waking the session up whenever it asked for it."""
        until = self.now + seconds
        for _ in range(1000):
            at = self.session.next_timer()
            if at is None or at > until:
                break
            self.now = max(self.now, at)
            self.session.handle_timer(self.now)
        else:
            pytest.fail(f"the timer stands still at {self.now}")
        self.now = until

    def _collect(self) -> None:
        frames = FrameReader().feed(b"".join(self.session.data_to_send()))
        self.sent += [decode(frame) for frame in frames]
        self.events += self.session.events()


@pytest.fixture
def playbook() -> Iterator[Callable[..., Playbook]]:
    """``playbook(**config)``: a conversation with a session of window 3, checked to its end."""
    books: list[Playbook] = []

    def start(**config: object) -> Playbook:
        books.append(Playbook(**config))
        return books[-1]

    yield start
    for book in books:
        book.nothing_more()


@pytest.fixture
def play(playbook: Callable[..., Playbook]) -> Playbook:
    """A conversation that is already bound as transceiver."""
    return playbook().bound()
