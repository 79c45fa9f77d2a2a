"""RTCP: vectors both ways, the rules of compound packets, times."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.rtp import rtcp
from protocols.rtp.errors import LocalProtocolError, PacketError
from protocols.rtp.rtcp import Goodbye, ReceiverReport, ReportBlock, SenderReport, SourceDescription

BLOCK = ReportBlock(0x0A0B0C0D, 64, -2, 0x00011234, 80, 0xB7052000, 0x00054000)
BLOCK_OCTETS = "0a 0b 0c 0d 40 ff ff fe 00 01 12 34 00 00 00 50 b7 05 20 00 00 05 40 00"
SENDER_OCTETS = "81 c8 00 0c 00 00 00 01 b4 4d b7 05 20 00 00 00 00 00 0f a0 00 00 00 32 00 00 1f 40"
SDES_OCTETS = "81 ca 00 04 00 00 00 01 01 08 61 62 63 64 65 66 67 68 00 00"
SDES = SourceDescription(((1, "abcdefgh"),))

VECTORS = {
    "receiver report of nobody": (f"80 c9 00 01 00 00 00 01 {SDES_OCTETS}", (ReceiverReport(1), SDES)),
    "receiver report": (
        f"81 c9 00 07 00 00 00 01 {BLOCK_OCTETS} {SDES_OCTETS}",
        (ReceiverReport(1, (BLOCK,)), SDES),
    ),
    "sender report": (
        f"{SENDER_OCTETS} {BLOCK_OCTETS} {SDES_OCTETS}",
        (SenderReport(1, 0xB44DB70520000000, 4000, 50, 8000, (BLOCK,)), SDES),
    ),
    "goodbye": (
        f"80 c9 00 01 00 00 00 01 {SDES_OCTETS} 82 cb 00 02 00 00 00 01 00 00 00 02",
        (ReceiverReport(1), SDES, Goodbye((1, 2))),
    ),
    "one octet of end": (
        "80 c9 00 01 00 00 00 01 81 ca 00 03 00 00 00 01 01 05 61 62 63 64 65 00",
        (ReceiverReport(1), SourceDescription(((1, "abcde"),))),
    ),
    "four octets of end": (
        "80 c9 00 01 00 00 00 01 81 ca 00 04 00 00 00 01 01 06 61 62 63 64 65 66 00 00 00 00",
        (ReceiverReport(1), SourceDescription(((1, "abcdef"),))),
    ),
}


@pytest.mark.parametrize(("octets", "reports"), list(VECTORS.values()), ids=list(VECTORS))
def test_vectors_both_ways(octets: str, reports: tuple[rtcp.Report, ...]):
    assert rtcp.parse(bytes.fromhex(octets)) == reports
    assert rtcp.encode(reports) == bytes.fromhex(octets)


READ = {
    "only a report": ("80 c9 00 01 00 00 00 01", (ReceiverReport(1),)),
    "an application's and an unknown packet": (
        "80 c9 00 01 00 00 00 01 80 cc 00 02 00 00 00 01 4e 41 4d 45 80 cf 00 00",
        (ReceiverReport(1),),
    ),
    "a report with an extension of the profile": (
        "80 c9 00 02 00 00 00 01 de ad be ef",
        (ReceiverReport(1),),
    ),
    "other items of the description": (
        "80 c9 00 01 00 00 00 01 81 ca 00 05 00 00 00 01 06 03 66 6f 6f 01 02 61 62 02 01 58 00 00 00 00",
        (ReceiverReport(1), SourceDescription(((1, "ab"),))),
    ),
    "a description of two": (
        "80 c9 00 01 00 00 00 01 82 ca 00 05 00 00 00 01 01 01 61 00 00 00 00 02 01 02 61 62 00 00 00 00",
        (ReceiverReport(1), SourceDescription(((1, "a"), (2, "ab")))),
    ),
    "goodbye with a reason": (
        "80 c9 00 01 00 00 00 01 81 cb 00 02 00 00 00 01 03 6f 66 66",
        (ReceiverReport(1), Goodbye((1,))),
    ),
    "padding at the end": (
        "80 c9 00 01 00 00 00 01 a1 cb 00 02 00 00 00 01 00 00 00 04",
        (ReceiverReport(1), Goodbye((1,))),
    ),
}


@pytest.mark.parametrize(("octets", "reports"), list(READ.values()), ids=list(READ))
def test_what_others_send(octets: str, reports: tuple[rtcp.Report, ...]):
    assert rtcp.parse(bytes.fromhex(octets)) == reports


BAD = {
    "nothing": "",
    "half a header": "80 c9",
    "version 1": "40 c9 00 01 00 00 00 01",
    "no report first": SDES_OCTETS,
    "padding in the first": "a0 c9 00 02 00 00 00 01 00 00 00 04",
    "padding before the end": "80 c9 00 01 00 00 00 01 a1 cb 00 01 00 00 00 04 80 c9 00 01 00 00 00 01",
    "padding of nothing": "80 c9 00 01 00 00 00 01 a1 cb 00 02 00 00 00 01 00 00 00 00",
    "padding over the packet": "80 c9 00 01 00 00 00 01 a1 cb 00 01 00 00 00 08",
    "longer than the datagram": "80 c9 00 02 00 00 00 01",
    "without the blocks it announces": "81 c9 00 01 00 00 00 01",
    "a sender report too short": "80 c8 00 01 00 00 00 01",
    "an item beyond its end": "80 c9 00 01 00 00 00 01 81 ca 00 02 00 00 00 01 01 ff 61 00",
    "a description without end": "80 c9 00 01 00 00 00 01 81 ca 00 02 00 00 00 01 01 02 61 62",
    "a second packet of version 0": "80 c9 00 01 00 00 00 01 00 00 00 00",
    "an RTP packet": "80 00 00 01 00 00 00 02 00 00 00 03",
}


@pytest.mark.parametrize("octets", list(BAD.values()), ids=list(BAD))
def test_nothing_of_a_broken_datagram_is_used(octets: str):
    with pytest.raises(PacketError):
        rtcp.parse(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "reports",
    [
        [], [SDES, ReceiverReport(1)], [ReceiverReport(1)], [ReceiverReport(1), Goodbye((1,))],
        [ReceiverReport(1, (BLOCK,) * 32), SDES], [ReceiverReport(1), SourceDescription(((1, "x" * 256),))],
    ],
)  # fmt: skip
def test_compound_rules_for_ourselves(reports: list[rtcp.Report]):
    with pytest.raises(LocalProtocolError):
        rtcp.encode(reports)


U32 = st.integers(0, 0xFFFFFFFF)
BLOCKS = st.lists(
    st.builds(ReportBlock, U32, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), U32, U32, U32, U32),
    max_size=31,
).map(tuple)
REPORTS = st.builds(SenderReport, U32, st.integers(0, (1 << 64) - 1), U32, U32, U32, BLOCKS) | st.builds(
    ReceiverReport, U32, BLOCKS
)
CNAMES = st.lists(st.tuples(U32, st.text("abc@é.", min_size=1, max_size=40)), min_size=1, max_size=5).map(
    tuple
)


@given(REPORTS, CNAMES, st.lists(U32, max_size=5).map(tuple))
def test_a_compound_packet_encoded_and_parsed_is_itself(report: rtcp.Report, cnames, sources):
    reports = (report, SourceDescription(cnames), Goodbye(sources))
    assert rtcp.parse(rtcp.encode(reports)) == reports


@given(
    st.binary(max_size=100)
    | st.binary(max_size=100).map(lambda tail: bytes.fromhex("80c9000100000001") + tail)
)
def test_any_datagram_is_reports_or_an_error(datagram: bytes):
    with suppress(PacketError):
        assert rtcp.parse(datagram)


def test_ntp_time():
    assert rtcp.ntp(-2208988800.0) == 0
    assert rtcp.ntp(0.5) == 2208988800 << 32 | 0x80000000


def test_the_round_trip_of_the_specifications_example():
    """§6.4.1, figure 2: 6.125 s from the SR to the report's arrival, less 5.25 s that the peer kept it."""
    block = BLOCK._replace(last_report=0xB705_2000, delay=0x0005_4000)
    arrived = 0xB44D_B710_8000_0000 - (0xB710_8000 - 0xB705_2000 - 0x0006_2000 << 16)
    assert rtcp.round_trip_s(block, arrived) == pytest.approx(0.875)


def test_a_round_trip_that_cannot_be_known():
    assert rtcp.round_trip_s(BLOCK._replace(last_report=0), 1 << 40) is None
    # From before the report it answers: the peer invents times.
    assert rtcp.round_trip_s(BLOCK._replace(last_report=0x20000, delay=0), 0x10000 << 16) is None
    # Both ends cut fractions of 1/65536 s: a little less than nothing is nothing.
    assert rtcp.round_trip_s(BLOCK._replace(last_report=0x20000, delay=10), 0x20005 << 16) == 0.0


@given(st.floats(0, 1, exclude_max=True))
def test_the_interval_is_spread_around_five_seconds(draw: float):
    """Half to one and a half of it, over e - 3/2 (§6.3.1); half as long before the first."""
    assert 2.05 < rtcp.interval(draw, first=False) < 6.16
    assert rtcp.interval(draw, first=True) == pytest.approx(rtcp.interval(draw, first=False) / 2)
