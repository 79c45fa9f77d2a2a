"""`connector forget`: take a person's number out of what a lane has stored."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connector.cli.job_socket import fields_of, job_socket_option, open_client

if TYPE_CHECKING:
    from connector.config import Config
    from protocols.rpc.methods import Forgotten

__all__ = ["command"]

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_ANSWER_S = 600.0


@click.command("forget")
@click.argument("number")
@job_socket_option(required=False)
@click.option("--state", type=click.Path(path_type=Path), metavar="DIR",
              help="State folder of a lane whose daemon does not run, and whose keys are in it.")  # fmt: skip
@click.option("--config", "config_dir", type=click.Path(path_type=Path), metavar="CONFIG_DIR",
              help="The same, where the configuration says where state folder and keys are.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    number: str, socket_path: Path | None, state: Path | None, config_dir: Path | None, *, as_json: bool
) -> None:
    """Forget NUMBER (E.164, e.g. +447700900123): in jobs that have ended, in what its handset has written,
    and in the personal parts of evidence, whose chain still verifies. It cannot be undone. With - the number
    is read from the standard input: it then stands in no list of processes.

    Through --socket the daemon does it, for an application with may_forget = true; jobs that are open are
    counted, and forgotten when they have ended. With --state or --config no daemon may run.

    Not touched: the opt-out list, logs and backups, and what carriers and applications hold.

    \b
    Examples:
      connector forget +447700900123 --socket /run/connector/verification.sock
      connector forget +447700900123 --config /etc/connector/verification
    """
    if number == "-":
        number = sys.stdin.readline().strip()
    if not _E164.fullmatch(number):
        raise click.UsageError("expected: NUMBER in E.164 with +, such as +447700900123")
    at_rest = (state is not None) + (config_dir is not None)
    if at_rest > 1 or (not at_rest and socket_path is None):
        raise click.UsageError("expected one of --socket (or CONNECTOR_SOCKET), --state and --config")
    if at_rest:
        done = _at_rest(number, state, config_dir)
    else:
        from connector.client import Options

        assert socket_path is not None
        with open_client(socket_path, Options(timeout_s=_ANSWER_S, ack_every=0)) as client:
            done = client.forget(number)
    if as_json:
        click.echo(json.dumps(fields_of(done)))
        return
    records = _count(done.evidence_records, "record")
    click.echo(f"forgotten in {_count(done.jobs, 'job')} and {records} of evidence")
    if done.open:
        click.echo(f"{_count(done.open, 'job')} still open: forgotten when ended")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _at_rest(number: str, state: Path | None, config_dir: Path | None) -> Forgotten:
    from connector.config import ConfigError, load
    from connector.evidence.keys import KeyFault
    from connector.jobs.forgetting import forget_at_rest
    from connector.journal.schema import SchemaTooNew
    from connector.sealing import SealError
    from connector.state_folder import StateInUse

    config: Config | None = None
    try:
        if config_dir is not None:
            config = load(config_dir)
            state = Path(config.state_folder)
        assert state is not None
        if not (state / "journal.db").is_file():
            raise click.ClickException(f"{state}: there is no journal.db")
        os.umask(0o077)
        return forget_at_rest(state, number, config)
    except ConfigError as error:
        raise click.ClickException("\n".join(map(str, error.problems))) from None
    except (KeyFault, OSError, SchemaTooNew, SealError, StateInUse) as error:
        raise click.ClickException(str(error)) from None
