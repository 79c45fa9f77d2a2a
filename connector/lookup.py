"""A program of the operator's that knows more of a number than its digits tell: HLR, MNP.

It listens on a Unix socket and speaks MessagePack-RPC: `[0, msgid, "lookup", [{"to": "+49…"}]]` is answered
by `[1, msgid, null, {"network": "…", "country": "DE", "reachable": true}]`, each key optional. Whatever goes
wrong with it, a job waits `timeout_s` at most and then goes by its number alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from random import Random
from typing import Annotated, Final, cast

import msgspec
from cachetools import TTLCache
from msgspec import Meta, Struct

from connector.config.routing import LookupSettings
from connector.log import event
from connector.routing.destination import Destination
from protocols.rpc.errors import FrameError
from protocols.rpc.framing import Reader
from protocols.rpc.limits import Limits
from protocols.rpc.messages import Response, encode_request

__all__ = ["Answer", "Counts", "NumberLookup"]

_MOST_WAITING: Final = 10_000
_MOST_SILENT: Final = 50
_FIRST_WAIT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 5.0
_LIMITS: Final = Limits(frame=64 * 1024, string=1024, array=64, map=64, nesting=4)

_log = logging.getLogger(__name__)


class Answer(Struct, frozen=True, gc=False):
    """What the program says of a number; None: nothing.

    network    any name, the same for all numbers of one network
    country    ISO 3166, two letters
    reachable  whether the handset can be reached
    """

    network: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    country: Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z")] | None = None
    reachable: bool | None = None

    def applied(self, destination: Destination) -> Destination:
        """What the number told, with what this knows better."""
        return destination._replace(
            country=self.country or destination.country, network=self.network or destination.network
        )


class Counts(Struct):
    """How often each happened since the start; `asked` is the sum of the others and of what is under way.

    from_cache  known from before
    answered    by the program, in time
    late        not within `timeout_s`
    failed      an error, or no answer that can be understood
    not_asked   the program was not there, or too much was under way
    """

    asked: int = 0
    from_cache: int = 0
    answered: int = 0
    late: int = 0
    failed: int = 0
    not_asked: int = 0

    def results(self) -> dict[str, int]:
        """What became of the questions."""
        return {key: count for key, count in msgspec.structs.asdict(self).items() if key != "asked"}


class _Question(Struct, gc=False):
    number: str
    until: float
    done: Callable[[Answer | None], None]


class NumberLookup(asyncio.Protocol):
    """One connection to the program, made again when it is lost. `path` is absolute; times are the loop's.

    Runs in the event loop's thread, from `start` to `stop`.
    """

    def __init__(self, settings: LookupSettings, path: str, random: Random) -> None:
        self._loop = asyncio.get_running_loop()
        self._path = path
        self._timeout_s = settings.timeout_s
        self._random = random
        self._cache: TTLCache[str, Answer] = TTLCache(
            settings.cache_entries, settings.cache_s, timer=self._loop.time
        )
        # In the order they were asked, which is that of their time-outs.
        self._waiting: dict[int, _Question] = {}
        self._next_id = 0
        self._reader = Reader(_LIMITS)
        self._transport: asyncio.Transport | None = None
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._outgoing: list[bytes] = []
        self._wait_s = _FIRST_WAIT_S
        self._silent = 0
        self.counts = Counts()

    @property
    def connected(self) -> bool:
        """Whether the program is there."""
        return self._transport is not None

    def start(self) -> None:
        """Connect, and stay connected."""
        self._task = self._loop.create_task(self._run())

    async def stop(self) -> None:
        """Disconnect; whoever waits is told None."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._transport is not None:
            self._transport.abort()
            await self._lost.wait()
        if self._timer is not None:
            self._timer.cancel()

    def ask(self, number: str, done: Callable[[Answer | None], None]) -> None:
        """Call `done` once, now or within `timeout_s`: with the answer, or None where there is none."""
        counts = self.counts
        counts.asked += 1
        known = self._cache.get(number)
        if known is not None:
            counts.from_cache += 1
            done(known)
        elif self._transport is None or len(self._waiting) >= _MOST_WAITING:
            counts.not_asked += 1
            done(None)
        else:
            self._send(number, done)

    def _send(self, number: str, done: Callable[[Answer | None], None]) -> None:
        msgid = self._next_id
        self._next_id = (msgid + 1) & 0xFFFF_FFFF
        until = self._loop.time() + self._timeout_s
        self._waiting[msgid] = _Question(number, until, done)
        if self._timer is None:
            self._timer = self._loop.call_at(until, self._expire)
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(encode_request(msgid, "lookup", [{"to": number}]))

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time()
        late: list[int] = []
        for msgid, question in self._waiting.items():
            if question.until > now:
                self._timer = self._loop.call_at(question.until, self._expire)
                break
            late.append(msgid)
        self.counts.late += len(late)
        self._silent += len(late)
        if self._silent >= _MOST_SILENT and self._transport is not None:
            # Until it is connected again, nobody waits for it in vain.
            event(_log, "look-up program silent", level=logging.WARNING, questions=self._silent)
            self._transport.abort()
        for question in [self._waiting.pop(msgid) for msgid in late]:
            question.done(None)

    async def _run(self) -> None:
        told = False
        while True:
            self._lost.clear()
            try:
                await self._loop.create_unix_connection(lambda: self, self._path)
            except OSError as error:
                if not told:
                    reason = error.strerror or str(error)
                    event(_log, "look-up program absent", level=logging.WARNING, reason=reason)
                    told = True
            else:
                told = False
                await self._lost.wait()
            await asyncio.sleep(self._wait_s * self._random.uniform(0.5, 1.0))
            self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._silent = 0
        self._reader = Reader(_LIMITS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        waiting, self._waiting = self._waiting, {}
        self.counts.failed += len(waiting)
        self._lost.set()
        for question in waiting.values():
            question.done(None)

    def data_received(self, data: bytes) -> None:
        try:
            messages = self._reader.feed(data)
        except FrameError as error:
            event(_log, "look-up program not understood", level=logging.WARNING, reason=error.code)
            messages = error.messages
            if self._transport is not None:
                self._transport.abort()
        for message in messages:
            if isinstance(message, Response):
                self._answered(message)

    def _answered(self, response: Response) -> None:
        question = self._waiting.pop(response.msgid, None)
        if question is None:
            return
        answer: Answer | None = None
        if response.error is None:
            try:
                answer = msgspec.convert(response.result, Answer)
            except msgspec.ValidationError:
                answer = None
        if answer is None:
            self.counts.failed += 1
        else:
            self.counts.answered += 1
            self._silent, self._wait_s = 0, _FIRST_WAIT_S
            if self._cache.maxsize:
                self._cache[question.number] = answer
        question.done(answer)
