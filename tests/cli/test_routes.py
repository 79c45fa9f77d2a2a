"""What has been learned of routes, as `status --routes` shows it."""

import re
from typing import Any

import pytest

from connector.cli.routes import busiest, print_routes

NOW = 1_000.0


def row(route: str, country: str = "", network: str = "", flights: float = 10.0, **fields: Any) -> Any:
    learned = {
        "route": route, "channel": "sms", "country": country, "network": network, "flights": flights,
        "p50_s": 3.21, "p95_s": 9.84, "in_time": 0.967, "never": 0.004, "no_receipt": 0.08,
        "unreachable": 0.02, "trust": 1.0, "doubt": "", "breaker": "closed", "breaker_since": None,
        "breaker_reason": "",
    }  # fmt: skip
    return learned | fields


def shown(capsys: pytest.CaptureFixture[str], rows: list[Any], left_out: int = 0) -> list[list[str]]:
    classes = [
        {"class": "login", "extra_sends": 0.238, "extra_sends_limit": 0.5, "cost": 1.3, "cost_limit": 5.0}
    ]
    print_routes({"deadline_s": 20.0, "routes": rows, "classes": classes}, left_out, NOW)
    return [re.split("  +", line) for line in capsys.readouterr().out.splitlines()]


def test_each_route_and_each_class_has_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row("north", flights=1234.4), row("north", "DE", "Vodafone")]
    assert shown(capsys, rows) == [
        ["ROUTE", "TO", "FLIGHTS", "P50", "P95", "IN 20 S", "NEVER", "NO RECEIPT", "BREAKER", "NOTES"],
        ["north", "all", "1234", "3.2 s", "9.8 s", "97 %", "0.4 %", "8 %", "closed"],
        ["north", "DE Vodafone", "10", "3.2 s", "9.8 s", "97 %", "0.4 %", "8 %", "closed"],
        [""],
        ["CLASS", "EXTRA SENDS A JOB", "COST A JOB"],
        ["login", "0.24 of 0.5", "1.3 of 5.0"],
    ]


def test_a_breaker_and_a_doubt_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    silent = row("north", breaker="open", breaker_since=988.0, breaker_reason="silent", p50_s=None)
    fake = row("east", breaker="half_open", breaker_since=970.0, doubt="few convert")
    _, north, east, *_ = shown(capsys, [silent, fake])
    assert north[-2:] == ["open for 12 s", "silent"]
    assert north[3] == "-"
    assert east[-2:] == ["open, trials only for 30 s", "few convert"]


def test_nothing_learned_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, [])[0] == ["nothing has been learned of any route yet"]


def test_the_busiest_come_first_and_the_others_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row("north", flights=90), row("east", flights=200), row("gone", "FR", flights=7)]
    rows += [row("north", "DE", str(n), flights=n) for n in range(60)]
    rows += [row("east", "DE", str(n), flights=n + 0.5) for n in range(60)]
    kept, left_out = busiest(rows, 20)
    assert (len(kept), left_out) == (22, 101)
    assert [(each["route"], each["flights"]) for each in kept[:3]] == [
        ("east", 200),
        ("east", 59.5),
        ("east", 58.5),
    ]
    assert [each["flights"] for each in kept if each["route"] == "north"] == [90, *range(59, 49, -1)]
    assert shown(capsys, kept, left_out)[23] == ["and 101 destinations with less traffic, which --all shows"]
    everything, none = busiest(rows, 1_000)
    assert (len(everything), none, everything[-1]["route"]) == (len(rows), 0, "gone")
