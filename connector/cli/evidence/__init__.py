"""`connector evidence`: what was done with each job, and the proof that it was."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

__all__ = ["command"]

_COMMANDS: Final = {
    "certificate": "One message or call as a document to file, HTML or PDF.",
    "export": "Records as CSV, JSON lines or Parquet.",
    "match": "Whether a text is the one that a job sent.",
    "verify": "Whether anything was changed, left out or cut off.",
}


class _Commands(click.Group):
    """Loads `connector.cli.evidence.<name>` on demand, as the commands above it are."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        found: click.Command = import_module(f"connector.cli.evidence.{cmd_name}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command("evidence", cls=_Commands)
def command() -> None:
    """Export, verify and certify what was done with each job, from the state folder of a lane.

    All of it only reads, whether or not the daemon runs.

    \b
    Example:
      connector evidence verify --state /var/lib/connector/verification
    """
