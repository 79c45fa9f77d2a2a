"""Templates with what is needed to judge them: from an instance, a folder, or one file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from connector.carriers.encoding import rules_of
from connector.config import Carrier, ConfigError, Template, load_carrier
from connector.config.content import ContentSettings
from connector.config.document import FILE, Document, read_document
from connector.config.load import read_instance
from connector.config.problem import Problem
from connector.config.template import TemplateFile
from connector.config.template_rules import template_problems
from connector.config.validate import file_problems
from protocols.gsm.segmentation import Rules

from .fit import PLAIN

__all__ = ["Found", "Source", "profiles", "read", "read_all"]

_MAX_PARTS = 255  # TS 23.040 §9.2.3.24.1: the total is one octet


class Found(NamedTuple):
    """One template that a file holds."""

    template: Template
    document: Document


class Source(NamedTuple):
    """What one path leads to.

    problems   of the files, as far as they concern templates
    carriers   how each takes texts
    accounts   the carriers of the instance that are enabled; none without an instance
    max_parts, default_sender  of the lane; None without an instance
    """

    found: tuple[Found, ...]
    problems: tuple[Problem, ...]
    carriers: dict[str, Rules]
    accounts: tuple[Carrier, ...] = ()
    content: ContentSettings = ContentSettings()
    max_parts: int | None = None
    default_sender: str | None = None


def read(path: Path, carriers: dict[str, Rules]) -> Source:
    """An instance with connector.toml, a folder of templates, or one template's file.

    carriers  instead of the instance's; empty: those, or plain ones where there are none
    """
    if (path / "connector.toml").is_file():
        return _instance(path, carriers)
    try:
        files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    except OSError as error:
        return Source((), (_no_templates(path, f"cannot be read: {error.strerror}"),), carriers)
    if not files:
        return Source((), (_no_templates(path, "holds no template"),), carriers)
    found, problems = _files(files)
    return Source(tuple(found), tuple(problems), carriers or {PLAIN: Rules()})


def read_all(path: Path, carriers: dict[str, Rules]) -> list[Source]:
    """The same, or each instance of a folder of them."""
    if path.is_dir() and not (path / "connector.toml").is_file():
        instances = sorted(file.parent for file in path.glob("*/connector.toml"))
        if instances:
            return [read(instance, carriers) for instance in instances]
    return [read(path, carriers)]


def profiles(paths: tuple[Path, ...]) -> dict[str, Rules]:
    """Carriers' files as what takes texts. Raises ConfigError with all that is wrong with them."""
    found: dict[str, Rules] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            found[path.stem] = rules_of(load_carrier(path), _MAX_PARTS)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return found


def _no_templates(path: Path, message: str) -> Problem:
    return Problem(
        code="config_unreadable", file=str(path), line=1, key=FILE,
        message=f"{message}, expected templates as TOML files, or an instance with connector.toml",
    )  # fmt: skip


def _instance(path: Path, carriers: dict[str, Rules]) -> Source:
    """Its own problems are those of the templates' files; `connector check` tells the others."""
    instance = read_instance(path)
    folder = path / "templates"
    told = [problem for problem in instance.problems if Path(problem.file).parent == folder]
    found, problems = _files(sorted(folder.glob("*.toml")))
    # The instance says all that the files say by themselves, and what disagrees between them.
    told += [problem for problem in problems if problem not in told]
    config = instance.config
    if config is None:
        return Source(tuple(found), tuple(told), carriers or {PLAIN: Rules()})
    accounts = tuple(carrier for carrier in config.carriers if carrier.enabled)
    own = {carrier.name: rules_of(carrier, _MAX_PARTS) for carrier in accounts}
    return Source(
        tuple(found),
        tuple(told),
        carriers or own or {PLAIN: Rules()},
        accounts,
        config.content,
        config.jobs.max_parts,
        config.jobs.default_sender,
    )


def _files(files: list[Path]) -> tuple[list[Found], list[Problem]]:
    found: list[Found] = []
    problems: list[Problem] = []
    for file in files:
        document = read_document(file)
        if isinstance(document, Problem):
            problems.append(document)
            continue
        told = list(_problems(document))
        problems += told
        if not told:
            template = msgspec.convert({**document.data, "name": file.stem}, Template)
            found.append(Found(template, document))
    return found, problems


def _problems(document: Document) -> Iterator[Problem]:
    problems = file_problems(document, TemplateFile)
    yield from problems
    if not problems:
        yield from template_problems(document, msgspec.convert(document.data, TemplateFile))
