"""`connector probe`: find out what a carrier honours, and write its profile."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli.columns import print_columns

if TYPE_CHECKING:
    import ssl

    from connector.config import CarrierFile
    from connector.probe.known import Known
    from connector.probe.runner import Runner

__all__ = ["command"]

# +44 7700 900000 to 999 are set aside for fiction; the simulated carrier has a story for each.
_RESERVED = re.compile(r"\+447700900[0-9]{3}")

_CARRIERS = "carriers"
_VALUE_WIDTH = 40


@click.command("probe")
@click.argument("profile", type=click.Path(path_type=Path), metavar="CARRIER.toml")
@click.option(
    "--to", required=True, metavar="NUMBER", help="The test handset, E.164; nothing goes elsewhere."
)
@click.option("--sender", "senders", multiple=True, metavar="SENDER",
              help="A sender id registered here: a number with +, a short code, a name.")  # fmt: skip
@click.option("--registered", multiple=True, metavar="NAME=VALUE",
              help="Value of a vendor parameter that a template would bring.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write the profile there.")  # fmt: skip
@click.option("--budget", type=click.IntRange(1), default=600, show_default=True, metavar="N",
              help="Messages that may be accepted, all steps together.")  # fmt: skip
@click.option("--patience", type=click.FloatRange(0.1), default=20.0, show_default=True, metavar="SECONDS",
              help="Longest wait for a receipt, and for what the handset sends back.")  # fmt: skip
@click.option("--slow", is_flag=True, help="Measure pauses between binds too; takes minutes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    profile: Path,
    *,
    to: str,
    senders: tuple[str, ...],
    registered: tuple[str, ...],
    output: Path | None,
    budget: int,
    patience: float,
    slow: bool,
    as_json: bool,
) -> None:
    """Bind to a test account and find out, step by step, what the carrier honours.

    Every message goes to the test handset. Where its texts come back, because the number loops or somebody's
    program answers, alphabets are compared letter by letter; otherwise only what is refused is known.

    Exit codes: 0 probed, 1 no bind or no message accepted, 2 bad usage or configuration.

    \b
    Examples:
      connector probe carriers/north.toml --to +4915112345678 --sender ACME --output north-probed.toml
      connector probe carriers/north.toml --to +4915112345678 --json
    """
    # The event loop and the codecs take longer to import than --help may take.
    import asyncio

    from connector.probe.runner import Limits

    carrier = _carrier(profile)
    known = _known(carrier, to, senders, registered)
    password, tls = _secrets(carrier, profile)
    limits = Limits(budget=budget, patience_s=patience)
    began = time.monotonic()
    runner, failure = asyncio.run(_probe(known, password, tls, limits, slow=slow, quiet=as_json))
    about = {
        "profile": str(profile), "ok": not failure, "failure": failure, "accepted": runner.accepted,
        "refused": runner.refused, "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip
    if output is not None and not failure:
        _write(output, profile, known, about)
    _print(known, about, as_json=as_json)
    sys.exit(1 if failure else 0)


def _carrier(profile: Path) -> CarrierFile:
    """Prints every problem and exits with 2 when the file has any."""
    from connector.config import ConfigError, load_carrier

    try:
        return load_carrier(profile)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        sys.exit(2)


def _known(carrier: CarrierFile, to: str, senders: tuple[str, ...], registered: tuple[str, ...]) -> Known:
    from connector.probe.known import Known

    if not (to.startswith("+") and to[1:].isdigit() and 7 <= len(to) <= 16):
        raise click.BadParameter(f"{to!r} is no number, expected E.164 such as +4915112345678",
                                 param_hint="--to")  # fmt: skip
    if _RESERVED.fullmatch(to) and not _is_loopback(carrier.account.host):
        raise click.BadParameter(
            f"{to} is set aside for tests, and this carrier is a real one", param_hint="--to"
        )
    values: dict[str, str] = {}
    for pair in registered:
        name, equals, value = pair.partition("=")
        if not (name and equals and value):
            raise click.BadParameter(f"{pair!r}: expected NAME=VALUE", param_hint="--registered")
        values[name] = value
    known = Known(carrier, to=to, senders=senders, registered=values, now_unix=time.time())
    try:
        known.vendor_tlvs(carrier.tlvs)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--registered") from None
    return known


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _secrets(carrier: CarrierFile, profile: Path) -> tuple[bytes, ssl.SSLContext | None]:
    """The password, and what TLS needs; relative paths start at CONFIG_DIR, or beside a lone file."""
    from connector.config import read_password
    from connector.config.secrets import locate_password
    from connector.config.tls import TlsError, context_of

    parent = profile.resolve().parent
    folder = parent.parent if parent.name == _CARRIERS else parent
    located = locate_password(carrier.account, folder, os.environ)
    if located.fault or not located.path:
        click.echo(f"{profile}: account.{located.key}: {located.fault or located.note}", err=True)
        sys.exit(2)
    try:
        tls = None if carrier.tls is None else context_of(carrier.tls, str(folder))
    except TlsError as error:
        click.echo(f"{profile}: tls: {error}", err=True)
        sys.exit(2)
    return read_password(located.path), tls


async def _probe(
    known: Known, password: bytes, tls: ssl.SSLContext | None, limits: Any, *, slow: bool, quiet: bool
) -> tuple[Runner, str | None]:
    """The runner after the last step, and what ended it before."""
    from connector.cli.probe_progress import progress_of
    from connector.probe.runner import Runner
    from connector.probe.steps import SLOW_STEPS, STEPS
    from connector.probe.trial import CarrierGone

    steps = (*STEPS, *SLOW_STEPS) if slow else STEPS
    with progress_of(len(steps), quiet=quiet) as progress:
        runner = Runner(known, password, limits, tls=tls, progress=progress)
        try:
            await runner.run(steps)
        except CarrierGone as gone:
            return runner, str(gone)
    return runner, None


def _write(output: Path, profile: Path, known: Known, about: dict[str, Any]) -> None:
    from connector.config import ConfigError, load_carrier
    from connector.config.document import Document, read_document
    from connector.probe.profile import written

    document = read_document(profile)
    assert isinstance(document, Document)
    title = (
        f"Probed on {time.strftime('%Y-%m-%d', time.gmtime())} from {profile.name}, with {about['accepted']} "
        f"messages accepted and {about['refused']} refused. Above each habit stands how it was found; "
        "what no probe can tell is the input's."
    )
    output.write_text(written(document.data, known.findings, title), encoding="utf-8")
    try:
        load_carrier(output)
    except ConfigError as error:
        # What was found can contradict what the input says and no probe can tell.
        for problem in error.problems:
            click.echo(f"please mend: {problem}", err=True)


def _print(known: Known, about: dict[str, Any], *, as_json: bool) -> None:
    from connector.probe.profile import value_text
    from connector.probe.report import report

    if as_json:
        click.echo(json.dumps(report(known.findings, **about), ensure_ascii=False))
        return
    rows = []
    for each in known.findings.values():
        value = "" if each.value is None else _short(value_text(each.value))
        rows.append((each.key, str(each.confidence), value, each.how))
    if rows:
        print_columns(("HABIT", "", "VALUE", "HOW"), rows)
    if about["failure"]:
        click.echo(f"the probe ended: {about['failure']}", err=True)
    else:
        click.echo(f"{about['accepted']} messages accepted, {about['refused']} refused, {about['seconds']} s")


def _short(text: str) -> str:
    return text if len(text) <= _VALUE_WIDTH else f"{text[: _VALUE_WIDTH - 1]}…"
