"""What all commands have in common."""

import os
import subprocess
import sys

import pytest

from connector.cli import _COMMANDS
from tests.cli.conftest import REPOSITORY, connector
from tests.project.test_import_diet import imported_by

HELP_S = 0.1


@pytest.mark.parametrize("command", [*sorted(_COMMANDS), "simulate smsc"])
def test_help_has_an_example(command: str) -> None:
    done = connector(*command.split(), "--help")
    assert done.returncode == 0
    assert "Example" in done.stdout
    assert f"connector {command} " in done.stdout or f"connector {command}\n" in done.stdout


def test_help_is_quick() -> None:
    """In CPU seconds, the best of five: others may use the machine too."""
    command = [sys.executable, "-m", "connector", "--help"]
    costs = []
    for _ in range(5):
        before = os.times()
        subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, check=True)
        after = os.times()
        costs.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
    assert min(costs) < HELP_S, costs


def test_an_unknown_command_has_a_neighbour() -> None:
    done = connector("stauts")
    assert done.returncode == 2
    assert "Did you mean 'status'?" in done.stderr


@pytest.mark.parametrize("command", [name for name in sorted(_COMMANDS) if name not in ("run", "simulate")])
def test_no_command_imports_rich_before_it_has_a_terminal(command: str) -> None:
    modules = imported_by(f"connector.cli.{command}")
    assert modules.isdisjoint({"rich", "asyncio", "jsonschema"} if command != "check" else {"rich"})
