"""The command line: one small module for each command, imported only when it is the one."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from connector import __version__

__all__ = ["main"]

_COMMANDS = {
    "check": "Validate one instance, or a folder of instances together.",
    "demo": "The whole product on this machine, with no configuration.",
    "order": "Report an event of an order.",
    "evidence": "Export, verify and certify what was done with each job.",
    "forget": "Take a person's number out of what a lane has stored.",
    "preview": "How a text will leave: encoding, parts, what would be refused.",
    "probe": "Find out what a carrier honours, and write its profile.",
    "run": "Run the daemon, in the foreground, for one lane.",
    "say": "What a call will say, as a WAV file to listen to.",
    "send": "Send one job.",
    "simulate": "Simulated carriers and telephones as stand-alone servers.",
    "status": "Binds, windows, rates, queues.",
    "template": "Check, render and list templates, and the catalogue of ready ones.",
    "watch": "Events as they come.",
    "why": "Everything that happened to one job, and why.",
}


class _Commands(click.Group):
    """Loads `connector.cli.<name>` on demand: `--help` stays quick, and the daemon imports no rich."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"connector.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name not in _COMMANDS and not name.startswith("-"):
            near = get_close_matches(name, _COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="connector")
def _connector() -> None:
    """Carry verification codes and notifications to phones: durable, in time, one lane a process.

    Example: connector demo
    """


def main(args: list[str] | None = None) -> Any:
    """Entry point of the console script."""
    return _connector.main(args=args, prog_name="connector")
