"""One speech worker process, as the daemon sees it: started again when it dies, one request at a time."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

import msgspec

from .errors import EngineError
from .wire import PREFIX, Hello, Refused, Reply, Settings, Spoken, decode_reply, encode, length_of

__all__ = ["COMMAND", "WorkerDied", "WorkerProcess"]

COMMAND = (sys.executable, "-m", "connector.voice.speech.worker")

_STOP_S = 2.0


class WorkerDied(EngineError):
    """The process ended, or was ended because it said nothing for too long."""


class WorkerProcess:
    """`command` speaks wire.py; `start_s` and `answer_s` are what it gets for each."""

    def __init__(
        self,
        settings: Settings,
        command: tuple[str, ...] = COMMAND,
        *,
        start_s: float = 30.0,
        answer_s: float = 15.0,
    ) -> None:
        self._settings = settings
        self._command = command
        self._start_s = start_s
        self._answer_s = answer_s
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """None while there is no process."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> Hello:
        """Raises EngineError when there is no engine, WorkerDied when it could not be asked."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, close_fds=True
        )
        hello = await self._exchange(encode(self._settings), self._start_s)
        if not isinstance(hello, Hello):
            await self.kill()
            raise WorkerDied("the speech worker said something else before its hello")
        if hello.problem:
            await self.kill()
            raise EngineError(hello.problem)
        return hello

    async def ask(self, number: int, request: bytes) -> Spoken | Refused:
        """`request` is the frame of a Speak whose id is `number`.

        WorkerDied when no answer to it came; the process is gone then.
        """
        reply = await self._exchange(request, self._answer_s)
        if isinstance(reply, Hello) or reply.id != number:
            await self.kill()
            raise WorkerDied("the speech worker answered another request")
        if isinstance(reply, Spoken) and len(reply.pcmu) != len(reply.pcma):
            await self.kill()
            raise WorkerDied("the speech worker gave two laws of different length")
        return reply

    async def stop(self) -> None:
        """By closing its standard input; by force when that is not enough."""
        process = self._process
        if process is None or process.returncode is not None or process.stdin is None:
            return
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _exchange(self, request: bytes, seconds: float) -> Reply:
        try:
            async with asyncio.timeout(seconds):
                return await self._write_and_read(request)
        except TimeoutError:
            why = f"the speech worker gave no answer in {seconds:g} s"
        except (OSError, EOFError, ValueError, msgspec.MsgspecError):
            why = "the speech worker ended"
        except asyncio.CancelledError:
            # Its answer would be taken for that of the next request.
            await self.kill()
            raise
        await self.kill()
        raise WorkerDied(why)

    async def _write_and_read(self, request: bytes) -> Reply:
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        process.stdin.write(request)
        await process.stdin.drain()
        length = length_of(await process.stdout.readexactly(PREFIX))
        return decode_reply(await process.stdout.readexactly(length))
