"""What has been learned of routes, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click

from connector.cli.columns import print_columns
from connector.cli.decision import chance, price

__all__ = ["busiest", "print_routes"]

Row = Mapping[str, Any]

_BREAKERS: Final = {"open": "open", "half_open": "open, trials only", "closed": "closed"}
_HEADINGS: Final = ("NEVER", "NO RECEIPT", "BREAKER", "NOTES")
_CLASSES: Final = ("CLASS", "EXTRA SENDS A JOB", "COST A JOB")


def busiest(rows: Sequence[Row], most: int) -> tuple[list[Row], int]:
    """`rows` by route, each with its `most` destinations of most flights in all; and how many are left out.

    What a route does over all destinations stands first and is never left out.
    """
    overall = [row for row in rows if _is_overall(row)]
    ranked = sorted((row for row in rows if not _is_overall(row)), key=_flights, reverse=True)
    kept = ranked[:most]
    ordered: list[Row] = []
    for whole in sorted(overall, key=_flights, reverse=True):
        ordered += [whole, *(row for row in kept if row["route"] == whole["route"])]
    known = {row["route"] for row in overall}
    ordered += [row for row in kept if row["route"] not in known]
    return ordered, len(ranked) - len(kept)


def print_routes(stats: Row, left_out: int, now: float) -> None:
    """The tables of `routes` and `classes` of `stats`. `now`: seconds since 1970, for ages."""
    if not stats["routes"]:
        click.echo("nothing has been learned of any route yet")
    else:
        in_time = f"IN {stats['deadline_s']:g} S"
        headings = ("ROUTE", "TO", "FLIGHTS", "P50", "P95", in_time, *_HEADINGS)
        print_columns(headings, [_route(row, now) for row in stats["routes"]])
    if left_out:
        click.echo(f"and {left_out} destinations with less traffic, which --all shows")
    if stats["classes"]:
        click.echo()
        print_columns(_CLASSES, [_class(each) for each in stats["classes"]])


def _is_overall(row: Row) -> bool:
    return not row["country"] and not row["network"]


def _flights(row: Row) -> float:
    return float(row["flights"])


def _route(row: Row, now: float) -> tuple[str, ...]:
    return (
        row["route"],
        f"{row['country']} {row['network']}".strip() or "all",
        f"{row['flights']:.0f}",
        _seconds(row["p50_s"]),
        _seconds(row["p95_s"]),
        chance(row["in_time"]),
        chance(row["never"]),
        chance(row["no_receipt"]),
        _breaker(row, now),
        "; ".join(_notes(row)),
    )


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _breaker(row: Row, now: float) -> str:
    state = row.get("breaker")
    if state is None:
        return ""
    words = _BREAKERS.get(state, str(state))
    if state != "closed" and row.get("breaker_since") is not None:
        words += f" for {max(now - row['breaker_since'], 0.0):.0f} s"
    return words


def _notes(row: Row) -> Iterator[str]:
    if row.get("breaker", "closed") != "closed" and row.get("breaker_reason"):
        yield row["breaker_reason"]
    if row["doubt"]:
        yield row["doubt"]


def _class(row: Row) -> tuple[str, ...]:
    extra = f"{price(row['extra_sends'])} of {price(row['extra_sends_limit'])}"
    return row["class"], extra, f"{price(row['cost'])} of {price(row['cost_limit'])}"
