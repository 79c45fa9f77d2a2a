"""How a bind comes by its connection: we go to the carrier, or it comes to us (outbind)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Protocol

from connector.carriers.addresses import Addresses, Spacing
from connector.carriers.link import Link
from connector.carriers.outbind import OutbindListener

__all__ = ["Await", "Connect", "Dial"]


class Dial(Protocol):
    """One for each bind. `inbound`: the carrier speaks first, with an outbind."""

    inbound: bool

    def turn_s(self, now: float) -> float:
        """Seconds until this bind may connect."""

    async def connect(self, link: Link, now: float) -> None:
        """Give `link` its connection. Raises OSError, TimeoutError, ValueError."""

    def failed(self, now: float) -> bool:
        """No session came about, or it did not last. True: wait before the next attempt."""

    def worked(self) -> None: ...
    def admits(self, password: bytes) -> bool:
        """Whether an outbind with this password is the carrier's."""


class Connect(Dial):
    """To the carrier's addresses, in their order; with TLS where `context` makes one."""

    inbound = False

    def __init__(
        self,
        addresses: Addresses,
        spacing: Spacing,
        timeout_s: float,
        *,
        context: Callable[[], ssl.SSLContext] | None = None,
        server_name: str | None = None,
    ) -> None:
        self._addresses = addresses
        self._spacing = spacing
        self._timeout_s = timeout_s
        self._context = context
        self._server_name = server_name

    def turn_s(self, now: float) -> float:
        return self._spacing.wait_s(now)

    async def connect(self, link: Link, now: float) -> None:
        host, port = self._addresses.next(now)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._timeout_s):
            if self._context is None:
                await loop.create_connection(lambda: link, host, port)
            else:
                # Made anew each time, so that renewed files count; reading the system's takes some ms.
                context = await asyncio.to_thread(self._context)
                name = self._server_name or host
                await loop.create_connection(lambda: link, host, port, ssl=context, server_hostname=name)

    def failed(self, now: float) -> bool:
        return self._addresses.failed(now)

    def worked(self) -> None:
        self._addresses.worked()

    def admits(self, password: bytes) -> bool:
        return False


class Await(Dial):
    """For the next connection that the listener takes."""

    inbound = True

    def __init__(self, listener: OutbindListener) -> None:
        self._listener = listener

    def turn_s(self, now: float) -> float:
        return 0.0

    async def connect(self, link: Link, now: float) -> None:
        await self._listener.next(link)

    def failed(self, now: float) -> bool:
        return False

    def worked(self) -> None: ...

    def admits(self, password: bytes) -> bool:
        return self._listener.admits(password)
