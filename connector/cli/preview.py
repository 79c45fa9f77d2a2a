"""`connector preview`: how a job will leave, by the daemon's word or from a carrier's file alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from connector.cli import decision
from connector.cli.columns import print_columns
from connector.cli.job_options import content_of, content_options, usage_error
from connector.cli.job_socket import job_socket_option, open_client

__all__ = ["command", "print_decision"]

_OFFERS = ("ROUTE", "IN TIME", "PRICE", "UTILITY", "NOTES")


@click.command("preview")
@job_socket_option(required=False)
@click.option("--profile", type=click.Path(path_type=Path), metavar="CARRIER.toml",
              help="Ask no daemon: show how --text leaves by this carrier.")  # fmt: skip
@click.option("--to", metavar="NUMBER", help="E.164, e.g. +447700900123.")
@content_options
@click.option("--deadline", "deadline_s", type=float, metavar="SECONDS",
              help="After it the message is worthless.")  # fmt: skip
@click.option("--journey", metavar="NAME", help="How it travels; by default the lane's way.")
@click.option("--class", "class_", metavar="NAME", help="Of [classes]: what it is worth in time.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    socket_path: Path | None, profile: Path | None, *, class_: str | None, as_json: bool, **fields: Any
) -> None:
    """Show how a text will leave: encoding, parts, units (septets, 16-bit units or octets, headers not
    counted), segments (short messages on the air), national tables, and what would be substituted.
    With --socket and --to also by which route it would leave at this moment, and why: the chance of each to
    be in time, its price and utility in average messages. Nothing is sent.

    Exit codes: 0 it can leave, 1 it is refused, 2 bad usage or configuration.

    \b
    Examples:
      connector preview --socket /run/connector/verification.sock \\
          --template sign-in --lang hi --param code=482917 --param minutes=5 \\
          --to +447700900123 --deadline 20
      connector preview --profile config/profiles/plain-smpp34.toml --text "Your code is 482917" --json
    """
    content = content_of(**fields, **{"class": class_})
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
        rows = [(name, _words(value)) for name, value in shown.items() if name not in ("schema", "decision")]
        print_columns(("PREVIEW", ""), rows)
        if shown.get("decision") is not None:
            print_decision(shown["decision"])
        elif "decision" in shown:
            click.echo("\nat this moment nobody could have it there before its deadline")
    sys.exit(1 if shown.get("refused") else 0)


def print_decision(decided: decision.Record) -> None:
    """The routes as a table, and in a sentence what decided among them."""
    click.echo()
    if decided.get("offers"):
        print_columns(_OFFERS, [_offer(offer) for offer in decided["offers"]])
        click.echo()
    click.echo(decision.reason(decided, "sms"))
    if (planned := decision.plan(decided)) is not None:
        click.echo(planned)


def _offer(offer: decision.Record) -> tuple[str, ...]:
    notes = [offer["reason"]] if offer.get("reason") else []
    if (offer.get("wait_s") or 0.0) >= decision.LEAST_WAIT_S:
        notes.append(f"{offer['wait_s']:.1f} s in its queue")
    return (
        offer["route"],
        decision.chance(offer["p"]) if offer.get("p") is not None else "-",
        decision.price(offer["price"]) if offer.get("price") is not None else "-",
        f"{offer['utility']:.1f}" if offer.get("utility") is not None else "-",
        "; ".join(notes),
    )


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
    """Prints every problem of the file and exits with 2 when it has any."""
    from connector.carriers.preview import preview_of_text
    from connector.config import ConfigError, load_carrier

    try:
        carrier = load_carrier(profile)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        sys.exit(2)
    return {"schema": 1, **preview_of_text(text, carrier)}


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value)) or "none"
    if isinstance(value, dict):
        if "times" in value:
            return f"{value['from']!r} by {value['to']!r}, {value['times']} times"
        return f"{value['carrier']} ({value['refused'] or value['encoding']}, {value['parts']} parts)"
    return "no" if value is None else " ".join(str(value).split())
