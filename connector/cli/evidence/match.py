"""`connector evidence match`: whether a text is the one that a job sent."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import BinaryIO

import click

from connector.cli.evidence.folder import chain_key_option, one_case, readable, secrets_of, state_option

__all__ = ["command"]

_CHANNELS = {"sms": "text message", "voice": "call"}


@click.command("match")
@state_option()
@click.argument("job")
@click.option("--text", help="The text; others on this host may see it while the command runs.")
@click.option("--text-file", type=click.File("rb"), metavar="FILE", help="Read it there, UTF-8; - for stdin.")
@click.option("--app", help="The application, where several have jobs of this id.")
@click.option("--seq", type=click.IntRange(1), help="The record, where the id was used again.")
@chain_key_option()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    state: Path,
    job: str,
    text: str | None,
    text_file: BinaryIO | None,
    app: str | None,
    seq: int | None,
    chain_key: Path | None,
    *,
    as_json: bool,
) -> None:
    """Say whether JOB sent exactly this text, by its HMAC: the text itself is not kept.

    Every character counts. Needs the chain's secret key.

    Exit codes: 0 it is the text, 1 it is not, 2 bad usage.

    \b
    Examples:
      connector evidence match --state /var/lib/connector/verification order-1 --text-file text.txt
      connector evidence match --state /var/lib/connector/verification order-1 --text "482917 is your code."
    """
    from connector.evidence.texts import matching

    if (text is None) == (text_file is None):
        raise click.UsageError("Expected either --text or --text-file.")
    with readable(state):
        case = one_case(state, job, app, seq)
        keys = secrets_of(state, chain_key).keys
    if not keys.chains:
        raise click.ClickException("the chain's secret key is not here; name it with --chain-key")
    given = text if text_file is None else _read(text_file)
    assert given is not None
    found = matching(case.line["record"], given, keys)
    if as_json:
        places = [{"channel": channel, "text": number} for channel, number in found]
        click.echo(json.dumps({"schema": 1, "ok": bool(found), "seq": case.line["seq"], "matches": places}))
    elif found:
        click.echo("; ".join(f"it is text {number} of the {_CHANNELS[channel]}" for channel, number in found))
    else:
        click.echo("it is none of the texts of this job")
    sys.exit(0 if found else 1)


def _read(file: BinaryIO) -> str:
    # An editor ends the last line; no template does.
    octets = file.read().removesuffix(b"\n").removesuffix(b"\r")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise click.ClickException("the text is not UTF-8") from None
