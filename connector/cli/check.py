"""`connector check`: is this configuration right, and do the lanes share nothing?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from connector.config.overview import InstanceOverview, Overview, overview

__all__ = ["command"]

Row = tuple[str, str, str]
_HEADINGS: Row = ("LANE", "OWNS", "WHAT")


@click.command("check")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(path: Path, *, as_json: bool) -> None:
    """Check one instance (a folder with connector.toml), or a folder of instances together.

    Instances must not share a carrier account, a sender id, a socket, a state folder or a port. Prints
    every problem on a line of its own and exits with 2, or prints who owns what and exits with 0.

    \b
    Example:
      connector check /etc/connector
    """
    found = overview(path)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
    else:
        _print(found)
    sys.exit(0 if found.ok else 2)


def _print(found: Overview) -> None:
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    for problem in found.problems:
        click.echo(str(problem), err=True)
    if found.ok:
        rows = [row for instance in found.instances for row in _rows(instance)]
        if _stdout_is_terminal():
            _print_table(rows)
        else:
            _print_columns(rows)


def _stdout_is_terminal() -> bool:
    return sys.stdout.isatty()


def _rows(instance: InstanceOverview) -> Iterator[Row]:
    lane = instance.lane
    yield lane, "folder", instance.folder
    yield lane, "socket", instance.socket or "from systemd"
    yield lane, "state folder", instance.state_folder or "from systemd"
    if instance.http is not None:
        yield lane, "HTTP", instance.http
    for sender in instance.senders:
        yield lane, "sender id", sender
    for name, uids in instance.applications.items():
        yield lane, "application", f"{name} (uid {', '.join(map(str, uids))})"
    for carrier in instance.carriers:
        state = f"{carrier.tps:g} TPS" if carrier.enabled else "switched off"
        account = f"{carrier.system_id} at {carrier.host}:{carrier.port}"
        yield lane, "carrier account", f"{carrier.name}: {account}, {state}"
    for trunk in instance.trunks:
        state = f"{trunk.calls} calls, {trunk.per_s:g}/s" if trunk.enabled else "switched off"
        host = trunk.host if trunk.port is None else f"{trunk.host}:{trunk.port}"
        account = f"{trunk.username or '(no username)'} at {host}"
        yield lane, "trunk account", f"{trunk.name}: {account}, {state}"
    for template in instance.templates:
        yield lane, "template", template


def _print_columns(rows: list[Row]) -> None:
    widths = [max(len(row[column]) for row in [_HEADINGS, *rows]) for column in range(2)]
    for lane, owns, what in [_HEADINGS, *rows]:
        click.echo(f"{lane:<{widths[0]}}  {owns:<{widths[1]}}  {what}")


def _print_table(rows: list[Row]) -> None:
    # rich costs 100 ms to import: only a terminal pays for it.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")
    lane_before = ""
    for lane, owns, what in rows:
        table.add_row(Text(lane if lane != lane_before else "", "bold"), Text(owns, "dim"), Text(what))
        lane_before = lane
    Console().print(table)
