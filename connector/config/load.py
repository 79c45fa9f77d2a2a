"""Reading CONFIG_DIR: connector.toml, carriers/*.toml, trunks/*.toml, templates/*.toml."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import TypeVar

import msgspec
from msgspec import Struct

from .accounts import same_account_problems
from .carrier import Carrier, CarrierFile
from .document import FOLDER, Document, read_document
from .evidence_rules import resolved_evidence
from .guards_rules import guard_problems
from .journey_rules import (
    all_classes,
    all_journeys,
    journey_problems,
    pin_problems,
    routing_problems,
)
from .model import Config, ConnectorFile
from .orders_rules import order_problems
from .privacy_rules import resolved_privacy
from .problem import ConfigError, Problem
from .resolve import (
    resolved_applications,
    resolved_jobs,
    resolved_lookup,
    resolved_voice,
    socket_path,
    state_folder,
)
from .rules import (
    carrier_problems,
    connector_problems,
    habit_problems,
    lane_problems,
    stem_problems,
    tls_problems,
)
from .secrets import file_faults, key_fault, locate_password, locate_trunk_password
from .template import Template, TemplateFile
from .template_rules import template_lane_problems, template_problems
from .trunk import Trunk, TrunkFile
from .validate import file_problems
from .voice_rules import capacity_problems, same_name_problems, trunk_problems

__all__ = ["Instance", "load", "load_carrier", "read_instance"]

F = TypeVar("F", ConnectorFile, CarrierFile, TemplateFile, TrunkFile)


class Instance(Struct, frozen=True, kw_only=True):
    """One CONFIG_DIR as far as it could be read.

    config    from the files that are right; None when connector.toml is not
    problems  all of them; with any, the daemon must not start
    notes     what could not be checked here, because only systemd provides it
    document  connector.toml, when it is TOML
    carriers  the documents of `config.carriers`, by name
    trunks    those of `config.trunks`
    """

    folder: str
    config: Config | None
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...] = ()
    document: Document | None = None
    carriers: dict[str, Document] = {}
    trunks: dict[str, Document] = {}


def load(folder: FilePath | str, environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration the daemon runs with.

    Raises ConfigError with all problems; what only systemd provides (STATE_DIRECTORY, CREDENTIALS_DIRECTORY)
    must be there.
    """
    instance = read_instance(folder, environment)
    problems = instance.problems + instance.notes
    if problems or instance.config is None:
        raise ConfigError(problems)
    return instance.config


def read_instance(folder: FilePath | str, environment: Mapping[str, str] = os.environ) -> Instance:
    """Read one CONFIG_DIR and say everything that is wrong with it."""
    return _Reading(FilePath(os.path.abspath(folder)), FilePath(folder), environment).instance()


def load_carrier(path: FilePath) -> CarrierFile:
    """One carrier's file by itself, whatever its name; secrets are not looked for. Raises ConfigError."""
    document = read_document(path)
    if isinstance(document, Problem):
        raise ConfigError((document,))
    if problems := file_problems(document, CarrierFile):
        raise ConfigError(tuple(problems))
    file = msgspec.convert(document.data, CarrierFile)
    if problems := [*habit_problems(document, file)]:
        raise ConfigError(tuple(problems))
    return file


class _Reading:
    """`folder` is absolute, for what the daemon opens; `shown` is as the caller wrote it, for problems."""

    def __init__(self, folder: FilePath, shown: FilePath, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._shown = shown
        self._environment = environment
        self._problems: list[Problem] = []
        self._notes: list[Problem] = []
        # Files with faults of their own: what names them is not at fault as well.
        self._faulty: dict[str, str] = {}

    def instance(self) -> Instance:
        if not self._shown.is_dir():
            self._folder_problem(self._shown, "is no folder, expected one with connector.toml in it")
            return Instance(folder=str(self._shown), config=None, problems=tuple(self._problems))
        main = self._document(self._shown / "connector.toml")
        file = self._file(main, ConnectorFile, connector_problems)
        carriers = list(self._carriers())
        trunks = list(self._trunks())
        self._require_way(carriers, trunks)
        templates = list(self._templates())
        config = None
        if main is not None and file is not None:
            for carrier, document in carriers:
                self._problems += lane_problems(document, carrier, file.jobs.senders)
            ordered = sorted(
                (carrier for carrier, _ in carriers), key=lambda carrier: (carrier.priority, carrier.name)
            )
            self._problems += same_account_problems(carriers, trunks)
            voices = sorted((trunk for trunk, _ in trunks), key=lambda trunk: (trunk.priority, trunk.name))
            self._problems += same_name_problems(trunks, {carrier.name for carrier, _ in carriers})
            channels = self._channels(ordered, voices)
            for template, document in templates:
                if template.lane == file.lane:
                    self._problems += pin_problems(document, template, channels)
                    self._problems += template_lane_problems(document, template, file.jobs.senders)
            config = self._config(
                main, file, tuple(ordered), tuple(voices), tuple(template for template, _ in templates)
            )
        return Instance(
            folder=str(self._shown),
            config=config,
            problems=tuple(self._problems),
            notes=tuple(self._notes),
            document=main,
            carriers={carrier.name: document for carrier, document in carriers},
            trunks={trunk.name: document for trunk, document in trunks},
        )

    def _channels(self, carriers: Sequence[Carrier], trunks: Sequence[Trunk]) -> dict[str, str]:
        """The channel of each enabled carrier and trunk."""
        channels = {carrier.name: "sms" for carrier in carriers if carrier.enabled}
        channels |= {trunk.name: "voice" for trunk in trunks if trunk.enabled}
        return self._faulty | channels

    def _document(self, file: FilePath) -> Document | None:
        document = read_document(file)
        if isinstance(document, Problem):
            self._problems.append(document)
            return None
        return document

    def _file(
        self, document: Document | None, kind: type[F], rules: Callable[[Document, F], Iterator[Problem]]
    ) -> F | None:
        if document is None:
            return None
        problems = file_problems(document, kind)
        if problems:
            self._problems += problems
            return None
        file = msgspec.convert(document.data, kind)
        self._problems += rules(document, file)
        return file

    def _toml_files(self, name: str, *, required: bool) -> list[FilePath]:
        folder = self._shown / name
        try:
            return sorted(entry for entry in folder.iterdir() if entry.suffix == ".toml")
        except FileNotFoundError:
            if required:
                self._folder_problem(
                    folder, "does not exist, expected a folder with one TOML file for each carrier"
                )
        except OSError as error:
            self._folder_problem(folder, f"cannot be read: {error.strerror}, expected a readable folder")
        return []

    def _folder_problem(self, folder: FilePath, message: str, code: str = "config_unreadable") -> None:
        self._problems.append(Problem(code=code, file=str(folder), line=1, key=FOLDER, message=message))

    def _carriers(self) -> Iterator[tuple[Carrier, Document]]:
        for path in self._toml_files("carriers", required=False):
            document = self._document(path)
            file = self._file(document, CarrierFile, carrier_problems)
            if document is None or file is None:
                self._faulty[path.stem] = "sms"
                continue
            password_path = self._password_path(document, file)
            self._try_tls(document, file)
            yield (
                msgspec.convert(
                    {
                        **document.data,
                        "name": path.stem,
                        "password_path": password_path,
                        "folder": str(self._folder),
                    },
                    Carrier,
                ),
                document,
            )

    def _trunks(self) -> Iterator[tuple[Trunk, Document]]:
        for path in self._toml_files("trunks", required=False):
            document = self._document(path)
            file = self._file(document, TrunkFile, _trunk_problems)
            if document is None or file is None:
                self._faulty[path.stem] = "voice"
                continue
            password_path = self._trunk_password_path(document, file)
            self._try_tls(document, file)
            added = {"name": path.stem, "password_path": password_path, "folder": str(self._folder)}
            yield msgspec.convert({**document.data, **added}, Trunk), document

    def _trunk_password_path(self, document: Document, file: TrunkFile) -> str:
        if not file.enabled:
            return ""
        if file.tls is not None and (fault := key_fault(file.tls, self._folder)):
            self._problems.append(document.problem(("tls", "key_file"), fault, "config_secret"))
        located = locate_trunk_password(file.trunk, self._folder, self._environment)
        for text, problems in ((located.fault, self._problems), (located.note, self._notes)):
            if text:
                problems.append(document.problem(("trunk", located.key), text, "config_secret"))
        return located.path

    def _require_way(
        self, carriers: list[tuple[Carrier, Document]], trunks: list[tuple[Trunk, Document]]
    ) -> None:
        """Something must be able to send; files with faults of their own are told as such."""
        if any(carrier.enabled for carrier, _ in carriers) or any(trunk.enabled for trunk, _ in trunks):
            return
        folders = (self._shown / "carriers", self._shown / "trunks")
        if any(problem.file.startswith(tuple(map(str, folders))) for problem in self._problems):
            return
        if not any(folder.is_dir() for folder in folders):
            message = "does not exist, expected a folder with one TOML file for each carrier"
            self._folder_problem(folders[0], message)
            return
        message = "has no enabled carrier, expected at least one file such as carriers/example.toml"
        self._folder_problem(folders[0], message, "config_no_carrier")

    def _password_path(self, document: Document, file: CarrierFile) -> str:
        # A carrier that is switched off may have lost its password.
        if not file.enabled:
            return ""
        for key, fault in file_faults(file, self._folder):
            self._problems.append(document.problem(key, fault, "config_secret"))
        located = locate_password(file.account, self._folder, self._environment)
        for text, problems in ((located.fault, self._problems), (located.note, self._notes)):
            if text:
                problems.append(document.problem(("account", located.key), text, "config_secret"))
        return located.path

    def _try_tls(self, document: Document, file: CarrierFile | TrunkFile) -> None:
        tls = file.tls
        if tls is None or not file.enabled:
            return
        keys = (tls.key_file is not None) + (tls.key_credential is not None)
        if keys != (tls.certificate_file is not None):
            return  # told among what contradicts itself
        from .tls import CredentialAbsent, TlsError, context_of  # most commands need no OpenSSL

        try:
            context_of(tls, str(self._folder), self._environment)
        except TlsError as error:
            problems = self._notes if isinstance(error, CredentialAbsent) else self._problems
            problems.append(document.problem(("tls", error.key), str(error)))

    def _templates(self) -> Iterator[tuple[Template, Document]]:
        for path in self._toml_files("templates", required=False):
            document = self._document(path)
            file = self._file(document, TemplateFile, template_problems)
            if document is not None and file is not None:
                yield msgspec.convert({**document.data, "name": path.stem}, Template), document

    def _config(
        self,
        main: Document,
        file: ConnectorFile,
        carriers: tuple[Carrier, ...],
        trunks: tuple[Trunk, ...],
        templates: tuple[Template, ...],
    ) -> Config:
        settings = {name: getattr(file, name) for name in ConnectorFile.__struct_fields__}
        channels = self._channels(carriers, trunks)
        self._problems += journey_problems(main, file, channels)
        self._problems += routing_problems(main, file, channels)
        self._problems += guard_problems(main, file)
        self._problems += capacity_problems(main, file, sum(t.calls.max for t in trunks if t.enabled))
        if file.jobs.on_unknown == "query" and not any(c.enabled and c.supports.query_sm for c in carriers):
            message = "query finds nobody to ask, expected a carrier with [supports] query_sm = true for it"
            self._problems.append(main.problem(("jobs", "on_unknown"), message))
        path = socket_path(main, file, self._folder, self._problems)
        settings["journeys"] = all_journeys(file, channels)
        settings["classes"] = all_classes(file)
        known: dict[str, Template | None] = dict.fromkeys(
            path.stem for path in self._toml_files("templates", required=False)
        )
        known |= {template.name: template for template in templates}
        self._problems += order_problems(main, file, known, settings["journeys"])
        settings["socket"] = msgspec.structs.replace(file.socket, path=path)
        settings["jobs"] = resolved_jobs(file.jobs, self._folder)
        if file.lookup is not None:
            settings["lookup"] = resolved_lookup(file.lookup, self._folder)
        settings["voice"] = resolved_voice(file.voice, self._folder)
        settings["applications"] = resolved_applications(main, file, self._problems)
        settings["evidence"] = resolved_evidence(
            main, file, self._folder, self._environment, self._problems, self._notes
        )
        settings["privacy"] = resolved_privacy(
            main, file, self._folder, self._environment, self._problems, self._notes
        )
        return Config(
            **settings,
            folder=str(self._folder),
            state_folder=state_folder(main, file, self._folder, self._environment, self._notes),
            carriers=carriers,
            trunks=trunks,
            templates=templates,
        )


def _trunk_problems(document: Document, file: TrunkFile) -> Iterator[Problem]:
    yield from stem_problems(document)
    yield from tls_problems(document, file.tls)
    yield from trunk_problems(document, file)
