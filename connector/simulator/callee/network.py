"""The signalling sockets of a callee: one UDP port, and TCP on the same one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from protocols.sip.events import Flow

if TYPE_CHECKING:
    from .disorder import Disorder

Received = Callable[[bytes, Flow], None]
Lost = Callable[[Flow, str], None]

_TRIES = 50
_CONNECTIONS = 1000
_BUFFER = 1 << 20


class Network:
    """Carries bytes between flows and `received`; `lost` is told of connections that end.

    `disorder` is what comes of the datagrams of each direction, incoming first.
    """

    def __init__(
        self, received: Received, lost: Lost, disorder: tuple[Disorder[_Parcel], Disorder[_Parcel]]
    ) -> None:
        self._received = received
        self._lost = lost
        self._incoming, self._outgoing = disorder
        self._local = ("", 0)
        self._udp: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None
        self._connections: dict[Flow, asyncio.Transport] = {}

    async def open(self, host: str, port: int, *, tcp: bool) -> int:
        """Listen; the port, chosen by the system when 0 was asked for. Raises OSError."""
        for last in range(_TRIES):
            listening = await self._open_udp(host, port)
            try:
                if tcp:
                    await self._open_tcp(host, listening)
                return listening
            except OSError:
                # Somebody has the TCP port of this number: another one may be free for both.
                self.close()
                if port or last == _TRIES - 1:
                    raise
        raise AssertionError("unreachable")

    async def _open_udp(self, host: str, port: int) -> int:
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (host, port))
        endpoint: socket.socket = self._udp.get_extra_info("socket")
        # Every call of a burst comes to this one socket.
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._local = endpoint.getsockname()[:2]
        return self._local[1]

    async def _open_tcp(self, host: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), host, port)

    def close(self) -> None:
        """Close both ports and every connection."""
        if self._udp is not None:
            self._udp.close()
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections.values()):
            connection.abort()
        self._connections.clear()

    def send(self, flow: Flow, data: bytes) -> None:
        """Send on a flow that was seen before; nothing happens when its connection has ended."""
        if flow.transport == "udp":
            for parcel in self._outgoing.passed((data, flow)):
                self._send_datagram(*parcel)
        elif flow in self._connections:
            self._connections[flow].write(data)

    def _send_datagram(self, data: bytes, flow: Flow) -> None:
        if self._udp is not None and not self._udp.is_closing():
            with contextlib.suppress(OSError):
                self._udp.sendto(data, flow.remote)

    def datagram(self, data: bytes, remote: tuple[str, int]) -> None:
        for parcel in self._incoming.passed((data, Flow("udp", self._local, remote))):
            self._received(*parcel)

    def segment(self, data: bytes, flow: Flow) -> None:
        self._received(data, flow)

    def joined(self, transport: asyncio.Transport) -> Flow | None:
        """The flow of a new connection, None when there are too many."""
        if len(self._connections) >= _CONNECTIONS:
            transport.abort()
            return None
        flow = Flow("tcp", self._local, transport.get_extra_info("peername")[:2])
        self._connections[flow] = transport
        return flow

    def drop(self, flow: Flow) -> None:
        """Close a connection whose messages can no longer be told apart."""
        if flow in self._connections:
            self._connections[flow].abort()

    def left(self, flow: Flow) -> None:
        if self._connections.pop(flow, None) is not None:
            self._lost(flow, "the connection was closed")


_Parcel = tuple[bytes, Flow]


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, network: Network) -> None:
        self._network = network

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._network.datagram(data, addr[:2])


class _Connection(asyncio.Protocol):
    def __init__(self, network: Network) -> None:
        self._network = network
        self._flow: Flow | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._flow = self._network.joined(cast(asyncio.Transport, transport))

    def data_received(self, data: bytes) -> None:
        if self._flow is not None:
            self._network.segment(data, self._flow)

    def connection_lost(self, error: Exception | None) -> None:
        if self._flow is not None:
            self._network.left(self._flow)
