"""The fields of a job as options of a command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

__all__ = ["content_of", "content_options", "key_values", "usage_error"]

_FLAGS = {"class": "--class", "codes": "--code", "params": "--param"}


def content_options(command: Callable[..., None]) -> Callable[..., None]:
    """`--template --lang --param --text --flash --sender`: what the message says, and who says it."""
    for option in reversed((
        click.option("--template", metavar="NAME", help="Template of the lane."),
        click.option("--lang", metavar="TAG", help="Language of the template's text, e.g. de or zh-Hant."),
        click.option("--param", "params", metavar="KEY=VALUE", multiple=True, callback=key_values,
                     help="Variable of the template; once for each."),
        click.option("--text", help="The text itself, where the lane permits it."),
        click.option("--flash", is_flag=True, default=None,
                     help="With --text: the handset shows it at once and does not keep it."),
        click.option("--sender", metavar="ID", help="One of the lane's sender ids."),
    )):  # fmt: skip
        command = option(command)
    return command


def content_of(**fields: Any) -> dict[str, Any]:
    """The job's map on the wire: the fields that were given."""
    return {name: value for name, value in fields.items() if value not in (None, {}, ())}


def usage_error(field: str, message: str, hint: str | None) -> click.UsageError:
    """A field that breaks a rule of the interface, as a fault of the option that gave it."""
    where = f"{_FLAGS.get(field, '--' + field.removesuffix('_s').replace('_', '-'))}: " if field else ""
    return click.UsageError(f"{where}{message}{f' ({hint})' if hint else ''}")


def key_values(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """`KEY=VALUE` options as a map."""
    params: dict[str, str] = {}
    for value in values:
        key, equals, content = value.partition("=")
        if not equals or not key:
            raise click.BadParameter("expected KEY=VALUE, e.g. code=482917", context, parameter)
        if key in params:
            raise click.BadParameter(f"{key} is given twice", context, parameter)
        params[key] = content
    return params
