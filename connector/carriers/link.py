"""The asyncio shell of a sans-IO core: feed it, write what it says, arm one timer, hand its events on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["Core", "Link"]

_HIGH_WATER = 4 << 20
"""Octets that wait for a peer to read them; a window of submits is less."""

_CLOSE_S = 5.0
"""How long what is written may take to leave a closed connection."""


class Core(Protocol):
    """A protocol core, see `protocols`."""

    def receive(self, data: bytes, now: float) -> None: ...
    def eof(self, now: float) -> None: ...
    def events(self) -> list[Any]: ...
    def data_to_send(self) -> list[bytes]: ...
    def next_timer(self) -> float | None: ...
    def handle_timer(self, now: float) -> None: ...


class Link(asyncio.Protocol):
    """One TCP connection and its core.

    `on_events(events, now)` is called for everything one read, one timer or the end of the connection
    brought. Call `flush` after a verb of the core. `closed` is done when the connection has ended.
    """

    def __init__(
        self, core: Core, now: Callable[[], float], on_events: Callable[[list[Any], float], None]
    ) -> None:
        self._core = core
        self._now = now
        self._on_events = on_events
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._clogged = self._held = False
        self.closed: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]
        self._transport.set_write_buffer_limits(high=_HIGH_WATER)  # type: ignore[union-attr]
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def peer(self) -> str:
        """Its address and port, once connected."""
        told: Any = None if self._transport is None else self._transport.get_extra_info("peername")
        return f"{told[0]}:{told[1]}" if told else ""

    def data_received(self, data: bytes) -> None:
        now = self._now()
        self._core.receive(data, now)
        self._after(now)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        now = self._now()
        self._core.eof(now)
        self._transport = None
        try:
            events = self._core.events()
            if events:
                self._on_events(events, now)
        finally:
            if not self.closed.done():
                self.closed.set_result(None)

    def pause_writing(self) -> None:
        """The peer does not read: what it still sends would only make more answers wait here."""
        self._clogged = True
        self._read_or_wait()

    def resume_writing(self) -> None:
        self._clogged = False
        self._read_or_wait()

    def flush(self) -> None:
        """Write what the core has to say and arm its timer."""
        data = self._core.data_to_send()
        if data and self._transport is not None:
            self._transport.write(data[0] if len(data) == 1 else b"".join(data))
        self._arm()

    def pause(self) -> None:
        """Read no more for now: the peer sends faster than its messages can be stored."""
        self._held = True
        self._read_or_wait()

    def resume(self) -> None:
        self._held = False
        self._read_or_wait()

    def _read_or_wait(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._clogged or self._held:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def close(self) -> None:
        """Close when everything is written, or when the peer has not read it for long enough."""
        if self._transport is not None:
            self._transport.close()
            self._loop.call_later(_CLOSE_S, self.abort)

    def abort(self) -> None:
        """Close now: the peer no longer answers."""
        if self._transport is not None:
            self._transport.abort()

    def _after(self, now: float) -> None:
        events = self._core.events()
        if events:
            self._on_events(events, now)
        self.flush()

    def _arm(self) -> None:
        at = self._core.next_timer()
        if at is None or self._transport is None:
            return
        # A timer that fires early costs one look; making a new one for every read would cost more.
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_later(max(0.0, at - self._now()), self._fire)

    def _fire(self) -> None:
        self._timer = None
        now = self._now()
        self._core.handle_timer(now)
        self._after(now)
