"""`connector template`: what templates say, in every language, before anybody gets it."""

from __future__ import annotations

from importlib import import_module

import click

__all__ = ["command"]

_COMMANDS = {
    "check": "Everything that is wrong with templates, and their parts by each carrier.",
    "list": "The templates of the catalogue, of a folder or of an instance.",
    "render": "The text that a job would become.",
}
_MODULES = {"list": "listing"}


class _Commands(click.Group):
    """Loads `connector.cli.template.<name>` on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"{__name__}.{_MODULES.get(cmd_name, cmd_name)}")
        found: click.Command = module.command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command("template", cls=_Commands)
def command() -> None:
    """Check, render and list templates, and the catalogue of ready ones.

    Example: connector template render login-code --lang pl --param code=482917 --param minutes=5
    """
