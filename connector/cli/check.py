"""`connector check`: is this configuration right, and do the lanes share nothing?"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

import click
import msgspec

from connector.config import read_instance
from connector.config.overview import InstanceOverview, Overview, overview
from connector.config.problem import ConfigError, Problem
from connector.jobs.content import template_problems
from connector.jobs.opt_out import read_opt_out

__all__ = ["command"]

Row = tuple[str, str, str, str]
_HEADINGS: Row = ("LANE", "OWNS", "WHAT", "WHERE")


@click.command("check")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(path: Path, *, as_json: bool) -> None:
    """Check one instance (a folder with connector.toml), or a folder of instances together.

    Instances must not share a carrier or trunk account, a sender id, a password, a socket, a state folder or
    a port. Prints every problem on a line of its own and exits with 2, or prints who owns what, and where it
    is written, and exits with 0.

    \b
    Example:
      connector check /etc/connector
    """
    found = _looked_into(overview(path))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
    else:
        _print(found)
    sys.exit(0 if found.ok else 2)


def _looked_into(found: Overview) -> Overview:
    """With what is wrong in the lists of numbers that want nothing, and in the wording of templates."""
    problems: list[Problem] = []
    for instance in found.instances:
        if instance.opt_out is not None:
            try:
                read_opt_out(Path(instance.opt_out))
            except ConfigError as error:
                problems += error.problems
        read = read_instance(instance.folder)
        if read.config is not None and not read.problems:  # those are told already
            problems += template_problems(read.config)
    return msgspec.structs.replace(found, ok=found.ok and not problems, problems=(*found.problems, *problems))


def _print(found: Overview) -> None:
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    for problem in found.problems:
        click.echo(str(problem), err=True)
    if found.ok:
        rows = [row for instance in found.instances for row in _rows(instance, _label(instance, found))]
        if _stdout_is_terminal():
            _print_table(rows)
        else:
            _print_columns(rows)
        if len(found.instances) > 1:
            click.echo(_proof(found.instances))


def _stdout_is_terminal() -> bool:
    return sys.stdout.isatty()


def _label(instance: InstanceOverview, found: Overview) -> str:
    """The lane, with the folder where several instances serve it."""
    lane = instance.lane
    if sum(other.lane == lane for other in found.instances) == 1:
        return lane
    return f"{lane}({os.path.basename(os.path.abspath(instance.folder))})"


def _rows(instance: InstanceOverview, label: str) -> Iterator[Row]:
    yield label, "folder", instance.folder, ""
    accounts = dict(_accounts(instance))
    for owned in instance.owned:
        what = accounts.get((owned.kind, owned.what))
        if what is None and owned.kind.endswith("account"):
            # A further host of the account.
            what = f"{PurePath(owned.file).stem}: {owned.what}"
        where = f"{os.path.relpath(owned.file, instance.folder)}:{owned.line}"
        yield label, owned.kind, what or owned.what, where
    for name, uids in instance.applications.items():
        yield label, "application", f"{name} (uid {', '.join(map(str, uids))})", ""
    for template in instance.templates:
        yield label, "template", template, ""
    if instance.opt_out is not None:
        yield label, "opt-out list", instance.opt_out, ""


def _accounts(instance: InstanceOverview) -> Iterator[tuple[tuple[str, str], str]]:
    """What is owned as an account, and how it is shown with its carrier's name and rate."""
    for carrier in instance.carriers:
        state = f"{carrier.tps:g} TPS" if carrier.enabled else "switched off"
        shown = f"{carrier.name}: {carrier.system_id} at {carrier.host}:{carrier.port}, {state}"
        yield ("carrier account", f"{carrier.system_id} at {carrier.host}"), shown
    for trunk in instance.trunks:
        state = f"{trunk.calls} calls, {trunk.per_s:g}/s" if trunk.enabled else "switched off"
        user = trunk.username or "(no username)"
        host = trunk.host if trunk.port is None else f"{trunk.host}:{trunk.port}"
        yield ("trunk account", f"{user} at {trunk.host}"), f"{trunk.name}: {user} at {host}, {state}"


def _proof(instances: Sequence[InstanceOverview]) -> str:
    """One sentence: what was compared."""
    counts = Counter(owned.kind for instance in instances for owned in instance.owned)
    things = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in counts.items())
    return f"{len(instances)} instances share none of their {things}."


def _print_columns(rows: list[Row]) -> None:
    widths = [max(len(row[column]) for row in [_HEADINGS, *rows]) for column in range(3)]
    for lane, owns, what, where in [_HEADINGS, *rows]:
        line = f"{lane:<{widths[0]}}  {owns:<{widths[1]}}  {what:<{widths[2]}}  {where}"
        click.echo(line.rstrip())


def _print_table(rows: list[Row]) -> None:
    # rich costs 100 ms to import: only a terminal pays for it.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")
    lane_before = ""
    for lane, owns, what, where in rows:
        shown = Text(lane if lane != lane_before else "", "bold")
        table.add_row(shown, Text(owns, "dim"), Text(what), Text(where, "dim"))
        lane_before = lane
    Console().print(table)
