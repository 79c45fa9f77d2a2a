"""What the journal makes of an order's events: told once, in order, and what they make pointless ends."""

from __future__ import annotations

import pytest

from connector.journal.ops import OrderNode
from tests.orders.conftest import RANKS, Ledger


def verdicts(*nodes: OrderNode) -> list[str]:
    return [node.verdict for node in nodes]


def test_a_node_is_told_once(ledger: Ledger) -> None:
    first = ledger.tell("shipped")
    assert (first.verdict, first.ext) == ("new", "o:shipped:1001")
    ledger.book.now += 5.0
    again, other = ledger.tell("shipped"), ledger.tell("shipped", digest="e")
    assert verdicts(again, other) == ["duplicate", "conflict"]
    assert (again.ext, again.outcome) == (other.ext, other.outcome) == ("o:shipped:1001", None)
    assert again.accept is not None and again.accept.verdict == "dropped"
    assert ledger.book.row("SELECT count(*) FROM job") == (1,)
    assert [event.type for event in ledger.book.told[ledger.book.app]] == ["accepted"]


def test_after_a_higher_rank_a_lower_one_is_late(ledger: Ledger) -> None:
    ledger.tell("delivered")
    late = ledger.tell("in-transit")
    assert (late.verdict, late.after, late.ext) == ("late", "delivered", None)
    assert ledger.nodes() == ["delivered"]
    assert ledger.tell("in-transit", order="1002").verdict == "new", "another order"


def test_orders_of_two_applications_are_not_the_same(ledger: Ledger) -> None:
    shop, depot = ledger.book.app, ledger.book.store.app("depot")
    ledger.tell("shipped")
    ledger.book.app = depot
    assert ledger.tell("shipped").verdict == "new"
    ledger.book.app = shop
    ledger.tell("delivered")
    assert ledger.book.rows("SELECT app, outcome FROM job WHERE ext = 'o:shipped:1001' ORDER BY app") == [
        (shop, "cancelled"), (depot, None),
    ]  # fmt: skip
    ledger.book.app = depot
    assert ledger.tell("in-transit").verdict == "new"


def test_it_is_decided_within_one_commit_too(ledger: Ledger) -> None:
    nodes = [
        ledger.op("shipped"), ledger.op("locker"), ledger.op("in-transit"), ledger.op("locker"),
        ledger.op("locker", digest="e"), ledger.op("shipped", order="1002"),
    ]  # fmt: skip
    ledger.commit(*nodes)
    assert verdicts(*nodes) == ["new", "new", "late", "duplicate", "conflict", "new"]
    assert ledger.book.rows("SELECT ext, outcome FROM job ORDER BY id") == [
        ("o:shipped:1001", "cancelled"), ("o:locker:1001", None), ("o:shipped:1002", None),
    ]  # fmt: skip


def test_a_node_that_occurs_again_is_told_for_each_event(ledger: Ledger) -> None:
    assert verdicts(
        ledger.tell("in-transit", event="hub-1"), ledger.tell("in-transit", event="hub-2"),
        ledger.tell("in-transit", event="hub-1"),
    ) == ["new", "new", "duplicate"]  # fmt: skip


def test_a_node_without_a_message_counts_in_the_order(ledger: Ledger) -> None:
    ledger.tell("locker", told=False)
    again, late = ledger.tell("locker", told=False), ledger.tell("shipped")
    assert (again.verdict, again.ext, again.outcome) == ("duplicate", None, None)
    assert (late.verdict, late.after) == ("late", "locker")
    assert ledger.book.row("SELECT count(*) FROM job") == (0,)


def test_a_repetition_tells_what_became_of_the_job(ledger: Ledger) -> None:
    first = ledger.tell("shipped")
    assert first.accept is not None
    ledger.book.finish(first.accept.job, "delivered", "delivered")
    assert ledger.tell("shipped").outcome == "delivered"
    ledger.book.now += ledger.book.retention_s + 1.0
    ledger.book.sweep()
    assert ledger.book.row("SELECT count(*) FROM job") == (0,)
    again = ledger.tell("shipped")
    assert (again.verdict, again.ext, again.outcome) == ("duplicate", "o:shipped:1001", "forgotten")


def test_the_applications_own_job_of_the_same_id_is_not_told_again(ledger: Ledger) -> None:
    ledger.book.accept("o:shipped:1001")
    node = ledger.tell("shipped")
    assert (node.verdict, node.ext) == ("duplicate", "o:shipped:1001")
    assert ledger.nodes() == []


def test_orders_are_forgotten_after_their_time(ledger: Ledger) -> None:
    for number in range(3):
        ledger.tell("delivered", order=str(number), told=False)
        ledger.book.now += 86_400.0
    ledger.book.now += 57.5 * 86_400.0
    ledger.book.sweep()
    assert ledger.book.rows("SELECT ord FROM order_node ORDER BY id") == [("1",), ("2",)]
    assert verdicts(ledger.tell("shipped", order="0"), ledger.tell("shipped", order="1")) == ["new", "late"]


def test_row_numbers_that_come_again_stop_nobody(ledger: Ledger) -> None:
    """Rows of jobs are numbered anew when all are gone; those of the nodes that are remembered are not."""
    first = ledger.tell("shipped")
    assert first.accept is not None
    ledger.book.finish(first.accept.job)
    ledger.book.now += ledger.book.retention_s + 1.0
    ledger.book.sweep()
    ledger.book.reopen()
    other = ledger.book.accept("another-job")
    assert other.key == first.accept.job.key
    ledger.tell("delivered")
    assert ledger.book.outcome(other) is None


def test_what_has_not_left_ends_and_the_dispatcher_is_told(ledger: Ledger) -> None:
    ledger.tell("shipped")
    ledger.tell("locker", told=False)
    assert ledger.outcome("o:shipped:1001") == "cancelled"
    ended = ledger.op("delivered")
    batch = ledger.commit(ended)
    assert (batch.ended, ended.ended) == ([], 0), "it has ended before"
    told = ledger.book.told[ledger.book.app]
    assert [(event.id, event.type, event.reason) for event in told if event.final] == [
        ("o:shipped:1001", "cancelled", "the order has gone on to locker")
    ]


def test_what_ends_is_told_in_the_batch(ledger: Ledger) -> None:
    ledger.tell("shipped", ends=False)
    ledger.tell("in-transit", event="hub-1", ends=False)
    node = ledger.op("delivered")
    batch = ledger.commit(node)
    app = ledger.book.app
    assert sorted(batch.ended) == [(app, "o:in-transit:1001:hub-1"), (app, "o:shipped:1001")]
    assert (node.ended, batch.outcomes) == (2, {"cancelled": 2})


def test_without_ends_nothing_ends(ledger: Ledger) -> None:
    ledger.tell("shipped")
    ledger.tell("delivered", ends=False)
    assert ledger.outcome("o:shipped:1001") is None


def test_other_nodes_of_the_same_rank_do_not_end_each_other(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RANKS, "invoice", RANKS["shipped"])
    ledger.tell("shipped")
    ledger.tell("invoice")
    assert ledger.outcome("o:shipped:1001") is None


@pytest.mark.parametrize(
    ("fate", "ends"),
    [
        ("waits", True),
        ("deferred", True),
        ("refused", True),
        ("under way", False),
        ("sent", False),
        ("unknown", False),
        ("unknown, to be sent again", True),
        ("followed", True),
        ("followed, past its deadline", False),
        ("never sent again", False),
        ("in a call", True),
    ],
)
def test_what_may_still_be_sent_ends_and_the_rest_is_left_to_its_receipt(
    ledger: Ledger, fate: str, ends: bool
) -> None:
    book = ledger.book
    more = {
        "unknown, to be sent again": {"on_unknown": "resend_once"},
        "followed": {"follow": 1},
        "followed, past its deadline": {"follow": 1},
        "never sent again": {"follow": 1},
        "in a call": {"follow": 2},
    }.get(fate, {})  # fmt: skip
    node = ledger.tell("shipped", **more)
    assert node.accept is not None
    job = node.accept.job
    if fate != "waits":
        book.intend(job, channel="voice" if fate == "in a call" else "sms")
    if fate in ("deferred", "refused"):
        book.settle(job, fate)
    elif fate.startswith("unknown"):
        book.settle(job, "unknown")
    elif fate in ("sent", "followed", "followed, past its deadline", "never sent again"):
        book.answer(job, b"17")
    if fate == "never sent again":
        book.commit(unfollows=[job.key])
    if "past" in fate:
        book.now = job.deadline_at + 1.0
    ledger.tell("delivered", told=False)
    assert (book.outcome(job) == "cancelled") is ends


def test_what_has_arrived_ends_as_delivered(ledger: Ledger) -> None:
    """Its journey goes on in spite of receipts, until the order itself does."""
    node = ledger.tell("locker", follow=2)
    assert node.accept is not None
    ledger.book.intend(node.accept.job)
    ledger.book.answer(node.accept.job, b"17")
    ledger.book.receipt(b"17")
    assert ledger.outcome("o:locker:1001") is None
    last = ledger.op("delivered", told=False)
    batch = ledger.commit(last)
    assert (ledger.outcome("o:locker:1001"), last.ended) == ("delivered", 1)
    assert batch.ended == [(ledger.book.app, "o:locker:1001")]
    assert ledger.book.story(node.accept.job) == ["accepted", "sent", "delivered", "delivered/delivered"]


def test_an_intent_of_the_same_commit_does_not_leave(ledger: Ledger) -> None:
    node = ledger.tell("shipped")
    assert node.accept is not None
    intend = ledger.book.intend_op(node.accept.job)
    ledger.commit(ledger.op("delivered", told=False), intends=[intend])
    assert not intend.applied
    assert ledger.book.rows("SELECT * FROM attempt") == []
