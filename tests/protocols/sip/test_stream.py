import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.sip.errors import MessageError
from protocols.sip.message import Limits, Message, Request, Response, parse
from protocols.sip.stream import PONG, KeepAlive, StreamReader

HEADERS = [
    ("Via", "SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1"),
    ("From", "<sip:a@h>;tag=1"),
    ("To", "<sip:b@h>"),
    ("Call-ID", "1"),
]
PONGED = KeepAlive("pong")
PINGED = KeepAlive("ping")
BYE = Request("BYE", "sip:b@h", [*HEADERS, ("CSeq", "1 BYE")]).encode()
INFO = Request("INFO", "sip:b@h", [*HEADERS, ("CSeq", "2 INFO")], b"BYE sip:h SIP/2.0\r\n\r\n").encode()
OK = Response(200, "OK", [*HEADERS, ("CSeq", "1 BYE")], b"\r\n\r\n").encode()
BARE = BYE.replace(b"\r\n", b"\n")
SPOILT = INFO.replace(b"To: ", b"Too: ")
UNFRAMED = BYE.replace(b"Content-Length", b"Content-Size")


def told(found: list[Message | MessageError | KeepAlive]) -> list[object]:
    """In a form that can be compared."""
    return [
        (each.status, each.reason)
        if isinstance(each, MessageError)
        else each
        if isinstance(each, KeepAlive)
        else each.encode()
        for each in found
    ]


def read(data: bytes, limits: Limits | None = None) -> tuple[list[object], str | None]:
    reader = StreamReader(limits or Limits())
    reader.receive(data)
    return told(reader.messages()), reader.failed


def test_messages_follow_each_other() -> None:
    assert read(BYE + INFO + OK + BYE) == ([BYE, INFO, OK, BYE], None)
    assert read(BARE + INFO) == ([BYE, INFO], None)


def test_what_was_told_is_not_told_again() -> None:
    reader = StreamReader()
    reader.receive(BYE + INFO[:-1])
    assert told(reader.messages()) == [BYE]
    assert reader.messages() == []
    reader.receive(INFO[-1:])
    assert told(reader.messages()) == [INFO]


@pytest.mark.rule("sip.keep-alives")
def test_keep_alives() -> None:
    assert PONG == b"\r\n"
    assert read(b"\r\n") == ([PONGED], None)
    assert read(b"\r\n\r\n" + BYE + b"\r\n" + BYE) == ([PONGED, PINGED, BYE, PONGED, BYE], None)
    assert read(b"\r\n" + BYE + b"\r\n\r\n\r\n") == ([PONGED, BYE, PONGED, PINGED, PONGED], None)
    assert read(b"\n" + BYE) == ([BYE], None)
    assert read(b"\r") == ([], None)
    assert read(b"\rx") == ([(400, "a carriage return stands alone")], "a carriage return stands alone")


def test_a_message_that_cannot_be_read_ends_where_it_says() -> None:
    assert read(SPOILT + BYE) == ([(400, "to is missing"), BYE], None)
    reader = StreamReader()
    reader.receive(SPOILT)
    (error,) = reader.messages()
    assert isinstance(error, MessageError)
    assert error.partial is not None
    assert error.partial.method == "INFO"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (UNFRAMED, 400),
        (BYE.replace(b"Length: 0", b"Length: x"), 400),
        (BYE.replace(b"Length: 0", b"Length: 0\r\nl: 1"), 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (BYE.replace(b"Length: 0", b"Length: 70000"), 513),
        (b"x" * 70_000, 513),
    ],
)
def test_a_stream_that_has_lost_its_frames(data: bytes, status: int) -> None:
    reader = StreamReader()
    reader.receive(BYE + data + BYE)
    found = reader.messages()
    assert len(found) == 2
    assert told(found[:1]) == [BYE]
    assert isinstance(found[1], MessageError)
    assert found[1].status == status
    assert reader.failed
    reader.receive(BYE)
    assert reader.messages() == []


@pytest.mark.rule("sip.limits")
def test_no_more_is_held_than_allowed() -> None:
    limits = Limits(message=2_000, body=1_000)
    assert read(INFO.replace(b"Length: 21", b"Length: 1001"), limits)[1] is not None
    assert read(INFO.replace(b"Length: 21", b"Length: 1000"), limits)[1] is None
    reader = StreamReader(limits)
    for _ in range(2_001):
        assert reader.failed is None
        reader.receive(b"x")
    assert reader.failed
    assert len(reader._pending) == 0


def test_a_message_that_comes_octet_by_octet_is_searched_once() -> None:
    """A search from the beginning with every octet would take minutes here."""
    reader = StreamReader(Limits(message=300_000, header=300_000))
    long = BYE.replace(b"Content", b"Subject: " + b"x" * 200_000 + b"\r\nContent")
    for at in range(len(long)):
        reader.receive(long[at : at + 1])
    assert told(reader.messages()) == [long]


STREAMS = st.lists(
    st.sampled_from([BYE, INFO, OK, BARE, SPOILT, b"\r\n", b"\n", b"\r\n\r\n", UNFRAMED])
    | st.binary(max_size=6),
    max_size=6,
).map(b"".join)


@given(STREAMS, st.lists(st.integers(0, 2_500), max_size=12))
def test_any_chunks_are_the_same_messages(stream: bytes, cuts: list[int]) -> None:
    reader = StreamReader(Limits(message=600))
    at = 0
    for cut in [*sorted(cuts), len(stream)]:
        reader.receive(stream[at:cut])
        at = max(at, cut)
    assert (told(reader.messages()), reader.failed) == read(stream, Limits(message=600))


@given(st.binary(max_size=400))
def test_any_octets_are_messages_or_fail(data: bytes) -> None:
    for stream in (data, BYE + data, INFO[:-60] + data):
        found, _ = read(stream)
        assert all(isinstance(each, KeepAlive | tuple) or parse(each) for each in found)  # type: ignore[arg-type]
