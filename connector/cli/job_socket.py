"""The job socket as commands reach it: the option that names it, and what it refuses as one line."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from connector.client import Options, SyncClient

__all__ = ["NAME", "fields_of", "job_socket_option", "open_client"]

NAME = "connector-cli"
_ANSWER_S = 10.0


def job_socket_option(*, required: bool = True) -> Callable[..., Any]:
    """The option `--socket`, also read from CONNECTOR_SOCKET."""
    return click.option(
        "--socket",
        "socket_path",
        type=click.Path(path_type=Path),
        required=required,
        envvar="CONNECTOR_SOCKET",
        show_envvar=True,
        help="Job socket of the lane's daemon, e.g. /run/connector/verification.sock.",
    )


@contextmanager
def open_client(path: Path, options: Options | None = None) -> Iterator[SyncClient]:
    """A connected client; whatever the daemon refuses, then or later, ends the command with code 1.

    By default nothing is acknowledged: the events are the application's, and we only look at them.
    """
    # msgpack and msgspec take longer to import than --help may take.
    from connector.client import Options, RpcError, SyncClient

    _check_listens(path)
    options = options or Options(timeout_s=_ANSWER_S, ack_every=0)
    try:
        with SyncClient(path, name=NAME, options=options) as client:
            yield client
    except RpcError as error:
        raise click.ClickException(str(error)) from None


def fields_of(value: object) -> dict[str, Any]:
    """A struct as the map that JSON output prints, with the version of its form."""
    import msgspec

    return {"schema": 1, **msgspec.to_builtins(value)}


def _check_listens(path: Path) -> None:
    # The client would wait for a daemon that restarts; a mistyped path should be told at once.
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}; is the lane's daemon running?") from None
    if not stat.S_ISSOCK(mode):
        raise click.ClickException(f"{path}: is no socket; expected the job socket of a lane's daemon")
