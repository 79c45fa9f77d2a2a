"""`connector run`: the daemon."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from connector.config import ConfigError, load
from connector.daemon import CannotStart
from connector.evidence.keys import KeyFault
from connector.jobs.content import require_templates
from connector.journal.schema import SchemaTooNew
from connector.log import configure, log_uncaught
from connector.process import run
from connector.sealing import SealError
from connector.state_folder import StateInUse

__all__ = ["command"]


@click.command()
@click.argument("config_dir", type=click.Path())
def command(config_dir: str) -> None:
    """Run the daemon in the foreground for the lane configured in CONFIG_DIR.

    SIGTERM drains: no new jobs, windows empty, unbind, exit. SIGHUP reads the configuration again. Exit
    codes: 0 stopped, 1 failed, 2 the configuration is wrong, 74 the journal cannot be written.

    Example: connector run /etc/connector/verification
    """
    try:
        config = load(config_dir)
        require_templates(config)
    except ConfigError as error:
        _refuse(error)
    configure(config.log.level, config.log.format)
    log_uncaught()
    try:
        sys.exit(run(config))
    except ConfigError as error:
        _refuse(error)
    except (CannotStart, KeyFault, SealError, StateInUse, SchemaTooNew, OSError) as error:
        click.echo(f"connector: {error}", err=True)
        sys.exit(1)


def _refuse(error: ConfigError) -> NoReturn:
    for problem in error.problems:
        click.echo(problem, err=True)
    sys.exit(2)
