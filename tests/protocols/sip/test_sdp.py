import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocols.sip.errors import LocalProtocolError, SdpError
from protocols.sip.sdp import Agreed, Codec, Crypto, Direction, LocalMedia, accept, answer, offer

LOCAL = LocalMedia("192.0.2.1", 20_000)
KEY = bytes(range(30))
OTHER_KEY = bytes(range(30, 60))
SECURED = replace(
    LOCAL,
    crypto=(Crypto(1, "AES_CM_128_HMAC_SHA1_80", KEY), Crypto(2, "AES_CM_128_HMAC_SHA1_32", KEY)),
)
OFFER = b"""v=0\r
o=- 1 2 IN IP4 192.0.2.1\r
s=-\r
c=IN IP4 192.0.2.1\r
t=0 0\r
m=audio 20000 RTP/AVP 8 0 101\r
a=rtpmap:8 PCMA/8000\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:101 telephone-event/8000\r
a=fmtp:101 0-15\r
a=ptime:20\r
a=sendrecv\r
"""
INLINE = "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
OTHER_INLINE = "inline:Hh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7"


def sdp(*lines: str, host: str = "192.0.2.9") -> bytes:
    family = 6 if ":" in host else 4
    connection = [f"c=IN IP{family} {host}"] if host else []
    head = ["v=0", "o=- 7 7 IN IP4 192.0.2.9", "s=-", *connection, "t=0 0"]
    return "".join(f"{line}\r\n" for line in [*head, *lines]).encode()


def refusal(data: bytes, local: LocalMedia = LOCAL) -> str:
    with pytest.raises(SdpError) as caught:
        accept(data, local)
    return caught.value.reason


def test_an_offer() -> None:
    assert offer(LOCAL, 1, 2) == OFFER
    assert offer(LOCAL, 1, 3, direction="inactive").endswith(b"a=inactive\r\n")
    plain = offer(replace(LOCAL, codecs=("PCMU",), telephone_event=None, ptime_ms=30), 1, 1)
    assert b"m=audio 20000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:30\r\n" in plain
    six = offer(replace(LOCAL, address="2001:db8::1"), 1, 1)
    assert six.count(b"IN IP6 2001:db8::1\r\n") == 2


def test_an_offer_with_keys() -> None:
    data = offer(SECURED, 1, 1)
    assert b"m=audio 20000 RTP/SAVP 8 0 101\r\n" in data
    assert f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {INLINE}\r\n".encode() in data
    assert f"a=crypto:2 AES_CM_128_HMAC_SHA1_32 {INLINE}\r\n".encode() in data


@pytest.mark.parametrize(
    "changed",
    [
        {"address": "carrier.example"},
        {"address": "192.0.2.1\r\na=x"},
        {"port": 0},
        {"port": 65536},
        {"codecs": ()},
        {"codecs": ("opus",)},
        {"telephone_event": 8},
        {"telephone_event": 128},
        {"crypto": (Crypto(1, "AES_CM_128_HMAC_SHA1_80", b"short"),)},
        {"crypto": (Crypto(1, "NULL", KEY),)},
    ],
)
def test_what_is_no_offer_of_ours(changed: dict[str, object]) -> None:
    local = replace(LOCAL, **changed)  # type: ignore[arg-type]
    with pytest.raises(LocalProtocolError):
        offer(local, 1, 1)
    with pytest.raises(LocalProtocolError):
        answer(OFFER, local, 1, 1)


@pytest.mark.parametrize(
    ("lines", "agreed"),
    [
        (("m=audio 4000 RTP/AVP 8",), Agreed("192.0.2.9", 4000, "PCMA", 8, None, 20, True, True)),
        (("m=audio 4000 RTP/AVP 0 8",), Agreed("192.0.2.9", 4000, "PCMU", 0, None, 20, True, True)),
        (
            ("m=audio 4000 RTP/AVP 18 101 8", "a=rtpmap:101 telephone-event/8000", "a=ptime:30"),
            Agreed("192.0.2.9", 4000, "PCMA", 8, 101, 30, True, True),
        ),
        (
            ("m=audio 4000 RTP/AVP 96 97", "a=rtpmap:96 pcmu/8000/1", "a=rtpmap:97 TELEPHONE-EVENT/8000"),
            Agreed("192.0.2.9", 4000, "PCMU", 96, 97, 20, True, True),
        ),
        (
            (
                "m=audio 4000/1 RTP/AVP 8 96",
                "a=rtpmap:96 telephone-event/48000",
                "a=ptime:20.5",
                "a=recvonly",
            ),
            Agreed("192.0.2.9", 4000, "PCMA", 8, None, 20, True, False),
        ),
        (
            ("a=sendonly", "m=audio 4000 RTP/AVP 8", "c=IN IP4 192.0.2.77/127", "a=ptime:120"),
            Agreed("192.0.2.77", 4000, "PCMA", 8, None, 20, False, True),
        ),
        (
            ("a=sendonly", "m=audio 4000 RTP/AVP 8", "a=inactive", "b=AS:64", "k=x", "a=x:y:z"),
            Agreed("192.0.2.9", 4000, "PCMA", 8, None, 20, False, False),
        ),
        (
            ("m=audio 4000 RTP/AVP 8", "m=video 5000 RTP/AVP 31", "c=IN IP4 192.0.2.77", "a=inactive"),
            Agreed("192.0.2.9", 4000, "PCMA", 8, None, 20, True, True),
        ),
        (
            ("m=audio 4000 RTP/AVP 0 8", "a=rtpmap:0 G729/8000"),
            Agreed("192.0.2.9", 4000, "PCMA", 8, None, 20, True, True),
        ),
    ],
)
def test_what_an_answer_agrees_to(lines: tuple[str, ...], agreed: Agreed) -> None:
    assert accept(sdp(*lines), LOCAL) == agreed
    assert accept(sdp(*lines).replace(b"\r\n", b"\n"), LOCAL) == agreed
    assert accept(sdp(*lines).rstrip(), LOCAL) == agreed


def test_hold_by_an_address_of_zeros() -> None:
    """RFC 2543's way."""
    agreed = accept(sdp("m=audio 4000 RTP/AVP 8", host="0.0.0.0"), LOCAL)
    assert (agreed.send, agreed.receive) == (False, True)


def test_ipv6() -> None:
    local = replace(LOCAL, address="2001:db8::1")
    assert accept(sdp("m=audio 4000 RTP/AVP 8", host="2001:DB8:0::9"), local).host == "2001:db8::9"
    assert "family" in refusal(sdp("m=audio 4000 RTP/AVP 8", host="2001:db8::9"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "begins with v=0"),
        (b"v=1\r\n", "begins with v=0"),
        (b"v=0\r\nx\r\n", "a line of"),
        (b"v=0\r\n\r\nm=audio 1 RTP/AVP 8\r\n", "a line of"),
        (sdp(), "no media"),
        (sdp("m=audio 0 RTP/AVP 8"), "refused"),
        (sdp("m=audio 1 RTP/AVP 8", host=""), "no c= line"),
        (sdp("m=audio 1 RTP/AVP 8", host="carrier.example"), "address of a c="),
        (sdp("m=audio 1 RTP/AVP 8", "c=IN IP6 192.0.2.1"), "another family"),
        (sdp("m=audio 1 RTP/AVP 8", "c=ATM"), "c= line"),
        (sdp("m=audio x RTP/AVP 8"), "m= line"),
        (sdp("m=audio 70000 RTP/AVP 8"), "m= line"),
        (sdp("m=audio 1 RTP/AVP"), "m= line"),
        (sdp("m=audio"), "m= line"),
        (sdp("m=video 1 RTP/AVP 8"), "another kind"),
        (sdp("m=audio 1 RTP/SAVP 8"), "another kind"),
        (sdp("m=audio 1 RTP/AVP 18"), "no codec"),
        (sdp("m=audio 1 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"), "no codec"),
        (sdp("m=audio 1 RTP/AVP 96", "a=rtpmap:96 PCMU/16000"), "no codec"),
        (sdp("m=audio 1 RTP/AVP 96", "a=rtpmap:96 PCMU/8000/2"), "no codec"),
        (sdp("m=audio 1 RTP/AVP 999", "a=rtpmap:999 PCMU/8000"), "no codec"),
        (sdp(*["m=audio 0 RTP/AVP 8"] * 33), "too many media"),
        (sdp(*["a=x"] * 1_001), "too many lines"),
    ],
)
def test_what_cannot_be_agreed_to(data: bytes, reason: str) -> None:
    assert reason in refusal(data)


def test_an_answer_of_ours() -> None:
    lines = (
        "m=video 5000 RTP/AVP 31",
        "m=audio 6000 RTP/SAVP 8",
        "m=audio 7000 RTP/AVP 18 0 8 100",
        "a=rtpmap:100 telephone-event/8000",
        "a=sendonly",
        "m=audio 8000 RTP/AVP 8",
        "m=message 9 TCP/MSRP *",
    )
    data, agreed = answer(sdp(*lines), LOCAL, 5, 6)
    assert agreed == Agreed("192.0.2.9", 7000, "PCMU", 0, 100, 20, False, True)
    assert data == (
        b"v=0\r\no=- 5 6 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        b"m=video 0 RTP/AVP 31\r\n"
        b"m=audio 0 RTP/SAVP 8\r\n"
        b"m=audio 20000 RTP/AVP 0 100\r\n"
        b"a=rtpmap:0 PCMU/8000\r\n"
        b"a=rtpmap:100 telephone-event/8000\r\n"
        b"a=fmtp:100 0-15\r\n"
        b"a=ptime:20\r\n"
        b"a=recvonly\r\n"
        b"m=audio 0 RTP/AVP 8\r\n"
        b"m=message 0 TCP/MSRP *\r\n"
    )


def test_we_answer_without_telephone_event_where_one_side_has_none() -> None:
    assert answer(sdp("m=audio 1 RTP/AVP 8"), LOCAL, 1, 1)[1].telephone_event is None
    data, agreed = answer(OFFER, replace(LOCAL, telephone_event=None), 1, 1)
    assert agreed.telephone_event is None
    assert b"telephone-event" not in data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (sdp(), "no audio"),
        (sdp("m=video 1 RTP/AVP 31"), "no audio"),
        (sdp("m=audio 0 RTP/AVP 8"), "no audio"),
        (sdp("m=audio 1 RTP/AVP 18"), "no codec"),
        (sdp("m=audio 1 RTP/AVPF 8"), "RTP/AVP"),
        (sdp("m=audio 1 RTP/AVP 8", host=""), "c= line"),
    ],
)
def test_what_cannot_be_answered(data: bytes, reason: str) -> None:
    with pytest.raises(SdpError, match=reason):
        answer(data, LOCAL, 1, 1)


@pytest.mark.parametrize(
    ("theirs", "ours", "send", "receive"),
    [
        ("sendrecv", "sendrecv", True, True),
        ("sendonly", "recvonly", False, True),
        ("recvonly", "sendonly", True, False),
        ("inactive", "inactive", False, False),
    ],
)
def test_directions(theirs: Direction, ours: str, send: bool, receive: bool) -> None:
    data, agreed = answer(offer(LOCAL, 1, 1, direction=theirs), LOCAL, 1, 1)
    assert data.endswith(f"a={ours}\r\n".encode())
    assert (agreed.send, agreed.receive) == (send, receive)


def test_keys() -> None:
    callee = replace(LOCAL, crypto=(Crypto(9, "AES_CM_128_HMAC_SHA1_32", OTHER_KEY),))
    data, agreed = answer(offer(SECURED, 1, 1), callee, 1, 1)
    assert f"a=crypto:2 AES_CM_128_HMAC_SHA1_32 {OTHER_INLINE}\r\n".encode() in data
    theirs, ours = SECURED.crypto[1], Crypto(2, "AES_CM_128_HMAC_SHA1_32", OTHER_KEY)
    assert (agreed.local_key, agreed.remote_key) == (ours, theirs)
    agreed = accept(data, SECURED)
    assert (agreed.local_key, agreed.remote_key) == (theirs, ours)


@pytest.mark.parametrize(
    ("crypto", "usable"),
    [
        (f"1 AES_CM_128_HMAC_SHA1_80 {OTHER_INLINE}", True),
        (f"1 AES_CM_128_HMAC_SHA1_80 {OTHER_INLINE}|2^31 WSH=128", True),
        (f"1 AES_CM_128_HMAC_SHA1_80 {OTHER_INLINE}|1048576", True),
        (f"1 AES_CM_128_HMAC_SHA1_80 {OTHER_INLINE}|2^20|1:4", False),
        (f"1 AES_CM_128_HMAC_SHA1_80 {OTHER_INLINE}|1:4", False),
        (f"1 AES_CM_128_HMAC_SHA1_80 {OTHER_INLINE} UNENCRYPTED_SRTP", False),
        (f"1 AES_CM_128_HMAC_SHA1_80 {OTHER_INLINE} KDR=1", False),
        (f"1 AES_CM_128_HMAC_SHA1_80 {OTHER_INLINE};{INLINE}", False),
        (f"1 AES_CM_128_HMAC_SHA1_32 {OTHER_INLINE}", False),
        (f"3 AES_CM_128_HMAC_SHA1_80 {OTHER_INLINE}", False),
        (f"1 F8_128_HMAC_SHA1_80 {OTHER_INLINE}", False),
        ("1 AES_CM_128_HMAC_SHA1_80 inline:AAAA", False),
        ("1 AES_CM_128_HMAC_SHA1_80 inline:A", False),
        ("x", False),
    ],
)
def test_which_keys_can_be_used(crypto: str, usable: bool) -> None:
    data = sdp("m=audio 1 RTP/SAVP 8", f"a=crypto:{crypto}")
    if usable:
        assert accept(data, SECURED).remote_key == Crypto(1, "AES_CM_128_HMAC_SHA1_80", OTHER_KEY)
    else:
        assert "no key" in refusal(data, SECURED)


def test_what_is_to_be_secured_is_never_in_the_clear() -> None:
    assert refusal(sdp("m=audio 1 RTP/AVP 8"), SECURED)
    with pytest.raises(SdpError, match="not secured"):
        answer(OFFER, SECURED, 1, 1)
    both = sdp("m=audio 1 RTP/AVP 8", "m=audio 2 RTP/SAVP 8", f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {INLINE}")
    assert answer(both, SECURED, 1, 1)[1].port == 2
    assert answer(both, LOCAL, 1, 1)[1].port == 1


def test_keys_are_hidden() -> None:
    _, agreed = answer(offer(SECURED, 1, 1), SECURED, 1, 1)
    assert not re.search(r"\\x1d|x00", repr((SECURED, agreed)))


CODECS: list[tuple[Codec, ...]] = [("PCMA",), ("PCMU",), ("PCMA", "PCMU"), ("PCMU", "PCMA")]


@given(
    st.builds(
        LocalMedia,
        st.ip_addresses(v=4)
        .filter(lambda each: not (each.is_multicast or each.is_reserved or each.is_loopback))
        .map(str),
        st.integers(1, 65535),
        st.sampled_from(CODECS),
        st.none() | st.integers(96, 127),
        st.sampled_from((10, 20, 30)),
    ),
    st.sampled_from(CODECS),
    st.booleans(),
)
def test_both_sides_agree_on_the_same(caller: LocalMedia, codecs: tuple[Codec, ...], secured: bool) -> None:
    if secured:
        caller = replace(caller, crypto=SECURED.crypto)
    callee = replace(SECURED if secured else LOCAL, codecs=codecs)
    try:
        data, there = answer(offer(caller, 1, 1), callee, 1, 1)
    except SdpError:
        assert not set(caller.codecs) & set(codecs)
        return
    here = accept(data, caller)
    assert here.codec == there.codec == next(codec for codec in caller.codecs if codec in codecs)
    assert (here.payload_type, here.telephone_event) == (there.payload_type, there.telephone_event)
    assert (here.local_key, here.remote_key) == (there.remote_key, there.local_key)
    assert (here.host, here.port) == (callee.address, callee.port)
    assert there.port == caller.port
    assert here.ptime_ms == callee.ptime_ms


PIECES = st.sampled_from(
    [line + b"\r\n" for line in OFFER.split(b"\r\n")] + [b"\r\n", b"m=", b"c=IN IP6 ::1\n"]
)


@given(st.lists(PIECES | st.binary(max_size=12), max_size=20).map(b"".join))
@example(b"v=0\nm=audio 1 RTP/AVP 8\nc=IN IP4 0.0.0.0")
def test_any_octets_are_agreed_to_or_refused(data: bytes) -> None:
    for octets in (data, b"v=0\r\n" + data, OFFER + data):
        for local in (LOCAL, SECURED):
            try:
                accept(octets, local)
            except SdpError as error:
                assert error.reason
            try:
                ours, agreed = answer(octets, local, 1, 1)
            except SdpError:
                continue
            assert ours.count(b"\r\nm=") == octets.count(b"\nm=")
            assert 0 < agreed.port <= 65535


def test_reading_takes_linear_time() -> None:
    """Every format looked for in every rtpmap would take seconds."""
    formats = " ".join(str(number) for number in range(200, 9_000))
    maps = [f"a=rtpmap:{number} X/8000" for number in range(900)]
    assert "no codec" in refusal(sdp(f"m=audio 1 RTP/AVP {formats}", *maps))
