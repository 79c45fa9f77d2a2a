"""The application's side of the job socket, for asyncio; ``SyncClient`` is the same for blocking code.

async with Client("/run/connector/verification.sock", name="shop") as client:
    await client.submit(Job(id="order-1", to="+4915112345678", text="482917", deadline_s=20))
    async for event in client.events():
        ...
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping
from random import Random, SystemRandom
from types import TracebackType
from typing import Any, TypeVar

from connector import __version__, client_calls
from connector.client_calls import Call, Results, RpcError
from connector.client_core import Answer, Conversation, Options, Subscription
from connector.client_link import EventStream, Link
from connector.client_sync import SyncClient
from protocols.rpc.event import Event
from protocols.rpc.job import Job
from protocols.rpc.methods import Forgotten, Hello, HelloResult, Submitted
from protocols.rpc.order import OrderEvent, OrderTold

__all__ = [
    "Client",
    "Event",
    "EventStream",
    "Forgotten",
    "Job",
    "Options",
    "OrderEvent",
    "OrderTold",
    "RpcError",
    "Submitted",
    "SyncClient",
]

T = TypeVar("T")


class Client:
    """An asyncio client; all its methods belong to the event loop that it was connected in.

    Calls survive a lost connection: they are sent again on the next one and keep waiting, in all at most
    ``options.timeout_s``. Every method raises RpcError.
    """

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
        self._link: Link | None = None
        self._stream: EventStream | None = None
        self._changed = asyncio.Event()
        self._turns = asyncio.Semaphore(self._options.max_pending)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}

    async def __aenter__(self) -> Client:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def connect(self) -> HelloResult:
        """Connect and greet; RpcError when the daemon refuses or ``timeout_s`` passes."""
        if self._link is None:
            self._link = Link(self._path, self._conversation, self._options, self._random, self._deliver)
            self._link.start()
        try:
            async with asyncio.timeout(self._options.timeout_s):
                while not self._conversation.ready:
                    if self._link.failure is not None:
                        raise self._link.failure
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            error = RpcError("disconnected", f"{self._path}: {self._link.last_error or 'no greeting'}")
            await self.close()
            raise error from None
        except BaseException:
            await self.close()
            raise
        assert self._conversation.server is not None
        return self._conversation.server

    async def close(self) -> None:
        """Disconnect; calls under way end with ``closed``, a due acknowledgement is sent first."""
        if self._stream is not None:
            await self._stream.aclose()
        if self._link is not None:
            link = self._link
            link.stop()
            self._deliver([])
            self._link = None
            await link.stopped()

    async def submit(self, job: Job | Mapping[str, Any]) -> Submitted:
        """Hand over one job; on return it is safe on the daemon's disk.

        RpcError names the key that is wrong. After ``timeout`` submit the same job again: its id makes that
        safe, and ``duplicate`` tells that it had been accepted.
        """
        return await self._call(client_calls.submit(job))

    async def submit_many(self, jobs: Iterable[Job | Mapping[str, Any]]) -> Results:
        """Hand over many jobs; in the same order, what became of each: accepted, or its RpcError."""
        results: Results = []
        for batch in client_calls.submit_many(jobs, self._conversation.limits):
            try:
                answers: Results = await self._call(batch)
                results += answers
            except RpcError as error:
                results += [error] * len(batch.param)
        return results

    async def order_event(self, event: OrderEvent | Mapping[str, Any]) -> OrderTold:
        """Report an event of an order; on return it is safe on the daemon's disk, and so is its job.

        What is told, to whom and how is the lane's to say. An event that comes too late is no error:
        ``dropped`` says why nothing is told. Report the same event again after ``timeout``.
        """
        return await self._call(client_calls.order_event(event))

    async def status(self, job_id: str, *, numbers: bool = False) -> dict[str, Any]:
        """Return the job with its attempts and timeline, and with ``numbers`` its recipient's in full."""
        return await self._call(client_calls.status(job_id, numbers))

    async def cancel(self, job_id: str) -> bool:
        """Return whether the job could be stopped in time."""
        return await self._call(client_calls.cancel(job_id))

    async def feedback(self, job_id: str, *, converted: bool, attempt: int | None = None) -> None:
        """Say whether the person used the code; what is still under way is cancelled if so.

        ``attempt`` is the one that brought the code, where its own code tells.
        """
        await self._call(client_calls.feedback(job_id, converted, attempt))

    async def forget(self, to: str) -> Forgotten:
        """Have a number forgotten by the whole lane; the application needs `may_forget` for that.

        Jobs that are open keep it until they end. What carriers and applications hold is theirs.
        """
        return await self._call(client_calls.forget(to))

    async def preview(self, job: Job | Mapping[str, Any]) -> dict[str, Any]:
        """Return how the job would leave: text, encoding, parts, route candidates."""
        return await self._call(client_calls.preview(job))

    async def stats(self, *, routes: bool = False) -> dict[str, Any]:
        """Return the daemon's counters and live state, and with ``routes`` what it has learned of routes."""
        return await self._call(client_calls.stats(routes))

    def events(self, from_seq: int | None = None) -> EventStream:
        """Events from ``from_seq`` on, by default after the last acknowledged; ends an earlier stream."""
        if self._stream is not None:
            self._stream.end()
        subscription = Subscription(from_seq, self._options)
        self._stream = EventStream(self._path, self._hello, subscription, self._options, self._random)
        return self._stream

    async def ack(self, seq: int) -> None:
        """Everything up to ``seq`` is the application's now; the daemon need not keep it.

        While events are followed it travels with them and is not waited for: were it lost, the daemon would
        only repeat those events.
        """
        if self._stream is not None:
            self._stream.ack(seq)
        else:
            await self._call(client_calls.ack(seq))

    async def _call(self, call: Call[T]) -> T:
        try:
            async with asyncio.timeout(self._options.timeout_s), self._turns:
                answer = await self._ask(call)
        except TimeoutError:
            raise RpcError("timeout", "no answer in time") from None
        if answer.error is not None:
            raise answer.error
        return call.read(answer.result)

    async def _ask(self, call: Call[Any]) -> Answer:
        link = self._link
        if link is None:
            raise RpcError("closed", "the client is not connected")
        if link.failure is not None:
            raise link.failure
        msgid = self._conversation.call(call.method, call.param)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[msgid] = future
        link.flush_soon()
        try:
            return await future
        finally:
            del self._waiting[msgid]
            self._conversation.forget(msgid)

    def _deliver(self, answers: list[Answer]) -> None:
        self._changed.set()
        for answer in answers:
            future = self._waiting.get(answer.msgid)
            if future is not None and not future.done():
                future.set_result(answer)
        failure = None if self._link is None else self._link.failure
        if failure is not None:
            for msgid, future in self._waiting.items():
                if not future.done():
                    future.set_result(Answer(msgid, None, failure))
