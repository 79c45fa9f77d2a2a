"""Where the peer's packets come from: symmetric RTP (RFC 4961) that follows only the negotiated peer."""

from __future__ import annotations

import ipaddress
from typing import Any

__all__ = ["Peer"]


class Peer:
    """One negotiated address.

    The port may be another one than negotiated, as behind a NAT, if the first packets come from it; from then
    on only that one is the peer's. But what comes from the negotiated one ends that for good: whoever is
    behind a NAT never sends from there, and who forges one packet of the host must not get the call. The host
    never changes.

    address  where to send: as negotiated, then where the packets come from
    """

    __slots__ = ("_host", "_latched", "_negotiated", "address")

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._latched = False
        self._negotiated = (host, port)
        self.address: Any = self._negotiated

    def accepts(self, address: Any) -> bool:
        """Whether a datagram from this socket address may be the peer's."""
        if self._latched:
            return bool(address == self.address or address[:2] == self._negotiated)
        return bool(address[0] == self._host)

    def latch(self, address: Any) -> None:
        """A packet from there was the peer's indeed."""
        self.address = address
        self._latched = True

    @property
    def latched(self) -> bool:
        return self._latched


def numeric(host: str) -> str:
    """The address as the kernel spells it; ValueError for a name."""
    return str(ipaddress.ip_address(host))
