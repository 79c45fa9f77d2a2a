"""The result of `cycle` for people: a table on a terminal, the same columns as plain lines elsewhere."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["show"]

_COLUMNS = (
    ("jobs/s", "jobs_per_s", "{:,.0f}"),
    ("CPU s/10k", "cpu_s_per_10k", "{:.2f}"),
    ("RSS MB", "rss_mb", "{:.0f}"),
    ("wire p50 ms", "wire_p50_ms", "{:.2f}"),
    ("p99 ms", "wire_p99_ms", "{:.2f}"),
    ("event p99 ms", "event_p99_ms", "{:.1f}"),
)


def show(result: dict[str, Any]) -> None:
    """Print it."""
    rows = [_row(name, found) for name, found in result["scenarios"].items()]
    for rival, measured in result.get("rivals", {}).items():
        rows += [_row(f"{name} ({rival})", found) for name, found in measured["scenarios"].items()]
    titles = ["scenario", *(title for title, _, _ in _COLUMNS)]
    if sys.stdout.isatty():
        _table(titles, rows)
    else:
        for row in [titles, *rows]:
            print(f"{row[0]:26}" + "".join(f"{cell:>14}" for cell in row[1:]))
    for line in _remarks(result):
        print(line)


def _row(name: str, found: dict[str, Any]) -> list[str]:
    return [name, *("-" if found[key] is None else form.format(found[key]) for _, key, form in _COLUMNS)]


def _table(titles: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for title in titles:
        table.add_column(title, justify="left" if title == "scenario" else "right")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _remarks(result: dict[str, Any]) -> list[str]:
    machine = result["machine"]
    lines = [", ".join(f"{key} {value}" for key, value in {**machine, "seed": result["seed"]}.items())]
    for name, found in result["scenarios"].items():
        if "share_of_limit" in found:
            share, limit = found["share_of_limit"], found["limit_per_s"]
            lines.append(f"{name}: {share:.1%} of window / round trip = {limit:,.0f}/s")
        if "last_to_first" in found:
            first, last = found["first_quarter_jobs_per_s"], found["last_quarter_jobs_per_s"]
            lines.append(f"{name}: first quarter {first:,.0f}/s, last {last:,.0f}/s")
        if "whole_jobs_per_s" in found:
            lines.append(f"{name}: whole jobs on top of them {found['whole_jobs_per_s']:,.0f}/s")
    for rival, measured in result.get("rivals", {}).items():
        for name, found in measured["scenarios"].items():
            ratios = found["ours_to_theirs"]
            lines.append(
                f"{name}: {ratios.get('jobs_per_s')} x the jobs/s of {rival} {measured['version']} and "
                f"{ratios.get('cpu_s_per_10k')} x its CPU; {rival}: {'; '.join(found['notes'])}"
            )
    return lines + [f"error: {problem}" for problem in result["problems"]]
