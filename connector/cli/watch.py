"""`connector watch`: events as they come."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connector.cli.event_line import clock_time, event_json, event_words, masked
from connector.cli.job_socket import job_socket_option, open_client

if TYPE_CHECKING:
    from protocols.rpc.event import Event

__all__ = ["command"]

_LOOK_UP_S = 0.2


@click.command("watch")
@job_socket_option()
@click.option("--from-seq", type=click.IntRange(min=0), metavar="N",
              help="First event to show; by default the one after the last acknowledged.")  # fmt: skip
@click.option("--ack", is_flag=True, help="Acknowledge what was shown: the application gets it no more.")
@click.option("--numbers", is_flag=True, help="Show handsets' numbers in full.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def command(socket_path: Path, from_seq: int | None, *, ack: bool, numbers: bool, as_json: bool) -> None:
    """Show this application's events, those that nobody has acknowledged first, then as they come.

    Reconnects when the daemon restarts; Ctrl-C ends it with exit code 0. The application is the one that
    your user belongs to in connector.toml.

    \b
    Examples:
      connector watch --socket /run/connector/verification.sock
      connector watch --socket /run/connector/verification.sock --json --from-seq 1 | jq .outcome
    """
    from connector.client import Options

    # A flag and no exception: what was shown and what is acknowledged must be the same.
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: stopped.set())
    with open_client(socket_path, Options(timeout_s=10.0, ack_every=64 if ack else 0)) as client:
        events = client.events(from_seq)
        shown = None
        while not stopped.is_set():
            event = events.get(_LOOK_UP_S)
            if event is not None:
                event = event if numbers else masked(event)
                click.echo(event_json(event) if as_json else _words(event))
                shown = event.seq
        if ack and shown is not None:
            client.ack(shown)


def _words(event: Event) -> str:
    return f"{clock_time(event.at)}  {event.seq:>6}  {event.id:<20}  {event_words(event)}"
