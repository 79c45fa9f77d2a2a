"""The listening Unix socket: who may connect, and how many."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import stat
import sys
from collections.abc import Callable
from typing import Any, Final

from connector.config import Config
from connector.jobs.connection import Connection
from connector.jobs.methods import Methods
from connector.jobs.subscription import Subscriptions
from connector.log import event as log_event
from protocols.rpc.limits import Limits
from protocols.rpc.messages import Fault, Request

__all__ = ["JobServer"]

_log = logging.getLogger(__name__)

# Since Python 3.13 a server removes its socket file when it closes, also one that is systemd's.
_KEEP_FILE: Final[dict[str, Any]] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}


class JobServer:
    """`apps` gives each application's row in the journal, by name."""

    def __init__(
        self,
        config: Config,
        *,
        limits: Limits,
        methods: Methods,
        subscriptions: Subscriptions,
        apps: dict[str, int],
        now: Callable[[], float],
    ) -> None:
        self._config = config
        self._limits = limits
        self._methods = methods
        self._subscriptions = subscriptions
        self._apps = apps
        self._now = now
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._path: str | None = None

    async def start(self, passed_fd: int | None) -> None:
        """Listen on the socket systemd passed, else on the configured path."""
        loop = asyncio.get_running_loop()
        listening = _passed(passed_fd) if passed_fd is not None else self._bind()
        self._server = await loop.create_unix_server(
            lambda: Connection(self, self._limits, self._now), sock=listening, backlog=1024, **_KEEP_FILE
        )

    def _bind(self) -> socket.socket:
        path = self._config.socket.path
        if path is None:
            raise OSError("[socket] path is not set and systemd passed no socket")
        _remove_stale(path)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # The file must never exist with wider permissions than configured, not even for a moment.
        mask = os.umask(0o777 & ~self._config.socket.mode_bits)
        try:
            listening.bind(path)
        finally:
            os.umask(mask)
        self._path = path
        return listening

    def close(self) -> None:
        """Take no more connections: from now on they wait for the next daemon, on systemd's socket.

        The socket file goes, unless it is systemd's.
        """
        if self._server is not None:
            self._server.close()
        if self._path is not None:
            os.unlink(self._path)
            self._path = None

    def stop(self) -> None:
        """Close the connections."""
        for connection in list(self._connections):
            connection.end(Fault("draining", "the daemon has stopped", retry_after_s=1.0))

    def configure(self, config: Config, apps: dict[str, int]) -> None:
        """Know applications by this configuration from now on; who belongs to another one must come again."""
        self._config, self._apps = config, apps
        for connection in list(self._connections):
            application = config.application_of(connection.uid) if connection.open else None
            if application is not None and connection.app == apps[application.name]:
                connection.application = application
            else:
                connection.end(Fault("forbidden", f"uid {connection.uid} is no longer of this application"))

    # Owner of the connections

    def opened(self, connection: Connection) -> None:
        self._connections.add(connection)
        uid = connection.uid
        application = self._config.application_of(uid)
        if application is None:
            log_event(_log, "connection refused", level=logging.WARNING, uid=uid)
            connection.end(Fault("forbidden", f"uid {uid} belongs to no application of this lane"))
            return
        if len(self._connections) > self._config.socket.max_connections:
            connection.end(Fault("busy", "too many connections", retry_after_s=1.0))
            return
        connection.application = application
        connection.app = self._apps[application.name]

    def closed(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._subscriptions.remove(connection)

    def call(self, connection: Connection, request: Request, now: float) -> None:
        if connection.application is not None:
            self._methods.call(connection, request, now)

    def resumed(self, connection: Connection) -> None:
        self._subscriptions.pull(connection)


def _passed(fd: int) -> socket.socket:
    listening = socket.socket(fileno=fd)
    if listening.family != socket.AF_UNIX:
        raise OSError("the socket that systemd passed is not a Unix socket")
    listening.setblocking(False)
    return listening


def _remove_stale(path: str) -> None:
    """Remove the socket file of a daemon that is gone; a living one keeps it."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise OSError(f"{path} exists and is not a socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        else:
            raise OSError(f"another daemon listens on {path}")
