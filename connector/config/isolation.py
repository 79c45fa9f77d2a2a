"""Lanes share nothing: what each instance owns, and what two of them both claim."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from msgspec import Struct

from .document import Document
from .load import Instance
from .model import Config
from .problem import Path, Problem

__all__ = ["Claim", "claims", "shared_problems"]


class Claim(Struct, frozen=True, kw_only=True):
    """One thing an instance owns alone.

    kind      for people: "carrier account", "sender id", "socket", "port"
    identity  two claims of one kind with the same identity are one thing
    shown     how the file says it
    document  and path: where it says so
    """

    kind: str
    identity: tuple[str | int, ...]
    shown: str
    document: Document
    path: Path


def shared_problems(instances: Sequence[Instance]) -> list[Problem]:
    """Every thing that two instances both claim, reported at the later one."""
    problems: list[Problem] = []
    owners: dict[tuple[str, tuple[str | int, ...]], tuple[int, Claim]] = {}
    for index, instance in enumerate(instances):
        for claim in claims(instance):
            owner, first = owners.setdefault((claim.kind, claim.identity), (index, claim))
            if owner != index:
                problems.append(_shared(claim, first.document.file, first.document.line(first.path)))
    return problems + _nested_states(instances) + _shared_rtp(instances)


def claims(instance: Instance) -> Iterator[Claim]:
    """What an instance owns, but for its state folder. Carriers switched off count: they may return."""
    config, main = instance.config, instance.document
    if config is None or main is None:
        return
    for carrier in config.carriers:
        account = carrier.account
        # The port does not count: carriers offer one account on several ports.
        standby = (address.rpartition(":")[0].strip("[]") for address in account.standby)
        hosts = {account.host, *standby}
        for host in sorted(hosts):
            yield Claim(
                kind="carrier account",
                identity=(host.casefold().rstrip("."), account.system_id),
                shown=f"{account.system_id} at {host}",
                document=instance.carriers[carrier.name],
                path=("account", "system_id"),
            )
        if carrier.outbind is not None:
            yield _port_claim(
                int(carrier.outbind.listen.rpartition(":")[2]),
                instance.carriers[carrier.name],
                ("outbind", "listen"),
            )
    yield from _trunk_claims(instance, config)
    for index, sender in enumerate(config.jobs.senders):
        identity = sender.removeprefix("+").casefold()
        path: Path = ("jobs", "senders", index)
        yield Claim(kind="sender id", identity=(identity,), shown=sender, document=main, path=path)
    # A number that handsets write to is one that a lane may send from: none of another lane's.
    for position, application in enumerate(config.applications):
        for index, number in enumerate(application.inbound):
            if number != "*":
                path = ("application", position, "inbound", index)
                identity = number.removeprefix("+")
                yield Claim(kind="sender id", identity=(identity,), shown=number, document=main, path=path)
    if config.socket.path is not None:
        socket = os.path.realpath(config.socket.path)
        yield Claim(kind="socket", identity=(socket,), shown=socket, document=main, path=("socket", "path"))
    if config.http is not None:
        yield _port_claim(config.http.address[1], main, ("http", "listen"))


def _trunk_claims(instance: Instance, config: Config) -> Iterator[Claim]:
    for trunk in config.trunks:
        document, account = instance.trunks[trunk.name], trunk.trunk
        hosts = {account.host, *(_host(address) for address in account.standby)}
        for host in sorted(hosts):
            yield Claim(
                kind="trunk account",
                identity=(host.casefold().rstrip("."), account.username or ""),
                shown=f"{account.username or '(no username)'} at {host}",
                document=document,
                path=("trunk", "username") if account.username else ("trunk", "host"),
            )
        for index, number in enumerate(trunk.calls.caller_ids):
            path: Path = ("calls", "caller_ids", index)
            identity = (number.removeprefix("+"),)
            yield Claim(kind="sender id", identity=identity, shown=number, document=document, path=path)
    main = instance.document
    if main is not None and config.trunks and (port := int(config.voice.listen.rpartition(":")[2])):
        yield _port_claim(port, main, ("voice", "listen"))


def _host(address: str) -> str:
    """Of HOST or HOST:PORT, without the brackets of an IPv6 address."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0]


def _port_claim(port: int, document: Document, path: Path) -> Claim:
    return Claim(kind="port", identity=(port,), shown=str(port), document=document, path=path)


def _shared(claim: Claim, file: str, line: int) -> Problem:
    return claim.document.problem(
        claim.path,
        f"the {claim.kind} {claim.shown} belongs to {file}:{line} too, expected each lane to have its own",
        "config_shared",
    )


def _nested_states(instances: Sequence[Instance]) -> list[Problem]:
    """State folders that are one or lie in one another; those systemd supplies are apart by its own rules."""
    folders = [
        (PurePath(os.path.realpath(instance.config.state_folder)), instance.document)
        for instance in instances
        if instance.config is not None
        and instance.document is not None
        and instance.config.state.folder is not None
    ]
    problems: list[Problem] = []
    for index, (folder, document) in enumerate(folders):
        for other, first in folders[:index]:
            if folder.is_relative_to(other) or other.is_relative_to(folder):
                where = f"{first.file}:{first.line(('state', 'folder'))}"
                if folder == other:
                    fault = f"the state folder {folder} belongs to {where} too"
                else:
                    fault = f"the state folder {folder} and {other} of {where} lie in one another"
                message = f"{fault}, expected each lane to have its own"
                problems.append(document.problem(("state", "folder"), message, "config_shared"))
    return problems


def _shared_rtp(instances: Sequence[Instance]) -> list[Problem]:
    """Ports of media that two instances would both take."""
    ranges = [
        (instance.config.voice.rtp_ports, instance.document)
        for instance in instances
        if instance.config is not None and instance.document is not None and instance.config.trunks
    ]
    problems: list[Problem] = []
    for index, ((first, last), document) in enumerate(ranges):
        for (other_first, other_last), other in ranges[:index]:
            if first <= other_last and other_first <= last:
                where = f"{other.file}:{other.line(('voice', 'rtp_ports'))}"
                message = f"{first} to {last} overlaps with {where}, expected each lane to have its own ports"
                problems.append(document.problem(("voice", "rtp_ports"), message, "config_shared"))
    return problems
