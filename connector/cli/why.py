"""`connector why`: everything that happened to one job, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from connector.cli.columns import print_title
from connector.cli.event_line import clock_time
from connector.cli.job_socket import job_socket_option, open_client
from connector.cli.story import story

__all__ = ["command", "told"]


@click.command("why")
@click.argument("job")
@job_socket_option()
@click.option("--numbers", is_flag=True, help="Show the recipient's number in full.")
@click.option("--json", "as_json", is_flag=True, help="Print the job's status as one JSON object.")
def command(job: str, socket_path: Path, *, numbers: bool, as_json: bool) -> None:
    """Tell everything that happened to JOB, an id given by the application, and why.

    \b
    Example:
      connector why --socket /run/connector/verification.sock order-1
    """
    with open_client(socket_path) as client:
        status = client.status(job, numbers=numbers)
    if as_json:
        click.echo(json.dumps(status))
        return
    headline, *lines = told(status)
    print_title(headline)
    for line in lines:
        click.echo(line)


def told(status: dict[str, Any]) -> Iterator[str]:
    """The lines that the command prints of what `status` answers with."""
    yield _headline(status)
    for seconds, words in story(status):
        yield f"{'' if seconds is None else f'{seconds:+.3f} s':>12}  {words}"


def _headline(status: dict[str, Any]) -> str:
    at, to = clock_time(status["accepted_at"]), status["to"]
    if status["outcome"] is None:
        return f"{status['id']} to {to}, accepted at {at}: {status['state']}"
    took = status["finished_at"] - status["accepted_at"]
    return f"{status['id']} to {to}, accepted at {at}: {status['outcome']} after {took:.3f} s"
