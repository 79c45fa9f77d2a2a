"""What the folders promise: who owns the package names, what may be where, and how big it may get."""

import ast
import importlib
import statistics
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

import connector

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("connector", "protocols")
MODULES = sorted(path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py"))

MODULE_LINES = 500
FUNCTION_LINES = 60
FUNCTION_LINES_P95 = 45
VAGUE = ("manager", "handler", "helper", "helpers", "utils", "util", "common", "misc")


def relative(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def functions() -> Iterator[tuple[str, int]]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield f"{relative(path)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_else_owns_the_package_name(package: str) -> None:
    """Flat names are short and easily taken: a second `connector` on the path would shadow ours."""
    assert set(metadata.packages_distributions().get(package, ())) <= {"carrier-connector"}
    assert Path(str(importlib.import_module(package).__file__)).is_relative_to(REPOSITORY)


def test_the_distribution_has_the_version_of_the_package() -> None:
    for package in metadata.packages_distributions().get("connector", ()):
        assert metadata.version(package) == connector.__version__


@pytest.mark.parametrize("folder", ["config", "systemd"])
def test_folders_of_data_hold_no_code(folder: str) -> None:
    assert (REPOSITORY / folder).is_dir()
    assert [relative(path) for path in (REPOSITORY / folder).rglob("*.py")] == []


def test_no_module_is_too_long() -> None:
    lengths = {relative(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {name: lines for name, lines in lengths.items() if lines > MODULE_LINES} == {}
    assert statistics.median(lengths.values()) <= 150


def test_no_function_is_too_long() -> None:
    lengths = dict(functions())
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES} == {}
    assert statistics.quantiles(lengths.values(), n=20)[-1] <= FUNCTION_LINES_P95


def test_names_are_the_fields_own() -> None:
    """A module called utils, or a class called SomethingManager, has not found its subject.

    A class made from a library's may keep the library's word (logging.Handler).
    """
    vague = [relative(path) for path in MODULES if any(part in VAGUE for part in path.stem.split("_"))]
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name.lower().endswith(VAGUE):
                bases = [ast.unparse(base).lower() for base in node.bases]
                if not any(base.endswith(VAGUE) for base in bases):
                    vague.append(f"{relative(path)}:{node.lineno} {node.name}")
    assert vague == []


def test_module_entry_point_and_console_script_are_one() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "connector", "--help"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Usage: connector" in done.stdout
