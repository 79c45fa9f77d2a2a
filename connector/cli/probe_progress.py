"""What `connector probe` shows while it works: a live list in a terminal, a line a step elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click

from connector.probe.finding import Confidence, Finding
from connector.probe.runner import Progress

if TYPE_CHECKING:
    from types import TracebackType

    from connector.probe.trial import Step

__all__ = ["progress_of"]

_MARKS = {Confidence.FOUND: ("✓", "green"), Confidence.ASSUMED: ("~", "yellow"),
          Confidence.UNKNOWN: ("·", "dim")}  # fmt: skip


def progress_of(steps: int, *, quiet: bool) -> AbstractContextManager[Progress]:
    """On standard error, which leaves standard output to the result."""
    if quiet:
        return nullcontext(Progress())
    return Screen(steps) if sys.stderr.isatty() else Lines(steps)


def _summary(findings: Sequence[Finding]) -> str:
    told = [each for each in findings if each.confidence is not Confidence.UNKNOWN]
    return ", ".join(each.key.rpartition(".")[2].replace("_", " ") for each in told)


class Lines(Progress, AbstractContextManager["Lines"]):
    """One line when a step has ended."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._number = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def begins(self, step: Step) -> None:
        self._number += 1

    def ends(self, step: Step, findings: list[Finding]) -> None:
        said = _summary(findings) or ("nothing" if findings else "accepted")
        click.echo(f"[{self._number}/{self._steps}] {step.title}: {said}", err=True)


class Screen(Progress, AbstractContextManager["Screen"]):
    """The steps so far with what they found, and under them what is being tried."""

    def __init__(self, steps: int) -> None:
        # rich costs 100 ms to import: only a terminal pays for it.
        from rich.console import Console
        from rich.live import Live

        self._steps = steps
        self._number = 0
        self._live = Live(console=Console(stderr=True, highlight=False), auto_refresh=False, transient=True)

    def __enter__(self) -> Screen:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def begins(self, step: Step) -> None:
        self._number += 1
        self.tries(step, "", 0)

    def tries(self, step: Step, what: str, accepted: int) -> None:
        from rich.text import Text

        line = Text.assemble(
            (f"[{self._number}/{self._steps}] ", "dim"), (step.title, "bold"),
            (f"  {what}" if what else "", ""), (f"  {accepted} accepted" if accepted else "", "dim"),
        )  # fmt: skip
        self._live.update(line, refresh=True)

    def ends(self, step: Step, findings: list[Finding]) -> None:
        from rich.text import Text

        line = Text(f"{step.title:<26}", "bold")
        for each in findings:
            mark, style = _MARKS[each.confidence]
            line.append(f" {mark} {each.key.rpartition('.')[2].replace('_', ' ')}", style)
        self._live.console.print(line)
