"""The client without its socket: octets in, answers and events out, and what survives a lost connection.

A client holds two connections. Answers come on one; events come on the other, which is simply not read
while the application is slow. On one connection an application that asks something while it works on an
event would wait for an answer behind events that it has no room for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from connector.client_calls import RpcError, read_as, read_error
from protocols.rpc.errors import FrameError
from protocols.rpc.event import Event
from protocols.rpc.framing import Reader
from protocols.rpc.limits import Limits
from protocols.rpc.messages import MAX_MSGID, Message, Notification, Response, encode_request
from protocols.rpc.methods import Ack, Hello, HelloResult, Subscribe

# What a closing connection gets to send its last octets.
LINGER_S: Final = 1.0

# The daemon answers a thousand bad jobs with an error and a hint each, in one frame: several times as long as
# what it takes itself. It is trusted, but not with all memory.
_FROM_DAEMON: Final = Limits(frame=16 << 20, string=1 << 20, array=1 << 16, map=1 << 16)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a client behaves.

    ``timeout_s`` bounds one call, waiting for a connection included. ``ack_every`` events that the
    application has done with are acknowledged together, and also whenever none is waiting; 0 leaves all of it
    to ``ack()``. At most ``event_buffer`` events, and what one read brings more, wait for the application;
    at most ``max_pending`` calls wait for an answer, further ones wait for their turn. Reconnection
    attempt n waits a random time up to ``backoff_base_s`` * 2^n, at most ``backoff_cap_s``.
    """

    timeout_s: float = 30.0
    ack_every: int = 64
    event_buffer: int = 1024
    max_pending: int = 1024
    backoff_base_s: float = 0.05
    backoff_cap_s: float = 5.0


class Answer(NamedTuple):
    """The end of the call ``msgid``: with its result, or with an error."""

    msgid: int
    result: Any
    error: RpcError | None


class Backoff:
    """Exponential with full jitter: clients of a restarted daemon do not come back all at once."""

    def __init__(self, options: Options) -> None:
        self._base, self._cap = options.backoff_base_s, options.backoff_cap_s
        self._ceiling = self._base

    def next(self, random: float) -> float:
        """Seconds to wait, from a ``random`` number in [0, 1)."""
        delay = random * self._ceiling
        self._ceiling = min(self._cap, 2 * self._ceiling)
        return delay

    def reset(self) -> None:
        self._ceiling = self._base


class Subscription:
    """Events on their way to the application, in order and each once while the client lives."""

    def __init__(self, from_seq: int | None, options: Options) -> None:
        self._wanted = from_seq
        self._room = options.event_buffer
        self._ack_every = options.ack_every
        self._waiting: deque[Event] = deque()
        self._given: int | None = None
        self._done: int | None = None
        self._done_count = 0
        self.acked: int | None = None
        self.ack_due = False

    def subscribe(self) -> Subscribe:
        """Parameters to go on where the last connection ended."""
        self.ack_due = self.acked is not None
        return Subscribe(self._wanted)

    def offer(self, event: Event) -> None:
        """Take an event from the wire; a repeated one is dropped."""
        if self._wanted is None or event.seq >= self._wanted:
            self._wanted = event.seq + 1
            self._waiting.append(event)

    def take(self) -> Event | None:
        """Return the next event, or None; the one taken before counts as done with."""
        if self._given is not None:
            self._done, self._given = self._given, None
            self._done_count += 1
        enough = self._done_count >= self._ack_every or not self._waiting
        if self._ack_every and enough and self._done is not None:
            self.ack(self._done)
        if not self._waiting:
            return None
        event = self._waiting.popleft()
        self._given = event.seq
        return event

    def ack(self, seq: int) -> None:
        """Everything up to ``seq`` is the application's; an older ``seq`` than before changes nothing."""
        if self.acked is None or seq > self.acked:
            self.acked = seq
            self.ack_due = True
            self._done_count = 0

    @property
    def full(self) -> bool:
        return len(self._waiting) >= self._room

    @property
    def roomy(self) -> bool:
        return 2 * len(self._waiting) <= self._room


class Conversation:
    """One connection after another to the daemon, with the calls that none has answered yet.

    Every method is safe to repeat (a job by its id), so calls under way when a connection ends are sent
    again on the next, in their order.
    """

    def __init__(self, hello: Hello, subscription: Subscription | None = None) -> None:
        self._hello = hello
        self._subscription = subscription
        self._reader = Reader(_FROM_DAEMON)
        self._msgid = 0
        self._pending: dict[int, bytes] = {}
        self._own: dict[int, str] = {}
        self._outgoing: list[bytes] = []
        self.server: HelloResult | None = None
        self.ready = False
        self.unusable = False
        self.refusal: RpcError | None = None

    @property
    def limits(self) -> Limits:
        """What the daemon accepts; the defaults until it has said so."""
        return self.server.limits if self.server is not None else Limits()

    @property
    def full(self) -> bool:
        """Whether the application has to take events before more are read."""
        return self._subscription is not None and self._subscription.full

    def connected(self) -> None:
        """A new connection stands: greet; everything else waits for the answer."""
        self._reader = Reader(_FROM_DAEMON)
        self._own.clear()
        self._outgoing.clear()
        self.ready, self.unusable, self.refusal = False, False, None
        self._ask("hello", self._hello)

    def lost(self) -> None:
        """The connection is gone; what was under way waits for the next."""
        self._outgoing.clear()
        self.ready = False

    def call(self, method: str, param: Any) -> int:
        """Queue a request and return its msgid; RpcError when the daemon could not read it."""
        msgid = self._next_msgid()
        frame = encode_request(msgid, method, (param,))
        _check_readable(frame, self.limits)
        self._pending[msgid] = frame
        if self.ready:
            self._outgoing.append(frame)
        return msgid

    def forget(self, msgid: int) -> None:
        """Nobody waits for the answer any more: it is not asked for again."""
        self._pending.pop(msgid, None)

    def data_to_send(self) -> list[bytes]:
        """Octets for the socket since the last call."""
        subscription = self._subscription
        if (
            self.ready
            and subscription is not None
            and subscription.ack_due
            and subscription.acked is not None
        ):
            subscription.ack_due = False
            self._ask("ack", Ack(subscription.acked))
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def receive(self, data: bytes) -> list[Answer]:
        """Take octets from the socket and return the calls that they end.

        Afterwards ``unusable`` says that this connection must be closed, and ``refusal`` that the daemon
        will not serve us on another one either.
        """
        answers: list[Answer] = []
        try:
            messages: Sequence[Message] = self._reader.feed(data)
        except FrameError as error:
            messages = error.messages
            self.unusable = True
        for message in messages:
            if isinstance(message, Response):
                self._answered(message, answers)
            elif isinstance(message, Notification):
                self._notified(message, answers)
        return answers

    def _answered(self, response: Response, answers: list[Answer]) -> None:
        msgid = response.msgid
        error = None if response.error is None else read_error(response.error)
        if self._pending.pop(msgid, None) is not None:
            answers.append(Answer(msgid, response.result, error))
        elif (method := self._own.pop(msgid, None)) is not None:
            if error is not None:
                self._refuse(error)
            elif method == "hello":
                self._greeted(response.result)

    def _greeted(self, result: Any) -> None:
        try:
            self.server = read_as(HelloResult, result)
        except RpcError as error:
            self._refuse(error)
            return
        self.ready = True
        if self._subscription is not None:
            self._ask("subscribe", self._subscription.subscribe())
        self._outgoing += self._pending.values()

    def _notified(self, notification: Notification, answers: list[Answer]) -> None:
        param = notification.params[0] if notification.params else None
        if notification.method == "event" and self._subscription is not None:
            try:
                self._subscription.offer(read_as(Event, param))
            except RpcError as error:
                self._refuse(error)
        elif notification.method == "error":
            # The daemon could not read what we sent and says goodbye. It does not say which call it was, and
            # to send them all again would end the next connection in the same way.
            goodbye = read_error(param)
            answers += [Answer(msgid, None, goodbye) for msgid in self._pending]
            self._pending.clear()
            self.unusable = True

    def _refuse(self, error: RpcError) -> None:
        self.unusable = True
        self.refusal = error

    def _ask(self, method: str, param: Any) -> None:
        msgid = self._next_msgid()
        self._own[msgid] = method
        self._outgoing.append(encode_request(msgid, method, (param,)))

    def _next_msgid(self) -> int:
        while True:
            self._msgid = self._msgid % MAX_MSGID + 1
            if self._msgid not in self._pending and self._msgid not in self._own:
                return self._msgid


def _check_readable(frame: bytes, limits: Limits) -> None:
    # A frame that the daemon cannot read would end the connection for all calls under way. One shorter than
    # every limit cannot break one, but for nesting, which no job reaches.
    if len(frame) > min(limits.frame, limits.string, limits.array, limits.map):
        try:
            Reader(limits).feed(frame)
        except FrameError as error:
            raise RpcError("too_large", error.message) from None
