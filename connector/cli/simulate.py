"""`connector simulate`: a carrier and a callee to test against, with every fault we know."""

from __future__ import annotations

import ipaddress
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from connector.cli.simulator_options import built, declared
from connector.simulator.callee.options import CalleeOptions
from connector.simulator.delay import FORMS
from connector.simulator.options import SmscOptions

__all__ = ["command"]

_SEED_BITS = 32
_FORMS = f"A DELAY is {FORMS}, in seconds. A SHARE lies between 0 and 1. A LIST is a,b,…, PAIRS are a=b,c=d,…"


@click.group("simulate")
def command() -> None:
    """Stand-alone servers that behave like a carrier, well or badly.

    Example: connector simulate smsc --port 2775
    """


@command.command("smsc", epilog=_FORMS)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=2775, show_default=True,
              help="Port to listen on; 0 takes any free one.")  # fmt: skip
@click.option("--standby", type=click.IntRange(0, 16), default=0, metavar="N",
              help="Listen on the next N ports, too, as further addresses of the carrier; on free "
                   "ones with --port 0.")  # fmt: skip
@click.option("--like", type=click.Path(exists=True, dir_okay=False), metavar="CARRIER.toml",
              help="Behave as this carrier profile says; options given beside it win.")  # fmt: skip
@click.option("--allow-remote", is_flag=True, help="Permit a --host that other machines can reach.")
@click.option("--control-port", type=click.IntRange(0, 65535), metavar="PORT",
              help="Loopback port for JSON commands, one a line: stats, handsets, messages, submissions, "
                   "latencies, set, reset, cut, unbind, mo, alert, listen, outbind, attack, "
                   "quit.")  # fmt: skip
@click.option("--seed", type=int, help="Repeat a run: same seed and same submits, same fates.")
@click.option("--fast", is_flag=True, help="For benchmarks: no stories, keep and count no messages.")
@click.option("--verbose", is_flag=True, help="Print every event, one JSON object a line.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
@declared(SmscOptions)
@click.pass_context
def smsc(
    context: click.Context,
    /,
    *,
    host: str,
    port: int,
    standby: int,
    like: str | None,
    allow_remote: bool,
    control_port: int | None,
    seed: int | None,
    fast: bool,
    verbose: bool,
    as_json: bool,
    **faults: Any,
) -> None:
    """Simulate a carrier's SMSC over SMPP 3.4, with any fault turned on by its option.

    Prints one line with the port when it listens, and a summary when SIGTERM, SIGINT or the control
    command quit ends it.

    \b
    Examples:
      connector simulate smsc --port 2775 --receipt-delay lognormal:2.0,0.6
      connector simulate smsc --port 0 --json --seed 7 --throttle-tps 100 \\
          --receipt-missing 0.1 --id-form hex_in_response --cut-after 500
      connector simulate smsc --like config/profiles/latin1.toml --mo-loop 12345
    """
    # The event loop takes longer to import than --help may take.
    from connector.simulator.serve import Serving, serve

    _permit("--host", host, allowed=allow_remote)
    if fast:
        faults |= {"stories": False, "handset_limit": 0, "submission_limit": 0, "message_limit": 0}
    if like is not None:
        faults |= _like(like, context)
    options = built(SmscOptions, faults)
    chosen = _chosen(seed)
    try:
        serving = Serving(host, port, control_port, chosen, verbose, standby)
        serve(options, serving, _printer(chosen, as_json=as_json))
    except OSError as error:
        raise click.ClickException(f"cannot listen: {error}") from None


def _like(path: str, context: click.Context) -> dict[str, object]:
    """What the profile sets, but for the options that stand on the command line."""
    # The configuration takes longer to import than --help may take.
    from connector.cli.like import options_like
    from connector.config import ConfigError, load_carrier

    try:
        profile = load_carrier(Path(path))
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    if profile.tls is not None and not context.params["tls_certificate"]:
        click.echo("the profile has [tls]: without --tls-certificate this carrier has none", err=True)
    found = options_like(profile)
    given = click.core.ParameterSource.COMMANDLINE
    return {name: value for name, value in found.items() if context.get_parameter_source(name) is not given}


@command.command("callee", epilog=_FORMS)
@click.option("--listen", default="127.0.0.1:5060", show_default=True, metavar="HOST:PORT",
              help="Address to listen on; port 0 takes any free one.")  # fmt: skip
@click.option("--allow-remote", is_flag=True, help="Permit a --listen that other machines can reach.")
@click.option("--control-port", type=click.IntRange(0, 65535), metavar="PORT",
              help="Loopback port for JSON commands, one a line: stats, calls, recording, set, number, "
                   "press, hang_up, hold, reset, quit.")  # fmt: skip
@click.option("--recordings", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Write what each call heard to a WAV file in this folder.")  # fmt: skip
@click.option("--seed", type=int, help="Repeat a run: same seed and same calls, same faults.")
@click.option("--verbose", is_flag=True, help="Print every event, one JSON object a line.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
@declared(CalleeOptions)
def callee(
    *,
    listen: str,
    allow_remote: bool,
    control_port: int | None,
    recordings: Path | None,
    seed: int | None,
    verbose: bool,
    as_json: bool,
    **habits: Any,
) -> None:
    """Simulate the telephones behind a SIP carrier, with any habit or fault turned on by its option.

    Prints one line with the port when it listens, one for each call when it is over, and a summary when
    SIGTERM, SIGINT or the control command quit ends it. The same options can be given to one dialled
    number by the control command number; +447700900000 to …999 have stories of their own.

    \b
    Examples:
      connector simulate callee --listen 127.0.0.1:5060 --recordings heard
      connector simulate callee --listen 127.0.0.1:0 --json --press 1@quiet:600,0@quiet:1200
      connector simulate callee --says voicemail --rtp-drop 0.05 --challenge 407 --seed 7
    """
    # The event loop takes longer to import than --help may take.
    from connector.simulator.callee.serve import Serving, serve

    host, colon, port = listen.rpartition(":")
    if not (colon and host and port.isdecimal() and int(port) <= 0xFFFF):
        raise click.UsageError(f"--listen: {listen!r} is not an address: expected HOST:PORT")
    _permit("--listen", host, allowed=allow_remote)
    options = built(CalleeOptions, habits)
    chosen = _chosen(seed)
    try:
        if recordings is not None:
            recordings.mkdir(parents=True, exist_ok=True)
        serving = Serving(host, int(port), control_port, chosen, verbose, recordings)
        serve(options, serving, _printer(chosen, as_json=as_json))
    except OSError as error:
        raise click.ClickException(f"cannot listen: {error}") from None


def _permit(option: str, host: str, *, allowed: bool) -> None:
    """Raises click.UsageError unless only this machine can reach `host`, or others may."""
    if not (allowed or _is_loopback(host)):
        raise click.UsageError(
            f"{option} {host} can be reached from other machines; permit it by --allow-remote"
        )


def _chosen(seed: int | None) -> int:
    return random.SystemRandom().getrandbits(_SEED_BITS) if seed is None else seed


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _call_line(call: dict[str, Any]) -> str:
    """One call that is over, for people."""
    told = [f"call {call['id']} to {call['to']}: {call['status'] or 'no answer'}, {call['at']['end']:.1f} s"]
    told.append(f"ended by {call['ended_by']}" + (f" (cause {call['cause']})" if call["cause"] else ""))
    if call["heard"]:
        told.append(f"keys heard {call['heard']}")
    if call["pressed"]:
        told.append(f"pressed {''.join(press['keys'] for press in call['pressed'])}")
    if call["recorded_s"]:
        told.append(
            f"{call['recorded_s']:.1f} s recorded" + (f" in {call['recording']}" if call["recording"] else "")
        )
    return ", ".join(told)


def _printer(seed: int, *, as_json: bool) -> Callable[[str, dict[str, object]], None]:
    """Prints events: `listening` and `summary` for people unless `as_json`, all others as JSON."""

    def report(event: str, fields: dict[str, object]) -> None:
        if event == "listening":
            fields = {**fields, "seed": seed}
        if as_json or event not in ("listening", "summary", "call"):
            click.echo(json.dumps({"schema": 1, "event": event, **fields}))
        elif event == "call":
            click.echo(_call_line(fields))
        elif event == "listening":
            control = f", control port {fields['control_port']}" if fields["control_port"] is not None else ""
            click.echo(f"listening on {fields['host']}:{fields['port']}{control}, seed {seed}")
        else:
            click.echo("\n".join(f"{name:22} {value}" for name, value in fields.items()))

    return report
