"""Where a trunk's requests go: its name becomes addresses, in the order to try them (RFC 3263 §4)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Final, Literal, NamedTuple

import msgspec

from connector.voice.lookup import Answer, Kind, Lookup, LookupFailed, Naptr, Record, Srv

__all__ = ["Host", "Resolver", "Target", "Transport", "Unresolvable", "host_of", "weighted"]

Transport = Literal["udp", "tcp", "tls"]

_SERVICE: Final[dict[Transport, str]] = {"udp": "SIP+D2U", "tcp": "SIP+D2T", "tls": "SIPS+D2T"}
_SRV: Final[dict[Transport, str]] = {"udp": "_sip._udp.", "tcp": "_sip._tcp.", "tls": "_sips._tcp."}
_PORT: Final[dict[Transport, int]] = {"udp": 5060, "tcp": 5060, "tls": 5061}

_MOST_TARGETS = 16
_MOST_ANSWERS = 512
_TTL_LEAST_S, _TTL_MOST_S = 5.0, 3600.0
_FAILED_S = 2.0
"""A question that failed is not put again before."""
_STALE_S = 86_400.0
"""What was known may be used for so long when the DNS does not answer (RFC 8767 §5)."""


class Unresolvable(Exception):
    """The name leads to no address now; the reason holds no more than the kind of failure."""


class Host(NamedTuple):
    """One of a trunk's names as configured: a domain or an address, and a port or None."""

    name: str
    port: int | None


class Target(msgspec.Struct, frozen=True, gc=False):
    """One address. `server_name` is what a certificate must name: the configured domain, and never the
    name that the DNS led to, which an attacker may have chosen (RFC 5922 §4).
    """

    transport: Transport
    address: str
    port: int
    server_name: str

    @property
    def remote(self) -> tuple[str, int]:
        return self.address, self.port


class _Known(NamedTuple):
    answer: Answer
    until: float


class Resolver:
    """Follows NAPTR, SRV, A and AAAA. One for all trunks of a process: it keeps what it was told.

    `now` is in seconds of any base, `rng` shares the load among records of one priority.
    """

    def __init__(self, lookup: Lookup, *, now: Callable[[], float], rng: Random) -> None:
        self._lookup = lookup
        self._now = now
        self._rng = rng
        self._known: dict[tuple[str, Kind], _Known] = {}

    async def targets(self, host: Host, transport: Transport) -> tuple[Target, ...]:
        """In the order to try them, at least one. Raises Unresolvable."""
        if (address := _numeric(host.name)) is not None:
            return (Target(transport, address, host.port or _PORT[transport], host.name),)
        try:
            if host.port is not None:
                places: Iterable[Srv] = (Srv(0, 0, host.port, host.name),)
            else:
                places = await self._servers(host.name, transport)
            found = [
                Target(transport, address, place.port, host.name)
                for place in places
                for address in await self._addresses(place.target)
            ]
        except LookupFailed as error:
            raise Unresolvable(f"the DNS did not answer ({error})") from None
        if not found:
            raise Unresolvable("the name has no address")
        return tuple(dict.fromkeys(found))[:_MOST_TARGETS]

    async def _servers(self, domain: str, transport: Transport) -> Sequence[Srv]:
        """RFC 3263 §4.1, 4.2. The transport is configured: of NAPTR only the records for it count."""
        naptr = [record for record in await self._ask(domain, "NAPTR") if isinstance(record, Naptr)]
        fit = [each for each in naptr if each.service == _SERVICE[transport] and each.flags == "S"]
        names = [each.replacement for each in sorted(fit, key=lambda each: (each.order, each.preference))]
        for name in names or [_SRV[transport] + domain]:
            records = [record for record in await self._ask(name, "SRV") if isinstance(record, Srv)]
            if len(records) == 1 and not records[0].target:
                raise Unresolvable("its SRV record says that the service is not offered")
            if records:
                return weighted(records, self._rng)
        return (Srv(0, 0, _PORT[transport], domain),)

    async def _addresses(self, name: str) -> list[str]:
        """IPv4 first: not every host that has a name for it has a way to IPv6."""
        if (address := _numeric(name)) is not None:
            return [address]
        found = [str(each) for each in await self._ask(name, "A")]
        return found + [str(each) for each in await self._ask(name, "AAAA", optional=bool(found))]

    async def _ask(self, name: str, kind: Kind, *, optional: bool = False) -> tuple[Record, ...]:
        key = (name.lower(), kind)
        known, now = self._known.get(key), self._now()
        if known is not None and now < known.until:
            return known.answer.records
        try:
            answer = await self._lookup(name, kind)
        except LookupFailed:
            if known is not None and now < known.until + _STALE_S:
                self._keep(key, _Known(known.answer, now + _FAILED_S))
                return known.answer.records
            if optional:
                return ()
            raise
        ttl_s = min(max(answer.ttl_s, _TTL_LEAST_S), _TTL_MOST_S)
        self._keep(key, _Known(answer, self._now() + ttl_s))
        return answer.records

    def _keep(self, key: tuple[str, Kind], known: _Known) -> None:
        self._known.pop(key, None)
        if len(self._known) >= _MOST_ANSWERS:
            del self._known[next(iter(self._known))]
        self._known[key] = known


def weighted(records: Iterable[Srv], rng: Random) -> list[Srv]:
    """By priority; among equals in the random order of RFC 2782, "Usage rules": each next one with a chance
    that is its share of the weights that are left.
    """
    ordered: list[Srv] = []
    left = sorted(records, key=lambda record: (record.priority, record.weight))
    while left:
        same = [record for record in left if record.priority == left[0].priority]
        point = rng.randint(0, sum(record.weight for record in same))
        chosen = same[-1]
        for record in same:
            point -= record.weight
            if point <= 0:
                chosen = record
                break
        left.remove(chosen)
        ordered.append(chosen)
    return ordered


def host_of(text: str) -> Host:
    """Host("sip.example", 5062) from "sip.example:5062"; the port may be absent, IPv6 has brackets."""
    if text.startswith("["):
        name, _, rest = text[1:].partition("]")
        return Host(name, int(rest[1:]) if rest else None)
    name, colon, port = text.partition(":")
    if ":" in port:  # an IPv6 address without brackets has no port
        return Host(text, None)
    return Host(name, int(port) if colon else None)


def _numeric(name: str) -> str | None:
    try:
        return str(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return None
