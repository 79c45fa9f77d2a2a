"""The demo as plain lines, for a pipe or a file; and in silence, for `--json`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from connector.cli.columns import print_columns
from connector.cli.demo import cast
from connector.cli.demo.outcomes import HEADINGS, cells, filed_words, verdict
from connector.cli.event_line import event_words

if TYPE_CHECKING:
    from connector.cli.demo.filing import Filed
    from connector.cli.demo.hearing import Calls
    from connector.cli.demo.result import Refusal, Result
    from connector.cli.demo.track import Track
    from connector.client import Event

__all__ = ["Lines", "Silence", "print_result"]


class Silence:
    """Shows nothing."""

    def act(self, title: str) -> None: ...
    def submitted(self, tracks: list[Track]) -> None: ...
    def refused(self, refusal: Refusal) -> None: ...
    def repeated(self, track: Track, state: str) -> None: ...
    def event(self, track: Track, event: Event) -> None: ...
    def heard(self, calls: Calls) -> None: ...
    def filed(self, filed: Filed) -> None: ...
    def frame(self) -> None: ...


class Lines(Silence):
    """One line an event; times are seconds since the demo began."""

    def __init__(self) -> None:
        self._began_at = time.time()

    def act(self, title: str) -> None:
        click.echo(f"\n-- {title}")

    def refused(self, refusal: Refusal) -> None:
        self._say(time.time(), refusal.mistake.job["id"], f"refused, {refusal.mistake.what}: {refusal.error}")

    def repeated(self, track: Track, state: str) -> None:
        self._say(time.time(), track.message.id, f"submitted again: accepted before, {state}")

    def event(self, track: Track, event: Event) -> None:
        self._say(event.at, track.message.id, event_words(event))

    def heard(self, calls: Calls) -> None:
        self._say(time.time(), cast.CALLS[0].id, f"heard {calls.heard or 'no code'}, recorded in {calls.wav}")
        if calls.transfer.agent_s is not None:
            words = f"spoke with the agent, who was there for {calls.transfer.agent_s:.1f} s"
            self._say(time.time(), calls.transfer.job, words)

    def filed(self, filed: Filed) -> None:
        self._say(time.time(), filed.job, filed_words(filed))

    def _say(self, at: float, id: str, words: str) -> None:
        click.echo(f"{at - self._began_at:7.3f} s  {id:<14}  {words}")


def print_result(result: Result) -> None:
    """The table of outcomes and latencies, then what was promised and whether it was kept."""
    click.echo()
    print_columns(HEADINGS, [cells(track) for track in result.tracks])
    click.echo()
    for check in result.checks:
        click.echo(f"{'ok  ' if check.ok else 'FAIL'}  {check.what}")
    click.echo(f"\n{verdict(result)}")
