from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.simulator.handsets import Arrival, Handsets
from connector.simulator.latency import Latencies, stamp_of
from connector.simulator.submissions import Submissions
from protocols.gsm import udh
from protocols.gsm.segmentation import plan
from protocols.smpp import tlv
from protocols.smpp.constants import Tag
from protocols.smpp.pdu import SubmitSm
from tests.simulator.esme import text_to

ALICE = "+4915112345678"
TEXTS = [
    "Your code is 482917 [€5]",
    "您的验证码是 482917",
    "आपका कोड 482917 है",
    "رمزك هو 482917",
    "👩‍👩‍👧 482917",
]


def submits(text: str, number: str = ALICE, reference: int = 7) -> list[SubmitSm]:
    segments = plan(text)
    total = len(segments.parts)
    header = [udh.concatenation(reference, total, index + 1) if total > 1 else b"" for index in range(total)]
    return [
        text_to(
            number[1:],
            header[index] + part,
            data_coding=segments.data_coding,
            esm_class=0x40 if total > 1 else 0,
        )
        for index, part in enumerate(segments.parts)
    ]


def receive(handsets: Handsets, *pdus: SubmitSm) -> None:
    for number, pdu in enumerate(pdus):
        handsets.arrive(Arrival(pdu, b"id%d" % number))


@pytest.mark.parametrize("text", TEXTS)
def test_a_short_text_is_read_in_its_script(text: str) -> None:
    handsets = Handsets(10)
    receive(handsets, *submits(text))
    (received,) = handsets.inbox(ALICE)
    assert (received.text, received.to, received.sender) == (text, ALICE, "ACME")
    assert (received.parts, received.message_ids) == (1, ("id0",))


@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=161, max_size=600), seed=st.integers())
def test_parts_join_in_any_order(text: str, seed: int) -> None:
    handsets, parts = Handsets(10), submits(text)
    Random(seed).shuffle(parts)
    receive(handsets, *parts[:-1])
    assert len(handsets) == 0
    receive(handsets, parts[-1])
    (received,) = handsets
    assert (received.text, received.parts) == (text, len(parts))


def test_two_long_messages_with_other_references_do_not_mix() -> None:
    handsets = Handsets(10)
    first, second = submits("a" * 200, reference=1), submits("b" * 200, reference=2)
    receive(handsets, first[0], second[0], second[1], first[1])
    assert [received.text for received in handsets] == ["b" * 200, "a" * 200]


def test_sar_parameters_and_message_payload_are_understood() -> None:
    handsets = Handsets(10)
    for index in (2, 1):
        place = (
            (Tag.SAR_MSG_REF_NUM, 9, 2),
            (Tag.SAR_TOTAL_SEGMENTS, 2, 1),
            (Tag.SAR_SEGMENT_SEQNUM, index, 1),
        )
        tlvs = tuple(tlv.of_uint(*parameter) for parameter in place)
        receive(handsets, text_to(ALICE[1:], b"part%d " % index, tlvs=tlvs))
    receive(handsets, text_to(ALICE[1:], b"", tlvs=((Tag.MESSAGE_PAYLOAD, b"x" * 300),)))
    assert [received.text for received in handsets.inbox(ALICE)] == ["part1 part2 ", "x" * 300]


def test_a_broken_header_is_shown_as_text_and_other_charsets_are_read() -> None:
    handsets = Handsets(10)
    receive(handsets, text_to(ALICE[1:], b"\x7fabc", esm_class=0x40))
    receive(handsets, text_to(ALICE[1:], "Grüße".encode("latin-1"), data_coding=3))
    assert [received.text for received in handsets] == ["àabc", "Grüße"]


def test_only_the_last_messages_are_kept() -> None:
    handsets = Handsets(3)
    for index in range(5):
        receive(handsets, text_to(f"49151{index % 2}", b"%d" % index))
    assert [received.text for received in handsets] == ["2", "3", "4"]
    assert [received.text for received in handsets.inbox("+491510")] == ["2", "4"]
    assert [received.text for received in handsets.inbox("491511")] == ["3"]
    handsets.clear()
    assert (len(handsets), handsets.inbox("491511")) == (0, [])


def test_unfinished_messages_are_bounded() -> None:
    handsets = Handsets(3)
    for number in range(10_050):
        receive(handsets, submits("a" * 200, f"+{number:015}")[0])
    receive(handsets, submits("a" * 200, f"+{10_049:015}")[1], submits("a" * 200, f"+{0:015}")[1])
    assert [received.to for received in handsets] == [f"+{10_049:015}"]


def test_submissions_show_what_was_accepted_twice() -> None:
    submissions = Submissions(2)
    for content in (b"a", b"b", b"a", b"c"):
        submissions.add(b"491511", content)
    assert submissions.count("+491511", b"a") == 2
    assert submissions.count("491511", b"b") == 1
    assert list(submissions.repeated()) == [("491511", b"a", 2)]
    assert submissions.as_json() == {"different": 2, "total": 3, "repeated": 1, "overflowed": 1}


def test_latencies_are_sampled_within_bounds(random: Random) -> None:
    latencies = Latencies(random, limit=1000)
    assert latencies.as_json() == {"count": 0, "p50_ms": None, "p99_ms": None, "max_ms": None}
    for milliseconds in range(100):
        latencies.add(milliseconds * 1_000_000)
    assert latencies.as_json() == {"count": 100, "p50_ms": 50.0, "p99_ms": 99.0, "max_ms": 99.0}
    for _ in range(20_000):
        latencies.add(200_000_000)
    assert latencies.as_json()["count"] == 20_100
    assert latencies.as_json()["p50_ms"] == 200.0


def test_a_stamp_is_nineteen_digits() -> None:
    assert stamp_of(b"code 1 T=0000123456789012345 x") == 123456789012345
    assert stamp_of(b"T=123") is None
