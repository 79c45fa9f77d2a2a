"""One connection of the asyncio client, made again when it is lost, and the stream of events over one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import cast

from connector.client_calls import RpcError
from connector.client_core import LINGER_S, Answer, Backoff, Conversation, Options, Subscription
from protocols.rpc.event import Event
from protocols.rpc.methods import Hello


class Link(asyncio.Protocol):
    """Keeps one connection to the daemon; everything in it runs in the event loop's thread."""

    def __init__(
        self,
        path: str,
        conversation: Conversation,
        options: Options,
        random: Random,
        deliver: Callable[[list[Answer]], None],
    ) -> None:
        self._path = path
        self._conversation = conversation
        self._backoff = Backoff(options)
        self._random = random
        self._deliver = deliver
        self._transport: asyncio.Transport | None = None
        self._disconnected = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._abort: asyncio.TimerHandle | None = None
        self._flushing = False
        self._writable = True
        self._reading = True
        self.failure: RpcError | None = None
        self.last_error: OSError | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Send what is to be sent, and disconnect for good."""
        self.failure = RpcError("closed", "the client was closed")
        if self._task is not None:
            self._task.cancel()
        transport = self._transport
        if transport is not None and not transport.is_closing():
            self._flush()
            # Closed with octets unread, a Unix socket would tell the daemon of a reset before what was sent.
            transport.write_eof()
            self.resume()
            self._abort = asyncio.get_running_loop().call_later(LINGER_S, transport.abort)

    async def stopped(self) -> None:
        """Wait until a stopped link has disconnected; a daemon that does not read is not waited for long."""
        if self._task is not None:
            await asyncio.wait([self._task])
        if self._transport is not None:
            await self._disconnected.wait()

    def flush_soon(self) -> None:
        """Send at the end of this turn of the event loop, everything in one write."""
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def resume(self) -> None:
        """Read on, now that there is room for events again."""
        if not self._reading and self._transport is not None and not self._transport.is_closing():
            self._reading = True
            self._transport.resume_reading()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._disconnected.clear()
            try:
                await loop.create_unix_connection(lambda: self, self._path)
            except OSError as error:
                self.last_error = error
            else:
                await self._disconnected.wait()
            delay = self._backoff.next(self._random.random())
            refusal = self._conversation.refusal
            if refusal is not None:
                if refusal.retry_after_s is None:
                    self.failure = refusal
                    self._deliver([])
                    return
                delay += refusal.retry_after_s
            await asyncio.sleep(delay)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._writable = self._reading = True
        self._conversation.connected()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._conversation.lost()
        self._disconnected.set()
        if self._abort is not None:
            self._abort.cancel()

    def data_received(self, data: bytes) -> None:
        if self._abort is not None:
            return
        conversation, transport = self._conversation, self._transport
        answers = conversation.receive(data)
        if conversation.ready:
            self._backoff.reset()
        self._flush()
        self._deliver(answers)
        if transport is not None:
            if conversation.unusable:
                transport.close()
            elif conversation.full:
                self._reading = False
                transport.pause_reading()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._flush()

    def _flush(self) -> None:
        self._flushing = False
        if self._transport is not None and self._writable:
            outgoing = self._conversation.data_to_send()
            if outgoing:
                self._transport.write(b"".join(outgoing))


class EventStream:
    """Events in order; each counts as done with when the next is asked for."""

    def __init__(
        self, path: str, hello: Hello, subscription: Subscription, options: Options, random: Random
    ) -> None:
        self._subscription = subscription
        self._arrived = asyncio.Event()
        self._link = Link(path, Conversation(hello, subscription), options, random, self._deliver)
        self._link.start()

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> Event:
        link, subscription = self._link, self._subscription
        while link.failure is None:
            event = subscription.take()
            if subscription.ack_due:
                link.flush_soon()
            if event is not None:
                if subscription.roomy:
                    link.resume()
                return event
            self._arrived.clear()
            await self._arrived.wait()
        if link.failure.code == "closed":
            raise StopAsyncIteration
        raise link.failure

    def ack(self, seq: int) -> None:
        """Everything up to ``seq`` is the application's now."""
        self._subscription.ack(seq)
        self._link.flush_soon()

    def end(self) -> None:
        """Send a due acknowledgement and disconnect; whoever iterates comes to the end."""
        self._link.stop()
        self._arrived.set()

    async def aclose(self) -> None:
        """End, and wait until it is done."""
        self.end()
        await self._link.stopped()

    def _deliver(self, _answers: list[Answer]) -> None:
        self._arrived.set()
