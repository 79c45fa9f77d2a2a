"""The application's side of the job socket for blocking code: the same conversation over plain sockets."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from random import Random, SystemRandom
from types import TracebackType
from typing import Any, Final, TypeVar

from connector import __version__, client_calls
from connector.client_calls import Call, Results, RpcError
from connector.client_core import LINGER_S, Answer, Backoff, Conversation, Options, Subscription
from protocols.rpc.event import Event
from protocols.rpc.job import Job
from protocols.rpc.methods import Forgotten, Hello, HelloResult, Submitted
from protocols.rpc.order import OrderEvent, OrderTold

T = TypeVar("T")

_RECEIVE_OCTETS: Final = 64 * 1024


class _Wire:
    """One connection to the daemon, made again when it is lost."""

    def __init__(self, path: str, conversation: Conversation, options: Options, random: Random) -> None:
        self._path = path
        self._conversation = conversation
        self._backoff = Backoff(options)
        self._random = random
        self._socket: socket.socket | None = None

    def turn(self, deadline: float | None) -> list[Answer]:
        """Connect if need be, send what waits, receive once; RpcError ``timeout`` after ``deadline``.

        An empty list may also mean that the connection was lost: the next turn makes another.
        """
        if self._socket is None:
            self._connect(deadline)
        try:
            data = self._exchange(deadline)
        except OSError:
            data = b""
        if not data:
            self._lose(deadline)
            return []
        conversation = self._conversation
        answers = conversation.receive(data)
        if conversation.ready:
            self._backoff.reset()
        if conversation.unusable:
            self.close()
            refusal = conversation.refusal
            if refusal is not None and refusal.retry_after_s is None:
                raise refusal
            if not answers:
                self._lose(deadline, 0.0 if refusal is None else refusal.retry_after_s or 0.0)
        return answers

    def flush(self) -> None:
        """Send what waits; a daemon that does not read loses the connection."""
        if self._socket is not None:
            try:
                self._send(time.monotonic() + LINGER_S)
            except (OSError, RpcError):
                self.close()

    def hang_up(self) -> None:
        """Send what waits and close, so that the daemon reads it.

        Closed with octets unread, a Unix socket would tell the daemon of a reset before what was sent.
        """
        self.flush()
        deadline = time.monotonic() + LINGER_S
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)
                while time.monotonic() < deadline:
                    self._socket.settimeout(_left(deadline))
                    if not self._socket.recv(_RECEIVE_OCTETS):
                        break
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._conversation.lost()

    def _connect(self, deadline: float | None) -> None:
        while True:
            link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                link.settimeout(_left(deadline))
                link.connect(self._path)
            except OSError as error:
                link.close()
                if deadline is not None and time.monotonic() >= deadline:
                    raise RpcError("disconnected", f"{self._path}: {error.strerror or error}") from None
                self._pause(deadline)
            except BaseException:
                link.close()
                raise
            else:
                self._socket = link
                self._conversation.connected()
                return

    def _exchange(self, deadline: float | None) -> bytes:
        self._send(deadline)
        assert self._socket is not None
        self._socket.settimeout(_left(deadline))
        try:
            return self._socket.recv(_RECEIVE_OCTETS)
        except TimeoutError:
            raise RpcError("timeout", "no answer in time") from None

    def _send(self, deadline: float | None) -> None:
        outgoing = self._conversation.data_to_send()
        if outgoing:
            assert self._socket is not None
            self._socket.settimeout(_left(deadline))
            try:
                self._socket.sendall(b"".join(outgoing))
            except TimeoutError:
                # Half a frame may have left: nothing sensible can follow it.
                self.close()
                raise RpcError("timeout", "the daemon does not read") from None

    def _lose(self, deadline: float | None, at_least_s: float = 0.0) -> None:
        self.close()
        self._pause(deadline, at_least_s)
        if deadline is not None and time.monotonic() >= deadline:
            raise RpcError("disconnected", f"{self._path}: the connection was lost again and again")

    def _pause(self, deadline: float | None, at_least_s: float = 0.0) -> None:
        delay = at_least_s + self._backoff.next(self._random.random())
        time.sleep(delay if deadline is None else min(delay, max(0.0, deadline - time.monotonic())))


def _left(deadline: float | None) -> float | None:
    # A socket time-out of 0 would mean "do not block", which fails differently.
    return None if deadline is None else max(0.001, deadline - time.monotonic())


class SyncEventStream:
    """Events in order; each counts as done with when the next is asked for."""

    def __init__(
        self, path: str, hello: Hello, subscription: Subscription, options: Options, random: Random
    ) -> None:
        self.subscription = subscription
        self._wire = _Wire(path, Conversation(hello, subscription), options, random)
        self._closed = False

    def __iter__(self) -> SyncEventStream:
        return self

    def __next__(self) -> Event:
        event = self.get()
        if event is None:
            raise StopIteration
        return event

    def get(self, timeout_s: float | None = None) -> Event | None:
        """Return the next event; None when none comes within ``timeout_s``, or after ``close``."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._closed:
            event = self.subscription.take()
            if event is not None:
                if self.subscription.ack_due:
                    self._wire.flush()
                return event
            try:
                self._wire.turn(deadline)
            except RpcError as error:
                if error.code in ("timeout", "disconnected"):
                    return None
                raise
        return None

    def flush(self) -> None:
        """Send a due acknowledgement now."""
        self._wire.flush()

    def close(self) -> None:
        """Acknowledge what is due and disconnect."""
        self._closed = True
        self._wire.hang_up()


class SyncClient:
    """A blocking client. Threads may share its calls, which take turns; events belong to one thread."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        name: str = "python",
        options: Options | None = None,
        random: Random | None = None,
    ) -> None:
        self._path = os.fspath(path)
        self._hello = Hello(name, __version__)
        self._options = options or Options()
        self._random = random or SystemRandom()
        self._conversation = Conversation(self._hello)
        self._wire = _Wire(self._path, self._conversation, self._options, self._random)
        self._turns = threading.Lock()
        self._stream: SyncEventStream | None = None

    def __enter__(self) -> SyncClient:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> HelloResult:
        """Connect and greet; RpcError when the daemon refuses or ``timeout_s`` passes."""
        with self._turns:
            deadline = time.monotonic() + self._options.timeout_s
            while not self._conversation.ready:
                self._wire.turn(deadline)
            assert self._conversation.server is not None
            return self._conversation.server

    def close(self) -> None:
        """Disconnect both connections; a due acknowledgement is sent first."""
        if self._stream is not None:
            self._stream.close()
        with self._turns:
            self._wire.close()

    def submit(self, job: Job | Mapping[str, Any]) -> Submitted:
        """Hand over one job; on return it is safe on the daemon's disk.

        RpcError names the key that is wrong. After ``timeout`` or ``disconnected`` submit the same job
        again: its id makes that safe, and ``duplicate`` tells that it had been accepted.
        """
        return self._call(client_calls.submit(job))

    def submit_many(self, jobs: Iterable[Job | Mapping[str, Any]]) -> Results:
        """Hand over many jobs; in the same order, what became of each: accepted, or its RpcError."""
        results: Results = []
        for batch in client_calls.submit_many(jobs, self._conversation.limits):
            try:
                answers: Results = self._call(batch)
                results += answers
            except RpcError as error:
                results += [error] * len(batch.param)
        return results

    def order_event(self, event: OrderEvent | Mapping[str, Any]) -> OrderTold:
        """Report an event of an order; on return it is safe on the daemon's disk, and so is its job.

        What is told, to whom and how is the lane's to say. An event that comes too late is no error:
        ``dropped`` says why nothing is told. After ``timeout`` or ``disconnected`` report the event again.
        """
        return self._call(client_calls.order_event(event))

    def status(self, job_id: str, *, numbers: bool = False) -> dict[str, Any]:
        """Return the job with its attempts and timeline, and with ``numbers`` its recipient's in full."""
        return self._call(client_calls.status(job_id, numbers))

    def cancel(self, job_id: str) -> bool:
        """Return whether the job could be stopped in time."""
        return self._call(client_calls.cancel(job_id))

    def feedback(self, job_id: str, *, converted: bool, attempt: int | None = None) -> None:
        """Say whether the person used the code; what is still under way is cancelled if so.

        ``attempt`` is the one that brought the code, where its own code tells.
        """
        self._call(client_calls.feedback(job_id, converted, attempt))

    def forget(self, to: str) -> Forgotten:
        """Have a number forgotten by the whole lane; the application needs `may_forget` for that.

        Jobs that are open keep it until they end. What carriers and applications hold is theirs.
        """
        return self._call(client_calls.forget(to))

    def preview(self, job: Job | Mapping[str, Any]) -> dict[str, Any]:
        """Return how the job would leave: text, encoding, parts, route candidates."""
        return self._call(client_calls.preview(job))

    def stats(self, *, routes: bool = False) -> dict[str, Any]:
        """Return the daemon's counters and live state, and with ``routes`` what it has learned of routes."""
        return self._call(client_calls.stats(routes))

    def events(self, from_seq: int | None = None) -> SyncEventStream:
        """Events from ``from_seq`` on, by default after the last acknowledged; ends an earlier stream."""
        if self._stream is not None:
            self._stream.close()
        subscription = Subscription(from_seq, self._options)
        self._stream = SyncEventStream(self._path, self._hello, subscription, self._options, self._random)
        return self._stream

    def ack(self, seq: int) -> None:
        """Everything up to ``seq`` is the application's now; the daemon need not keep it.

        While events are followed it travels with them and is not waited for: were it lost, the daemon would
        only repeat those events.
        """
        if self._stream is not None:
            self._stream.subscription.ack(seq)
            self._stream.flush()
        else:
            self._call(client_calls.ack(seq))

    def _call(self, call: Call[T]) -> T:
        with self._turns:
            deadline = time.monotonic() + self._options.timeout_s
            msgid = self._conversation.call(call.method, call.param)
            try:
                while True:
                    for answer in self._wire.turn(deadline):
                        if answer.msgid == msgid:
                            if answer.error is not None:
                                raise answer.error
                            return call.read(answer.result)
            finally:
                self._conversation.forget(msgid)
