"""The demo in a terminal: a live timeline, one bar for each message.

Every line is a text of its own and ends with the message: tables would pad it to the edge, and where the
terminal draws a script wider than rich thinks the padding would wrap.
"""

from __future__ import annotations

import time
from textwrap import wrap
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.text import Text

from connector.cli.demo import cast
from connector.cli.demo.lines import Silence
from connector.cli.demo.outcomes import HEADINGS, cells, filed_words, route, seconds, verdict

if TYPE_CHECKING:
    from types import TracebackType

    from connector.cli.demo.filing import Filed
    from connector.cli.demo.hearing import Calls
    from connector.cli.demo.result import Refusal, Result
    from connector.cli.demo.track import Track
    from connector.client import Event

__all__ = ["Screen", "print_outcomes"]

_SCALE_S, _SPOKEN_SCALE_S = 3.0, 30.0
_INDENT = "  "
_LABEL, _STATE, _ROUTE = 13, 19, 12
_MARK = 11
_WIDE = 100
_COLOURS = {"delivered": "green", "expired": "yellow", "unknown": "magenta"}
_FAILED = "red"
_RIGHT = ("PARTS", "CARRIER", "HANDSET")


class Screen(Silence):
    """Draws while the context is open. Only the act under way is drawn again; what is over scrolls up."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._blocks: list[Text | list[Track]] = []
        self._live = Live(console=self._console, auto_refresh=False)

    def __enter__(self) -> Screen:
        self._console.print(Text(f"\n{_INDENT}carrier-connector demo", "bold"))
        self._console.print(Text(f"{_INDENT}real daemon, real SMPP, SIP and RTP, every job on disk", "dim"))
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.frame()
        self._live.stop()

    def act(self, title: str) -> None:
        if self._blocks:
            self._console.print(self._picture())
        self._blocks = [Text(f"\n{_INDENT}▸ {title}", "bold cyan")]
        self.frame()

    def submitted(self, tracks: list[Track]) -> None:
        self._blocks.append(tracks)
        self.frame()

    def refused(self, refusal: Refusal) -> None:
        words = f"{refusal.mistake.what}: {refusal.error or 'it was accepted'}"
        self._note(refusal.mistake.job["id"], "✕ refused", "red", words)

    def repeated(self, track: Track, state: str) -> None:
        self._note(track.message.id, "= again", "blue", f"submitted twice: known, {state}, not sent again")

    def event(self, track: Track, event: Event) -> None:
        self.frame()

    def heard(self, calls: Calls) -> None:
        first = cast.CALLS[0].id
        self._note(first, "♪ heard", "green", f"{calls.heard or 'no code'}, recorded in {calls.wav}")
        if calls.transfer.agent_s is not None:
            words = f"spoke with the agent, who was there for {calls.transfer.agent_s:.1f} s"
            self._note(calls.transfer.job, "♪ heard", "green", words)

    def filed(self, filed: Filed) -> None:
        self._note(filed.job, "✎ filed", "green" if filed.verified else _FAILED, filed_words(filed))

    def frame(self) -> None:
        self._live.update(self._picture(), refresh=True)

    def _note(self, id: str, mark: str, colour: str, words: str) -> None:
        indent = len(_INDENT) + _LABEL + _MARK
        lines = wrap(words, max(20, self._console.width - indent - 2), break_on_hyphens=False) or [""]
        note = Text.assemble(_INDENT, (id.ljust(_LABEL), "bold"), (mark.ljust(_MARK), colour))
        note.append(f"\n{' ' * indent}".join(lines), "dim")
        self._blocks.append(note)
        self.frame()

    def _picture(self) -> Text:
        lines: list[Text] = []
        for block in self._blocks:
            if isinstance(block, list):
                lines += [_row(track, self._console.width) for track in block]
            else:
                lines.append(block)
        return Text("\n").join(lines)


def _row(track: Track, width: int) -> Text:
    bar_width = 24 if width < _WIDE else 32
    state, colour = _state(track)
    row = Text.assemble(_INDENT, (track.message.id.ljust(_LABEL), "bold"), _bar(track, bar_width), " ")
    row.append(state.ljust(_STATE), colour)
    row.append(route(track).ljust(_ROUTE))
    if width >= _WIDE:
        row.append(_cropped(track.text, width - row.cell_len), "dim")
    return row


def _bar(track: Track, width: int) -> Text:
    """Time from left to right: until the carrier has it or somebody answers, until the end."""
    begin = track.accepted_at
    if begin is None:
        return Text("·" * width, "bright_black")

    scale_s, halfway_at = _SCALE_S, track.sent_at
    if track.message.spoken:
        scale_s, halfway_at = _SPOKEN_SCALE_S, track.answered_at

    def cell(at: float) -> int:
        return min(width - 1, max(0, int((at - begin) / scale_s * width)))

    end = cell(track.finished_at or time.time())
    sent = end if halfway_at is None else min(end, cell(halfway_at))
    bar = Text("╌" * sent, "yellow")
    bar.append("━" * (end - sent), "cyan")
    if track.outcome is not None:
        bar.append("●" if track.outcome == "delivered" else "✕", _colour(track))
    else:
        bar.append("╸" if halfway_at else "╌", "cyan" if halfway_at else "yellow")
    bar.append("·" * (width - end - 1), "bright_black")
    return bar


def _state(track: Track) -> tuple[str, str]:
    """The words and their colour."""
    if track.outcome is not None:
        return f"{track.outcome:<11}{seconds(track.seconds):>6}", _colour(track)
    if track.progress:
        return f"{track.progress} {track.keys}", "cyan"
    if track.sent_at is not None:
        return f"sent, {track.parts} parts" if (track.parts or 1) > 1 else "sent", "cyan"
    return "waiting" if track.accepted_at else "", "yellow"


def _colour(track: Track) -> str:
    return _COLOURS.get(track.outcome or "", _FAILED)


def _cropped(text: str, width: int) -> str:
    """`text` on one line of at most `width` cells, however the terminal draws its script.

    Terminals disagree about joined emoji and Indic vowel signs, so everything counts as one cell at least: a
    line that is wider than we think would wrap and spoil the picture.
    """
    kept, used = "", 0
    for character in " ".join(text.split()):
        used += max(1, cell_len(character))
        if used >= width:
            return kept + "…"
        kept += character
    return kept


def print_outcomes(result: Result) -> None:
    """The table of outcomes and latencies, then what was promised and whether it was kept."""
    console = Console(highlight=False)
    rows = [cells(track) for track in result.tracks]
    widths = [max(map(cell_len, column)) for column in zip(HEADINGS, *rows, strict=True)][:-1]
    lines = [Text(""), Text.assemble(*_columns(HEADINGS, widths), (HEADINGS[-1], ""), style="dim")]
    for track, row in zip(result.tracks, rows, strict=True):
        columns = _columns(row, widths)
        line = Text.assemble(_INDENT, (columns[1], "bold"), (columns[2], _colour(track)))
        line.append("".join(columns[3:]))
        line.append(_cropped(row[-1], console.width - line.cell_len), "bold red" if track.wrong else "dim")
        lines.append(line)
    lines.append(Text(""))
    for check in result.checks:
        mark = ("✔", "green") if check.ok else ("✘", "bold red")
        lines.append(Text.assemble(_INDENT, mark, f" {check.what}"))
    lines.append(Text(f"\n{_INDENT}{verdict(result)}\n", "bold green" if result.ok else "bold red"))
    console.print(Text("\n").join(lines))


def _columns(row: tuple[str, ...], widths: list[int]) -> list[str]:
    """The indentation, and all but the last cell padded to their columns."""
    padded = [_INDENT]
    for heading, cell, width in zip(HEADINGS[:-1], row[:-1], widths, strict=True):
        padded.append((cell.rjust(width) if heading in _RIGHT else cell.ljust(width)) + "  ")
    return padded
