"""`connector order`: one event of an order from the shell."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli.following import follow
from connector.cli.job_options import content_of, key_values, usage_error
from connector.cli.job_socket import fields_of, job_socket_option, open_client

if TYPE_CHECKING:
    from protocols.rpc.order import OrderTold

__all__ = ["command"]

_WHY = {
    "late_event": "it came after {after}",
    "stale_event": "its deadline has passed",
    "conflict": "known before, with other data",
}


@click.command("order")
@job_socket_option()
@click.option("--order", required=True, metavar="ID", help="The order's id.")
@click.option("--node", required=True, metavar="NAME", help="The stage it has reached, of [[orders.nodes]].")
@click.option("--to", required=True, metavar="NUMBER", help="E.164, e.g. +447700900123.")
@click.option("--lang", metavar="TAG", help="The recipient's language, e.g. de or zh-Hant.")
@click.option("--data", metavar="KEY=VALUE", multiple=True, callback=key_values,
              help="What is told; once for each.")  # fmt: skip
@click.option("--at", metavar="TIME", help="When it happened, e.g. 2026-11-23T14:30+01:00.  [default: now]")
@click.option("--event", metavar="ID", help="Which occurrence it is, of a node that may occur again.")
@click.option("--journey", metavar="NAME", help="How it travels; by default as the node's rule says.")
@click.option("--wait", is_flag=True,
              help="Follow its job to the end; exit 0 if it was delivered, or nothing is told.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def command(socket_path: Path, *, wait: bool, as_json: bool, **fields: Any) -> None:
    """Report an event of an order. It is safe on the daemon's disk when this prints what comes of it.

    Exit codes: 0 taken, be it dropped or known (with --wait: delivered), 1 refused or not delivered,
    2 bad usage.

    \b
    Example:
      connector order --socket /run/connector/notification.sock --order 1001 --node shipped \\
          --to +447700900123 --lang de --data day=2026-11-27 --wait
    """
    event = _event(**fields)
    with open_client(socket_path) as client:
        # Subscribed before the job exists, so that no event of it is missed.
        events = client.events() if wait else None
        told = client.order_event(event)
        click.echo(json.dumps(fields_of(told)) if as_json else _words(told))
        if events is not None and told.id is not None:
            outcome = follow(client, events, told.id, as_json=as_json)
            sys.exit(0 if outcome == "delivered" else 1)


def _event(at: str | None, **fields: Any) -> dict[str, Any]:
    from protocols.rpc.errors import ParamsError
    from protocols.rpc.order import parse_order_event

    event = content_of(**fields, at=None if at is None else _seconds(at))
    try:
        parse_order_event(event)
    except ParamsError as error:
        raise usage_error(error.field, error.message, error.hint) from None
    return event


def _seconds(text: str) -> float:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        expected = "expected a time with its offset, e.g. 2026-11-23T14:30+01:00 or 2026-11-23T13:30Z"
        raise usage_error("at", expected, None)
    return at.timestamp()


def _words(told: OrderTold) -> str:
    if told.id is None:
        why = _WHY.get(told.dropped or "", told.dropped or "").format(after=told.after)
        return f"dropped: {why}" if told.dropped else f"{told.state}: nothing is told of it"
    if told.dropped:
        return f"{told.id}  dropped: {_WHY.get(told.dropped, told.dropped)}, now {told.state}"
    return f"{told.id}  {f'known before, now {told.state}' if told.duplicate else 'accepted'}"
