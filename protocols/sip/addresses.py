"""Which of the addresses that a peer names may be sent to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

__all__ = ["may_be_sent_to"]


def may_be_sent_to(named: IPv4Address | IPv6Address, known: IPv4Address | IPv6Address) -> bool:
    """Whether ``named`` is the address of one host, of the family of ``known``; the services of this host
    are named only by who is on it, as ``known`` is then.
    """
    if named.version != known.version or named.is_multicast:
        return False
    if isinstance(named, IPv4Address):
        return not named.is_reserved and (known.is_loopback or not named.is_loopback)
    return (
        named.ipv4_mapped is None and named.scope_id is None and (known.is_loopback or not named.is_loopback)
    )
