"""What is kept of a call."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.voice.detail import KEYS_KEPT, PROMPTS_KEPT, CallDetail, MediaDetail, Transfer


def a_call() -> CallDetail:
    detail = CallDetail(trunk="blue", call_id="c7@192.0.2.7", at=1_700_000_000.0, trying=0.01, ringing=0.5)
    detail.ringing_status = 180
    detail.answered, detail.acknowledged, detail.first_heard, detail.first_sent = 3.0, 3.001, 3.02, 3.002
    detail.prompt_began("greeting", 3.1)
    detail.key_pressed("1", 4.0)
    detail.prompt_began("code", 4.0)
    detail.prompt_ended(12.0, whole=True)
    detail.prompt_ended(99.0)
    detail.machine, detail.machine_at = "human", 3.9
    detail.transfers.append(Transfer(mode="bridge", began=13.0, answered=15.0, ended=27.5, status=200))
    detail.ended, detail.ended_by, detail.status, detail.cause = 28.0, "listener", 200, 16
    detail.kind, detail.result, detail.delivered = "transferred", "transferred", True
    detail.media = MediaDetail(codec="PCMA", sent=1200, received=1190, lost=10, jitter_ms=2.5)
    return detail


@pytest.mark.rule("sip.transfer-bridge")
def test_a_call_in_lines() -> None:
    assert a_call().lines() == [
        (0.0, "INVITE to blue"),
        (0.01, "100: the trunk has it"),
        (0.5, "it rings"),
        (3.0, "200: answered"),
        (3.001, "ACK"),
        (3.002, "first RTP out"),
        (3.02, "first RTP in"),
        (3.1, "says greeting"),
        (3.9, "detector: human"),
        (4.0, "says code"),
        (4.0, "greeting stopped"),
        (4.0, "key 1"),
        (12.0, "code said"),
        (13.0, "calls the agent, bridge"),
        (15.0, "agent answered"),
        (27.5, "agent's leg ended, 200, 12.5 s together"),
        (28.0, "ended by listener, Q.850 16, transferred"),
    ]
    assert a_call().transfers[0].seconds == 12.5


def test_one_line_for_each_kind_of_call() -> None:
    assert str(a_call()) == (
        "blue: answered after 3.0 s, 25.0 s long, PCMA, 10 lost, ended by listener, Q.850 16, transferred"
    )
    busy = CallDetail(trunk="blue", call_id="x", at=0.0, status=486, cause=17, kind="busy", ended=1.25)
    assert str(busy) == "blue: ended, 486, Q.850 17, busy after 1.2 s"
    assert busy.seconds == 0.0
    assert repr(busy) == "CallDetail(blue, busy)"


def test_json_and_back() -> None:
    packed = msgspec.json.encode(a_call())
    assert msgspec.json.decode(packed, type=CallDetail) == a_call()
    assert json.loads(packed)["prompts"] == [["greeting", 3.1, 4.0, False], ["code", 4.0, 12.0, True]]
    assert "machine" not in json.loads(msgspec.json.encode(CallDetail(trunk="t", call_id="c", at=0.0)))


def test_a_listener_who_never_lets_go_of_a_key_is_counted() -> None:
    detail = CallDetail(trunk="t", call_id="c", at=0.0)
    for number in range(KEYS_KEPT + 7):
        detail.key_pressed("5", number / 10)
        detail.prompt_began("menu", number / 10)
    assert (len(detail.keys), detail.keys_dropped, len(detail.prompts)) == (KEYS_KEPT, 7, PROMPTS_KEPT)


@given(st.lists(st.tuples(st.sampled_from(["key", "began", "ended"]), st.floats(0, 1e4)), max_size=400))
def test_it_never_grows_without_bound(steps: list[tuple[str, float]]) -> None:
    detail = CallDetail(trunk="t", call_id="c", at=0.0)
    for step, at in steps:
        match step:
            case "key":
                detail.key_pressed("5", at)
            case "began":
                detail.prompt_began("menu", at)
            case _:
                detail.prompt_ended(at, whole=True)
    assert len(detail.keys) <= KEYS_KEPT
    assert len(detail.prompts) <= PROMPTS_KEPT
    assert len(detail.keys) + detail.keys_dropped == sum(step == "key" for step, _ in steps)
    assert detail.keys_dropped == 0 or len(detail.keys) == KEYS_KEPT
    assert [at for at, _ in detail.lines()] == sorted(at for at, _ in detail.lines())
