"""Lanes share nothing: what each instance owns, and what two of them both claim."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path as FilePath
from pathlib import PurePath

from msgspec import Struct

from .accounts import carrier_hosts, trunk_hosts
from .carrier import Carrier, Tls
from .document import Document
from .load import Instance
from .model import Config
from .problem import Path, Problem
from .trunk import Trunk

__all__ = ["Claim", "claims", "shared_problems"]

# What the units connector@.service and connector@.socket give an instance by the name of its folder.
_STATE_FOLDER = "/var/lib/connector/{name}"
_SOCKET = "/run/connector/{name}.sock"
_CREDENTIAL_PREFIX = "secret_"

_ADVICE = "expected each lane to have its own"


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

    @property
    def where(self) -> str:
        """FILE:LINE"""
        return f"{self.document.file}:{self.document.line(self.path)}"


def shared_problems(instances: Sequence[Instance]) -> list[Problem]:
    """Every thing that two instances both claim, reported at the later one; of one lane or of two."""
    problems: list[Problem] = []
    owners: dict[tuple[str, tuple[str | int, ...]], tuple[int, Claim]] = {}
    earlier: list[Claim] = []
    for index, instance in enumerate(instances):
        owned = list(claims(instance))
        for claim in owned:
            owner, first = owners.setdefault((claim.kind, claim.identity), (index, claim))
            if owner != index:
                problems.append(_shared(claim, first))
            else:
                problems += [_overlap(claim, other) for other in earlier if _overlaps(claim, other)]
        earlier += owned
    return problems


def claims(instance: Instance) -> Iterator[Claim]:
    """What an instance owns. Carriers switched off count: they may return."""
    config, main = instance.config, instance.document
    if config is None or main is None:
        return
    yield from _host_claims(instance.folder, config, main)
    for carrier in config.carriers:
        yield from _carrier_claims(carrier, instance.carriers[carrier.name])
    for trunk in config.trunks:
        yield from _trunk_claims(trunk, instance.trunks[trunk.name])
    for index, sender in enumerate(config.jobs.senders):
        yield _sender_claim(sender, main, ("jobs", "senders", index))
    # A number that handsets write to is one that a lane may send from: none of another lane's.
    for position, application in enumerate(config.applications):
        for index, number in enumerate(application.inbound):
            if number != "*":
                yield _sender_claim(number, main, ("application", position, "inbound", index))


def _host_claims(folder: str, config: Config, main: Document) -> Iterator[Claim]:
    """What it takes of this host: files, sockets and ports."""
    name = os.path.basename(os.path.abspath(folder))
    state = config.state_folder if config.state.folder is not None else _STATE_FOLDER.format(name=name)
    state = os.path.realpath(state)
    path: Path = ("state", "folder")
    yield Claim(kind="state folder", identity=(state,), shown=state, document=main, path=path)
    socket = os.path.realpath(config.socket.path or _SOCKET.format(name=name))
    yield Claim(kind="socket", identity=(socket,), shown=socket, document=main, path=("socket", "path"))
    for index, key in enumerate(config.privacy.keys):
        if (file := key.file or _credential_file(folder, key.credential)) is not None:
            path = ("privacy", "keys", index, "file" if key.file else "credential")
            yield _secret_claim(FilePath(folder, file), main, path)
    for name in ("chain_key", "signing_key"):
        given, credential = (getattr(config.evidence, f"{name}_{kind}") for kind in ("file", "credential"))
        if (file := given or _credential_file(folder, credential)) is not None:
            path = ("evidence", f"{name}_{'file' if given else 'credential'}")
            yield _secret_claim(FilePath(folder, file), main, path)
    if config.http is not None:
        yield _port_claim(config.http.address[1], main, ("http", "listen"))
    if config.trunks:
        if port := int(config.voice.listen.rpartition(":")[2]):
            yield _port_claim(port, main, ("voice", "listen"))
        first, last = config.voice.rtp_ports
        path, shown = ("voice", "rtp_ports"), f"{first} to {last}"
        yield Claim(kind="RTP range", identity=(first, last), shown=shown, document=main, path=path)


def _carrier_claims(carrier: Carrier, document: Document) -> Iterator[Claim]:
    account, outbind = carrier.account, carrier.outbind
    # The port does not count: carriers offer one account on several ports.
    for identity, host in sorted(carrier_hosts(carrier).items()):
        yield Claim(
            kind="carrier account",
            identity=(identity, account.system_id),
            shown=f"{account.system_id} at {host}",
            document=document,
            path=("account", "system_id"),
        )
    folder = carrier.folder
    yield from _secret_claims(folder, document, "account", account.password_file, account.password_credential)
    yield from _key_claims(folder, carrier.tls, document)
    if outbind is not None:
        yield _port_claim(int(outbind.listen.rpartition(":")[2]), document, ("outbind", "listen"))
        files = (outbind.password_file, outbind.password_credential)
        yield from _secret_claims(folder, document, "outbind", *files)
    # Handsets see the replacement, not what it replaces.
    for sender, replacement in carrier.source.replace.items():
        yield _sender_claim(replacement, document, ("source", "replace", sender))


def _trunk_claims(trunk: Trunk, document: Document) -> Iterator[Claim]:
    account = trunk.trunk
    for identity, host in sorted(trunk_hosts(trunk).items()):
        yield Claim(
            kind="trunk account",
            identity=(identity, account.username or ""),
            shown=f"{account.username or '(no username)'} at {host}",
            document=document,
            path=("trunk", "username") if account.username else ("trunk", "host"),
        )
    files = (account.password_file, account.password_credential)
    yield from _secret_claims(trunk.folder, document, "trunk", *files)
    yield from _key_claims(trunk.folder, trunk.tls, document)
    for index, number in enumerate(trunk.calls.caller_ids):
        yield _sender_claim(number, document, ("calls", "caller_ids", index))


def _sender_claim(sender: str, document: Document, path: Path) -> Claim:
    identity = (sender.removeprefix("+").casefold(),)
    return Claim(kind="sender id", identity=identity, shown=sender, document=document, path=path)


def _port_claim(port: int, document: Document, path: Path) -> Claim:
    # Whatever the address: 0.0.0.0 takes all of them.
    return Claim(kind="port", identity=(port,), shown=str(port), document=document, path=path)


def _key_claims(folder: str, tls: Tls | None, document: Document) -> Iterator[Claim]:
    if tls is not None:
        yield from _secret_claims(folder, document, "tls", tls.key_file, tls.key_credential, "key")


def _secret_claims(
    folder: str,
    document: Document,
    table: str,
    file: str | None,
    credential: str | None,
    what: str = "password",
) -> Iterator[Claim]:
    """The file of a password or key. By itself a credential's name says nothing: each unit has its own."""
    for key, name in ((f"{what}_file", file), (f"{what}_credential", _credential_file(folder, credential))):
        if name is None:
            continue
        yield _secret_claim(FilePath(folder, name), document, (table, key))


def _secret_claim(file: FilePath, document: Document, where: Path) -> Claim:
    path = os.path.realpath(file)
    try:
        found = os.stat(path)
    except OSError:
        identity: tuple[str | int, ...] = (path,)
    else:
        # One file by two names of hard links is one secret.
        identity = (found.st_dev, found.st_ino)
    return Claim(kind="secret", identity=identity, shown=path, document=document, path=where)


def _credential_file(folder: str, credential: str | None) -> str | None:
    """Where connector@.service finds a credential, when it does so there: `secret` is the folder's prefix."""
    if credential is None or not credential.startswith(_CREDENTIAL_PREFIX):
        return None
    name = os.path.join("credentials", credential.removeprefix(_CREDENTIAL_PREFIX))
    return name if os.path.exists(os.path.join(folder, name)) else None


def _shared(claim: Claim, first: Claim) -> Problem:
    fault = f"the {claim.kind} {claim.shown} belongs to {first.where} too"
    return claim.document.problem(claim.path, f"{fault}, {_ADVICE}", "config_shared")


def _overlap(claim: Claim, other: Claim) -> Problem:
    if claim.kind == "state folder":
        fault = f"the state folder {claim.shown} and {other.shown} of {other.where} lie in one another"
    else:
        fault = (
            f"the {claim.kind} {claim.shown} overlaps with the {other.kind} {other.shown} of {other.where}"
        )
    return claim.document.problem(claim.path, f"{fault}, {_ADVICE}", "config_shared")


def _overlaps(claim: Claim, other: Claim) -> bool:
    """Whether two things that are not the same have a part in common."""
    if claim.kind == other.kind == "state folder":
        folder, around = PurePath(claim.shown), PurePath(other.shown)
        return folder.is_relative_to(around) or around.is_relative_to(folder)
    if _is_media(claim) and _is_media(other):
        first, last = int(claim.identity[0]), int(claim.identity[-1])
        return first <= int(other.identity[-1]) and int(other.identity[0]) <= last
    return False


def _is_media(claim: Claim) -> bool:
    """Whether it takes ports of UDP: SIP may lie within another lane's RTP."""
    return claim.kind == "RTP range" or claim.path == ("voice", "listen")
