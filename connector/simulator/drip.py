"""A peer that writes one byte at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Drip:
    """Passes octets on singly, `pause_s` seconds apart."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, write: Callable[[bytes], None], pause_s: float
    ) -> None:
        self._loop = loop
        self._write = write
        self._pause_s = pause_s
        self._waiting = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._then: Callable[[], None] | None = None

    def feed(self, data: bytes) -> None:
        self._waiting += data
        if self._timer is None:
            self._next()

    def finish(self, then: Callable[[], None]) -> None:
        """Call `then` when everything has left."""
        self._then = then
        if self._timer is None:
            self._next()

    def stop(self) -> None:
        """Forget what has not left yet."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _next(self) -> None:
        self._timer = None
        if self._waiting:
            self._write(bytes((self._waiting.pop(0),)))
            self._timer = self._loop.call_later(self._pause_s, self._next)
        elif self._then is not None:
            self._then()
