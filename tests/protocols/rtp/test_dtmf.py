"""Keys by RFC 4733: the packets of one press, and presses told apart whatever gets lost."""

from itertools import groupby, pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.rtp.dtmf import DIGITS, DigitReceiver, Event, EventPacket, Press, encode, parse
from protocols.rtp.errors import LocalProtocolError, PacketError


def pressed(digit: str, timestamp: int = 1000, duration: int = 800, step: int = 160) -> list[EventPacket]:
    press = Press(digit, timestamp, duration, step)
    packets = []
    while not press.over:
        packets.append(press.packet())
    return packets


def heard(packets: list[EventPacket]) -> str:
    receiver = DigitReceiver()
    return "".join(receiver.receive(packet.timestamp, packet.payload) for packet in packets)


def test_the_octets_of_one_press():
    assert [(p.timestamp, p.marker, p.payload.hex(" ")) for p in pressed("5", 1000, 480)] == [
        (1000, True, "05 0a 00 a0"),
        (1000, False, "05 0a 01 40"),
        (1000, False, "05 8a 01 e0"),
        (1000, False, "05 8a 01 e0"),
        (1000, False, "05 8a 01 e0"),
    ]


@pytest.mark.parametrize(("code", "digit"), list(enumerate("0123456789*#ABCD")))
@pytest.mark.rule("rtp.event-timestamp", "rtp.event-end")
def test_every_key_both_ways(code: int, digit: str):
    packets = pressed(digit)
    assert {packet.timestamp for packet in packets} == {1000}
    assert [parse(packet.payload)[0].code for packet in packets] == [code] * 7
    assert [parse(packet.payload)[0].end for packet in packets] == [False] * 4 + [True] * 3
    assert [packet.marker for packet in packets] == [True] + [False] * 6
    assert heard(packets) == digit


def test_the_volume_and_the_reserved_bit():
    assert parse(bytes.fromhex("0b ff 03 20")) == (Event(11, True, 63, 800),)
    assert parse(bytes.fromhex("0b 40 03 20")) == (Event(11, False, 0, 800),)
    assert encode(Event(11, True, 63, 800)) == bytes.fromhex("0b bf 03 20")
    for volume in range(64):
        receiver = DigitReceiver()
        assert receiver.receive(0, encode(Event(1, False, volume, 160))) == "1"


@pytest.mark.parametrize("payload", ["", "01", "01 0a 00", "01 0a 00 a0 01"])
def test_what_is_no_event(payload: str):
    with pytest.raises(PacketError):
        DigitReceiver().receive(0, bytes.fromhex(payload))


@pytest.mark.parametrize("digit", ["", "12", "a", "E", "+", "٣"])
def test_what_is_no_key(digit: str):
    with pytest.raises(LocalProtocolError):
        Press(digit, 0, 800, 160)


@given(st.lists(st.booleans(), min_size=7, max_size=7).filter(any))
def test_one_packet_that_arrives_is_enough(arrives: list[bool]):
    """Lost start, lost end, lost middle."""
    packets = [packet for packet, here in zip(pressed("7"), arrives, strict=True) if here]
    assert heard(packets) == "7"


def line(digits: str, gap: int = 400, start: int = 0) -> list[EventPacket]:
    packets, timestamp = [], start
    for digit in digits:
        packets += pressed(digit, timestamp & 0xFFFFFFFF)
        timestamp += 800 + gap
    return packets


@pytest.mark.parametrize("start", [0, 0xFFFFFFFF - 3000], ids=["", "timestamps wrap"])
def test_same_keys_in_a_row_are_told_apart(start: int):
    assert heard(line("112233##**000", start=start)) == "112233##**000"


def test_the_same_key_again_without_a_pause():
    assert heard(line("11", gap=0)) == "11"


def test_keys_in_a_row_without_their_ends():
    packets = [packet for packet in line("1122") if not parse(packet.payload)[0].end]
    assert heard(packets) == "1122"


def test_keys_in_a_row_without_their_beginnings():
    packets = [packet for packet in line("1122") if parse(packet.payload)[0].end]
    assert heard(packets) == "1122"


@given(st.randoms(use_true_random=False), st.text(DIGITS, min_size=1, max_size=8))
def test_duplicates_and_swapped_neighbours_change_nothing(random: Random, digits: str):
    packets = [packet for packet in line(digits) for _ in range(random.choice((1, 1, 2)))]
    for at in range(len(packets) - 1):
        if random.random() < 0.3:
            packets[at], packets[at + 1] = packets[at + 1], packets[at]
    assert heard(packets) == digits


@given(st.randoms(use_true_random=False), st.text(DIGITS, min_size=1, max_size=8))
def test_loss_never_invents_a_key(random: Random, digits: str):
    packets = line(digits)
    kept = [packet for packet in packets if random.random() < 0.5]
    expected = "".join(
        digits[timestamp // 1200] for timestamp, _ in groupby(kept, lambda packet: packet.timestamp)
    )
    assert heard(kept) == expected


def test_a_long_press_is_one_key():
    """Twenty seconds: segments of 0xFFFF, each beginning where the one before it ends (§2.5.1.3)."""
    packets = pressed("0", duration=160_000)
    starts = [timestamp for timestamp, _ in groupby(packets, lambda packet: packet.timestamp)]
    assert [later - earlier for earlier, later in pairwise(starts)] == [0xFFFF, 0xFFFF]
    assert sum(packet.marker for packet in packets) == 1
    events = [parse(packet.payload)[0] for packet in packets]
    assert [event.end for event in events] == [False] * (len(events) - 3) + [True] * 3
    assert events[-1].duration == 160_000 - 2 * 0xFFFF
    assert heard(packets) == "0"


@pytest.mark.parametrize("lost", [1, 3, 10])
def test_a_long_press_is_one_key_when_the_end_of_a_segment_is_lost(lost: int):
    packets = pressed("0", duration=100_000)
    second = next(at for at, packet in enumerate(packets) if packet.timestamp != 1000)
    assert heard(packets[: second - lost] + packets[second:]) == "0"


def test_a_key_longer_than_a_segment_ends_exactly_with_it():
    packets = pressed("0", duration=0xFFFF, step=160)
    assert parse(packets[-1].payload)[0] == Event(0, True, 10, 0xFFFF)
    assert heard(packets) == "0"


@pytest.mark.rule("rtp.event-marker")
def test_the_marker_is_not_needed():
    """It is not even shown to the receiver: gateways leave it out."""
    assert heard([packet._replace(marker=False) for packet in line("4829")]) == "4829"


def test_a_sender_whose_timestamp_moves_on_within_a_press():
    packets = [packet._replace(timestamp=1000 + 160 * at) for at, packet in enumerate(pressed("3")[:5])]
    assert heard(packets) == "3"


def test_timestamps_that_begin_anew():
    """The same SSRC after a transfer behind the peer: minutes back are no reordering."""
    assert heard(pressed("1", 90_000_000) + pressed("2", 500)) == "12"


def test_several_events_in_one_packet():
    """§2.5.1.5: the first begins at the packet's timestamp, each other at the end of the one before."""
    receiver = DigitReceiver()
    payload = encode(Event(4, True, 10, 800)) + encode(Event(8, True, 10, 800))
    assert receiver.receive(0, payload) == "48"
    assert receiver.receive(0, payload) == ""
    assert receiver.receive(800, encode(Event(8, True, 10, 800))) == ""


def test_events_that_are_no_keys():
    receiver = DigitReceiver()
    assert receiver.receive(0, encode(Event(16, True, 10, 800))) == ""
    assert receiver.receive(0, encode(Event(255, True, 10, 800))) == ""
    assert receiver.receive(2000, encode(Event(9, False, 10, 160))) == "9"


@given(st.lists(st.tuples(st.integers(0, 0xFFFFFFFF), st.binary(max_size=12)), max_size=20))
def test_any_payload_is_keys_or_an_error(packets: list[tuple[int, bytes]]):
    receiver = DigitReceiver()
    for timestamp, payload in packets:
        try:
            assert set(receiver.receive(timestamp, payload)) <= set(DIGITS)
        except PacketError:
            assert not payload or len(payload) % 4
