"""`connector status`: how the daemon of one lane is doing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from connector.cli.columns import print_columns, print_title
from connector.cli.event_line import clock_time
from connector.cli.job_socket import job_socket_option, open_client
from connector.cli.routes import busiest, print_routes

__all__ = ["command", "print_state"]

_BINDS = ("CARRIER", "BIND", "STATE", "WINDOW", "TOKENS", "RATE")
_TRUNKS = ("TRUNK", "STATE", "CALLS", "TOKENS", "RATE")
_RECEIPTS = ("RECEIPTS OF", "MATCHED", "ID FORM", "ORPHANS", "OLDEST")
_GUARDS = ("GUARD", "REFUSED", "WOULD HAVE")
_ORPHANS = ("ORPHANS OF", "AT", "AGE", "STATE", "ID", "RECEIPT")
_DESTINATIONS_SHOWN = 20
Row = tuple[str, str]


@click.command("status")
@job_socket_option()
@click.option(
    "--routes", is_flag=True, help="Show what has been learned of routes, and job classes' budgets."
)
@click.option(
    "--all", "all_routes", is_flag=True, help="With --routes: all destinations, not only the busiest."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(socket_path: Path, *, routes: bool, all_routes: bool, as_json: bool) -> None:
    """Show binds, trunks, windows, rates, the queue, outcomes, and receipts that belong to no message.

    CALLS is calls under way of the most there may be; WINDOW is submit_sm without answer, in the same way;
    TOKENS are PDUs or calls that may leave at once, RATE is how many come a second: the configured tps,
    or less after the carrier said that it is too much.
    MATCHED is the share of recent receipts that found their message, ID FORM is how they spell its id.

    With --routes: of each route to each destination the FLIGHTS that the estimate rests on, in how many
    seconds half and 95 % of what arrives is there, which share is in time for the lane's default deadline,
    never arrives, or arrives without a receipt; the breaker, and why receipts are doubted. See
    docs/routing.md.

    \b
    Examples:
      connector status --socket /run/connector/verification.sock
      connector status --socket /run/connector/verification.sock --routes
    """
    if all_routes and not routes:
        raise click.UsageError("--all belongs to --routes")
    with open_client(socket_path) as client:
        stats = client.stats(routes=routes)
    if routes and "routes" not in stats:
        raise click.ClickException("the daemon is older than this command and tells nothing of routes")
    left_out = 0
    if routes and not all_routes:
        stats["routes"], left_out = busiest(stats["routes"], _DESTINATIONS_SHOWN)
    if as_json:
        click.echo(json.dumps(stats))
        return
    print_title(f"lane {stats['lane']}, {'draining' if stats['draining'] else 'taking jobs'}")
    click.echo()
    if routes:
        print_routes(stats, left_out, time.time())
    else:
        print_state(stats)


def print_state(stats: dict[str, Any]) -> None:
    """What `stats` answers with, as tables."""
    if stats["carriers"]:
        print_columns(_BINDS, list(_binds(stats["carriers"])))
        click.echo()
    if stats["trunks"]:
        print_columns(_TRUNKS, [_trunk(trunk) for trunk in stats["trunks"]])
        click.echo()
    print_columns(("JOBS", ""), list(_jobs(stats)))
    if guards := [_guard(guard) for guard in stats.get("guards", ()) if _has_hit(guard)]:
        click.echo()
        print_columns(_GUARDS, guards)
    if receipts := list(_receipts(stats)):
        click.echo()
        print_columns(_RECEIPTS, receipts)
    if stats["orphans"]:
        click.echo()
        print_columns(_ORPHANS, [_orphan(each) for each in stats["orphans"]])


def _binds(carriers: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for carrier in carriers:
        shown, tokens, rate = carrier["name"], f"{carrier['tokens']:.1f}", f"{carrier['rate']:.1f}/s"
        for bind in carrier["binds"]:
            name = bind["name"].rpartition("/")[2]
            yield shown, name, bind["state"], f"{bind['window_in_use']}/{bind['window']}", tokens, rate
            shown = tokens = rate = ""


def _trunk(trunk: dict[str, Any]) -> tuple[str, ...]:
    calls, tokens = f"{trunk['calls']}/{trunk['most']}", f"{trunk['tokens']:.1f}"
    return trunk["name"], trunk["state"], calls, tokens, f"{trunk['rate']:.1f}/s"


def _jobs(stats: dict[str, Any]) -> Iterator[Row]:
    jobs, deadline = stats["jobs"], stats["oldest_deadline_s"]
    yield "open", str(stats["open_jobs"])
    yield "waiting to leave", str(stats["queue_depth"])
    if deadline is not None:
        yield "nearest deadline", f"in {deadline:.1f} s" if deadline >= 0 else f"{-deadline:.1f} s ago"
    if stats["quiet_hours_waiting"]:
        yield "waiting for quiet hours to end", str(stats["quiet_hours_waiting"])
    if broken := [route["name"] for route in stats["route_health"] if route["breaker_open"]]:
        yield "left out but for trials", ", ".join(broken)
    yield "accepted", str(jobs["accepted"])
    if jobs["duplicate"]:
        yield "submitted again", str(jobs["duplicate"])
    for kind in ("finished", "refused"):
        for name, number in jobs[kind].items():
            if number:
                yield f"{kind}: {name}" if kind == "refused" else name, str(number)
    receipts = sum(row["receipts"] for row in stats["orphan_counts"])
    yield "receipts without their message", str(receipts)
    if stats["parked_receipts"] > receipts:
        yield "handsets' messages to no application", str(stats["parked_receipts"] - receipts)
    if stats["inbound_parts"]:
        yield "parts of handsets' messages that wait for others", str(stats["inbound_parts"])
    for application, number in stats["event_backlog"].items():
        yield f"events not acknowledged by {application}", str(number)


def _has_hit(guard: dict[str, Any]) -> bool:
    return bool(guard["refused"] or guard["would_have_refused"])


def _guard(guard: dict[str, Any]) -> tuple[str, ...]:
    return guard["guard"], str(guard["refused"]), str(guard["would_have_refused"])


def _receipts(stats: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    waiting = {row["carrier"]: row for row in stats["orphan_counts"]}
    carriers = {carrier["name"]: carrier for carrier in stats["carriers"]}
    for name in [*carriers, *(name for name in waiting if name not in carriers)]:
        ratio, form = "-", "-"
        if (carrier := carriers.get(name)) is not None:
            form = carrier["id_form"] or "being learned"
            form += " (by its file)" if carrier["id_form_fixed"] else ""
            if carrier["receipt_match_ratio"] is not None:
                ratio = f"{carrier['receipt_match_ratio']:.1%}"
        orphans = waiting.get(name, {"receipts": 0, "oldest_s": None})
        oldest = "-" if orphans["oldest_s"] is None else _age(orphans["oldest_s"])
        yield name, ratio, form, str(orphans["receipts"]), oldest


def _orphan(orphan: dict[str, Any]) -> tuple[str, ...]:
    id = _printable(bytes.fromhex(orphan["message_id"]).decode("latin-1")) or "-"
    head = _receipt_head(orphan["state"], orphan["raw"])
    return orphan["carrier"], clock_time(orphan["at"]), _age(orphan["age_s"]), orphan["state"], id, head


def _age(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _receipt_head(state: str, raw: str) -> str:
    """A receipt's text up to `text:`, after which the subscriber's own words, maybe a code, would follow."""
    if state == "MO":
        return "(a message from a handset)"
    receipt = bytes.fromhex(raw).decode("ascii", "replace")
    if not receipt:
        return "(no receipt text)"
    end = receipt.lower().find("text:")
    end = len(receipt) if end < 0 else end
    return _printable(receipt[:end].rstrip())


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "·" for character in text)
