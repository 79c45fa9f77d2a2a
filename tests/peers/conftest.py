"""Which peers are there; the marker `peer` names the one a test needs."""

import ctypes
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.ports import free_port
from tests.peers.lane import Lane
from tests.peers.program import REPOSITORY, Program

HERE = Path(__file__).parent
MANIFESTS = (HERE / "package.json", HERE / "package-lock.json")
INSTALL_S = 50.0


@cache
def node_modules() -> Path:
    """The folder of the npm packages, installed when it is missing. Raises CalledProcessError."""
    key = hashlib.sha256(b"".join(path.read_bytes() for path in MANIFESTS)).hexdigest()[:12]
    cache_folder = REPOSITORY / ".cache" / "peers"
    installed = cache_folder / key / "node_modules"
    cache_folder.mkdir(parents=True, exist_ok=True)
    with (cache_folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.is_dir():
            unfinished = Path(tempfile.mkdtemp(dir=cache_folder))
            for path in MANIFESTS:
                shutil.copy(path, unfinished)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(
                command, cwd=unfinished, check=True, timeout=INSTALL_S, capture_output=True, text=True
            )
            unfinished.rename(installed.parent)
    return installed


@cache
def jasmin() -> Path:
    """The folder of Jasmin's packages, installed when it is missing. Raises CalledProcessError."""
    wanted = HERE / "jasmin-requirements.txt"
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    key = hashlib.sha256(wanted.read_bytes() + python.encode()).hexdigest()[:12]
    cache_folder = REPOSITORY / ".cache" / "peers"
    installed = cache_folder / key
    cache_folder.mkdir(parents=True, exist_ok=True)
    with (cache_folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.is_dir():
            unfinished = Path(tempfile.mkdtemp(dir=cache_folder))
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
            command += ["--disable-pip-version-check", "--target", str(unfinished), "-r", str(wanted)]
            subprocess.run(command, check=True, timeout=INSTALL_S, capture_output=True, text=True)
            unfinished.rename(installed)
    return installed


def _no_jasmin() -> str | None:
    try:
        jasmin()
    except subprocess.CalledProcessError as error:
        return f"pip install failed: {error.stderr.strip()}"
    return None


def _no_node() -> str | None:
    if absent := [program for program in ("node", "npm") if shutil.which(program) is None]:
        return f"not installed: {', '.join(absent)}"
    try:
        node_modules()
    except subprocess.CalledProcessError as error:
        return f"npm ci failed: {error.stderr.strip()}"
    return None


def _no_smpp34() -> str | None:
    return None if find_spec("smpp34") else "not installed: smpp34"


def _no_tshark() -> str | None:
    if absent := [program for program in ("tshark", "dumpcap") if shutil.which(program) is None]:
        return f"not installed: {', '.join(absent)}"
    # dumpcap says what it may capture from; without the privilege that is nothing.
    listed = subprocess.run(["dumpcap", "-D"], capture_output=True, text=True, timeout=INSTALL_S)
    return None if "lo" in listed.stdout else "dumpcap may not capture here (root may)"


def _no(*programs: str) -> Callable[[], str | None]:
    def missing() -> str | None:
        absent = [program for program in programs if shutil.which(program) is None]
        return f"not installed: {', '.join(absent)}" if absent else None

    return missing


def _no_espeak() -> str | None:
    try:
        ctypes.CDLL("libespeak-ng.so.1")
    except OSError:
        return "not installed: the library of espeak-ng"
    return None


def _no_raw_sockets() -> str | None:
    return None if os.geteuid() == 0 else "SIPp needs raw sockets to replay packets (root has them)"


def _no_namespace() -> str | None:
    if shutil.which("unshare") is None:
        return "not installed: unshare"
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, timeout=INSTALL_S)
    return tried.stderr.strip() if tried.returncode else None


MISSING: dict[str, Callable[[], str | None]] = {
    "baresip": _no("baresip"),
    "espeak": _no_espeak,
    "jasmin": _no_jasmin,
    "kamailio": _no("kamailio"),
    "node": _no_node,
    "raw sockets": _no_raw_sockets,
    "sipp": _no("sipp"),
    "smpp34": _no_smpp34,
    "tshark": _no_tshark,
    "unshare": _no_namespace,
}


@pytest.fixture(autouse=True)
def _peer(request: pytest.FixtureRequest) -> None:
    for marker in request.node.iter_markers("peer"):
        if reason := MISSING[marker.args[0]]():
            pytest.skip(reason)


@pytest.fixture
def node_smsc(_peer: None) -> Iterator[Program]:
    """node-smpp's server; its first line tells the port."""
    environment = {**os.environ, "NODE_PATH": str(node_modules())}
    with Program("node", str(HERE / "node_smsc.js"), environment=environment) as program:
        yield program


@pytest.fixture
def smpp34_smsc(_peer: None) -> Iterator[Program]:
    """smpp34's server; its first line tells the port."""
    with Program(sys.executable, str(HERE / "smpp34_smsc.py"), str(free_port())) as program:
        yield program


@pytest.fixture
def jasmin_smsc(_peer: None, tmp_path: Path) -> Iterator[Program]:
    """Jasmin's SMPP server; its first line tells the port."""
    logs = tmp_path / "jasmin"
    logs.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(jasmin())}
    command = (sys.executable, str(HERE / "jasmin_smsc.py"), str(logs))
    with Program(*command, environment=environment) as program:
        yield program


@pytest.fixture
def lane(tmp_path: Path) -> Callable[..., Lane]:
    """Starts the daemon with a carrier at the port given: `with lane(port) as running`."""
    return lambda port, **options: Lane(tmp_path, os.getuid(), port, **options)
