"""An event as it is read, and the id of its job."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.config import NodeRule
from connector.jobs.orders import job_id
from protocols.rpc.errors import ParamsError
from protocols.rpc.job import parse_job
from protocols.rpc.order import OrderEvent, parse_order_event

EVENT = {"order": "1001", "node": "shipped", "to": "+447700900123"}
ONCE = NodeRule(node="shipped", rank=20)
AGAIN = NodeRule(node="in_transit", rank=30, repeats=True)


def event(order: str, occurrence: str | None = None) -> OrderEvent:
    return OrderEvent(order=order, node="n", to="+447700900123", event=occurrence)


def test_all_that_an_event_may_tell() -> None:
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    more = {
        "lang": "pt-BR", "data": {"day": "2026-11-27", "minutes": 5, "share": 0.5}, "at": 1_795_376_750,
        "event": "hub-7", "journey": "dont-miss", "traceparent": trace,
    }  # fmt: skip
    found = parse_order_event(EVENT | more)
    assert found.data == more["data"]
    assert (found.at, found.event, found.journey) == (1_795_376_750.0, "hub-7", "dont-miss")
    assert repr(found) == "OrderEvent('shipped')"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"order": ""}, "order"),
        ({"order": "x" * 65}, "order"),
        ({"order": "a\nb"}, "order"),
        ({"event": "a\0"}, "event"),
        ({"node": 5}, "node"),
        ({"to": "447700900123"}, "to"),
        ({"at": -1}, "at"),
        ({"at": 1_795_376_750_000}, "at"),
        ({"at": float("nan")}, "at"),
        ({"data": {"a": float("inf")}}, "data"),
        ({"data": {"a": None}}, "data"),
        ({"data": [1]}, "data"),
        ({"lang": "german!"}, "lang"),
        ({"nodes": "x"}, "nodes"),
    ],
)
def test_the_field_that_is_wrong_is_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(ParamsError) as refused:
        parse_order_event(EVENT | wrong)
    assert refused.value.field == field


def test_nobodys_number_and_no_code_is_repeated() -> None:
    secret = {"to": "447700900123", "data": {"code": "482917", "other": None}}
    for key in secret:
        with pytest.raises(ParamsError) as refused:
            parse_order_event(EVENT | {key: secret[key]})
        told = f"{refused.value} {refused.value.hint}"
        assert "900123" not in told
        assert "482917" not in told


def test_an_id_that_people_can_read_where_there_can_be_no_mistake() -> None:
    assert job_id(ONCE, event("1001", "no-matter")) == "o:shipped:1001"
    assert job_id(AGAIN, event("1001", "hub-7")) == "o:in_transit:1001:hub-7"


_IDS = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=64) | st.text(
    "a :#", min_size=1, max_size=64
)


@given(_IDS, _IDS, _IDS, _IDS)
def test_no_two_events_have_the_same_id(order: str, occurrence: str, order2: str, occurrence2: str) -> None:
    one, other = job_id(AGAIN, event(order, occurrence)), job_id(AGAIN, event(order2, occurrence2))
    assert (one == other) is ((order, occurrence) == (order2, occurrence2))
    assert (job_id(ONCE, event(order)) == job_id(ONCE, event(order2))) is (order == order2)
    longest = NodeRule(node="n" * 32, rank=1, repeats=True)
    for id in (one, job_id(ONCE, event(order)), job_id(longest, event(order, occurrence))):
        parse_job({"id": id, "to": "+447700900123", "text": "x"})


@given(st.text("a:", min_size=1, max_size=5), st.text("a:", min_size=1, max_size=5))
def test_colons_are_not_taken_for_ours(order: str, occurrence: str) -> None:
    other = job_id(AGAIN, event(f"{order}:{occurrence}", "a"))
    assert job_id(AGAIN, event(order, f"{occurrence}:a")) != other
