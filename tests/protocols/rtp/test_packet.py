"""RTP packets: vectors both ways, and anything at all."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.rtp.errors import LocalProtocolError, PacketError
from protocols.rtp.packet import Packet, parse

VECTORS = {
    "plain": (
        "80 00 12 34 00 00 00 a0 de ad be ef ff ff",
        Packet(0, 0x1234, 160, 0xDEADBEEF, b"\xff\xff"),
    ),
    "marker, A-law": ("80 88 ff ff ff ff ff ff 00 00 00 01", Packet(8, 65535, 0xFFFFFFFF, 1, b"", True)),
    "contributing sources": (
        "82 65 00 01 00 00 00 02 00 00 00 03 00 00 00 0a 00 00 00 0b 2a",
        Packet(101, 1, 2, 3, b"*", csrc=(10, 11)),
    ),
    "extension": (
        "90 00 00 01 00 00 00 02 00 00 00 03 be de 00 01 10 ff 00 00 2a",
        Packet(0, 1, 2, 3, b"*", extension=(0xBEDE, b"\x10\xff\0\0")),
    ),
    "empty extension": (
        "90 00 00 01 00 00 00 02 00 00 00 03 be de 00 00",
        Packet(0, 1, 2, 3, b"", extension=(0xBEDE, b"")),
    ),
    "padding": ("a0 00 00 01 00 00 00 02 00 00 00 03 2a 00 00 03", Packet(0, 1, 2, 3, b"*", padding=3)),
    "all of it": (
        "b1 80 00 01 00 00 00 02 00 00 00 03 00 00 00 0a 00 01 00 01 01 02 03 04 2a 01",
        Packet(0, 1, 2, 3, b"*", True, (10,), (1, b"\1\2\3\4"), 1),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("octets", "packet"), list(VECTORS.values()), ids=list(VECTORS))
def test_vectors_both_ways(octets: str, packet: Packet):
    assert parse(bytes.fromhex(octets)) == packet
    assert packet.encode() == bytes.fromhex(octets)


BAD = {
    "nothing": "",
    "eleven octets": "80 00 00 01 00 00 00 02 00 00 00",
    "version 1": "40 00 00 01 00 00 00 02 00 00 00 03",
    "version 0, a STUN request": "00 01 00 00 21 12 a4 42 00 00 00 00 00 00 00 00 00 00 00 00",
    "a sender report": "80 c8 00 06 00 00 00 02 00 00 00 03",
    "a receiver report": "81 c9 00 07 00 00 00 02 00 00 00 03",
    "sources missing": "8f 00 00 01 00 00 00 02 00 00 00 03 00 00 00 01",
    "extension missing": "90 00 00 01 00 00 00 02 00 00 00 03",
    "extension too long": "90 00 00 01 00 00 00 02 00 00 00 03 be de ff ff 00 00 00 00",
    "padding of nothing": "a0 00 00 01 00 00 00 02 00 00 00 03 2a 00",
    "padding over the header": "a0 00 00 01 00 00 00 02 00 00 00 03 2a 0d",
    "padding without payload": "a0 00 00 01 00 00 00 02 00 00 00 03",
}


@pytest.mark.parametrize("octets", list(BAD.values()), ids=list(BAD))
def test_what_is_no_packet(octets: str):
    with pytest.raises(PacketError):
        parse(bytes.fromhex(octets))


@st.composite
def packets(draw: st.DrawFn) -> Packet:
    word, marker = st.integers(0, 0xFFFFFFFF), draw(st.booleans())
    words = draw(st.integers(0, 8).flatmap(lambda size: st.binary(min_size=4 * size, max_size=4 * size)))
    return Packet(
        # 64-95 with the marker look like RTCP.
        draw(st.integers(0, 63) | st.integers(96, 127)), draw(st.integers(0, 0xFFFF)), draw(word), draw(word),
        draw(st.binary(max_size=320)), marker, tuple(draw(st.lists(word, max_size=15))),
        draw(st.none() | st.tuples(st.integers(0, 0xFFFF), st.just(words))), draw(st.integers(0, 255)),
    )  # fmt: skip


@given(packets())
def test_a_packet_encoded_and_parsed_is_itself(packet: Packet):
    assert parse(packet.encode()) == packet


@given(st.binary(max_size=200))
def test_any_datagram_is_a_packet_or_an_error(datagram: bytes):
    try:
        packet = parse(datagram)
    except PacketError:
        return
    # Padding may hold anything; every other octet is there again.
    end = len(datagram) - packet.padding
    assert packet.encode()[:end] == datagram[:end]


@pytest.mark.parametrize(
    "packet",
    [
        Packet(128, 0, 0, 0, b""), Packet(-1, 0, 0, 0, b""), Packet(0, 65536, 0, 0, b""),
        Packet(0, 0, 1 << 32, 0, b""), Packet(0, 0, 0, 1 << 32, b""), Packet(0, 0, 0, 0, b"", padding=256),
        Packet(0, 0, 0, 0, b"", csrc=(0,) * 16), Packet(0, 0, 0, 0, b"", csrc=(-1,)),
        Packet(0, 0, 0, 0, b"", extension=(0, b"odd")), Packet(72, 0, 0, 0, b"", marker=True),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(packet: Packet):
    with pytest.raises(LocalProtocolError):
        packet.encode()


def test_one_line_without_the_payload():
    assert (
        str(Packet(8, 1, 160, 0xABC, b"secret", True))
        == "RTP pt=8 seq=1 ts=160 ssrc=0x00000abc marker 6 octets"
    )


def test_header_is_network_order():
    assert struct.unpack(">BBHII", Packet(0, 1, 2, 3, b"").encode()) == (0x80, 0, 1, 2, 3)
