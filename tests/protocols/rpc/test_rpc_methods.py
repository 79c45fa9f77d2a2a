"""Parameters of the other methods, and events."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.rpc import methods
from protocols.rpc.errors import ParamsError
from protocols.rpc.event import Event
from protocols.rpc.limits import Limits

GOOD: list[tuple[type[msgspec.Struct], dict[str, Any]]] = [
    (methods.Hello, {"client": "shop", "version": "1.2"}),
    (methods.Subscribe, {"from_seq": 0}),
    (methods.Ack, {"seq": 2**63 - 1}),
    (methods.Status, {"id": "a"}),
    (methods.Cancel, {"id": "a"}),
    (methods.Feedback, {"id": "a", "converted": False}),
    (methods.Feedback, {"id": "a", "converted": True, "attempt": 2}),
    (methods.Stats, {"routes": True}),
]
BAD: list[tuple[type[msgspec.Struct], dict[Any, Any], str]] = [
    (methods.Hello, {"client": "shop"}, "version"),
    (methods.Hello, {"client": "", "version": "1"}, "client"),
    (methods.Subscribe, {"from_seq": -1}, "from_seq"),
    (methods.Subscribe, {"from": 1}, "from"),
    (methods.Ack, {}, "seq"),
    (methods.Ack, {"seq": 2**63}, "seq"),
    (methods.Ack, {"seq": 1.0}, "seq"),
    (methods.Status, {"id": ""}, "id"),
    (methods.Cancel, {"id": 5}, "id"),
    (methods.Feedback, {"id": "a", "converted": 1}, "converted"),
    (methods.Feedback, {"id": "a", "converted": True, "attempt": 0}, "attempt"),
    (methods.Stats, {"routes": "all"}, "routes"),
]


@pytest.mark.parametrize(("kind", "given"), GOOD)
def test_good_parameters(kind, given):
    assert msgspec.to_builtins(methods.parse_params(kind, [given])) == given


@pytest.mark.parametrize(("kind", "given", "field"), BAD)
def test_bad_parameters_are_named(kind, given, field):
    with pytest.raises(ParamsError) as refusal:
        methods.parse_params(kind, [given])
    assert refusal.value.field == field
    assert refusal.value.hint


def test_subscribe_needs_no_parameters():
    assert methods.parse_params(methods.Subscribe, []) == methods.Subscribe()
    assert methods.parse_params(methods.Subscribe, [{}]) == methods.Subscribe()


def test_one_parameter_is_expected():
    with pytest.raises(ParamsError, match="not 2"):
        methods.parse_params(methods.Ack, [{"seq": 1}, {"seq": 2}])
    with pytest.raises(ParamsError, match="an array"):
        methods.parse_params(methods.Ack, [[1]])


@given(
    st.sampled_from([kind for kind, _ in GOOD]),
    st.dictionaries(st.text(max_size=9), st.integers() | st.text()),
)
def test_any_map_is_parameters_or_a_params_error(kind, params):
    try:
        methods.parse_params(kind, [params])
    except ParamsError:
        return


def test_hello_result_tells_the_limits():
    result = methods.HelloResult("connector", "0.1", "verification", Limits())
    assert msgspec.to_builtins(result)["limits"]["frame"] == 262144
    assert msgspec.convert(msgspec.to_builtins(result), methods.HelloResult) == result


def test_an_event_is_small_and_survives_a_newer_server():
    event = Event(seq=7, id="a", at=1.5, type="accepted")
    octets = msgspec.msgpack.encode(event)
    assert (
        octets == b"\xde\x00\x04\xa3seq\x07\xa2id\xa1a\xa2at\xcb\x3f\xf8" + bytes(6) + b"\xa4type\xa8accepted"
    )
    newer = msgspec.msgpack.decode(octets) | {
        "type": "teleported",
        "lane": "x",
        "final": True,
        "outcome": "lost",
    }
    read = msgspec.convert(newer, Event)
    assert (read.type, read.final, read.outcome) == ("teleported", True, "lost")
