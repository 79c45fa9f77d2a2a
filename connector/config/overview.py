"""All instances under one folder: what each owns, and everything that is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath

from msgspec import Struct

from .document import FOLDER
from .isolation import claims, shared_problems
from .load import Instance, read_instance
from .model import Config
from .problem import Problem, dotted

__all__ = ["CarrierOverview", "InstanceOverview", "Overview", "Owned", "TrunkOverview", "overview"]

SCHEMA = 1


class CarrierOverview(Struct, frozen=True, kw_only=True):
    """One carrier account. `tps`: PDUs a second."""

    name: str
    enabled: bool
    host: str
    port: int
    system_id: str
    tps: float
    priority: int


class TrunkOverview(Struct, frozen=True, kw_only=True):
    """One trunk. `calls`: at a time; `per_s`: calls a second; `port` is null where the domain names it."""

    name: str
    enabled: bool
    host: str
    port: int | None
    username: str | None
    calls: int
    per_s: float
    priority: int


class Owned(Struct, frozen=True, kw_only=True):
    """One thing that no other instance may have, and where the configuration says so.

    kind  "carrier account", "trunk account", "sender id", "secret", "socket", "state folder", "port" or
          "RTP range"
    """

    kind: str
    what: str
    file: str
    line: int
    key: str


class InstanceOverview(Struct, frozen=True, kw_only=True):
    """What one lane owns. `socket` and `state_folder` are null where systemd supplies them.

    opt_out  the file of numbers that want nothing of this lane
    owned    all that `connector check` compares between instances
    """

    folder: str
    lane: str
    socket: str | None
    state_folder: str | None
    http: str | None
    senders: tuple[str, ...]
    applications: dict[str, tuple[int, ...]]
    carriers: tuple[CarrierOverview, ...]
    trunks: tuple[TrunkOverview, ...]
    templates: tuple[str, ...]
    opt_out: str | None
    owned: tuple[Owned, ...]


class Overview(Struct, frozen=True, kw_only=True):
    """The answer of `connector check --json`.

    ok         no problems
    problems   each with code, file, line, key, message
    notes      of the same form: what could not be checked outside systemd
    instances  those whose connector.toml could be read
    """

    schema: int = SCHEMA
    ok: bool
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    instances: tuple[InstanceOverview, ...]


def overview(path: FilePath, environment: Mapping[str, str] = os.environ) -> Overview:
    """Read the instance at `path`, or all instances one level below it, together."""
    instances: list[Instance] = []
    problems: list[Problem] = []
    folders = list(_instance_folders(path))
    if not folders:
        problems.append(_nothing_at(path))
    for folder in folders:
        instance = read_instance(folder, environment)
        instances.append(instance)
        problems += instance.problems
    problems += shared_problems(instances)
    return Overview(
        ok=not problems,
        problems=tuple(problems),
        notes=tuple(note for instance in instances for note in instance.notes),
        instances=tuple(_of(instance, instance.config) for instance in instances if instance.config),
    )


def _instance_folders(path: FilePath) -> Iterator[FilePath]:
    if (path / "connector.toml").exists() or _looks_like_instance(path):
        yield path
    elif path.is_dir():
        for folder in sorted(path.iterdir()):
            # `profiles` and other data beside the instances are passed over.
            if folder.is_dir() and ((folder / "connector.toml").exists() or _looks_like_instance(folder)):
                yield folder


def _looks_like_instance(folder: FilePath) -> bool:
    return (folder / "carriers").is_dir() or (folder / "trunks").is_dir()


def _nothing_at(path: FilePath) -> Problem:
    found = "holds no connector.toml" if path.is_dir() else "is no folder"
    message = f"{found}, expected one instance or a folder of instances"
    return Problem(code="config_unreadable", file=str(path), line=1, key=FOLDER, message=message)


def _of(instance: Instance, config: Config) -> InstanceOverview:
    return InstanceOverview(
        folder=instance.folder,
        lane=config.lane,
        socket=config.socket.path,
        state_folder=config.state_folder or None,
        http=config.http.listen if config.http else None,
        senders=config.jobs.senders,
        applications={application.name: application.uids for application in config.applications},
        carriers=tuple(
            CarrierOverview(
                name=carrier.name,
                enabled=carrier.enabled,
                host=carrier.account.host,
                port=carrier.account.port,
                system_id=carrier.account.system_id,
                tps=carrier.binds.tps,
                priority=carrier.priority,
            )
            for carrier in config.carriers
        ),
        trunks=tuple(
            TrunkOverview(
                name=trunk.name,
                enabled=trunk.enabled,
                host=trunk.trunk.host,
                port=trunk.trunk.port,
                username=trunk.trunk.username,
                calls=trunk.calls.max,
                per_s=trunk.calls.per_s,
                priority=trunk.priority,
            )
            for trunk in config.trunks
        ),
        templates=tuple(template.name for template in config.templates),
        opt_out=config.jobs.opt_out_file,
        owned=tuple(
            Owned(
                kind=claim.kind,
                what=claim.shown,
                file=claim.document.file,
                line=claim.document.line(claim.path),
                key=dotted(claim.path),
            )
            for claim in claims(instance)
        ),
    )
