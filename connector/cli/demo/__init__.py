"""`connector demo`: the whole product on one machine."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from connector.cli.columns import in_terminal

if TYPE_CHECKING:
    from connector.cli.demo.result import Result
    from connector.cli.demo.setting import Setting

__all__ = ["command"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end and nothing else.")
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Leave the configuration in DIR/config, the state in DIR/state, the recordings in "
                   "DIR/recordings.")  # fmt: skip
def command(keep: Path | None, *, as_json: bool) -> None:
    """Run simulated carriers and the real daemon, send codes in several scripts, and check every handset.

    Then the daemon calls simulated telephones and says codes; what they heard is recorded and decoded. At
    the end the evidence of all that is verified. The first recording stays as heard.wav in the current
    folder, or in DIR, and the certificate of that call as certificate.html; nothing else is left behind.

    Needs no configuration. All numbers are set aside for fiction, and nothing leaves this machine. Exit
    codes: 0 everything was as expected, 1 it was not, 2 bad usage.

    \b
    Examples:
      connector demo
      connector demo --json --keep /tmp/demo
    """
    from connector.cli.demo.processes import Broken
    from connector.cli.demo.setting import Setting

    if keep is not None and any((keep / name).exists() for name in ("config", "state")):
        raise click.BadParameter(f"{keep} holds an earlier demo; name another folder", param_hint="--keep")
    try:
        with _interruptible(), _folder(keep) as folder:
            left = Path.cwd() if keep is None else folder
            setting = Setting(folder, left / "heard.wav", left / "certificate.html")
            result = _show(setting, as_json=as_json)
    except (Broken, OSError) as error:
        if as_json:
            click.echo(json.dumps({"schema": 1, "ok": False, "error": str(error)}))
        raise click.ClickException(str(error)) from None
    sys.exit(0 if result.ok else 1)


def _show(setting: Setting, *, as_json: bool) -> Result:
    from connector.cli.demo.lines import Lines, Silence, print_result
    from connector.cli.demo.play import perform

    if as_json:
        result = perform(setting, Silence())
        click.echo(json.dumps(result.as_json(), ensure_ascii=False))
    elif in_terminal():
        # rich costs 100 ms to import: only a terminal pays for it.
        from connector.cli.demo.screen import Screen, print_outcomes

        with Screen() as screen:
            result = perform(setting, screen)
        print_outcomes(result)
    else:
        result = perform(setting, Lines())
        print_result(result)
    return result


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with TemporaryDirectory(prefix="connector-") as folder:
            yield Path(folder)
    else:
        yield keep.absolute()


@contextmanager
def _interruptible() -> Iterator[None]:
    """The first signal unwinds everything, so that no process stays behind; later ones wait for that."""

    def interrupt(number: int, frame: object) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)
