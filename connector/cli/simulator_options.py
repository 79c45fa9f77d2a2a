"""A simulated server's declared options as options of the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from connector.simulator.delay import Delay
from connector.simulator.options import Names, OptionError, Pairs, Takes
from connector.simulator.options.declared import Declared, parsed_as, takes_of

__all__ = ["built", "declared"]

_METAVARS = {int: "N", float: "NUMBER", str: "TEXT", Delay: "DELAY", Names: "LIST", Pairs: "PAIRS"}

Command = Callable[..., None]
_O = TypeVar("_O", bound=Declared)


def declared(options: type[Declared]) -> Callable[[Command], Command]:
    """A decorator that adds every option of `options` to a command."""

    def decorate(function: Command) -> Command:
        for name, takes in reversed(takes_of(options).items()):
            function = _flag(options, name, takes)(function)
        return function

    return decorate


def built(options: type[_O], values: dict[str, Any]) -> _O:
    """The options themselves, with what the command line says. Raises click.UsageError."""
    try:
        return options(**values)
    except OptionError as error:
        name, _, reason = str(error).partition(": ")
        raise click.UsageError(f"--{name.replace('_', '-')}: {reason}") from None


def _flag(options: type[Declared], name: str, takes: Takes) -> Callable[[Command], Command]:
    default = options.__dataclass_fields__[name].default
    flag = "--" + name.replace("_", "-")
    if isinstance(default, bool):
        return click.option(f"{flag}/--no-{flag[2:]}", name, default=default, help=takes.help)

    def checked(context: click.Context, parameter: click.Parameter, value: object) -> object:
        try:
            return parsed_as(options, name, value)
        except OptionError as error:
            raise click.BadParameter(str(error).partition(": ")[2], context, parameter) from None

    metavar = "SHARE" if takes.high == 1 else _METAVARS[type(default)]
    text: dict[str, Any] = {"help": takes.help, "default": str(default), "show_default": bool(default)}
    if takes.choices and isinstance(default, Names):
        text["help"] += f" Any of: {', '.join(takes.choices)}."
    elif takes.choices:
        return click.option(flag, name, type=click.Choice(takes.choices), **text)
    if name.endswith("_status") and default:
        text["default"] = f"0x{default:02X}"
    return click.option(flag, name, metavar=metavar, callback=checked, **text)
