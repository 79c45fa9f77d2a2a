"""`connector template check`: everything that is wrong with templates, and their parts by each carrier."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from connector.cli.columns import print_columns
from connector.config.problem import ConfigError, Problem

from .findings import Report, report
from .fit import Fit
from .reading import Source, profiles, read_all

__all__ = ["command"]

SCHEMA = 1


@click.command("check")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True),
                metavar="PATH...")  # fmt: skip
@click.option("--profile", "profile_paths", multiple=True, metavar="CARRIER.toml",
              type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="Count the parts by this carrier; may be given several times.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(paths: tuple[Path, ...], profile_paths: tuple[Path, ...], *, as_json: bool) -> None:
    """Check templates: files, folders of them, instances (a folder with connector.toml), folders of those.

    Every language is rendered with sample values, in every branch of its plurals and choices. Looked at are
    the file's rules, marketing wording where the lane refuses it, texts as they were registered, the
    direction of right-to-left text, and whether each carrier can take it, in how many parts: with usual
    values, and with the longest ones in plain letters. Without --profile the carriers are the instance's, or
    a plain one.

    Prints every problem on a line of its own and exits with 2, or prints the parts and exits with 0.

    \b
    Examples:
      connector template check /etc/connector
      connector template check order-shipped.toml --profile config/profiles/india-dlt.toml
    """
    try:
        carriers = profiles(profile_paths)
        sources = [source for path in paths for source in read_all(path, carriers)]
    except ConfigError as error:
        _print_problems(error.problems)
        sys.exit(2)
    reports = [report(found, source) for source in sources for found in source.found]
    problems = list(_problems(sources, reports))
    notes = [note for one in reports for note in one.notes]
    if as_json:
        click.echo(json.dumps(_shown(reports, problems, notes), ensure_ascii=False, indent=2))
    else:
        for note in notes:
            click.echo(f"note: {note}", err=True)
        _print_problems(problems)
        if not problems:
            print_columns(("TEMPLATE", "LANE", "CARRIER", "PARTS"), list(_rows(reports)))
    sys.exit(2 if problems else 0)


def _problems(sources: Iterable[Source], reports: Iterable[Report]) -> Iterator[Problem]:
    for source in sources:
        yield from source.problems
    for one in reports:
        yield from one.problems


def _print_problems(problems: Iterable[Problem]) -> None:
    for problem in problems:
        click.echo(str(problem), err=True)


def _shown(reports: list[Report], problems: list[Problem], notes: list[Problem]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "ok": not problems,
        "problems": [_as_json(problem) for problem in problems],
        "notes": [_as_json(note) for note in notes],
        "templates": [one.as_json() for one in reports],
    }


def _as_json(problem: Problem) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in Problem.__struct_fields__}


def _rows(reports: Iterable[Report]) -> Iterator[tuple[str, str, str, str]]:
    """A line for each template and carrier: which languages take how many parts."""
    for one in reports:
        template = one.found.template
        by_carrier: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for lang, fits in one.languages.items():
            for each in fits:
                by_carrier[each.carrier][_parts(each)].append(lang)
        for carrier, counts in by_carrier.items():
            said = "; ".join(f"{parts}: {' '.join(counts[parts])}" for parts in sorted(counts))
            yield template.name, template.lane, carrier, said


def _parts(each: Fit) -> str:
    return str(each.parts) if each.parts == each.most else f"{each.parts}-{each.most}"
