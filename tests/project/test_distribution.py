"""What is built and what is locked: the wheel's content, and a lock that fits pyproject.toml."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
LOCK = (REPOSITORY / "requirements-ci.lock").read_text("utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True)
    (built,) = folder.iterdir()
    return zipfile.ZipFile(built)


def test_the_wheel_holds_the_two_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    (metadata,) = {name.partition("/")[0] for name in names} - {"connector", "protocols"}
    assert metadata.startswith("carrier_connector-")
    assert {"connector/py.typed", "protocols/py.typed"} <= set(names)
    assert f"{metadata}/licenses/LICENSE" in names
    assert "connector = connector.cli:main" in wheel.read(f"{metadata}/entry_points.txt").decode()
    folders = (REPOSITORY / "connector", REPOSITORY / "protocols")
    modules = [path for folder in folders for path in folder.rglob("*.py")]
    expected = {path.relative_to(REPOSITORY).as_posix() for path in modules}
    assert {name for name in names if name.endswith(".py")} == expected


def test_the_wheel_holds_the_catalogue(wheel: zipfile.ZipFile) -> None:
    shipped = {path.name: path.read_bytes() for path in (REPOSITORY / "config/catalogue").iterdir()}
    folder = "connector/cli/template/catalogue/"
    found = {name for name in wheel.namelist() if name.startswith(folder)}
    assert {name.removeprefix(folder): wheel.read(name) for name in found} == shipped != {}


def requirements() -> list[str]:
    """All but the group `fuzz`, for `make fuzz` alone, and the extra `voice-piper`: 340 MB."""
    groups = (entries for name, entries in PYPROJECT["dependency-groups"].items() if name != "fuzz")
    found = [entry for group in groups for entry in group if isinstance(entry, str)]
    for name, extra in PYPROJECT["project"]["optional-dependencies"].items():
        found += extra if name != "voice-piper" else []
    return found + PYPROJECT["project"]["dependencies"]


@pytest.mark.parametrize("requirement", requirements())
def test_the_lock_has_every_requirement(requirement: str) -> None:
    wanted = Requirement(requirement)
    pinned = {canonicalize_name(name): version for name, version in re.findall(r"^(\S+?)==(\S+)", LOCK, re.M)}
    assert wanted.name in pinned
    assert wanted.specifier.contains(pinned[canonicalize_name(wanted.name)])


def test_the_lock_names_no_index_and_hashes_everything() -> None:
    assert "://" not in LOCK
    assert "--index" not in LOCK
    assert "--find-links" not in LOCK
    entries = re.split(r"^(?=\S+==)", LOCK, flags=re.M)[1:]
    assert [entry.partition(" ")[0] for entry in entries if "--hash=sha256:" not in entry] == []
