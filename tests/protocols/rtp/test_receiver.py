"""Statistics of a received stream, against what was really done to it."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.rtp.receiver import Arrival, Reception
from protocols.rtp.sources import Sources

SLOT = 160


def receive(reception: Reception, numbers: list[int], first: int = 0) -> list[Arrival]:
    """Each at its own time: number n is sent, and received, at n slots."""
    return [
        reception.receive(number & 0xFFFF, (number - first) * SLOT & 0xFFFFFFFF, (number - first) * 0.02)
        for number in numbers
    ]


def test_two_in_sequence_make_a_source_valid():
    reception = Reception(1)
    assert receive(reception, [10, 12, 14, 15, 16]) == [Arrival.PROBATION] * 3 + [Arrival.IN_ORDER] * 2
    assert (reception.valid, reception.received, reception.expected, reception.lost) == (True, 2, 2, 0)


@pytest.mark.parametrize("first", [0, 1, 65000, 65534, 65535])
def test_nothing_lost_over_the_wrap(first: int):
    reception = Reception(1)
    receive(reception, list(range(first, first + 200_001)), first)
    assert (reception.received, reception.expected, reception.lost, reception.reordered) == (
        200_000,
        200_000,
        0,
        0,
    )
    # The second packet is the first that counts: the cycles begin with it.
    assert reception.report(0).highest == (first + 1) % 65536 + 199_999
    assert reception.jitter_s < 1e-9


def test_duplicates_and_late_ones():
    reception = Reception(1)
    arrivals = receive(reception, [1, 2, 3, 3, 5, 4, 4, 2, 6])
    assert arrivals[3:] == [
        Arrival.DUPLICATE, Arrival.IN_ORDER, Arrival.LATE,
        Arrival.DUPLICATE, Arrival.DUPLICATE, Arrival.IN_ORDER,
    ]  # fmt: skip
    assert (reception.received, reception.lost, reception.duplicates, reception.reordered) == (5, 0, 3, 1)


def test_a_restart_takes_two_in_sequence():
    reception = Reception(1)
    receive(reception, list(range(1, 101)))
    assert receive(reception, [40_000, 101, 20_000, 30_000]) == [
        Arrival.STRAY, Arrival.IN_ORDER, Arrival.STRAY, Arrival.STRAY,
    ]  # fmt: skip
    assert reception.lost == 0
    assert receive(reception, [50_000, 50_001, 50_002]) == [
        Arrival.STRAY,
        Arrival.RESTARTED,
        Arrival.IN_ORDER,
    ]
    assert (reception.received, reception.expected, reception.lost) == (102, 102, 0)


def test_a_gap_that_is_no_restart_is_loss():
    reception = Reception(1)
    receive(reception, [0, 1, 2, 2999])
    assert (reception.received, reception.lost) == (3, 2996)


@given(st.randoms(use_true_random=False), st.integers(0, 65535), st.integers(50, 400))
def test_counts_are_what_was_done(random: Random, first: int, size: int):
    """Loss, duplicates and small displacements, at any sequence number."""
    numbers = list(range(first + 2, first + size))
    kept = [number for number in numbers if random.random() > 0.1]
    doubled = [number for number in kept for _ in range(random.choice((1, 1, 1, 2)))]
    displaced = sorted(range(len(doubled)), key=lambda at: at + random.random() * 6)
    reception = Reception(1)
    receive(reception, [first, first + 1], first)
    receive(reception, [doubled[at] for at in displaced], first)
    assert reception.received == len(set(kept)) + 1
    assert reception.duplicates == len(doubled) - len(kept)
    highest = max(kept, default=first + 1)
    assert reception.lost == highest - first - reception.received


def test_the_fraction_lost_is_of_the_time_since_the_last_report():
    reception = Reception(1)
    receive(reception, list(range(101)))
    assert reception.report(2.0)[1:4] == (0, 0, 100)
    receive(reception, list(range(101, 201, 2)))
    block = reception.report(4.0)
    assert (block.fraction_lost, block.lost, block.highest) == (49 * 256 // 99, 49, 199)
    assert reception.report(4.0).fraction_lost == 0


def test_duplicates_make_the_reported_loss_negative():
    """§6.4.1 and A.3: each packet that comes counts."""
    reception = Reception(1)
    receive(reception, [0, 1, 2, 2, 2])
    block = reception.report(1.0)
    assert (block.fraction_lost, block.lost) == (0, -2)


def test_the_report_names_the_last_sender_report():
    reception = Reception(7)
    assert reception.report(0.0)[-2:] == (0, 0)
    reception.sender_report(0x1122_3344_5566_7788, 10.0)
    assert reception.report(12.5) == (7, 0, 0, 0, 0, 0x3344_5566, int(2.5 * 65536))


def test_jitter_follows_the_formula():
    """A.8: J += (|D| - J) / 16, D the difference of spacing on the wire and by timestamp."""
    reception = Reception(1)
    expected, late_before = 0.0, 0.0
    for number, late in enumerate([0.0, 0.004, 0.001, 0.010, 0.0, 0.002]):
        reception.receive(number, number * SLOT, number * 0.02 + late)
        if number:
            expected += (abs(late - late_before) - expected) / 16
        late_before = late
    assert reception.jitter_s == pytest.approx(expected)
    assert reception.report(1.0).jitter == int(expected * 8000)


def test_what_is_no_jitter():
    """Packets of one telephone-event share a timestamp; a stream may pause or begin its timestamps anew."""
    reception = Reception(1)
    for number in range(5):
        reception.receive(number, 1000, number * 0.02)
    reception.receive(5, 1000 + 5 * SLOT, 5 * 0.02)
    reception.receive(6, 3_000_000_000, 6 * 0.02)
    assert reception.jitter_s < 1e-9


def test_another_source_takes_over_with_its_second_packet():
    sources = Sources()
    for number in range(10):
        sources.receive(1, number, number * SLOT, number * 0.02)
    assert sources.receive(2, 500, 0, 0.2) is Arrival.PROBATION
    assert sources.receive(1, 10, 10 * SLOT, 0.2) is Arrival.IN_ORDER
    assert sources.current is not None and sources.current.ssrc == 1
    assert sources.receive(2, 501, SLOT, 0.22) is Arrival.RESTARTED
    assert sources.receive(2, 503, 3 * SLOT, 0.26) is Arrival.IN_ORDER
    assert sources.current.ssrc == 2
    assert (sources.received, sources.lost, sources.duplicates, sources.reordered) == (12, 1, 0, 0)


def test_strange_sources_one_after_the_other_change_nothing():
    sources = Sources()
    sources.receive(1, 1, 0, 0.0)
    sources.receive(1, 2, SLOT, 0.02)
    for ssrc in range(100, 200):
        assert sources.receive(ssrc, 7, 0, 0.03) is Arrival.PROBATION
    assert sources.current is not None and sources.current.ssrc == 1
    assert sources.received == 1


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)), max_size=100)
)
def test_any_stream_can_be_reported(packets: list[tuple[int, int, int]]):
    sources = Sources()
    for at, (ssrc, sequence, timestamp) in enumerate(packets):
        sources.receive(ssrc, sequence, timestamp, at * 0.02)
        assert min(sources.received, sources.lost, sources.duplicates, sources.jitter_s) >= 0
        if sources.current is not None:
            block = sources.current.report(at * 0.02)
            assert 0 <= block.fraction_lost <= 255 and -0x800000 <= block.lost <= 0x7FFFFF
