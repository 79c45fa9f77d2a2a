"""When two files speak of one account with a carrier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv6Address, ip_address

from .carrier import CarrierFile
from .document import Document
from .problem import Problem
from .trunk import TrunkFile

__all__ = ["carrier_hosts", "host_identity", "same_account_problems", "trunk_hosts"]

# RFC 3261 §19.1.2: without a port it is this one, or what the domain's records say.
_SIP_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}


def host_identity(host: str) -> str:
    """Equal for two ways to write one host: letter case, the root's dot, brackets, forms of an address."""
    plain = host.strip("[]").rstrip(".").casefold()
    try:
        address = ip_address(plain)
    except ValueError:
        return plain
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).compressed


def carrier_hosts(file: CarrierFile) -> dict[str, str]:
    """The hosts of an account, standby ones among them: identity to how the file writes it."""
    standby = (_split(address)[0] for address in file.account.standby)
    return {host_identity(host): host for host in (*standby, file.account.host)}


def trunk_hosts(file: TrunkFile) -> dict[str, str]:
    """The same of a trunk; its domain is one too, for that is what the carrier knows an account by."""
    account = file.trunk
    standby = (_split(address)[0] for address in account.standby)
    domain = (account.domain,) if account.domain is not None else ()
    return {host_identity(host): host for host in (*standby, *domain, account.host)}


def same_account_problems(
    carriers: Sequence[tuple[CarrierFile, Document]], trunks: Sequence[tuple[TrunkFile, Document]]
) -> Iterator[Problem]:
    """Two files of one instance for one account: each would count rate and window, or calls, alone.

    Here the port counts: one host may offer several services. A file that is switched off counts nothing.
    """
    known: dict[tuple[str, int, str], Document] = {}
    for carrier, document in carriers:
        if not carrier.enabled:
            continue
        account = carrier.account
        addresses = [(account.host, account.port), *map(_split, account.standby)]
        owners = [
            known.setdefault((host_identity(host), port, account.system_id), document)
            for host, port in addresses
        ]
        yield from _repeated(document, owners, ("account", "system_id"))
    known = {}
    for trunk, document in trunks:
        if not trunk.enabled:
            continue
        usual = _SIP_PORTS[trunk.trunk.transport]
        addresses = [(trunk.trunk.host, trunk.trunk.port or usual)]
        addresses += [(host, port or usual) for host, port in map(_split, trunk.trunk.standby)]
        owners = [
            known.setdefault((host_identity(host), port, trunk.trunk.username or ""), document)
            for host, port in addresses
        ]
        yield from _repeated(document, owners, ("trunk", "host"))


def _repeated(document: Document, owners: list[Document], path: tuple[str, str]) -> Iterator[Problem]:
    first = next((owner for owner in owners if owner is not document), None)
    if first is not None:
        where = f"{first.file}:{first.line(path)}"
        yield document.problem(path, f"is the account of {where} too, expected one file for each account")


def _split(address: str) -> tuple[str, int]:
    """HOST or HOST:PORT, an IPv6 address in brackets; port 0 where there is none."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit() and (not host.startswith("[") or host.endswith("]")):
        return host, int(port)
    return address, 0
