import json
import re

import msgspec
import pytest

from connector.cli.status import print_state
from connector.metrics import Live, RouteLive
from tests.cli.conftest import DELIVERED, NEVER_ANSWERED_BUT_RECEIPT, Gateway, connector


def test_one_object_for_programs(gateway: Gateway) -> None:
    gateway.finished(DELIVERED)
    done = gateway.run("status", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    stats = json.loads(done.stdout)
    assert (stats["schema"], stats["lane"], stats["draining"]) == (1, "verification", False)
    assert [carrier["name"] for carrier in stats["carriers"]] == ["north", "south"]
    assert stats["jobs"]["finished"]["delivered"] >= 1


def test_plain_columns_for_pipes(gateway: Gateway) -> None:
    gateway.finished(DELIVERED)
    lines = [line.split() for line in gateway.run("status").stdout.splitlines()]
    assert lines[0] == ["lane", "verification,", "taking", "jobs"]
    north = next(line for line in lines if line[:1] == ["north"])
    assert north[1:4] == ["transceiver-1", "bound", "0/50"]
    assert float(north[4]) > 0
    assert float(north[5].removesuffix("/s")) >= float(north[4])
    delivered = next(line for line in lines if line[:1] == ["delivered"])
    assert int(delivered[1]) >= 1


def test_an_orphan_receipt_shows_without_the_subscribers_text(gateway: Gateway) -> None:
    """Its submit_sm_resp never comes, so that the receipt finds no message before the time-out."""
    id = gateway.new_id()
    with gateway.client(ack_every=0) as client:
        client.submit({"id": id, "to": NEVER_ANSWERED_BUT_RECEIPT, "text": "Code 482917", "deadline_s": 9})
        while not (stats := client.stats())["orphans"]:
            pass
        shown = gateway.run("status").stdout
        while client.status(id)["outcome"] is None:  # its events would come into other tests
            pass
    heading, receipt = shown.splitlines()[-2:]
    assert heading.split() == ["ORPHANS", "OF", "AT", "AGE", "STATE", "ID", "RECEIPT"]
    assert re.match(r"north +[0-9:.]+ +\d+ s +DELIVERED +(\w+) +id:\1 ", receipt), receipt
    assert "482917" not in receipt
    (counted,) = stats["orphan_counts"]
    assert (counted["carrier"], counted["receipts"]) == ("north", 1)
    assert counted["oldest_s"] >= stats["orphans"][0]["age_s"] >= 0


def test_how_receipts_match(gateway: Gateway) -> None:
    gateway.finished(DELIVERED)
    lines = gateway.run("status").stdout.splitlines()
    heading = next(n for n, line in enumerate(lines) if line.startswith("RECEIPTS OF"))
    north = re.split("  +", lines[heading + 1].strip())
    assert north[0] == "north"
    assert float(north[1].removesuffix("%")) > 0
    assert north[2] == "being learned"
    assert north[3].isdigit()
    stats = json.loads(gateway.run("status", "--json").stdout)
    carrier = stats["carriers"][0]
    assert (carrier["id_form"], carrier["id_form_fixed"]) == (None, False)
    assert 0 < carrier["receipt_match_ratio"] <= 1


def test_what_was_learned_of_routes(gateway: Gateway) -> None:
    gateway.finished(DELIVERED)
    with gateway.client(ack_every=0) as client:
        while not any(row["flights"] for row in client.stats(routes=True)["routes"]):
            pass  # what is heard counts a moment later
    stats = json.loads(gateway.run("status", "--routes", "--json").stdout)
    overall = next(row for row in stats["routes"] if row["route"] == "north" and not row["country"])
    assert overall["flights"] > 0
    assert 0.0 < overall["in_time"] <= 1.0
    assert overall["breaker"] == "closed"
    assert [each["class"] for each in stats["classes"]] == ["default"]
    lines = [re.split("  +", line) for line in gateway.run("status", "--routes").stdout.splitlines()]
    assert ["ROUTE", "TO", "FLIGHTS", "P50", "P95", "IN 60 S"] in [line[:6] for line in lines]
    assert ["north", "all"] in [line[:2] for line in lines]
    assert ["CLASS", "EXTRA SENDS A JOB", "COST A JOB"] in lines


def test_what_waits_and_what_is_left_out_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    live = Live(quiet_hours_waiting=13, route_health=(RouteLive("north", True, 0.1), RouteLive("south")))
    nothing = {"accepted": 0, "duplicate": 0, "finished": {}, "refused": {}}
    print_state({**msgspec.to_builtins(live), "jobs": nothing, "orphans": [], "orphan_counts": []})
    lines = [re.split("  +", line) for line in capsys.readouterr().out.splitlines()]
    assert ["waiting for quiet hours to end", "13"] in lines
    assert ["left out but for trials", "north"] in lines


def test_all_is_of_routes() -> None:
    done = connector("status", "--socket", "/nonexistent", "--all")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("Error: --all belongs to --routes\n")
