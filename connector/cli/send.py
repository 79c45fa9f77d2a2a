"""`connector send`: one job from the shell."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from connector.cli.following import follow
from connector.cli.job_options import content_of, content_options, usage_error
from connector.cli.job_socket import fields_of, job_socket_option, open_client

__all__ = ["command"]


@click.command("send")
@job_socket_option()
@click.option("--to", required=True, metavar="NUMBER", help="E.164, e.g. +447700900123.")
@content_options
@click.option("--deadline", "deadline_s", type=float, metavar="SECONDS",
              help="After it the message is worthless.")  # fmt: skip
@click.option("--journey", metavar="NAME", help="How it travels; by default the lane's way.")
@click.option("--on-unknown", type=click.Choice(("report", "resend_once", "query")),
              help="What to do when nobody knows whether it left.")  # fmt: skip
@click.option("--class", "class_", metavar="NAME", help="What a code in time is worth, and its metrics.")
@click.option("--code", "codes", metavar="CODE", multiple=True,
              help="In place of --param code=…: each attempt's own; the last one repeats.")  # fmt: skip
@click.option("--supersedes", metavar="KEY",
              help="The purpose: older jobs to the number with the same key are stopped.")  # fmt: skip
@click.option("--id", "job_id", metavar="ID",
              help="The job's own id; the same id is never sent twice.  [default: a new one]")  # fmt: skip
@click.option("--wait", is_flag=True, help="Follow the job to its end; exit 0 only when it was delivered.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def command(socket_path: Path, job_id: str | None, *, wait: bool, as_json: bool, **fields: Any) -> None:
    """Send one job. It is safe on the daemon's disk when this prints `accepted`.

    Exit codes: 0 accepted (with --wait: delivered), 1 refused or not delivered, 2 bad usage.

    \b
    Example:
      connector send --socket /run/connector/verification.sock --to +447700900123 \\
          --template sign-in --lang de --param code=482917 --param minutes=5 --deadline 60 --wait
    """
    job = _job(job_id, **fields)
    with open_client(socket_path) as client:
        # Subscribed before the job exists, so that no event of it is missed.
        events = client.events() if wait else None
        submitted = client.submit(job)
        if as_json:
            click.echo(json.dumps(fields_of(submitted)))
        else:
            repeated = f"accepted before, now {submitted.state}" if submitted.duplicate else "accepted"
            click.echo(f"{submitted.id}  {repeated}")
        if events is not None:
            outcome = follow(client, events, submitted.id, as_json=as_json)
            sys.exit(0 if outcome == "delivered" else 1)


def _job(job_id: str | None, class_: str | None, **fields: Any) -> dict[str, Any]:
    from protocols.rpc.errors import JobError
    from protocols.rpc.job import parse_job

    job = content_of(**fields, **{"class": class_})
    job["id"] = _new_id() if job_id is None else job_id
    try:
        parse_job(job)
    except JobError as error:
        raise usage_error(error.field, error.message, error.hint) from None
    return job


def _new_id() -> str:
    from uuid import uuid4

    return f"cli-{uuid4()}"
