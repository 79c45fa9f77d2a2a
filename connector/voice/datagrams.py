"""SIP over UDP: one socket for all trunks of a lane."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Callable
from typing import Any, Final

from asyncio_dgram.aio import DatagramServer, Protocol, TransportClosed

__all__ = ["Datagrams", "Reading"]

Address = tuple[str, int]
Reading = Callable[[list[tuple[bytes, Address]]], None]
"""Takes everything that has come since the last call."""

_MOST_WAITING: Final = 4096
"""Datagrams that have come and are not read; a burst of 1,000 calls' answers is less."""
_MOST_ERRORS: Final = 16
_RECEIVE_OCTETS: Final = 1 << 21
_MOST_ROUTES: Final = 256
_NOT_OF_THE_WAY: Final = (errno.ENOBUFS, errno.EMSGSIZE)
"""What fails one datagram only: one that is too large, as a peer can make our answers, says nothing of the
way.
"""


class _Bounded(asyncio.Queue[Any]):
    """Holds no more than `most`; what comes beyond is counted and gone, as with a full socket."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.dropped = 0
        self._most = most

    def put_nowait(self, item: object) -> None:
        if self.qsize() >= self._most and item != (None, None):  # asyncio-dgram's word for the end
            self.dropped += 1
        else:
            super().put_nowait(item)


class Datagrams:
    """A socket on `listen`, read in batches.

    asyncio-dgram's own `bind` makes queues without a bound, so its protocol and its stream are put around
    bounded ones here; both are its own classes. What it has for sending is a coroutine that may raise the
    error of an earlier datagram instead of sending this one: datagrams leave by the socket directly.

    told     the address that peers are told to send to; "": the one that leads to them
    unsent   datagrams that the host did not take
    """

    def __init__(self, listen: Address, told: str, reading: Reading) -> None:
        self.unsent = 0
        self._listen = listen
        self._anywhere = ipaddress.ip_address(listen[0]).is_unspecified
        self._told = told
        self._reading = reading
        self._queue = _Bounded(_MOST_WAITING)
        self._stream: DatagramServer | None = None
        self._socket: socket.socket | None = None
        self._reader: asyncio.Task[None] | None = None
        self._routes: dict[str, str] = {}
        self._family = socket.AF_INET6 if ":" in listen[0] else socket.AF_INET
        self._port = 0

    @property
    def dropped(self) -> int:
        """Datagrams that came faster than they were read."""
        return self._queue.dropped

    async def open(self) -> None:
        """Raises OSError."""
        loop = asyncio.get_running_loop()
        made = socket.socket(self._family, socket.SOCK_DGRAM)
        try:
            made.setblocking(False)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_OCTETS)
            made.bind(self._listen)
        except OSError:
            made.close()
            raise
        self._port = made.getsockname()[1]
        errors, drained = _Bounded(_MOST_ERRORS), asyncio.Event()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Protocol(self._queue, errors, drained), sock=made
        )
        self._stream = DatagramServer(
            transport,  # type: ignore[arg-type]  # its stub names the wrong class
            self._queue,
            errors,
            drained,
        )
        self._socket = made
        self._reader = asyncio.create_task(self._read(self._stream))

    def local(self, remote: str) -> Address:
        """Where `remote` reaches us. Raises OSError where nothing leads there."""
        if self._told:
            return self._told, self._port
        if not self._anywhere:
            return self._listen[0], self._port
        if (route := self._routes.get(remote)) is None:
            if len(self._routes) >= _MOST_ROUTES:
                self._routes.clear()
            route = self._routes[remote] = _route(self._family, remote)
        return route, self._port

    def send(self, data: bytes, remote: Address) -> bool:
        """False when no way leads there. What a full socket does not take is lost, as it could be later."""
        if self._socket is None:
            return False
        try:
            self._socket.sendto(data, remote)
        except BlockingIOError:
            self.unsent += 1
        except OSError as error:
            self.unsent += 1
            return error.errno in _NOT_OF_THE_WAY
        return True

    async def close(self) -> None:
        if self._stream is not None and self._reader is not None:
            self._stream.close()
            await self._reader
            self._stream = self._socket = self._reader = None

    async def _read(self, stream: DatagramServer) -> None:
        queue = self._queue
        while True:
            try:
                data, remote = await stream.recv()
            except OSError:  # told by ICMP: which datagram it was about, the timers find out
                self.unsent += 1
                continue
            except TransportClosed:
                return
            batch: list[tuple[bytes, Any]] = [(data, remote)]
            while not queue.empty():
                data, remote = queue.get_nowait()
                if data is not None:
                    batch.append((data, remote))
            self._reading(batch)


def _route(family: int, remote: str) -> str:
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((remote, 9))  # of a datagram socket: nothing leaves
        return str(probe.getsockname()[0])
