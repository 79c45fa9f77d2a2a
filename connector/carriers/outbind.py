"""The listener for carriers that connect to us (SMPP 3.4 §2.2.1): listed addresses only, off by default."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections import deque
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from connector.carriers.addresses import Address
from connector.carriers.link import Link
from connector.log import event as log_event
from connector.metrics import CarrierMetrics

__all__ = ["Allowed", "OutbindListener"]

_log = logging.getLogger(__name__)

_TELL_EVERY_S = 60.0
"""Whoever scans our port must not fill the log."""


class Allowed:
    """Addresses and networks; raises ValueError for what is neither."""

    def __init__(self, entries: Sequence[str]) -> None:
        self._networks: list[IPv4Network | IPv6Network] = [ip_network(entry) for entry in entries]

    def __contains__(self, host: object) -> bool:
        try:
            address = ip_address(str(host).partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


class OutbindListener:
    """Hands each connection from a listed address to a bind that waits in `next`; refuses all others."""

    def __init__(
        self,
        name: str,
        address: Address,
        allowed: Allowed,
        password: Callable[[], bytes | None],
        metrics: CarrierMetrics,
        now: Callable[[], float],
    ) -> None:
        self._name = name
        self._address = address
        self._allowed = allowed
        self._password = password
        self._metrics = metrics
        self._now = now
        self._waiting: deque[asyncio.Future[asyncio.Transport]] = deque()
        self._server: asyncio.Server | None = None
        self._told = 0
        self._tell_at = 0.0

    async def start(self) -> None:
        """Listen; says so in the log when that is not possible."""
        host, port = self._address
        loop = asyncio.get_running_loop()
        try:
            # While a changed configuration takes over there are two of us.
            self._server = await loop.create_server(lambda: _Door(self), host, port, reuse_port=True)
        except OSError as error:
            log_event(
                _log, "cannot listen for outbinds", level=logging.ERROR, carrier=self._name, error=error
            )

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def next(self, link: Link) -> None:
        """The next connection becomes `link`'s. Raises ConnectionError when it has ended already."""
        waiting: asyncio.Future[asyncio.Transport] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            transport = await waiting
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
        if transport.is_closing():
            raise ConnectionError("the carrier went away again")
        door = transport.get_protocol()
        transport.set_protocol(link)
        link.connection_made(transport)
        if isinstance(door, _Door) and door.heard:
            asyncio.get_running_loop().call_soon(link.data_received, door.heard)
        transport.resume_reading()

    def admits(self, password: bytes) -> bool:
        """Whether an outbind carries what the carrier's file says; without a password there anyone's does."""
        expected = self._password()
        return expected is None or hmac.compare_digest(password, expected)

    def arrived(self, transport: asyncio.Transport, host: str) -> None:
        """A connection was made to us."""
        while self._waiting and host in self._allowed:
            waiting = self._waiting.popleft()
            if not waiting.done():
                transport.pause_reading()
                waiting.set_result(transport)
                return
        transport.abort()
        self._metrics.outbinds_refused += 1
        self._told += 1
        if self._now() >= self._tell_at:
            reason = "no bind waits for one" if host in self._allowed else "address not listed"
            log_event(
                _log, "outbind connection refused", level=logging.WARNING, carrier=self._name, peer=host,
                reason=reason, number=self._told,
            )  # fmt: skip
            self._told, self._tell_at = 0, self._now() + _TELL_EVERY_S


class _Door(asyncio.Protocol):
    """Stands in until a bind takes the connection. `heard`: uvloop reads once before it pauses."""

    heard = b""

    def __init__(self, listener: OutbindListener) -> None:
        self._listener = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer: Any = transport.get_extra_info("peername") or ("",)
        self._listener.arrived(transport, str(peer[0]))  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        self.heard += data
