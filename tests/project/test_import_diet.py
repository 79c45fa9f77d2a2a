"""The daemon stays small: what it imports is what every lane on the host pays for."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

HEAVY = (
    "aiohttp",
    "babel",
    "fastapi",
    "flask",
    "icu4py",
    "matplotlib",
    "numpy",
    "pandas",
    "pip",
    "pyarrow",
    "pygments",
    "pytest",
    "rich",
    "scipy",
    "setuptools",
    "soxr",
    "starlette",
    "textual",
    "tkinter",
)

IMPORTED = """
import importlib, pkgutil, sys
module = importlib.import_module(sys.argv[1])
if sys.argv[2] == "deep":
    for found in pkgutil.walk_packages(module.__path__, module.__name__ + "."):
        importlib.import_module(found.name)
print(*sys.modules, sep="\\n")
"""


def imported_by(module: str, depth: str = "itself") -> set[str]:
    """The names of all modules that are loaded once `module` is; "deep" loads what lies under it too."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, module, depth],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_the_daemon_imports_nothing_heavy() -> None:
    modules = imported_by("connector.daemon")
    assert "connector.daemon" in modules
    assert modules.isdisjoint(HEAVY), sorted(modules.intersection(HEAVY))
    assert "connector.simulator" not in modules
    assert "connector.cli" not in modules
    voice = {"connector.voice", "protocols.sip", "protocols.rtp", "dns", "pylibsrtp", "asyncio_dgram"}
    assert modules.isdisjoint(voice), "only an instance with trunks carries what calls need"


def test_calls_bring_what_they_need_when_they_need_it() -> None:
    modules = imported_by("connector.voice.lineup")
    assert "protocols.sip.agent" in modules
    assert modules.isdisjoint({*HEAVY, "dns", "pylibsrtp"})


def test_the_client_brings_nothing_of_the_daemon() -> None:
    """An application may install the package for its client alone: msgpack and msgspec are all it loads."""
    packages = {name.partition(".")[0] for name in imported_by("connector.client")}
    assert packages.isdisjoint(HEAVY)
    assert packages.isdisjoint({"apsw", "click", "jsonschema", "prometheus_client", "regex", "uvloop"})


@pytest.mark.parametrize("package", ["smpp", "gsm", "sip", "rtp", "rpc"])
def test_a_protocol_core_loads_alone(package: str) -> None:
    modules = imported_by(f"protocols.{package}", "deep")
    assert len([name for name in modules if name.startswith(f"protocols.{package}.")]) > 1
    assert {name for name in modules if name.partition(".")[0] in ("connector", "asyncio", "ssl")} == set()
