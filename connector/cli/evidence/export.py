"""`connector evidence export`: records as CSV, JSON lines or Parquet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from connector.cli.evidence.folder import readable, state_option, written

__all__ = ["command"]

_FORMATS: Final = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}
_MANY: Final = {
    "app": ("apps", "The application."),
    "outcome": ("outcomes", "delivered, undelivered, expired, rejected, unknown or cancelled."),
    "job": ("jobs", "The application's own id."),
    "country": ("countries", "Of the number, ISO 3166: DE."),
    "template": ("templates", "Its name."),
    "lang": ("langs", "Of the text, BCP 47."),
    "carrier": ("carriers", "Of any attempt."),
    "channel": ("channels", "sms or voice, of any attempt."),
    "class": ("classes", "Of the job."),
    "journey": ("journeys", "Of the job."),
    "to": ("recipients", "The number; those whose personal part was removed fit none."),
    "kind": ("kinds", "job, late, start, redacted, dropped or fault."),
}
"""Option → (part of the filter, help)."""


def _moment(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    from connector.evidence.filters import moment

    try:
        return None if value is None else moment(value, end=parameter.name == "end")
    except ValueError as error:
        raise click.BadParameter(f"{value!r}: {error}") from None


def _filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for name, (part, help) in reversed(_MANY.items()):
        metavar = name.upper()
        command = click.option(f"--{name}", part, multiple=True, metavar=metavar, help=help)(command)
    return command


@click.command("export")
@state_option()
@click.option("--format", type=click.Choice(list(_FORMATS.values())), help="By default as FILE ends, or csv.")
@click.option("--from", "begin", callback=_moment, metavar="TIME",
              help="Recorded from then on: 2026-11-23, or 2026-11-23T10:00:00Z.")  # fmt: skip
@click.option("--until", "end", callback=_moment, metavar="TIME",
              help="Recorded before then; a date alone includes that day.")  # fmt: skip
@_filter_options
@click.option(
    "--numbers", is_flag=True, help="With whole telephone numbers; JSON lines: the personal part too."
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write there, mode 0600; by default to stdout.")  # fmt: skip
def command(
    state: Path,
    format: str | None,
    begin: float | None,
    end: float | None,
    output: Path | None,
    *,
    numbers: bool,
    **many: tuple[str, ...],
) -> None:
    """Write the records that fit all the options given; an option given several times fits any of its values.

    One row a record, the oldest first. The columns are in docs/evidence.md.

    \b
    Examples:
      connector evidence export --state /var/lib/connector/verification --from 2026-11-01 -o november.csv
      connector evidence export --state /var/lib/connector/verification --app shop --outcome undelivered
    """
    from connector.evidence.export import ParquetMissing, export
    from connector.evidence.filters import Filter

    wanted = Filter(begin, end, **{part: frozenset(values) for part, values in many.items()})
    chosen: Any = format or _FORMATS.get(output.suffix if output else "", "csv")
    if chosen == "parquet" and output is None:
        raise click.UsageError("Parquet is no text: name a file with -o.")
    try:
        with readable(state), written(output) as out:
            count = export(wanted.wanted(state), chosen, out, numbers=numbers)
    except ParquetMissing as error:
        raise click.ClickException(str(error)) from None
    if output is not None:
        click.echo(f"{count} records in {output}", err=True)
