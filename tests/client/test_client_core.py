"""The conversation without a socket: whatever the daemon sends, and whenever the connection ends."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.client_calls import RpcError
from connector.client_core import Backoff, Conversation, Options, Subscription
from protocols.rpc.event import Event
from protocols.rpc.framing import Reader
from protocols.rpc.limits import Limits
from protocols.rpc.messages import (
    MAX_MSGID,
    Fault,
    encode_error,
    encode_notification,
    encode_response,
)
from protocols.rpc.methods import Hello

HELLO = Hello("shop", "1")


def sent(conversation: Conversation) -> list[tuple[int, str, list[object]]]:
    messages = Reader().feed(b"".join(conversation.data_to_send()))
    return [(each.msgid, each.method, each.params) for each in messages]


def greet(conversation: Conversation, **limits: int) -> None:
    conversation.connected()
    [(msgid, method, _)] = sent(conversation)
    assert method == "hello"
    server = {"server": "tiny", "version": "1", "lane": "test", "limits": limits}
    assert conversation.receive(encode_response(msgid, server)) == []


def event(seq: int) -> bytes:
    return encode_notification("event", [{"seq": seq, "id": "a", "at": 1.0, "type": "sent"}])


def test_nothing_leaves_before_the_greeting_is_answered():
    conversation = Conversation(HELLO)
    first = conversation.call("stats", {})
    greet(conversation)
    assert sent(conversation) == [(first, "stats", [{}])]
    assert sent(conversation) == []


def test_what_was_not_answered_is_sent_again_in_order_and_what_was_is_not():
    conversation = Conversation(HELLO)
    greet(conversation)
    calls = [conversation.call("submit", {"id": str(i)}) for i in range(4)]
    sent(conversation)
    [answer] = conversation.receive(encode_response(calls[1], {"id": "1"}))
    assert (answer.msgid, answer.result, answer.error) == (calls[1], {"id": "1"}, None)
    conversation.forget(calls[2])
    conversation.lost()
    assert conversation.data_to_send() == []
    greet(conversation)
    assert sent(conversation) == [(calls[i], "submit", [{"id": str(i)}]) for i in (0, 3)]


def test_an_answer_nobody_waits_for_is_ignored():
    conversation = Conversation(HELLO)
    greet(conversation)
    assert conversation.receive(encode_response(77, None) + encode_error(78, Fault("x", "y"))) == []
    assert not conversation.unusable


def test_half_an_answer_does_not_survive_its_connection():
    conversation = Conversation(HELLO)
    greet(conversation)
    call = conversation.call("stats", {})
    conversation.receive(encode_response(call, {"jobs": 1})[:5])
    conversation.lost()
    greet(conversation)
    [answer] = conversation.receive(encode_response(call, {"jobs": 2}))
    assert answer.result == {"jobs": 2}


def test_msgids_wrap_and_skip_those_under_way():
    conversation = Conversation(HELLO)
    greet(conversation)
    first = conversation.call("stats", {})
    assert first == 2
    conversation._msgid = MAX_MSGID - 1
    assert [conversation.call("stats", {}) for _ in range(4)] == [MAX_MSGID, 1, 3, 4]


def test_an_answer_longer_than_any_request_is_read():
    conversation = Conversation(HELLO)
    greet(conversation)
    call = conversation.call("submit_many", [[]])
    errors = [Fault("forbidden", "not registered", "sender", "one of " + "ACME, " * 100)] * 1024
    (answer,) = conversation.receive(encode_response(call, errors))
    assert len(answer.result) == 1024
    assert not conversation.unusable


def test_a_goodbye_ends_every_call_under_way():
    conversation = Conversation(HELLO)
    greet(conversation)
    calls = [conversation.call("stats", {}) for _ in range(3)]
    answers = conversation.receive(encode_notification("error", [Fault("frame_too_large", "too long")]))
    assert [(answer.msgid, answer.error.code) for answer in answers] == [
        (call, "frame_too_large") for call in calls
    ]
    assert conversation.unusable
    assert conversation.refusal is None


@pytest.mark.parametrize(
    ("limits", "param"),
    [
        ({"frame": 100}, {"text": "x" * 90}),
        ({"string": 20}, {"text": "x" * 21}),
        ({"array": 5}, [0] * 6),
        ({"map": 5}, {str(i): i for i in range(6)}),
    ],
)
def test_what_the_daemon_could_not_read_does_not_leave(limits, param):
    conversation = Conversation(HELLO)
    greet(conversation, **limits)
    with pytest.raises(RpcError, match="too_large"):
        conversation.call("submit", param)
    assert sent(conversation) == []
    conversation.call("stats", {})
    assert len(sent(conversation)) == 1


scalars = st.integers(-5, 2**40) | st.text(max_size=5)
messages = (
    st.tuples(
        st.sampled_from([0, 1, 2]),
        st.integers(0, 5),
        st.none() | st.dictionaries(st.sampled_from(["code", "message", "retry_after_s"]), scalars),
        st.none()
        | scalars
        | st.fixed_dictionaries(
            {
                "server": st.just("tiny"),
                "version": scalars,
                "lane": st.just("x"),
                "limits": st.just({"frame": 0}),
            }
        ),
    ).map(msgpack.packb)
    | st.tuples(st.just(2), st.sampled_from(["event", "error", "x"]), st.lists(scalars)).map(msgpack.packb)
    | st.integers(0, 9).map(event)
    | st.binary(max_size=20)
)


@given(st.lists(messages, max_size=8), st.booleans())
def test_whatever_the_daemon_sends_nothing_raises(frames, greeted):
    conversation = Conversation(HELLO, Subscription(None, Options()))
    if greeted:
        greet(conversation)
    else:
        conversation.connected()
    calls = {conversation.call("stats", {}) for _ in range(3)}
    ended = [answer.msgid for frame in frames for answer in conversation.receive(frame)]
    assert len(ended) == len(set(ended))
    assert set(ended) <= calls


def test_a_refusal_says_where_by_whom_and_until_when():
    wording = RpcError("content", "is marketing", "params.payee", position=(0, 11))
    assert str(wording) == "content: params.payee[0:11]: is marketing"
    guarded = RpcError("guarded", "too many", "to", retry_after_s=199.2, guard="velocity_number")
    assert str(guarded) == "guarded by velocity_number: to: too many; again in 200 s"
    assert str(RpcError("draining", "stops", hint="come back")) == "draining: stops (come back)"


def test_an_event_that_is_not_understood_ends_the_stream_with_the_reason():
    conversation = Conversation(HELLO, Subscription(None, Options()))
    greet(conversation)
    conversation.receive(encode_notification("event", [{"seq": "1"}]))
    assert conversation.unusable
    assert conversation.refusal.code == "bad_response"


@given(
    st.integers(0, 4),
    st.none() | st.integers(0, 5),
    st.lists(st.sampled_from(["send", "send", "take", "take", "take", "cut", "write"]), max_size=80),
)
def test_each_event_comes_once_in_order_and_no_ack_runs_ahead(ack_every, from_seq, steps):
    subscription = Subscription(from_seq, Options(ack_every=ack_every))
    conversation = Conversation(HELLO, subscription)
    daemon_acked, cursor, given_to_us = 0, 0, []

    def read_requests() -> None:
        nonlocal daemon_acked, cursor
        for msgid, method, [param] in sent(conversation):
            if method == "subscribe":
                cursor = param.get("from_seq", daemon_acked + 1)
            elif method == "ack":
                assert param["seq"] > daemon_acked or param["seq"] == subscription.acked
                daemon_acked = max(daemon_acked, param["seq"])
            conversation.receive(encode_response(msgid, None))

    greet(conversation)
    read_requests()
    for step in steps:
        match step:
            case "send":
                # At least once: the daemon may repeat the one before.
                conversation.receive(
                    event(max(cursor - 1, 0)) + event(cursor) if given_to_us else event(cursor)
                )
                cursor += 1
            case "take":
                taken = subscription.take()
                if taken is not None:
                    given_to_us.append(taken.seq)
                elif ack_every and given_to_us:
                    assert subscription.acked == given_to_us[-1]
            case "cut":
                conversation.lost()
                greet(conversation)
                read_requests()
            case "write":
                read_requests()
        done = given_to_us[:-1] if subscription._given is not None else given_to_us
        assert subscription.acked is None or subscription.acked in done
        assert (
            len([seq for seq in done if seq > (subscription.acked or -1)]) <= max(ack_every, 0)
            or not ack_every
        )
    first = from_seq if from_seq is not None else 1
    assert given_to_us == list(range(first, first + len(given_to_us)))


def test_an_older_acknowledgement_changes_nothing():
    subscription = Subscription(None, Options(ack_every=0))
    subscription.ack(5)
    subscription.ack_due = False
    subscription.ack(5)
    subscription.ack(4)
    assert (subscription.acked, subscription.ack_due) == (5, False)


def test_acknowledgements_that_cannot_leave_become_one():
    conversation = Conversation(HELLO, subscription := Subscription(None, Options()))
    greet(conversation)
    sent(conversation)
    for seq in (1, 2, 3):
        subscription.ack(seq)
    assert [(method, param) for _, method, [param] in sent(conversation)] == [("ack", {"seq": 3})]


def test_a_full_buffer_says_so():
    subscription = Subscription(1, Options(event_buffer=4))
    for seq in range(1, 5):
        assert not subscription.full
        subscription.offer(Event(seq=seq, id="a", at=1.0, type="sent"))
    assert subscription.full
    assert not subscription.roomy
    subscription.take()
    subscription.take()
    assert subscription.roomy


def test_backoff_doubles_up_to_its_cap_and_starts_again():
    backoff = Backoff(Options(backoff_base_s=0.1, backoff_cap_s=0.5))
    assert [backoff.next(1.0) for _ in range(5)] == [0.1, 0.2, 0.4, 0.5, 0.5]
    assert backoff.next(0.0) == 0.0
    backoff.reset()
    assert backoff.next(0.5) == 0.05


def test_default_limits_hold_until_the_daemon_has_told_its_own():
    conversation = Conversation(HELLO)
    assert conversation.limits == Limits()
    greet(conversation, frame=5000)
    assert conversation.limits.frame == 5000
