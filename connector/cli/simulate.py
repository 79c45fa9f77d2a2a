"""`connector simulate`: a carrier to test against, with every fault we know."""

from __future__ import annotations

import ipaddress
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from connector.simulator.delay import FORMS, Delay
from connector.simulator.options import (
    DEFAULTS,
    OPTIONS,
    Names,
    OptionError,
    Pairs,
    SmscOptions,
    Takes,
    parse,
)

__all__ = ["command"]

_SEED_BITS = 32
_METAVARS = {int: "N", float: "NUMBER", str: "TEXT", Delay: "DELAY", Names: "LIST", Pairs: "PAIRS"}

Command = Callable[..., None]


@click.group("simulate")
def command() -> None:
    """Stand-alone servers that behave like a carrier, well or badly.

    Example: connector simulate smsc --port 2775
    """


def _checked(context: click.Context, parameter: click.Parameter, value: object) -> object:
    assert parameter.name is not None
    try:
        return parse(parameter.name, value)
    except OptionError as error:
        raise click.BadParameter(str(error).partition(": ")[2], context, parameter) from None


def _fault(name: str, takes: Takes) -> Callable[[Command], Command]:
    default = getattr(DEFAULTS, name)
    flag = "--" + name.replace("_", "-")
    if isinstance(default, bool):
        return click.option(f"{flag}/--no-{flag[2:]}", name, default=default, help=takes.help)
    metavar = "SHARE" if takes.high == 1 else _METAVARS[type(default)]
    text: dict[str, Any] = {"help": takes.help, "default": str(default), "show_default": bool(default)}
    if takes.choices and isinstance(default, Names):
        text["help"] += f" Any of: {', '.join(takes.choices)}."
    elif takes.choices:
        return click.option(flag, name, type=click.Choice(takes.choices), **text)
    if name.endswith("_status") and default:
        text["default"] = f"0x{default:02X}"
    return click.option(flag, name, metavar=metavar, callback=_checked, **text)


def _faults(function: Command) -> Command:
    for name, takes in reversed(OPTIONS.items()):
        function = _fault(name, takes)(function)
    return function


@command.command(
    "smsc",
    epilog=f"A DELAY is {FORMS}, in seconds. A SHARE lies between 0 and 1. A LIST is "
    "a,b,…, PAIRS are a=b,c=d,…",
)
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
              help="Loopback port for JSON commands, one a line: stats, handsets, submissions, latencies, "
                   "set, reset, cut, unbind, mo, alert, listen, outbind, attack, quit.")  # fmt: skip
@click.option("--seed", type=int, help="Repeat a run: same seed and same submits, same fates.")
@click.option("--fast", is_flag=True, help="For benchmarks: no stories, keep and count no messages.")
@click.option("--verbose", is_flag=True, help="Print every event, one JSON object a line.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
@_faults
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

    if not (allow_remote or _is_loopback(host)):
        raise click.UsageError(
            f"--host {host} can be reached from other machines; permit it by --allow-remote"
        )
    if fast:
        faults |= {"stories": False, "handset_limit": 0, "submission_limit": 0, "message_limit": 0}
    if like is not None:
        faults |= _like(like, context)
    try:
        options = SmscOptions(**faults)
    except OptionError as error:
        name, _, reason = str(error).partition(": ")
        raise click.UsageError(f"--{name.replace('_', '-')}: {reason}") from None
    chosen = random.SystemRandom().getrandbits(_SEED_BITS) if seed is None else seed
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


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _printer(seed: int, *, as_json: bool) -> Callable[[str, dict[str, object]], None]:
    """Prints events: `listening` and `summary` for people unless `as_json`, all others as JSON."""

    def report(event: str, fields: dict[str, object]) -> None:
        if event == "listening":
            fields = {**fields, "seed": seed}
        if as_json or event not in ("listening", "summary"):
            click.echo(json.dumps({"schema": 1, "event": event, **fields}))
        elif event == "listening":
            control = f", control port {fields['control_port']}" if fields["control_port"] is not None else ""
            click.echo(f"listening on {fields['host']}:{fields['port']}{control}, seed {seed}")
        else:
            click.echo("\n".join(f"{name:22} {value}" for name, value in fields.items()))

    return report
