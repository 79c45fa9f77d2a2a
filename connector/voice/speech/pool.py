"""The worker processes of one daemon behind one bounded queue."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from itertools import count

from connector.segments import Segment
from connector.voice.audio import Audio

from .errors import EngineError, RenderError, SpeechError
from .names import Pace
from .process import WorkerDied, WorkerProcess
from .wire import LARGEST, Hello, Refused, Speak, encode

__all__ = ["Busy", "Pool"]

_LONGEST_QUEUE = 1000
_LONGEST_WAIT_S = 30.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 10.0

_Waiting = tuple[int, bytes, "asyncio.Future[Audio]"]
"""The number of a request, its frame, and who waits for it."""


class Busy(SpeechError):
    """Too many requests wait already."""


class Pool:
    """`processes` are made by the caller; a process that dies fails the request it was busy with and no
    other.
    """

    def __init__(
        self,
        processes: list[WorkerProcess],
        *,
        longest_queue: int = _LONGEST_QUEUE,
        longest_wait_s: float = _LONGEST_WAIT_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._processes = processes
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(longest_queue)
        self._longest_wait_s = longest_wait_s
        self._sleep = sleep
        self._ids = count(1)
        self._tasks: list[asyncio.Task[None]] = []
        self.restarts = 0

    @property
    def pids(self) -> list[int]:
        """Of the processes that run now."""
        return [process.pid for process in self._processes if process.pid is not None]

    async def start(self) -> Hello:
        """What the engine is; EngineError when one of the processes cannot work."""
        try:
            hellos = await asyncio.gather(*(process.start() for process in self._processes))
        except BaseException:
            await asyncio.gather(*(process.kill() for process in self._processes))
            raise
        self._tasks = [asyncio.create_task(self._work(process)) for process in self._processes]
        return hellos[0]

    async def stop(self) -> None:
        """Ends the processes; whoever waits for one of them gets EngineError."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []
        while not self._queue.empty():
            _fail(self._queue.get_nowait()[2], EngineError("speech was stopped"))
        await asyncio.gather(*(process.stop() for process in self._processes))

    async def speak(
        self, lang: str, segments: tuple[Segment, ...], pace: Pace = "normal", recording: str = ""
    ) -> Audio:
        """Raises Busy at once when the queue is full, EngineError or RenderError when it could not be
        spoken.
        """
        done: asyncio.Future[Audio] = asyncio.get_running_loop().create_future()
        number = next(self._ids)
        try:
            request = encode(Speak(number, lang, segments, pace, recording))
        except ValueError:
            raise RenderError("text: characters of Unicode are expected, no surrogates") from None
        if len(request) > LARGEST:
            raise RenderError(f"a message of {len(request)} octets; at most {LARGEST} are expected")
        try:
            self._queue.put_nowait((number, request, done))
        except asyncio.QueueFull:
            raise Busy(f"{self._queue.maxsize} prompts wait to be spoken already") from None
        try:
            async with asyncio.timeout(self._longest_wait_s):
                return await done
        except TimeoutError:
            raise EngineError(f"no speech worker was free for {self._longest_wait_s:g} s") from None

    async def _work(self, process: WorkerProcess) -> None:
        while True:
            number, request, done = await self._queue.get()
            if done.done():
                continue
            try:
                reply = await process.ask(number, request)
            except WorkerDied as error:
                _fail(done, error)
                await self._restart(process)
            except asyncio.CancelledError:
                _fail(done, EngineError("speech was stopped"))
                raise
            else:
                if isinstance(reply, Refused):
                    _fail(done, SpeechError(reply.problem))
                elif not done.done():
                    done.set_result(Audio(reply.pcmu, reply.pcma))

    async def _restart(self, process: WorkerProcess) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            await self._sleep(pause)
            self.restarts += 1
            try:
                await process.start()
            except (EngineError, OSError):
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            else:
                return


def _fail(done: asyncio.Future[Audio], error: SpeechError) -> None:
    if not done.done():
        done.set_exception(error)
