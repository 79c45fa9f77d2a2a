"""A real systemd: a small Debian of the host's own release, booted by systemd-nspawn without network.

The root comes from debootstrap, once; it is kept in the user's cache and never written to, since every boot
puts a volatile overlay over it. The interpreter that runs the tests is mounted into the container with its
packages, so what runs there is the code of this checkout.
"""

import contextlib
import hashlib
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import pytest

REPOSITORY = Path(__file__).parents[2]
# python3 for its libraries (libssl, libffi, zlib …): our interpreter needs the same ones.
PACKAGES = ("systemd", "systemd-sysv", "python3", "libespeak-ng1", "espeak-ng-data")
PROGRAMS = ("debootstrap", "systemd-nspawn", "nsenter", "setpriv")
BOOT_S = 60.0
COMMAND_S = 90.0
LIBRARIES = "/opt/libraries"
INSTALLATION = "/opt/carrier-connector"
PATH = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
CONSOLE_SCRIPT = """\
#!{installation}/bin/python
import sys
from connector.cli import main
sys.exit(main())
"""


def missing() -> str | None:
    """Why no container can be booted here, or None."""
    if os.geteuid() != 0:
        return "a container needs root"
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"not installed: {', '.join(absent)}" if absent else None


def root_folder() -> Path:
    """The unpacked system; about a minute the first time, nothing later."""
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    key = hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:8]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "carrier-connector")
    root = cache / f"root-{release}-{key}"
    if not root.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f"{root.name}.", dir=cache))
        command = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", release]
        done = subprocess.run([*command, str(unfinished)], capture_output=True, text=True)
        if done.returncode:
            shutil.rmtree(unfinished)
            pytest.fail(f"debootstrap: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        unfinished.chmod(0o755)
        unfinished.rename(root)
    return root


def base_python() -> tuple[str, dict[str, Path]]:
    """The path inside the container of the Python that ours was made of, and what must be mounted for it."""
    name = f"bin/python{sys.version_info.major}.{sys.version_info.minor}"
    if sys.base_prefix == "/usr":  # the container is of the same release and has the same one
        return f"/usr/{name}", {}
    return f"/opt/python/{name}", {"/opt/python": Path(sys.base_prefix)}


def installation(folder: Path) -> dict[str, Path]:
    """What must be mounted for a virtual environment with the console script, as the README has it installed.

    Its packages are ours, by a .pth. Nothing is mounted below /home or /root: the unit's ProtectHome= hides
    these.
    """
    python, mounts = base_python()
    packages = folder / "lib" / Path(python).name / "site-packages"
    packages.mkdir(parents=True)
    (packages / "checkout.pth").write_text(f"{LIBRARIES}\n{LIBRARIES}/site-packages\n")
    (folder / "pyvenv.cfg").write_text(f"home = {Path(python).parent}\n")
    (folder / "bin").mkdir()
    (folder / "bin/python").symlink_to(python)
    (folder / "bin/connector").write_text(CONSOLE_SCRIPT.format(installation=INSTALLATION))
    (folder / "bin/connector").chmod(0o755)
    return {
        **mounts,
        INSTALLATION: folder,
        f"{LIBRARIES}/site-packages": Path(sysconfig.get_path("purelib")),
        f"{LIBRARIES}/connector": REPOSITORY / "connector",
        f"{LIBRARIES}/protocols": REPOSITORY / "protocols",
        f"{LIBRARIES}/tests/voice/dns_server.py": REPOSITORY / "tests/voice/dns_server.py",
    }


def end(process: subprocess.Popen[str]) -> None:
    """Kill what `Container.start` started: nsenter, and the command, which is its child."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


class Container:
    """A booted machine; ``with Container(files, folder) as machine: machine.run("systemctl", …)``.

    ``files`` maps paths in the container to what is mounted there, read-only; ``folder`` is ours for sockets
    and logs.
    """

    def __init__(self, files: Mapping[str, Path], folder: Path) -> None:
        self.python = f"{INSTALLATION}/bin/python"
        self.console = folder / "console.log"
        self._notify = folder / "notify"
        self._command = [
            "systemd-nspawn",
            "--boot",
            "--quiet",
            "--register=no",
            "--keep-unit",
            "--private-network",
            "--volatile=overlay",
            "--notify-ready=yes",
            "--console=pipe",
            f"--directory={root_folder()}",
            *(f"--bind-ro={source}:{target}" for target, source in files.items()),
        ]

    def __enter__(self) -> Self:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, self.console.open("wb") as console:
            ready.bind(str(self._notify))
            ready.settimeout(1)
            self._process = subprocess.Popen(
                self._command,
                env={**os.environ, "NOTIFY_SOCKET": str(self._notify)},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
            )
            self._leader = ""
            end = time.monotonic() + BOOT_S
            while time.monotonic() < end and self._process.poll() is None:
                with contextlib.suppress(TimeoutError):
                    lines = ready.recv(4096).decode().splitlines()
                    message = dict(line.split("=", 1) for line in lines)
                    self._leader = message.get("X_NSPAWN_LEADER_PID", self._leader)
                    if message.get("READY") == "1":
                        return self
        self.__exit__()
        pytest.fail(f"the container did not boot: {self.console.read_text(errors='replace')[-3000:]}")

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def run(self, *command: str, user: str = "root", check: bool = True) -> str:
        """Standard output of a command inside, as ``user``; if it fails, so does the test."""
        with self.start(*command, user=user) as process:
            try:
                output, errors = process.communicate(timeout=COMMAND_S)
            except subprocess.TimeoutExpired:
                end(process)
                pytest.fail(f"{' '.join(command)}: no end after {COMMAND_S} s")
        if check and process.returncode:
            pytest.fail(f"{' '.join(command)}: exit {process.returncode}\n{output}{errors}")
        return output

    def start(self, *command: str, user: str = "root") -> subprocess.Popen[str]:
        """A command inside, running; our packages are importable in ``python``."""
        inside = ["nsenter", f"--target={self._leader}", "--mount", "--uts", "--ipc", "--net", "--pid"]
        inside += ["--root", "--wd", "--", "/usr/bin/env", "-i", PATH]
        if user != "root":
            inside += ["/usr/bin/setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"]
        return subprocess.Popen(
            [*inside, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def write(self, path: str, content: str, mode: str = "644") -> None:
        """A file inside the container, with the folders it needs."""
        script = 'mkdir -p "$(dirname "$1")" && printf %s "$2" > "$1" && chmod "$3" "$1"'
        self.run("sh", "-c", script, "sh", path, content, mode)

    def show(self, unit: str, *names: str) -> dict[str, str]:
        """Properties of a unit, as systemctl show prints them."""
        lines = self.run("systemctl", "show", unit, f"--property={','.join(names)}").splitlines()
        return dict(line.split("=", 1) for line in lines)
