"""`connector preview`: how a text will leave, by the daemon's word or from a carrier's file alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from connector.cli.columns import print_columns
from connector.cli.job_options import content_of, content_options, usage_error
from connector.cli.job_socket import job_socket_option, open_client

__all__ = ["command"]


@click.command("preview")
@job_socket_option(required=False)
@click.option("--profile", type=click.Path(path_type=Path), metavar="CARRIER.toml",
              help="Ask no daemon: show how --text leaves by this carrier.")  # fmt: skip
@click.option("--to", metavar="NUMBER", help="E.164, e.g. +447700900123.")
@content_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(socket_path: Path | None, profile: Path | None, *, as_json: bool, **fields: Any) -> None:
    """Show how a text will leave: encoding, parts, units (septets or 16-bit units, headers not counted).

    Exit codes: 0 it can leave, 1 it is refused, 2 bad usage or configuration.

    \b
    Examples:
      connector preview --socket /run/connector/verification.sock \
          --template sign-in --lang hi --param code=482917 --param minutes=5
      connector preview --profile config/profiles/plain-smpp34.toml --text "Your code is 482917" --json
    """
    content = content_of(**fields)
    if profile is not None:
        if content.keys() != {"text"}:
            raise click.UsageError("--profile takes --text and nothing else: templates are the daemon's")
        shown = _by_profile(profile, content["text"])
    elif socket_path is not None:
        shown = _by_daemon(socket_path, content)
    else:
        raise click.UsageError("expected --socket (or CONNECTOR_SOCKET) or --profile")
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False))
    else:
        rows = [(name, _words(value)) for name, value in shown.items() if name != "schema"]
        print_columns(("PREVIEW", ""), rows)
    sys.exit(1 if shown.get("refused") else 0)


def _by_daemon(socket_path: Path, content: dict[str, Any]) -> dict[str, Any]:
    from protocols.rpc.errors import JobError
    from protocols.rpc.job import parse_preview

    try:
        parse_preview(content)
    except JobError as error:
        raise usage_error(error.field, error.message, error.hint) from None
    with open_client(socket_path) as client:
        return {"schema": 1, **client.preview(content)}


def _by_profile(profile: Path, text: str) -> dict[str, Any]:
    """Nothing is ever substituted yet: a text leaves as it is, or not at all."""
    from protocols.gsm.errors import GsmError
    from protocols.gsm.segmentation import plan

    form = _carrier(profile).text.long_message
    empty = {"encoding": None, "data_coding": None, "parts": 0, "units": 0}
    try:
        segments = plan(text, reference_bits=16 if form == "udh16" else 8)
    except GsmError as error:
        return {"schema": 1, **empty, "substituted": [], "refused": str(error)}
    return {
        "schema": 1,
        "encoding": segments.encoding,
        "data_coding": segments.data_coding,
        "parts": len(segments.parts),
        "units": segments.units,
        "substituted": [],
        "refused": None,
    }


def _carrier(profile: Path) -> Any:
    """The carrier of the file; prints every problem and exits with 2 when it has any."""
    import msgspec

    from connector.config import CarrierFile, Problem
    from connector.config.document import read_document
    from connector.config.validate import file_problems

    document = read_document(profile)
    problems = [document] if isinstance(document, Problem) else file_problems(document, CarrierFile)
    for problem in problems:
        click.echo(str(problem), err=True)
    if problems or isinstance(document, Problem):
        sys.exit(2)
    return msgspec.convert(document.data, CarrierFile)


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "no" if value is None else " ".join(str(value).split())
