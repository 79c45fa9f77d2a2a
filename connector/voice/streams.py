"""SIP over TCP and TLS: connections that we open and that later messages to the same peer use again."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from connector.voice.resolve import Target
from protocols.sip.events import Flow

__all__ = ["ContextOf", "Reader", "Streams"]

ContextOf = Callable[[], ssl.SSLContext]

_CONNECT_S: Final = 5.0
"""For the connection and the handshake of TLS. The other addresses of a trunk must still have a chance."""
_MOST_UNSENT_OCTETS: Final = 1 << 20
"""A peer that leaves so much unread has stopped reading."""
_MOST_CONNECTIONS: Final = 64


class Reader(Protocol):
    """Who reads what comes."""

    def received(self, data: bytes, flow: Flow) -> None: ...
    def lost(self, flow: Flow, reason: str) -> None: ...


class _Peer(NamedTuple):
    """Connections are not shared between trunks that verify the peer in different ways."""

    target: Target
    context: ContextOf | None


class Streams:
    """The connections of an endpoint, by peer.

    A TLS connection is made with the context that `context_of` gives, read anew for each, and the peer's
    certificate must name the trunk's own domain (RFC 5922), or what `server_name` of its file says.
    Connections leave from `host`, any where it is ""; `told` as for `Endpoint`.
    """

    def __init__(self, reader: Reader, host: str, told: str) -> None:
        self._reader = reader
        self._from = (host, 0) if host else None
        self._told = told
        self._open: dict[_Peer, _Connection] = {}
        self._opening: dict[_Peer, asyncio.Task[_Connection]] = {}
        self._by_flow: dict[Flow, _Connection] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._by_flow)

    async def flow(self, target: Target, context_of: ContextOf | None) -> Flow:
        """The connection to `target`, opened when there is none. Raises OSError and TimeoutError."""
        peer = _Peer(target, context_of)
        if (found := self._open.get(peer)) is not None:
            # Its place in the dict is the time of its last use.
            self._open[peer] = self._open.pop(peer)
            return found.flow
        opening = self._opening.get(peer)
        if opening is None:
            opening = self._opening[peer] = asyncio.create_task(self._connect(peer))
            opening.add_done_callback(lambda _: self._opening.pop(peer, None))
        # Several wait for one connection: who gives up must not take it from the others.
        return (await asyncio.shield(opening)).flow

    def send(self, flow: Flow, data: bytes) -> bool:
        """False when that connection is gone."""
        connection = self._by_flow.get(flow)
        return connection is not None and connection.write(data)

    def drop(self, flow: Flow) -> None:
        """Close a connection on which messages cannot be told apart any more."""
        if (connection := self._by_flow.get(flow)) is not None:
            connection.abort()

    async def close(self) -> None:
        self._closed = True
        opening = list(self._opening.values())
        for task in opening:
            task.cancel()
        await asyncio.gather(*opening, return_exceptions=True)
        ended = [connection.ended for connection in self._by_flow.values()]
        for connection in list(self._by_flow.values()):
            connection.close()
        if ended:
            await asyncio.wait(ended, timeout=1.0)
        for connection in list(self._by_flow.values()):
            connection.abort()

    async def _connect(self, peer: _Peer) -> _Connection:
        loop = asyncio.get_running_loop()
        target = peer.target
        async with asyncio.timeout(_CONNECT_S):
            if peer.context is None:
                _, made = await loop.create_connection(
                    lambda: _Connection(self, peer, self._told), target.address, target.port,
                    local_addr=self._from,
                )  # fmt: skip
            else:
                context = await asyncio.to_thread(peer.context)
                _, made = await loop.create_connection(
                    lambda: _Connection(self, peer, self._told), target.address, target.port,
                    ssl=context, server_hostname=target.server_name, local_addr=self._from,
                )  # fmt: skip
        if self._closed or made.ended.done():
            made.abort()
            raise ConnectionAbortedError("closed at once")
        while len(self._open) >= _MOST_CONNECTIONS:
            oldest = next(iter(self._open))
            self._open.pop(oldest).close()
        self._open[peer] = made
        self._by_flow[made.flow] = made
        return made

    def _received(self, connection: _Connection, data: bytes) -> None:
        self._reader.received(data, connection.flow)

    def _lost(self, connection: _Connection, reason: str) -> None:
        if self._open.get(connection.peer) is connection:
            del self._open[connection.peer]
        if self._by_flow.pop(connection.flow, None) is not None:
            self._reader.lost(connection.flow, reason)


class _Connection(asyncio.Protocol):
    def __init__(self, owner: Streams, peer: _Peer, told: str) -> None:
        self.peer = peer
        self._told = told
        self.flow = Flow(peer.target.transport, ("", 0), peer.target.remote)
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._owner = owner
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        assert self._transport is not None
        self._transport.set_write_buffer_limits(high=_MOST_UNSENT_OCTETS)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port = transport.get_extra_info("sockname")[:2]
        self.flow = self.flow._replace(local=(self._told or host, port))

    def data_received(self, data: bytes) -> None:
        self._owner._received(self, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self.ended.done():
            self.ended.set_result(None)
        self._owner._lost(self, "closed by the peer" if exc is None else type(exc).__name__)

    def pause_writing(self) -> None:
        self.abort()

    def write(self, data: bytes) -> bool:
        if self._transport is None or self._transport.is_closing():
            return False
        self._transport.write(data)
        return True

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
