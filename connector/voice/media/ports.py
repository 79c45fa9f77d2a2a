"""The UDP ports of RTP: an even one for RTP, the odd one above it for RTCP (RFC 3550 §11)."""

from __future__ import annotations

import errno
import socket

__all__ = ["PortRange", "PortsExhausted"]

_RECEIVE_OCTETS = 1 << 18
"""Asked for, so that a stall of a second loses nothing whatever the host's default is."""
_EXPEDITED_FORWARDING = 46 << 2
"""DSCP of telephony (RFC 4594 §4.1), in the octet's upper six bits."""


_TAKEN = (errno.EADDRINUSE, errno.EACCES)


class PortsExhausted(Exception):
    """Every pair of the range is in use."""


class PortRange:
    """Pairs of ports in [low, high], handed out in turn from a random one on, so that they cannot be guessed.

    A pair that another process holds is passed over.
    """

    def __init__(self, low: int, high: int) -> None:
        self._first = low + low % 2
        self._pairs = (high + 1 - self._first) // 2
        if not 0 < low <= high <= 65535 or self._pairs < 1:
            raise ValueError(f"ports {low}-{high}: an even port and the next within 1-65535 are expected")
        self._used: set[int] = set()

    def __len__(self) -> int:
        """Pairs in use."""
        return len(self._used)

    @property
    def pairs(self) -> int:
        return self._pairs

    def open(self, host: str, start: int) -> tuple[socket.socket, socket.socket]:
        """Non-blocking sockets for RTP and RTCP on `host`; the search begins at pair `start` modulo `pairs`.

        Raises PortsExhausted, and OSError when `host` is none of this machine's addresses.
        """
        for step in range(self._pairs):
            port = self._first + (start + step) % self._pairs * 2
            if port not in self._used and (opened := _open_pair(host, port)):
                self._used.add(port)
                return opened
        raise PortsExhausted(f"all {self._pairs} port pairs are in use")

    def give_back(self, port: int) -> None:
        """The RTP port of a pair whose sockets are closed."""
        self._used.discard(port)


def _open_pair(host: str, port: int) -> tuple[socket.socket, socket.socket] | None:
    try:
        rtp = _open(host, port)
    except _Busy:
        return None
    try:
        return rtp, _open(host, port + 1)
    except _Busy:
        rtp.close()
        return None
    except OSError:
        rtp.close()
        raise


class _Busy(OSError):
    """The port is somebody else's."""


def _open(host: str, port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_OCTETS)
        if opened.family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _EXPEDITED_FORWARDING)
        else:
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _EXPEDITED_FORWARDING)
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        if error.errno in _TAKEN:
            raise _Busy from error
        raise
    return opened
