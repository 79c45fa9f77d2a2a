"""What the pages name exists, and what they show of the code is what the code says."""

import re
from importlib import import_module
from pathlib import Path

import click
import pytest

from connector.cli import _COMMANDS
from connector.lifecycle import After
from tests.docs.pages import PAGES, README, REPOSITORY, anchors, code, commands, links, read
from tests.docs.tables import TABLES, metrics, place

BY_NAME = [pytest.param(page, id=page.name) for page in PAGES]


@pytest.mark.parametrize("page", BY_NAME)
def test_links_lead_somewhere(page: Path) -> None:
    for file, anchor in links(page):
        assert file.exists(), f"{file} does not exist"
        assert not anchor or anchor in anchors(file), f"{file.name} has no heading for #{anchor}"


@pytest.mark.parametrize("name", TABLES)
def test_tables_made_from_the_code_are_current(name: str) -> None:
    file, make = TABLES[name]
    (found,) = place(name).findall(read(file))
    assert found == make(), "run `python tests/docs/tables.py`"


@pytest.mark.parametrize("page", BY_NAME)
def test_commands_exist_with_their_options(page: Path) -> None:
    for words in commands(page.read_text("utf-8"), "connector"):
        name, *arguments = words
        assert name in _COMMANDS, f"connector {name}"
        command: click.Command = import_module(f"connector.cli.{name}").command
        if isinstance(command, click.Group):
            found = command.get_command(click.Context(command), arguments[0])
            assert found is not None, f"connector {name} {arguments[0]}"
            command = found
        known = {option for parameter in command.params for option in parameter.opts}
        used = {word.partition("=")[0] for word in arguments if word.startswith("-")}
        assert used <= known, f"connector {' '.join(words)}"


def test_the_commands_are_found() -> None:
    """The test above reads what it should."""
    names = {words[0] for words in commands(README.read_text("utf-8"), "connector")}
    assert {"check", "simulate", "run", "send", "why", "watch", "status"} <= names


@pytest.mark.parametrize("page", BY_NAME)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    used = {words[0] for words in commands(page.read_text("utf-8"), "make")}
    assert used <= targets


@pytest.mark.parametrize("page", BY_NAME)
def test_files_exist(page: Path) -> None:
    """Paths in code that begin with a folder of the repository."""
    path = re.compile(
        r"(?<![\w/.~$-])(?<!StateDirectory=)(?:connector|protocols|config|systemd|tests|docs|benchmarks)/[a-z0-9_./@-]*"
    )
    for line in code(page.read_text("utf-8")):
        for name in path.findall(line):
            assert "*" in line or (REPOSITORY / name).exists(), f"{name} in {line!r}"


def test_the_map_names_every_module_and_nothing_else() -> None:
    page = read("docs/architecture.md")
    rows = page[page.index("## The map of folders") : page.index("## Layers")]
    named = re.findall(r"^\| `([^`]+)` \|", rows, re.MULTILINE)
    assert len(named) == len(set(named))
    modules = {
        entry.relative_to(REPOSITORY).as_posix() + ("/" if entry.is_dir() else "")
        for package in ("connector", "protocols")
        for entry in (REPOSITORY / package).iterdir()
        if entry.name not in ("__init__.py", "__pycache__") and (entry.is_dir() or entry.suffix == ".py")
    }
    folders = {"connector/", "protocols/", "config/", "systemd/", "benchmarks/", "tests/"}
    assert set(named) == modules | folders


@pytest.mark.parametrize("page", BY_NAME)
def test_metrics_exist(page: Path) -> None:
    known = set(re.findall(r"`(connector_\w+)`", metrics()))
    for line in code(page.read_text("utf-8")):
        assert set(re.findall(r"\bconnector_\w+", line)) <= known


@pytest.mark.parametrize("page", BY_NAME)
def test_keys_of_the_configuration_exist(page: Path) -> None:
    """`[table] key` stands in one of the examples that name every key."""
    known = set()
    for example in ("connector.toml", "carriers/north.toml"):
        table = ""
        for line in read(f"config/verification/{example}").splitlines():
            if found := re.match(r"\[+([\w.]+)\]+", line):
                table = found[1]
            elif found := re.match(r"(?:# )?(\w+) = ", line):
                known.add((table, found[1]))
    for line in code(page.read_text("utf-8")):
        for table, key in re.findall(r"^\[+(\w+)\]+ (\w+)$", line):
            assert (table, key) in known, f"[{table}] {key}"


def test_the_installation_is_what_the_units_expect() -> None:
    page, operations = README.read_text("utf-8"), read("docs/operations.md")
    for file in (path for path in (REPOSITORY / "systemd").rglob("*") if path.is_file()):
        assert file.relative_to(REPOSITORY).as_posix() in page
    service, listening = read("systemd/connector@.service"), read("systemd/connector@.socket")
    for unit, setting, text, shown in (
        (service, "ExecStart=/usr/bin/connector run /etc/connector/%i", page, "/usr/bin/connector\n"),
        (service, "StateDirectory=connector/%i", page, "/var/lib/connector/verification"),
        (service, "LoadCredential=secret:/etc/connector/%i/credentials", page, '"secret_north"'),
        (service, "WatchdogSec=30", operations, "for 30 s"),
        (listening, "ListenStream=/run/connector/%i.sock", page, "/run/connector/verification.sock"),
        (listening, "SocketGroup=connector-clients", page, "usermod -aG connector-clients"),
    ):
        assert f"\n{setting}\n" in unit
        assert shown in text


def test_steps_of_the_lifecycle_are_explained() -> None:
    """The sentence below the table speaks of a step by its words."""
    assert f"*{After.RESEND.value.capitalize()}*" in read("docs/architecture.md")


@pytest.mark.parametrize("page", BY_NAME)
def test_no_page_names_a_machine(page: Path) -> None:
    text = page.read_text("utf-8")
    assert not re.search(r"/home/|/root/|/work/", text)
