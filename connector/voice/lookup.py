"""Questions to the DNS, by dnspython; imported when the first name has to be looked up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver as DnsPython

__all__ = ["Answer", "Dns", "Kind", "Lookup", "LookupFailed", "Naptr", "Record", "Srv"]

Kind = Literal["NAPTR", "SRV", "A", "AAAA"]

_MOST_RECORDS = 32
"""Of one answer; what comes beyond is passed over."""

_SYSTEM_TTL_S = 60.0
"""The hosts file has none."""


class LookupFailed(Exception):
    """No answer came, or the servers refuse: whether the name exists is not known."""


class Naptr(msgspec.Struct, frozen=True, gc=False):
    """RFC 3403 §4.1, as far as RFC 3263 §4.1 needs it. `service` in upper case."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


class Srv(msgspec.Struct, frozen=True, gc=False):
    """RFC 2782. `target` without the final dot; "" where the service is not offered at all."""

    priority: int
    weight: int
    port: int
    target: str


Record = Naptr | Srv | str
"""An address is a str."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """`records` is empty where the name, or the kind at this name, does not exist."""

    records: tuple[Record, ...]
    ttl_s: float


class Lookup(Protocol):
    """Asks for one kind of record. Raises LookupFailed."""

    async def __call__(self, name: str, kind: Kind) -> Answer: ...


class Dns(Lookup):
    """The host's own servers, or `servers` as (address, port). An answer that takes longer than `timeout_s`
    has failed.

    Addresses that the DNS does not have are looked for in the way of the host as well, for the hosts file.
    """

    def __init__(self, servers: Sequence[tuple[str, int]] = (), *, timeout_s: float = 4.0) -> None:
        self._servers = tuple(servers)
        self._timeout_s = timeout_s
        self._resolver: DnsPython | None = None

    async def __call__(self, name: str, kind: Kind) -> Answer:
        address = kind in ("A", "AAAA")
        if "." not in name:
            return await self._of_the_host(name, kind) if address else Answer((), _SYSTEM_TTL_S)
        answer = await self._ask(name, kind)
        if address and not answer.records and not self._servers:
            return await self._of_the_host(name, kind)
        return answer

    async def _ask(self, name: str, kind: Kind) -> Answer:
        import dns.exception
        import dns.resolver

        try:
            resolver = self._resolver = self._resolver or self._made()
            answer = await resolver.resolve(
                name, kind, search=False, lifetime=self._timeout_s, raise_on_no_answer=False
            )
        except dns.resolver.NXDOMAIN:
            return Answer((), _SYSTEM_TTL_S)
        except (dns.exception.DNSException, OSError, ValueError) as error:
            # The error's own words hold the name and the servers: enough that it failed, and how.
            raise LookupFailed(f"{kind}: {type(error).__name__}") from None
        if answer.rrset is None:
            return Answer((), _SYSTEM_TTL_S)
        records = tuple(_record(kind, rdata) for rdata in list(answer.rrset)[:_MOST_RECORDS])
        return Answer(records, float(answer.rrset.ttl))

    def _made(self) -> DnsPython:
        import dns.asyncresolver

        if not self._servers:
            return dns.asyncresolver.Resolver()
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = [address for address, _ in self._servers]
        resolver.port = self._servers[0][1]
        resolver.nameserver_ports = dict(self._servers)
        return resolver

    async def _of_the_host(self, name: str, kind: Kind) -> Answer:
        loop = asyncio.get_running_loop()
        family = socket.AF_INET if kind == "A" else socket.AF_INET6
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await loop.getaddrinfo(name, None, family=family, type=socket.SOCK_DGRAM)
        except socket.gaierror:
            return Answer((), _SYSTEM_TTL_S)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise LookupFailed(f"{kind}: {type(error).__name__}") from None
        addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
        return Answer(tuple(addresses)[:_MOST_RECORDS], _SYSTEM_TTL_S)


def _record(kind: Kind, rdata: Any) -> Record:
    if kind == "NAPTR":
        return Naptr(
            rdata.order,
            rdata.preference,
            rdata.flags.decode("ascii", "replace").upper(),
            rdata.service.decode("ascii", "replace").upper(),
            str(rdata.replacement).rstrip("."),
        )
    if kind == "SRV":
        return Srv(rdata.priority, rdata.weight, rdata.port, str(rdata.target).rstrip("."))
    return str(rdata.address)
