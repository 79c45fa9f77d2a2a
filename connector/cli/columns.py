"""Rows as a table: with rich in a terminal, as plain columns into a pipe or a file."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

__all__ = ["in_terminal", "print_columns", "print_title"]


def in_terminal() -> bool:
    """Whether a person reads this."""
    return sys.stdout.isatty()


def print_title(text: str) -> None:
    """One line that stands above others; bold in a terminal."""
    click.secho(text, bold=True)


def print_columns(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print `rows` under `headings`; the last column folds at the edge of a terminal."""
    if in_terminal():
        _print_table(headings, rows)
        return
    lines = [headings, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def _print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    # rich costs 100 ms to import: only a terminal pays for it.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading != headings[-1])
    for row in rows:
        table.add_row(Text(row[0], "bold"), *(Text(cell) for cell in row[1:]))
    Console().print(table)
