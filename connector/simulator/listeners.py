"""The addresses a carrier listens on: each can be closed and opened again, as when a site fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

Factory = Callable[[int], asyncio.Protocol]
"""Makes the protocol of a connection to a port of ours."""


class Listeners:
    """TCP ports of one host by number; `host` and `port` are those of the first."""

    def __init__(self, factory: Factory, tls: ssl.SSLContext | None) -> None:
        self.port = 0
        self.host = ""
        self._factory = factory
        self._tls = tls
        self._servers: dict[int, asyncio.Server | None] = {}

    @property
    def ports(self) -> dict[int, bool]:
        """Whether each port listens, in the order in which they were opened first."""
        return {port: server is not None for port, server in self._servers.items()}

    async def open(self, host: str, port: int) -> int:
        """Listen; the port, chosen by the system when 0 was asked for. Raises OSError."""
        loop = asyncio.get_running_loop()
        chosen: list[int] = []
        server = await loop.create_server(lambda: self._factory(chosen[0]), host, port, ssl=self._tls)
        listening: int = server.sockets[0].getsockname()[1]
        chosen.append(listening)
        if not self._servers:
            self.host, self.port = host, listening
        self._servers[listening] = server
        return listening

    def close(self, port: int) -> None:
        """Refuse connections to a port from now on; KeyError for one that was never opened."""
        server = self._servers[port]
        self._servers[port] = None
        if server is not None:
            server.close()

    async def reopen(self, port: int) -> None:
        """Listen again on a port that was closed. Raises KeyError and OSError."""
        if self._servers[port] is None:
            await self.open(self.host, port)

    def close_all(self) -> None:
        for port in self._servers:
            self.close(port)
