"""RTCP of one call (RFC 3550 §6): the callee tells every few seconds what it received, and that it leaves."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time

from protocols.rtp import rtcp
from protocols.rtp.errors import PacketError
from protocols.rtp.receiver import Reception
from protocols.rtp.sender import Stream

_CNAME_OCTETS = 12
_OCTETS = 2048


class Reports:
    """Sends and reads reports on the socket above the one of RTP.

    received  compound packets of the peer
    """

    def __init__(self, endpoint: socket.socket, stream: Stream, rng: random.Random) -> None:
        self.received = 0
        self.reception: Reception | None = None
        self._socket = endpoint
        self._stream = stream
        self._rng = rng
        self._cname = rng.randbytes(_CNAME_OCTETS).hex()
        self._peer: tuple[str, int] | None = None
        self._due = 0.0
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(endpoint, self._readable)

    def connect(self, host: str, port: int, now: float) -> None:
        """The peer's RTP goes to this port, its RTCP to the one above."""
        if self._peer is None:
            self._due = now + rtcp.interval(self._rng.random(), first=True)
        self._peer = (host, port + 1)

    def tick(self, now: float) -> None:
        """Report when it is time to."""
        if self._peer is not None and now >= self._due:
            self._due = now + rtcp.interval(self._rng.random(), first=False)
            self._send(now)

    def close(self, now: float) -> None:
        """Say goodbye and close the socket."""
        if self._peer is not None:
            self._send(now, rtcp.Goodbye((self._stream.ssrc,)))
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _send(self, now: float, *more: rtcp.Report) -> None:
        stream, source = self._stream, self.reception
        blocks = (source.report(now),) if source is not None and source.valid else ()
        first: rtcp.Report = rtcp.ReceiverReport(stream.ssrc, blocks)
        if stream.packets:
            sent = (stream.timestamp, stream.packets, stream.octets)
            first = rtcp.SenderReport(stream.ssrc, rtcp.ntp(time.time()), *sent, blocks)
        name = rtcp.SourceDescription(((stream.ssrc, self._cname),))
        assert self._peer is not None
        with contextlib.suppress(OSError):
            self._socket.sendto(rtcp.encode((first, name, *more)), self._peer)

    def _readable(self) -> None:
        with contextlib.suppress(OSError, PacketError):
            reports = rtcp.parse(self._socket.recv(_OCTETS))
            self.received += 1
            for report in reports:
                source = self.reception
                if isinstance(report, rtcp.SenderReport) and source and source.ssrc == report.ssrc:
                    source.sender_report(report.ntp, self._loop.time())
