"""`connector template render`: the text that a job would become."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from connector.cli.columns import print_columns
from connector.cli.job_options import key_values
from connector.config import Template, content_hash
from connector.config.problem import did_you_mean
from connector.segments import Amount, Date, Digits, Pause, Segment, Text
from connector.templates import Registry, TemplateError, Wording, render, speak
from connector.templates.registration import mismatch
from connector.templates.senders import guises

from .findings import place, timeless
from .fit import leaves
from .reading import Source, read
from .samples import usual
from .shipped import CATALOGUE

__all__ = ["command"]

SCHEMA = 1


@click.command("render")
@click.argument("name", required=False)
@click.option("--lang", metavar="TAG", help="As in a job, e.g. pt-BR; absent: the template's default_lang.")
@click.option("--param", "params", metavar="KEY=VALUE", multiple=True, callback=key_values,
              help="Variable of the template; once for each.")  # fmt: skip
@click.option("--sample", is_flag=True, help="Sample values for all parameters that are not given.")
@click.option("--config", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="DIR",
              help="An instance or a folder of templates, rather than the catalogue.")  # fmt: skip
@click.option("--file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE",
              help="One template's file.")  # fmt: skip
@click.option("--country", metavar="CC", help="Of the recipient, ISO 3166: it may choose the sender.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(name: str | None, *, config: Path | None, file: Path | None, as_json: bool, **job: Any) -> None:
    """Render the template NAME of the catalogue, of --config, or the one of --file: text, sender, parts by
    each carrier of the instance (or a plain one), and what a call says. Nothing is sent, no daemon is asked,
    and whether the template is valid today does not matter.

    Exit codes: 0 rendered, 1 the parameters are refused or no carrier can take the text, 2 bad usage or
    configuration.

    \b
    Examples:
      connector template render login-code --lang pl --param code=482917 --param minutes=5
      connector template render order-overdue --lang ru --sample --param days=21
      connector template render --file templates/order-shipped.toml --sample --country IN --json
    """
    if config is not None and file is not None:
        raise click.UsageError("--config and --file exclude each other")
    if name is None and file is None:
        raise click.UsageError("expected the NAME of a template; connector template list shows them")
    source = read(file or config or CATALOGUE, {})
    template = _template(source, name)
    try:
        shown = _shown(template, source, job)
    except TemplateError as error:
        hint = f" ({error.hint})" if error.hint else ""
        click.echo(f"error: {error.field}: {error.message}{hint}", err=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        _print(shown)
    sys.exit(1 if all(leaf["refused"] for leaf in shown["carriers"]) else 0)


def _template(source: Source, name: str | None) -> Template:
    """The one that is meant; ends with 2 where there is none, or where the one that is meant is wrong."""
    known = {found.template.name: found.template for found in source.found}
    if name in known:
        return known[name]
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    for problem in source.problems:
        if name is None or Path(problem.file).stem == name:
            click.echo(str(problem), err=True)
    if source.problems and (name is None or any(Path(p.file).stem == name for p in source.problems)):
        sys.exit(2)
    raise click.UsageError(f'there is no template "{name}"{did_you_mean(name or "", known)}')


def _shown(template: Template, source: Source, job: dict[str, Any]) -> dict[str, Any]:
    hashed = content_hash(template)
    template = timeless(template)
    wording = Registry(template.lane, [template]).wording(template.name, job["lang"], 0.0)
    params = {**(usual(template)[0] if job["sample"] else {}), **job["params"]}
    rendered = render(wording, params)
    country = (job["country"] or "").upper()
    sender = wording.sender(country) or source.default_sender
    carriers = leaves(source.carriers, rendered.text)
    _disguise(carriers, wording, country, source, sender or "")
    _compare(carriers, wording, country, rendered.text)
    return {
        "schema": SCHEMA,
        "template": template.name,
        "lang": wording.lang,
        "version": wording.version,
        "hash": hashed,
        "text": rendered.text,
        "values": [{"param": name, "start": start, "end": end} for name, start, end in rendered.spans],
        "sender": sender,
        "carriers": carriers,
        "call": _said(wording, params),
    }


def _disguise(
    shown: list[dict[str, Any]], wording: Wording, country: str, source: Source, sender: str
) -> None:
    """Adds to each carrier the sender that is seen, and the registered ids that it gets."""
    found = guises(wording, country, source.accounts, sender)
    for leaf in shown:
        guise = found.own.get(leaf["carrier"], found.usual)
        leaf["sender"] = guise.sender or None
        leaf["registered"] = guise.registered or {}
        leaf["refused"] = leaf["refused"] or found.refused.get(leaf["carrier"])


def _compare(shown: list[dict[str, Any]], wording: Wording, country: str, text: str) -> None:
    """Refuses for each carrier what differs from the text that was registered with it."""
    for leaf in shown:
        registration = wording.registration(country, leaf["carrier"])
        if registration is None or leaf["refused"]:
            continue
        if (fault := mismatch(registration, wording.lang, text)) is not None:
            leaf["refused"] = f"{place(*fault.position)}: {fault.message}"


def _said(wording: Wording, params: dict[str, str | int]) -> dict[str, Any] | None:
    """The code that is read digit by digit, and the pieces of the message."""
    if wording.voice is None:
        return None
    code, message = speak(wording, params)
    return {"code": code or None, "message": [_piece(segment) for segment in message]}


def _piece(segment: Segment) -> str | dict[str, Any]:
    match segment:
        case Text():
            return segment.text
        case Digits():
            return {"digits": segment.digits}
        case Amount():
            return {"amount": segment.value, "currency": segment.currency}
        case Date():
            return {"date": segment.date}
        case Pause():
            return {"pause": segment.seconds}


def _print(shown: dict[str, Any]) -> None:
    click.echo(shown["text"])
    click.echo()
    found = f"{shown['template']} version {shown['version']}, {shown['lang']}"
    click.echo(f"{found}, sender {shown['sender'] or 'not set'}")
    rows = [(leaf["carrier"], leaf["sender"] or "-", _leaving(leaf)) for leaf in shown["carriers"]]
    print_columns(("CARRIER", "SENDER", "LEAVES IN"), rows)
    if shown["call"] is not None:
        click.echo(f"\nin a call: {_call(shown['call'])}")


def _leaving(leaf: dict[str, Any]) -> str:
    parts = "1 part" if leaf["parts"] == 1 else f"{leaf['parts']} parts"
    return leaf["refused"] or f"{parts}, {leaf['encoding']}, {leaf['units']} units"


def _call(call: dict[str, Any]) -> str:
    said = ["the code, digit by digit, twice"] if call["code"] else []
    for piece in call["message"]:
        said.append(piece if isinstance(piece, str) else _words(piece))
    return " ".join(said)


def _words(piece: dict[str, Any]) -> str:
    return f"[{' '.join(f'{value}' for value in piece.values())}{' s' if 'pause' in piece else ''}]"
