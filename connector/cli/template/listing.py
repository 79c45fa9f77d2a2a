"""`connector template list`: the templates of the catalogue, of a folder or of an instance."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from connector.cli.columns import print_columns
from connector.config import Template, content_hash

from .reading import read
from .shipped import CATALOGUE

__all__ = ["command"]

SCHEMA = 1


@click.command("list")
@click.argument("path", required=False, type=click.Path(path_type=Path, exists=True), metavar="[DIR]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(path: Path | None, *, as_json: bool) -> None:
    """List templates with their languages: those of DIR (an instance, or a folder of templates), or the
    catalogue that comes with the program, and where its files are.

    A template of the catalogue is used by copying its file into the templates/ of an instance and setting
    its lane and its [values].

    Exit codes: 0 listed, 2 a file is wrong, which is told.

    \b
    Examples:
      connector template list
      connector template list /etc/connector/notification
      cp "$(connector template list --json | jq -r .folder)"/order-*.toml my-lane/templates/
    """
    folder = CATALOGUE if path is None else path
    source = read(folder, {})
    for problem in source.problems:
        click.echo(str(problem), err=True)
    templates = [found.template for found in source.found]
    if as_json:
        shown = {
            "schema": SCHEMA,
            "folder": str(folder),
            "templates": [{**_shown(found.template), "file": found.document.file} for found in source.found],
        }
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        if path is None:
            click.echo(f"catalogue: {folder}")
        print_columns(("TEMPLATE", "LANE", "CALL", "TAKES", "LANGUAGES"), [_row(each) for each in templates])
    sys.exit(2 if source.problems else 0)


def _shown(template: Template) -> dict[str, Any]:
    return {
        "name": template.name,
        "lane": template.lane,
        "purpose": template.purpose,
        "version": template.version,
        "hash": content_hash(template),
        "default_lang": template.default_lang,
        "languages": list(template.text),
        "params": {name: parameter.kind for name, parameter in template.params.items()},
        "values": dict(template.values),
        "voice": _voice(template),
    }


def _voice(template: Template) -> str | None:
    """What a call says: "code", "message", "code and message", or None."""
    if template.voice is None:
        return None
    said = (("code", template.voice.code is not None), ("message", bool(template.voice.say)))
    return " and ".join(word for word, is_said in said if is_said)


def _row(template: Template) -> tuple[str, ...]:
    params = ", ".join(template.params) or "-"
    return template.name, template.lane, _voice(template) or "-", params, " ".join(template.text)
