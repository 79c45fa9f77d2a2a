import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.sip.errors import LocalProtocolError, RemoteProtocolError
from protocols.sip.grammar import param, parse_params, quoted, split_list, unquoted
from protocols.sip.headers import (
    CSeq,
    Headers,
    NameAddr,
    Via,
    parse_rack,
    parse_reason,
    parse_retry_after,
    parse_rseq,
    parse_seconds,
    parse_session_expires,
)

HOSTILE = 'a"b\\c;,<>=@ \t'


@pytest.mark.rule("sip.compact-headers")
def test_names_are_one_in_any_case_and_length() -> None:
    headers = Headers([("v", "1"), ("VIA", "2"), ("Via", "3"), ("Unheard-Of", "x"), ("K", "timer")])
    assert headers.values("via") == headers.values("V") == ("1", "2", "3")
    assert headers.get("unheard-of") == "x"
    assert headers.all("Supported") == ("timer",)
    assert "supported" in headers
    assert "require" not in headers


def test_lists_are_split_where_their_grammar_allows() -> None:
    headers = Headers(
        [
            ("Route", '<sip:a;x=","@h,b>, "x, \\", y" <sip:b>'),
            ("Route", "<sip:c> ,, <sip:d>"),
            ("WWW-Authenticate", 'Digest realm="a", nonce="b"'),
            ("Subject", "one, two"),
            ("Allow", "INVITE,ACK , BYE"),
        ]
    )
    assert headers.all("Route") == ('<sip:a;x=","@h,b>', '"x, \\", y" <sip:b>', "<sip:c>", "<sip:d>")
    assert headers.all("WWW-Authenticate") == ('Digest realm="a", nonce="b"',)
    assert headers.all("Subject") == ("one, two",)
    assert headers.all("Allow") == ("INVITE", "ACK", "BYE")
    assert headers.all("Contact") == ()


def test_headers_are_changed_in_their_places() -> None:
    headers = Headers([("To", "1"), ("Route", "a"), ("From", "2"), ("Route", "b")])
    headers.prepend("Via", "v")
    headers.set("Route", "c")
    headers.set("CSeq", "1 INVITE")
    headers.add("Via", "w")
    headers.remove("to")
    assert list(headers) == [
        ("Via", "v"),
        ("Route", "c"),
        ("From", "2"),
        ("CSeq", "1 INVITE"),
        ("Via", "w"),
    ]
    assert headers.get("to") is None


@pytest.mark.parametrize("value", ["a\r\nTo: b", "a\nb", "a\rb", "\r\n\r\nbody"])
def test_no_header_begins_inside_a_value(value: str) -> None:
    headers = Headers()
    for change in (headers.add, headers.set, headers.prepend):
        with pytest.raises(LocalProtocolError):
            change("Subject", value)
    with pytest.raises(LocalProtocolError):
        Headers([("Subject", value)])
    assert len(headers) == 0


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "é"])
def test_a_name_is_a_token(name: str) -> None:
    with pytest.raises(LocalProtocolError):
        Headers([(name, "x")])


def test_headers_hide_their_values() -> None:
    assert repr(Headers([("To", "<sip:+4930@h>")])) == "<Headers To>"


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("<sip:a@h>", NameAddr("", "sip:a@h")),
        ("sip:a@h;tag=1", NameAddr("", "sip:a@h", (("tag", "1"),))),
        ("<sip:a@h;lr>;tag=1", NameAddr("", "sip:a@h;lr", (("tag", "1"),))),
        ('"A \\"B\\" <x>, C" <sip:a@h> ; tag = 1', NameAddr('A "B" <x>, C', "sip:a@h", (("tag", "1"),))),
        ("A B  <tel:+49>;x", NameAddr("A B", "tel:+49", (("x", None),))),
        ("A<sip:a@h?x=y>", NameAddr("A", "sip:a@h?x=y")),
        ("  < sip:a@h >;tag=", NameAddr("", "sip:a@h", (("tag", ""),))),
        ('<sip:a@h>;x="a;b"', NameAddr("", "sip:a@h", (("x", '"a;b"'),))),
    ],
)
def test_what_an_address_says(value: str, address: NameAddr) -> None:
    assert NameAddr.parse(value) == address
    assert NameAddr.parse(str(address)) == address


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a",
        "<>",
        "<sip:>",
        "<sip:a@h",
        'sip:a@h>;"',
        '"A <sip:a@h>',
        "A, B <sip:a@h>",
        "<sip:a@h> tag=1",
        "<sip:a@h>;tag=1 2",
        "<sip:a@h>;;",
        "<sip:a b@h>",
        "sip:a@h?x=y",
    ],
)
def test_what_is_no_address(value: str) -> None:
    with pytest.raises(RemoteProtocolError):
        NameAddr.parse(value)


def test_an_address_hides_what_it_says() -> None:
    assert repr(NameAddr.parse('"Ann" <sip:+4930@h>;tag=1')) == "<NameAddr>"


def test_a_tag_is_put_on() -> None:
    address = NameAddr.parse("<sip:a@h>;x=y")
    assert address.tag is None
    assert address.with_tag("1").with_tag("2").params == (("x", "y"), ("tag", "2"))


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\n"), max_size=20))
def test_any_display_name_is_read_as_it_was_meant(display: str) -> None:
    assert NameAddr.parse(str(NameAddr(display, "sip:a@h", (("tag", "1"),)))).display == display
    assert unquoted(quoted(display)) == display


@pytest.mark.parametrize(
    ("value", "via"),
    [
        ("SIP/2.0/UDP h", Via("UDP", "h", None)),
        ("sip / 2.0 /\ttcp h : 5060 ; branch = x", Via("TCP", "h", 5060, (("branch", "x"),))),
        ("SIP/2.0/TLS [2001:db8::1]:5061;rport", Via("TLS", "2001:db8::1", 5061, (("rport", None),))),
        ("SIP/2.0/UDP h;received=2001:db8::9", Via("UDP", "h", None, (("received", "2001:db8::9"),))),
    ],
)
def test_what_a_via_says(value: str, via: Via) -> None:
    assert Via.parse(value) == via
    assert Via.parse(str(via)) == via


@pytest.mark.parametrize(
    "value",
    [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ;branch=x",
        "HTTP/1.1/TCP h",
        "SIP/2.0/UDP h:99999",
        "SIP/2.0/UDP h:x",
        "SIP/2.0/UDP h i",
        "SIP/2.0/UDP h;;",
        "SIP/2.0/UDP [h]",
    ],
)
def test_what_is_no_via(value: str) -> None:
    with pytest.raises(RemoteProtocolError):
        Via.parse(value)


def test_where_an_answer_goes() -> None:
    via = Via.parse("SIP/2.0/UDP h;rport;branch=b")
    assert (via.rport, via.param("rport"), via.received, via.branch) == (None, "", None, "b")
    via = via.with_param("rport", "5062").with_param("received", "192.0.2.1")
    assert str(via) == "SIP/2.0/UDP h;rport=5062;branch=b;received=192.0.2.1"
    assert (via.rport, via.received) == (5062, "192.0.2.1")
    assert via.with_param("rport", "70000").rport is None


@pytest.mark.parametrize(
    "value", ["", "1", "INVITE", "-1 INVITE", "1 IN VITE", "2147483648 BYE", "1 B/E", "²  A"]
)
def test_what_is_no_cseq(value: str) -> None:
    with pytest.raises(RemoteProtocolError):
        CSeq.parse(value)


def test_cseq() -> None:
    assert CSeq.parse("2147483647\tINVITE") == (2**31 - 1, "INVITE")
    assert str(CSeq(1, "BYE")) == "1 BYE"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 18000;duration=3600", 18000.0),
        ("120 (I'm in a meeting)", 120.0),
        ("120 (a (b) c) ;duration=1", 120.0),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("949302838503028349304023988", None),
        ("Fri, 31 Dec 1999 23:59:59 GMT", None),
    ],
)
@pytest.mark.rule("sip.status-503")
def test_retry_after(value: str, seconds: float | None) -> None:
    assert parse_retry_after(value) == seconds


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ('Q.850;cause=16;text="Terminated"', 16),
        ('SIP;cause=200;text="a, b", q.850 ; cause = 17', 17),
        (("SIP ;cause=600", "Q.850;cause=21"), 21),
        ("Q.850;cause=999", None),
        ("Q.850", None),
        ("Q.850;cause", None),
        ('Q.850;text="', None),
        ("", None),
        ((), None),
    ],
)
@pytest.mark.rule("sip.reason-cause")
def test_reason(values: str | tuple[str, ...], cause: int | None) -> None:
    assert parse_reason(values) == cause


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("1800", (1800, None)),
        ("1800;refresher=uac", (1800, "uac")),
        ("90 ; Refresher = UAS ; x", (90, "uas")),
        ("90;refresher=proxy", (90, None)),
        ("", None),
        ("x", None),
        ("90;;", None),
        ("99999999999", None),
    ],
)
@pytest.mark.rule("sip.session-timers")
def test_session_expires(value: str, meant: tuple[int, str | None] | None) -> None:
    assert parse_session_expires(value) == meant


def test_other_numbers() -> None:
    assert (parse_seconds("90;x=y"), parse_seconds("x")) == (90, None)
    assert (parse_rseq(" 1 "), parse_rseq("0"), parse_rseq("4294967296")) == (1, None, None)
    assert parse_rack("776656 1 INVITE") == (776656, 1, "INVITE")
    assert [parse_rack(value) for value in ("1 INVITE", "x 1 INVITE", "1 x INVITE", "")] == [None] * 4


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        ("", ()),
        (",", ()),
        ("a,b", ("a", "b")),
        ('"a,b', ('"a,b',)),
        ("a, <b,c", ("a", "<b,c")),
        ('a;x="\\",",b', ('a;x="\\","', "b")),
    ],
)
def test_lists(value: str, elements: tuple[str, ...]) -> None:
    assert split_list(value) == elements


def test_parameters() -> None:
    params = parse_params(' ; A = "x\\"y" ;b;c=[::1];d=e=f ', "header")
    assert params == (("A", '"x\\"y"'), ("b", None), ("c", "[::1]"), ("d", "e=f"))
    assert (param(params, "a"), param(params, "b"), param(params, "z")) == ('x"y', "", None)


@pytest.mark.parametrize("piece", [*HOSTILE, '"\\', "a ", " ;", ";a=", "<a", "SIP/2.0/UDP h ", "1 "])
def test_reading_takes_linear_time(piece: str) -> None:
    """A reader that tries every way of cutting these would not come back within the time of a test."""
    value = piece * 8_000
    for text in (value, "sip:" + value, '"a" ' + value, "SIP/2.0/UDP h" + value, "<sip:a@h>" + value):
        for read in (NameAddr.parse, Via.parse, CSeq.parse):
            try:
                read(text)
            except RemoteProtocolError:
                continue
        split_list(text)
        parse_reason("Q.850" + text)
        parse_session_expires("1" + text)
        parse_retry_after("1" + text)
