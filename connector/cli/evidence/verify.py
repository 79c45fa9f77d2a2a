"""`connector evidence verify`: whether anything was changed, left out or cut off."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connector.cli.evidence.folder import (
    chain_key_option,
    public_key_option,
    readable,
    secrets_of,
    state_option,
)

if TYPE_CHECKING:
    from connector.evidence.head import Published

__all__ = ["command"]

_SCHEMA = 1
_HEAD = re.compile(r"([0-9]+):([0-9a-f]{16})[0-9a-f]*")


def _head(context: click.Context, parameter: click.Parameter, value: str | None) -> Published | None:
    from connector.evidence.head import Published

    if value is None:
        return None
    match = _HEAD.fullmatch(value.lower())
    if match is None:
        raise click.BadParameter(f"{value!r}: expected a record's number and 16 digits of its MAC")
    return Published(int(match[1]), match[2], 0.0, "", "")


@click.command("verify")
@state_option()
@chain_key_option()
@public_key_option()
@click.option("--head", callback=_head, metavar="SEQ:MAC",
              help="A head from the log: the chain must still have it.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    state: Path,
    chain_key: Path | None,
    public_keys: tuple[Path, ...],
    head: Published | None,
    *,
    as_json: bool,
) -> None:
    """Verify every record, every day and its signature, and say where anything is amiss.

    Exit codes: 0 nothing was found, 1 something was, or the evidence cannot be read, 2 bad usage.

    \b
    Examples:
      connector evidence verify --state /var/lib/connector/verification
      connector evidence verify --state COPY --public-key verification.pem --head 41230:9f86d081884c7d65
    """
    from connector.evidence.verify import verify

    with readable(state):
        secrets = secrets_of(state, chain_key, public_keys)
        report = verify(state, secrets.keys, secrets.public_only, head)
    seq, mac = report.last
    if as_json:
        found = [{"where": where, "what": what} for where, what in report.findings]
        click.echo(json.dumps({
            "schema": _SCHEMA, "ok": not found, "records": report.records, "days": report.days,
            "head": {"seq": seq, "mac": mac}, "public_key_only": secrets.public_only, "findings": found,
        }))  # fmt: skip
    else:
        for where, what in report.findings:
            click.echo(f"{where}: {what}")
        verdict = f"{len(report.findings)} found" if report.findings else "nothing amiss"
        click.echo(f"{report.records} records, {report.days} closed days, verified {secrets.by}: {verdict}")
        click.echo(f"head {seq}:{mac}")
        if secrets.public_only:
            click.echo("note: without the chain's secret key nothing is proved of what no signed head covers")
    sys.exit(1 if report.findings else 0)
