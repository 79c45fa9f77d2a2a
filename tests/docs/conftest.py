"""The lane that the README sets up by hand, and the npm package of the client in docs/socket.md."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.harness import Site
from tests.docs.pages import README, REPOSITORY

HERE = Path(__file__).parent
MANIFESTS = (HERE / "package.json", HERE / "package-lock.json")
INSTALL_S = 50.0


@pytest.fixture
def site() -> Iterator[Site]:
    """Made by the README's own commands, in a folder and at a port of its own; running."""
    site = Site()
    try:
        site.config = site.folder / "lane"
        text = README.read_text("utf-8")
        script = indented(text[text.index("## Try it by hand") : text.index("The first job from the shell")])
        set_up, starts = script.split("connector simulate smsc")
        assert starts.split() == ["&", "connector", "run", "/tmp/lane", "&"]
        carrier = site.carrier()
        set_up = set_up.replace("/tmp/lane", str(site.config))
        shell(set_up.replace("port = 2775", f"port = {carrier.port}"), site)
        site.socket_path = str(site.config / "jobs.sock")
        site.start()
        yield site
    finally:
        site.close()


def indented(part: str) -> str:
    """The lines of a part of a page that are typed as they stand."""
    return "\n".join(line[4:] for line in part.splitlines() if not line or line.startswith("    "))


def shell(script: str, site: Site, timeout_s: float = 30.0) -> str:
    """What a script prints, with `connector` on its path; it must succeed."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CONNECTOR_SOCKET": site.socket_path,
    }
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def node_modules() -> Path:
    """The folder of the npm packages, installed when it is missing."""
    if absent := [program for program in ("node", "npm") if shutil.which(program) is None]:
        pytest.skip(f"not installed: {', '.join(absent)}")
    key = hashlib.sha256(b"".join(path.read_bytes() for path in MANIFESTS)).hexdigest()[:12]
    cache = REPOSITORY / ".cache" / "docs"
    installed = cache / key / "node_modules"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.is_dir():
            unfinished = Path(tempfile.mkdtemp(dir=cache))
            for path in MANIFESTS:
                shutil.copy(path, unfinished)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=unfinished, capture_output=True, text=True, timeout=INSTALL_S)
            if done.returncode:
                pytest.skip(f"npm ci failed: {done.stderr.strip()}")
            unfinished.rename(installed.parent)
    return installed
