import json

from tests.cli.conftest import DELIVERED, NEVER_ANSWERED_BUT_RECEIPT, Gateway


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
    with gateway.client(ack_every=0) as client:
        client.submit(
            {"id": gateway.new_id(), "to": NEVER_ANSWERED_BUT_RECEIPT, "text": "Code 482917", "deadline_s": 9}
        )
        while not client.stats()["orphans"]:
            pass
    shown = gateway.run("status").stdout
    heading, receipt = shown.splitlines()[-2:]
    assert heading.split() == ["ORPHAN", "RECEIPTS", "AT", "STATE", "RECEIPT"]
    assert receipt.startswith("127.0.0.1 to_north ")
    assert " DELIVERED  id:" in receipt
    assert "482917" not in receipt
