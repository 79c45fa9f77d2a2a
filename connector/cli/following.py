"""A job to its end, as the commands that wait for it print it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

from connector.cli.event_line import event_json, event_words

if TYPE_CHECKING:
    from connector.client import SyncClient
    from connector.client_sync import SyncEventStream
    from protocols.rpc.event import Event

__all__ = ["follow"]

_LOOK_AGAIN_S = 1.0


def follow(client: SyncClient, events: SyncEventStream, job_id: str, *, as_json: bool) -> str | None:
    """Print the job's events until the last; its outcome."""
    accepted_at = time.time()
    while True:
        event = events.get(_LOOK_AGAIN_S)
        if event is None:
            # The application may have taken the last event away before we saw it, or long ago.
            status = client.status(job_id)
            if status["outcome"] is not None:
                _print_end(status, as_json=as_json)
                return str(status["outcome"])
        elif event.id == job_id:
            if event.type == "accepted":
                accepted_at = event.at
            _print_event(event, accepted_at, as_json=as_json)
            if event.final:
                return event.outcome


def _print_event(event: Event, accepted_at: float, *, as_json: bool) -> None:
    if as_json:
        click.echo(event_json(event))
    elif event.type != "accepted":
        click.echo(f"{event.at - accepted_at:+9.3f} s  {event_words(event)}")


def _print_end(status: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        end = {name: status[name] for name in ("id", "outcome", "reason")}
        click.echo(json.dumps({"schema": 1, **end, "at": status["finished_at"], "final": True}))
    else:
        took = status["finished_at"] - status["accepted_at"]
        reason = f" ({status['reason']})" if status["reason"] else ""
        click.echo(f"{took:+9.3f} s  {status['outcome']}{reason} · final")
