"""The job socket's octets: both ways, in any chunks, whatever they are."""

import tracemalloc
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.rpc.errors import FrameError
from protocols.rpc.framing import Reader
from protocols.rpc.limits import Limits
from protocols.rpc.messages import (
    Fault,
    Notification,
    Request,
    Response,
    encode_error,
    encode_notification,
    encode_request,
    encode_response,
)

SMALL = Limits(frame=64, string=16, array=8, map=4, nesting=4)

VECTORS = [
    (
        encode_request(1, "submit", [{"id": "a", "deadline_s": 20.0}]),
        b"\x94\x00\x01\xa6submit\x91\x82\xa2id\xa1a\xaadeadline_s\xcb\x40\x34\x00\x00\x00\x00\x00\x00",
        Request(1, "submit", [{"id": "a", "deadline_s": 20.0}]),
    ),
    (
        encode_request(0xFFFF_FFFF, "stats", []),
        b"\x94\x00\xce\xff\xff\xff\xff\xa5stats\x90",
        Request(0xFFFF_FFFF, "stats", []),
    ),
    (encode_response(2, True), b"\x94\x01\x02\xc0\xc3", Response(2, None, True)),
    (
        encode_error(2, Fault("busy", "queue is full", retry_after_s=1.0)),
        (
            b"\x94\x01\x02\x83\xa4code\xa4busy\xa7message\xadqueue is full"
            b"\xadretry_after_s\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00\xc0"
        ),
        Response(2, {"code": "busy", "message": "queue is full", "retry_after_s": 1.0}, None),
    ),
    (
        encode_notification("event", [{"seq": 300}]),
        b"\x93\x02\xa5event\x91\x81\xa3seq\xcd\x01\x2c",
        Notification("event", [{"seq": 300}]),
    ),
]


@pytest.mark.parametrize(("encoded", "octets", "message"), VECTORS)
def test_octets_both_ways(encoded, octets, message):
    assert encoded == octets
    assert Reader().feed(octets) == [message]


def read(chunks: list[bytes], limits: Limits) -> tuple[list[Any], str | None]:
    """All messages of the stream, and the code of the error that ended it."""
    reader, messages = Reader(limits), []
    for chunk in chunks:
        try:
            messages += reader.feed(chunk)
        except FrameError as error:
            return messages + error.messages, error.code
    return messages, None


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=20) | st.binary(max_size=20)
    | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.text(max_size=5), inner, max_size=6),
    max_leaves=12,
)  # fmt: skip
msgids = st.integers(-1, 2**32) | st.booleans()
good_frames = (
    st.builds(encode_request, st.integers(0, 2**32 - 1), st.text(max_size=8), st.lists(values, max_size=3))
    | st.builds(encode_response, st.integers(0, 2**32 - 1), values)
    | st.builds(encode_notification, st.text(max_size=8), st.lists(values, max_size=3))
)
any_frames = (
    good_frames
    | st.tuples(st.sampled_from([0, 1, 2, True, "0"]), msgids, values, values).map(msgpack.packb)
    | values.map(msgpack.packb)
    | st.binary(max_size=80)
    | st.sampled_from(
        [b"\xdd\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc1", b"\xd4\x05\x00", b"\x91" * 70]
    )
)


@given(st.lists(any_frames, max_size=6), st.randoms())
def test_any_octets_give_the_same_in_any_chunks(frames, random):
    stream = b"".join(frames)
    whole = read([stream], SMALL)
    assert read([stream[i : i + 1] for i in range(len(stream))], SMALL) == whole
    cuts = sorted(random.randint(0, len(stream)) for _ in range(3))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read(chunks, SMALL) == whole


@given(st.lists(good_frames, max_size=6))
def test_good_frames_arrive_as_they_were_sent(frames):
    messages, code = read([b"".join(frames)], Limits())
    assert code is None
    assert len(messages) == len(frames)
    for frame, message in zip(frames, messages, strict=True):
        kind, *rest = msgpack.unpackb(frame)
        assert type(message) is (Request, Response, Notification)[kind]
        assert [getattr(message, field) for field in message.__struct_fields__] == rest


def test_text_that_fills_the_frame_exactly_passes_and_one_octet_more_does_not():
    limits = Limits(frame=40, string=40)
    exact = encode_notification("n", ["x" * 33])
    assert len(exact) == 40
    good = encode_notification("n", [])
    assert read([good + exact + good], limits) == ([Notification("n", p) for p in ([], ["x" * 33], [])], None)
    assert read([good + encode_notification("n", ["x" * 34]) + good], limits) == (
        [Notification("n", [])],
        "frame_too_large",
    )


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"\xc1", "not_messagepack"),
        (b"\x93\x02\xa1\xff\x90", "not_messagepack"),  # not UTF-8
        (b"\x93\x02\xa1n\x91\x81\x01\x02", "not_messagepack"),  # a key that is no string
        (b"\x93\x02\xa1n\x91\x81\x90\x02", "not_messagepack"),
        (b"\x93\x02\xa1n\x91\xc7\x00\x05", "not_messagepack"),  # an extension
        (b"\x93\x02\xa1n\x91\xd6\xff\x00\x00\x00\x00", "limit_exceeded"),  # a time stamp
        (b"\x93\x02\xa1n\x91\xb1" + b"x" * 17, "limit_exceeded"),
        (b"\x93\x02\xa1n\x91\xc4\x11" + b"x" * 17, "limit_exceeded"),
        (b"\x93\x02\xa1n\x99" + b"\xc0" * 9, "limit_exceeded"),
        (b"\x93\x02\xa1n\x91\x85" + b"".join(b"\xa1%c\xc0" % c for c in b"abcde"), "limit_exceeded"),
        (b"\x93\x02\xa1n\x91\x91\x91\x90", "limit_exceeded"),
        (b"\x93\x02\xa1n\x91\x91\x81\xa1a\x80", "limit_exceeded"),
        (b"\xdd\xff\xff\xff\xff" + b"\xc0" * 59, "frame_too_large"),
        (b"\x05", "not_rpc"),
        (b"\x80", "not_rpc"),
        (b"\x90", "not_rpc"),
        (b"\x91\x00", "not_rpc"),
        (b"\x93\x00\x01\xa1m\x90", "not_rpc"),
        (b"\x94\x00\xff\xa1m\x90", "not_rpc"),  # msgid -1
        (b"\x94\x00\xcf\x00\x00\x00\x01\x00\x00\x00\x00\xa1m\x90", "not_rpc"),  # msgid 2^32
        (b"\x94\x00\xc3\xa1m\x90", "not_rpc"),  # msgid true
        (b"\x94\xc2\x01\xa1m\x90", "not_rpc"),  # type false
        (b"\x94\x00\x01\xc4\x01m\x90", "not_rpc"),  # method in binary
        (b"\x94\x00\x01\xa1m\x80", "not_rpc"),  # params by name
        (b"\x94\x02\x01\xa1m\x90", "not_rpc"),
        (b"\x93\x01\x01\xc0", "not_rpc"),
        (b"\x94\x03\x01\xa1m\x90", "not_rpc"),
    ],
)
def test_what_is_not_a_frame_ends_the_stream_with_a_code(octets, code):
    before = encode_notification("before", [])
    messages, found = read([before + octets], SMALL)
    assert (messages[0], found) == (Notification("before", []), code)


def test_nesting_at_the_limit_passes():
    assert Reader(SMALL).feed(b"\x93\x02\xa1n\x91\x91\x81\xa1a\x05") == [Notification("n", [[{"a": 5}]])]


def test_nesting_beyond_what_the_unpacker_can_follow():
    assert read([b"\x91" * 5000], Limits())[1] == "limit_exceeded"


def test_a_dead_stream_stays_dead():
    reader = Reader()
    with pytest.raises(FrameError):
        reader.feed(encode_notification("n", []) + b"\xc1")
    with pytest.raises(FrameError) as again:
        reader.feed(encode_notification("n", []))
    assert again.value.code == "not_messagepack"
    assert again.value.messages == []


@pytest.mark.parametrize(
    "stream",
    [
        b"\xdd\x00\x00\x04\x00" * 2000,  # arrays that announce the most they may, each inside the one before
        b"\xdf\xff\xff\xff\xff" * 2000,
        b"\xdb\xff\xff\xff\xff" + b"x" * 1_000_000,
        b"\x93\x02\xa1n\xdc\xff\xff" + b"\x90" * 1_000_000,
        b"\x93\x02\xa1n\x90" * 200_000,
        bytes(range(256)) * 4000,
    ],
)
def test_memory_stays_within_a_multiple_of_the_frame_limit(stream):
    limits = Limits(frame=16 * 1024)
    reader = Reader(limits)
    tracemalloc.start()
    try:
        for start in range(0, len(stream), 4096):
            try:
                reader.feed(stream[start : start + 4096])
            except FrameError:
                continue
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 80 * limits.frame


def test_limits_are_positive():
    with pytest.raises(ValueError, match=r"Limits\.nesting"):
        Limits(nesting=0)
