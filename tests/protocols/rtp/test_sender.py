"""Our stream, and another one that goes on under its SSRC."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from protocols.rtp.packet import Packet, parse
from protocols.rtp.relay import Relay
from protocols.rtp.sender import Stream

FRAME = bytes(160)


def fresh(sequence: int = 100, timestamp: int = 5000, ssrc: int = 0xABCD) -> Stream:
    return Stream(sequence.to_bytes(2, "big") + timestamp.to_bytes(4, "big") + ssrc.to_bytes(4, "big"))


def test_audio_in_sequence_the_first_marked():
    stream = fresh()
    packets = [parse(stream.audio(8, FRAME)) for _ in range(3)]
    assert packets == [
        Packet(8, 100, 5000, 0xABCD, FRAME, marker=True),
        Packet(8, 101, 5160, 0xABCD, FRAME),
        Packet(8, 102, 5320, 0xABCD, FRAME),
    ]
    assert (stream.packets, stream.octets) == (3, 480)


def test_numbers_wrap():
    stream = fresh(0xFFFF, 0xFFFFFFFF - 100)
    packets = [parse(stream.audio(0, FRAME)) for _ in range(3)]
    assert [packet.sequence for packet in packets] == [0xFFFF, 0, 1]
    assert [packet.timestamp for packet in packets] == [0xFFFFFF9B, 59, 219]


def test_a_silence_makes_a_talkspurt():
    stream = fresh()
    stream.audio(0, FRAME)
    stream.silent(320)
    packet = parse(stream.audio(0, FRAME))
    assert (packet.sequence, packet.timestamp, packet.marker) == (101, 5480, True)


def test_an_event_has_its_own_timestamp():
    stream = fresh()
    stream.audio(0, FRAME)
    first = parse(stream.event(101, b"\5\n\0\xa0", 5160, marker=True))
    stream.passed(160)
    second = parse(stream.event(101, b"\5\n\1\x40", 5160, marker=False))
    stream.passed(160)
    audio = parse(stream.audio(0, FRAME))
    assert first == Packet(101, 101, 5160, 0xABCD, b"\5\n\0\xa0", marker=True)
    assert (second.sequence, second.timestamp, second.marker) == (102, 5160, False)
    assert (audio.sequence, audio.timestamp, audio.marker) == (103, 5480, False)


@given(st.binary(min_size=10, max_size=10))
def test_everything_random_is_given(randomness: bytes):
    packet = parse(Stream(randomness).audio(0, b""))
    assert packet == parse(Stream(randomness).audio(0, b""))
    numbers = packet.sequence.to_bytes(2, "big") + packet.timestamp.to_bytes(4, "big")
    assert numbers + packet.ssrc.to_bytes(4, "big") == randomness


def original(number: int, ssrc: int = 1, marker: bool = False) -> Packet:
    return Packet(0, number & 0xFFFF, number * 160 & 0xFFFFFFFF, ssrc, FRAME, marker)


def relayed(relay: Relay, packet: Packet) -> Packet | None:
    octets = relay.packet(packet, 8, packet.payload, 160)
    return None if octets is None else parse(octets)


def test_a_relay_keeps_gaps_and_order():
    stream = fresh()
    relay = Relay(stream)
    out = [relayed(relay, original(number)) for number in (65534, 65535, 65537, 65536, 65540)]
    assert [packet and (packet.sequence, packet.timestamp, packet.marker) for packet in out] == [
        (100, 5000, True), (101, 5160, False), (103, 5480, False), (102, 5320, False), (106, 5960, False),
    ]  # fmt: skip
    assert {packet.ssrc for packet in out if packet} == {0xABCD}
    after = parse(stream.audio(0, FRAME))
    assert (after.sequence, after.timestamp) == (107, 6120)


def test_a_relay_goes_on_after_something_else():
    stream = fresh()
    relay = Relay(stream)
    relayed(relay, original(10))
    own = parse(stream.audio(8, FRAME))
    again = relayed(relay, original(11))
    assert again is not None
    assert (own.sequence, own.timestamp) == (101, 5160)
    assert (again.sequence, again.timestamp, again.marker) == (102, 5320, True)
    # 10 has left under a mapping that is gone: a packet from then would take a number that is taken.
    assert relayed(relay, original(9)) is None


def test_a_relay_of_another_source_or_a_restart_begins_anew():
    stream = fresh()
    relay = Relay(stream)
    relayed(relay, original(10))
    other = relayed(relay, original(40_000, ssrc=2))
    restarted = relayed(relay, original(10_000, ssrc=2))
    assert other is not None and (other.sequence, other.timestamp, other.marker) == (101, 5160, True)
    assert restarted is not None and (restarted.sequence, restarted.timestamp) == (102, 5320)
    jump = relayed(relay, Packet(0, 10_001, 7, 2, FRAME))
    assert jump is not None and (jump.sequence, jump.timestamp, jump.marker) == (103, 5480, True)


def test_a_relay_goes_on_for_hours():
    relay = Relay(fresh())
    assert all(relayed(relay, original(number)) for number in range(150_000))


@given(st.integers(0, 1 << 32), st.integers(0, 0xFFFF))
def test_what_was_relayed_can_be_put_back_in_order(seed: int, first: int):
    """Long, with loss and small displacements: no number twice, and timestamps rise with the numbers."""
    random = Random(seed)
    numbers = [number for number in range(first, first + random.choice((50, 8000))) if random.random() > 0.02]
    order = sorted(numbers, key=lambda number: number + random.random() * 4)
    stream = fresh()
    relay = Relay(stream)
    sent = [(number, packet) for number in order if (packet := relayed(relay, original(number))) is not None]
    sequences = [packet.sequence for _, packet in sent]
    assert len(set(sequences)) == len(sequences) >= len(order) - 4
    start = sent[0]
    for number, packet in sent:
        assert packet.sequence - start[1].sequence & 0xFFFF == number - start[0] & 0xFFFF
        assert packet.timestamp - start[1].timestamp & 0xFFFFFFFF == (number - start[0]) * 160 & 0xFFFFFFFF
