"""What systemd and the daemon tell each other: sd_notify(3), sd_listen_fds(3), credentials (systemd.exec(5)).

Outside systemd every function does nothing or returns nothing, so callers need no case of their own.
"""

import os
import socket
import time
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import NamedTuple

_FIRST_PASSED_FD = 3  # SD_LISTEN_FDS_START


class PassedSocket(NamedTuple):
    """A listening socket that systemd opened for us: FileDescriptorName= of its unit, and the descriptor."""

    name: str
    fd: int


def notify(*assignments: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send assignments such as ``"READY=1"`` to the service manager as one datagram; False if nobody listens.

    An address that starts with ``@`` is in the abstract namespace. Never raises: a daemon must not fail
    because its supervisor is deaf.
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.connect("\0" + address[1:] if address[0] == "@" else address)
            sock.sendall("\n".join(assignments).encode())
    except OSError:
        return False
    return True


def ready(status: str) -> bool:
    """Start-up, or a reload, is complete; ``status`` is the line that systemctl shows."""
    return notify("READY=1", _status(status))


def reloading(status: str) -> bool:
    """The configuration is read again; ``ready`` ends it (sd_notify(3))."""
    microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000
    return notify("RELOADING=1", f"MONOTONIC_USEC={microseconds}", _status(status))


def status(text: str) -> bool:
    """Say what the start is busy with."""
    return notify(_status(text))


def stopping(status: str) -> bool:
    """The drain has begun."""
    return notify("STOPPING=1", _status(status))


def watchdog() -> bool:
    """Still alive; due well within ``watchdog_s``."""
    return notify("WATCHDOG=1")


def watchdog_s(environ: Mapping[str, str] = os.environ) -> float | None:
    """Seconds of silence after which systemd kills us (WatchdogSec=), or None when it does not watch."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if microseconds.isdecimal() and int(microseconds) else None


def listen_fds(environ: MutableMapping[str, str] = os.environ) -> tuple[PassedSocket, ...]:
    """The sockets of socket activation, in their order in the unit; empty when there are none.

    Takes the variables out of the environment and makes the descriptors close-on-exec, so that no child
    process believes them to be its own. A second call therefore returns nothing.
    """
    pid, count, names = (environ.pop(f"LISTEN_{key}", "") for key in ("PID", "FDS", "FDNAMES"))
    if pid != str(os.getpid()) or not count.isdecimal():
        return ()
    labels = names.split(":") if names else []
    passed = []
    for index in range(int(count)):
        fd = _FIRST_PASSED_FD + index
        os.set_inheritable(fd, False)
        passed.append(PassedSocket(labels[index] if index < len(labels) else "unknown", fd))
    return tuple(passed)


def credential(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The file that holds the credential ``name`` (LoadCredential= of the unit).

    Raises ValueError for a name that is no plain file name, FileNotFoundError with the remedy when the
    service was started without it.
    """
    if not name or "/" in name or name in (".", ".."):
        raise ValueError(f"credential name {name!r}: a plain file name is expected")
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if folder is None:
        raise FileNotFoundError(
            f"credential {name!r}: no CREDENTIALS_DIRECTORY; start as a systemd service or use the *_file key"
        )
    path = Path(folder, name)
    if not path.is_file():
        raise FileNotFoundError(
            f"credential {name!r}: not in {folder}; add LoadCredential={name}:PATH to the unit"
        )
    return path


def _status(text: str) -> str:
    return "STATUS=" + " ".join(text.split())
