import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocols.sip.errors import LocalProtocolError, MessageError, RemoteProtocolError
from protocols.sip.headers import Headers, NameAddr
from protocols.sip.message import Limits, Request, Response, parse, response_to

HEADERS = [
    ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1"),
    ("From", "<sip:+4930@carrier.example>;tag=1"),
    ("To", "<sip:+447700900000@carrier.example>"),
    ("Call-ID", "1@192.0.2.1"),
    ("CSeq", "1 OPTIONS"),
]
OPTIONS = b"".join([b"OPTIONS sip:h SIP/2.0\r\n", *(f"{n}: {v}\r\n".encode() for n, v in HEADERS)])
PIECES = st.sampled_from(
    [
        *[bytes([octet]) for octet in b'\r\n \t:;,"<>\\\0\xff%=@'],
        *[b"\r\n", b"l: 3", b"v: SIP/2.0/TCP h", b"m: *", b"SIP/2.0", b"sip:a@[::1]:5;lr?x=y", "é".encode()],
    ]
)


def lines(*changed: bytes, without: bytes = b"") -> bytes:
    """An OPTIONS with other or further headers; without a body."""
    kept = [line for line in OPTIONS.split(b"\r\n") if line and not (without and line.startswith(without))]
    return b"\r\n".join([*kept, *changed, b"", b""])


def refused(data: bytes, limits: Limits | None = None) -> MessageError:
    with pytest.raises(MessageError) as caught:
        parse(data, limits or Limits())
    assert not re.search("4930|4477", str(caught.value))
    return caught.value


def test_a_request_is_written_and_read() -> None:
    request = Request("OPTIONS", "sip:h", [*HEADERS, ("Contact", '"A, B" <sip:c@h>')], b"body")
    octets = request.encode()
    assert octets == OPTIONS + b'Contact: "A, B" <sip:c@h>\r\nContent-Length: 4\r\n\r\nbody'
    read = parse(octets)
    assert isinstance(read, Request)
    assert (read.method, read.uri, read.body) == ("OPTIONS", "sip:h", b"body")
    assert (read.via.branch, read.cseq, read.call_id) == ("z9hG4bK1", (1, "OPTIONS"), "1@192.0.2.1")
    assert (read.from_.tag, read.to.tag) == ("1", None)
    assert read.contact == NameAddr("A, B", "sip:c@h")


def test_a_response_is_written_and_read() -> None:
    octets = Response(486, "Busy Here", HEADERS).encode()
    assert octets.startswith(b"SIP/2.0 486 Busy Here\r\nVia: SIP")
    read = parse(octets)
    assert isinstance(read, Response)
    assert (read.status, read.reason, read.contact) == (486, "Busy Here", None)


def test_the_length_that_is_sent_is_the_right_one() -> None:
    request = Request("OPTIONS", "sip:h", [("l", "9"), *HEADERS, ("Content-Length", "7")], b"body")
    assert request.encode().count(b"Content-Length: 4\r\n") == 1
    assert b"\r\nl:" not in request.encode()


def test_what_a_message_says_follows_its_headers() -> None:
    request = parse(lines())
    assert request.via.host == "192.0.2.1"
    request.headers.prepend("Via", "SIP/2.0/TCP other")
    request.headers.set("CSeq", "2 BYE")
    assert (request.via.host, request.cseq) == ("other", (2, "BYE"))
    request.headers.remove("To")
    with pytest.raises(RemoteProtocolError):
        _ = request.to


@pytest.mark.parametrize(
    "request_",
    [
        Request("OPTIONS\r\n", "sip:h", HEADERS),
        Request("OPTIONS X", "sip:h", HEADERS),
        Request("", "sip:h", HEADERS),
        Request("OPTIONS", "sip:h SIP/2.0\r\nTo: x", HEADERS),
        Request("OPTIONS", "sip:h\nx", HEADERS),
        Request("OPTIONS", "", HEADERS),
        Request("OPTIONS", "<sip:h>", HEADERS),
        Request("OPTIONS", "sip:\ud800", HEADERS),
        Response(200, "OK\r\nTo: x", HEADERS),
        Response(200, "OK\r", HEADERS),
        Response(99, "", HEADERS),
        Response(700, "", HEADERS),
    ],
)
def test_nothing_can_be_slipped_into_what_we_send(request_: Request | Response) -> None:
    with pytest.raises(LocalProtocolError):
        request_.encode()


def test_a_message_hides_what_it_says() -> None:
    for message in (Request("BYE", "sip:+4930@h", HEADERS, b"1234"), Response(200, "OK", HEADERS, b"1234")):
        assert not re.search("4930|4477|1234", f"{message} {message!r}")


@pytest.mark.rule("sip.keep-alives")
def test_line_ends_before_a_message_are_passed_over() -> None:
    assert parse(b"\r\n\r\n\n" + lines()).call_id == "1@192.0.2.1"


@pytest.mark.rule("sip.folded-headers")
@pytest.mark.parametrize("fold", [b"\r\n ", b"\r\n\t  ", b" \r\n ", b"\r\n \r\n ", b"\n "])
def test_folded_headers(fold: bytes) -> None:
    message = parse(lines(b"Subject: one" + fold + b"two", b"X:" + fold + b"y"))
    assert (message.headers.get("Subject") or "").split() == ["one", "two"]
    assert message.headers.get("X") == "y"


@pytest.mark.rule("sip.compact-headers")
def test_compact_headers() -> None:
    compact = re.sub(
        rb"(?m)^(Via|From|To|Call-ID)",
        lambda found: {b"Via": b"v", b"From": b"F", b"To": b"t", b"Call-ID": b"i"}[found[1]],
        lines(b"m:<sip:c@h>", b"l : 0"),
    )
    assert b"Via" not in compact
    message = parse(compact)
    assert message.contact == NameAddr("", "sip:c@h")
    assert (message.from_, message.to, message.via) == (
        parse(lines()).from_,
        parse(lines()).to,
        parse(lines()).via,
    )


def test_bare_line_feeds_end_lines() -> None:
    message = parse(lines(b"l: 2").replace(b"\r\n", b"\n") + b"ab")
    assert message.body == b"ab"
    assert parse(lines(b"l: 2")[:-2] + b"\nab").body == b"ab"


@pytest.mark.parametrize(
    ("length", "body"), [(b"", b"abcd"), (b"l: 2", b"ab"), (b"l: 0", b""), (b"Content-Length: 4", b"abcd")]
)
def test_the_body_ends_where_its_length_says(length: bytes, body: bytes) -> None:
    head = lines(length) if length else lines()
    assert parse(head + b"abcd").body == body


@pytest.mark.parametrize("length", [b"5", b"-1", b"x", b"", b"4 4", b"99999999999", "٣".encode()])
def test_a_length_that_cannot_be(length: bytes) -> None:
    error = refused(lines(b"l: " + length) + b"abcd")
    assert error.status == 400
    assert error.partial is not None
    assert error.partial.cseq.method == "OPTIONS"


@pytest.mark.parametrize("name", [b"From", b"To", b"Call-ID", b"CSeq"])
def test_a_mandatory_header_that_is_missing(name: bytes) -> None:
    error = refused(lines(without=name))
    assert (error.status, error.reason) == (400, f"{name.decode().lower()} is missing")
    assert error.partial is not None


def test_the_answer_to_a_request_that_cannot_be_read() -> None:
    error = refused(lines(b"v: SIP/2.0/TCP i", b"l: x"))
    answer = response_to(error, "tag-1")
    assert answer is not None
    assert answer.encode() == (
        b"SIP/2.0 400 Content-Length is no number\r\n"
        b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n"
        b"Via: SIP/2.0/TCP i\r\n"
        b"From: <sip:+4930@carrier.example>;tag=1\r\n"
        b"To: <sip:+447700900000@carrier.example>;tag=tag-1\r\n"
        b"Call-ID: 1@192.0.2.1\r\n"
        b"CSeq: 1 OPTIONS\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    answer = response_to(refused(lines(b"l: x").replace(b"00@carrier.example>", b"00@h>;tag=2")), "tag-1")
    assert answer is not None
    assert answer.to.tag == "2"
    answer = response_to(refused(lines(b'To: "spoilt', without=b"To")), "tag-1")
    assert answer is not None
    assert answer.headers.get("To") == '"spoilt'


def test_a_request_without_via_cannot_be_answered() -> None:
    error = refused(lines(without=b"Via"))
    assert error.partial is None
    assert response_to(error, "tag-1") is None


def test_an_ack_is_never_answered() -> None:
    error = refused(lines(without=b"To").replace(b"OPTIONS", b"ACK"))
    assert error.partial is None


def test_a_header_with_several_values() -> None:
    assert refused(lines(b"Call-ID: other")).reason == "call-id is there with several values"
    assert parse(lines(b"i: 1@192.0.2.1")).call_id == "1@192.0.2.1"
    assert len(parse(lines(b"v: SIP/2.0/UDP h")).headers.all("Via")) == 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        b"x",
        b"OPTIONS sip:h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"SIP/2.0 200\r\n\r\n",
        b"SIP/2.0 099 X\r\n\r\n",
        b"SIP/2.0 20 X\r\n\r\n",
        b"SIP/1.0 200 OK\r\n\r\n",
        b"OPTIONS sip:h SIP/2.0",
        lines().replace(b"OPTIONS", b"OPT IONS"),
        lines().replace(b"sip:h", b"sip:h h"),
        lines().replace(b"sip:h ", b"h "),
        lines().replace(b"SIP/2.0\r\n", b"SIP/2.0\r\n folded\r\n", 1),
        lines(b"no colon"),
        lines(b": no name"),
        lines(b"a b: c"),
        lines(b"Subject: a\rb"),
        lines(b"", b"l: 0").replace(b"CSeq", b"Seq"),
        lines(b"Contact: <sip:a@h", b""),
        lines(b"Contact: <sip:a@h>, sip:b?c", b""),
        lines().replace(b"OPTIONS sip:h ", b"BYE sip:h "),
        lines(without=b"Call-ID") + b"Call-ID:\r\n\r\n",
    ],
)
def test_what_is_no_message(data: bytes) -> None:
    assert refused(data).status == 400


def test_a_response_is_taken_whatever_its_contact() -> None:
    """Refusing it would leave the callee's telephone without our ACK."""
    for contact in ("<sip:a@h", "*", "sip:a?b"):
        assert parse(Response(200, "OK", [*HEADERS, ("Contact", contact)]).encode()).contact is None


def test_other_versions() -> None:
    error = refused(lines().replace(b"sip:h SIP/2.0", b"sip:h SIP/3.0"))
    assert error.status == 505
    assert error.partial is not None
    assert parse(lines().replace(b"sip:h SIP/2.0", b"sip:h sip/2.0")).call_id == "1@192.0.2.1"


def test_octets_that_are_no_text_survive() -> None:
    octets = lines(b"Subject: \xff\x80 \x00 \xc3\xa9", b"Content-Length: 0")
    message = parse(octets)
    assert (message.headers.get("Subject") or "").endswith("é")
    assert message.encode() == octets


@pytest.mark.rule("sip.limits")
@pytest.mark.parametrize(
    ("limits", "status"),
    [
        (Limits(message=300), 513),
        (Limits(body=99), 513),
        (Limits(headers=6), 400),
        (Limits(header=60), 400),
    ],
)
def test_limits(limits: Limits, status: int) -> None:
    data = lines(b"Subject: " + b"x" * 60, b"l: 100") + b"x" * 100
    assert refused(data, limits).status == status
    assert parse(data, Limits(message=len(data), headers=7, header=69, body=100)).body == b"x" * 100


@given(st.binary(max_size=300) | st.lists(PIECES | st.binary(max_size=5), max_size=30).map(b"".join))
def test_any_octets_are_a_message_or_refused(data: bytes) -> None:
    for octets in (data, lines(data), lines(b"Contact: <sip:a@h>" + data), OPTIONS + data):
        try:
            message = parse(octets)
        except MessageError as error:
            if error.partial is not None:
                assert error.partial.via.host
            continue
        again = parse(message.encode())
        assert again.encode() == message.encode()
        assert (again.via, again.cseq, again.call_id) == (message.via, message.cseq, message.call_id)
        assert (again.from_, again.to, again.contact) == (message.from_, message.to, message.contact)
        assert (again.body, again.headers.all("Via")) == (message.body, message.headers.all("Via"))


TOKENS = st.from_regex(r"[A-Za-z0-9\-.!%*_+`'~]{1,8}", fullmatch=True)
VALUES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=("Cs",)), max_size=20)


@given(st.lists(st.tuples(TOKENS.map("X-".__add__), VALUES), max_size=5), TOKENS, st.binary(max_size=50))
@example([("X-", " \t ")], "ACK", b"\r\n\r\n")
def test_any_message_of_ours_is_read_as_it_was_meant(
    added: list[tuple[str, str]], method: str, body: bytes
) -> None:
    headers = Headers([*HEADERS[:-1], ("CSeq", f"1 {method}"), *added])
    read = parse(Request(method, "sip:h", headers, body).encode())
    assert isinstance(read, Request)
    assert (read.method, read.body) == (method, body)
    assert list(read.headers)[: len(headers)] == list(headers)


@pytest.mark.rule("sip.limits")
@pytest.mark.parametrize(
    "piece", [b" ", b"\r\n ", b";", b",", b'"', b"<", b'"\\', b";a=", b":", b"a:b\r\n", b"\n"]
)
def test_reading_takes_linear_time(piece: bytes) -> None:
    """A reader that tries every way of cutting these would not come back within the time of a test."""
    limits = Limits(message=200_000, headers=100_000, header=200_000)
    flood = piece * (50_000 // len(piece))
    for data in (
        flood,
        lines(b"m: " + flood),
        lines(b"To: <sip:a@h>" + flood, without=b"To"),
        OPTIONS + flood,
    ):
        try:
            parse(data, limits)
        except MessageError as error:
            assert error.status == 400
