"""Both laws against G.711 read once more, from its decision values instead of from bits."""

import sys
import warnings
from bisect import bisect_right
from struct import pack, unpack

import pytest

from protocols.rtp.g711 import A_TO_MU, MU_TO_A, PCMA, PCMU, Law

SAMPLES = range(-32768, 32768)
ALL = pack("<65536h", *SAMPLES)
OCTETS = bytes(range(256))


def decision_values(first: list[int], step: int, segments: int) -> list[int]:
    """x1, x2, … of tables 1a and 2a: 16 intervals in each further segment, each time twice as wide."""
    values = first
    for segment in range(segments):
        for _ in range(16):
            values = [*values, values[-1] + (step << segment)]
    return values


# 14 bits: the first interval of µ-law is 1 wide, the other 15 of the first segment 2, then 4, 8 … to 8159.
MU_DECISIONS = decision_values([0, 1, *range(3, 33, 2)], 4, 7)
# 13 bits: the first two segments of A-law are 2 wide (to 64), then 4, 8 … to 4096.
A_DECISIONS = decision_values(list(range(0, 66, 2)), 4, 6)


def magnitude(sample: int, shift: int) -> int:
    """Of G.191: the one's complement of a negative sample."""
    return (~sample if sample < 0 else sample) >> shift


def mu_octet(sample: int) -> int:
    interval = min(bisect_right(MU_DECISIONS, magnitude(sample, 2)) - 1, 127)
    # Table 2: 1111 1111 is the smallest positive interval, 1000 0000 the largest; bit 1 is the polarity.
    return (0x80 if sample >= 0 else 0) | 127 - interval


def a_octet(sample: int) -> int:
    interval = min(bisect_right(A_DECISIONS, magnitude(sample, 3)) - 1, 127)
    # Table 1, then the inversion of the even bits (note 2).
    return ((0x80 if sample >= 0 else 0) | interval) ^ 0x55


def middle(decisions: list[int], interval: int) -> int:
    return (decisions[interval] + decisions[interval + 1]) // 2


def test_decision_values_end_where_the_tables_do():
    assert (len(MU_DECISIONS), MU_DECISIONS[-1], MU_DECISIONS[112]) == (129, 8159, 4063)
    assert (len(A_DECISIONS), A_DECISIONS[-1], A_DECISIONS[112]) == (129, 4096, 2048)


@pytest.mark.parametrize(("law", "octet"), [(PCMU, mu_octet), (PCMA, a_octet)])
@pytest.mark.rule("rtp.g711")
def test_every_sample_has_the_octet_of_its_interval(law: Law, octet):
    encoded = law.encode(ALL)
    wrong = [sample for sample, got in zip(SAMPLES, encoded, strict=True) if got != octet(sample)]
    assert wrong == []


def test_every_octet_of_mu_law_is_the_middle_of_its_interval():
    for octet, sample in zip(OCTETS, unpack("<256h", PCMU.decode(OCTETS)), strict=True):
        interval = 127 - (octet & 0x7F)
        value = middle(MU_DECISIONS, interval) if interval else 0
        assert sample == 4 * (value if octet & 0x80 else -value)


def test_every_octet_of_a_law_is_the_middle_of_its_interval():
    for octet, sample in zip(OCTETS, unpack("<256h", PCMA.decode(OCTETS)), strict=True):
        value = middle(A_DECISIONS, (octet ^ 0x55) & 0x7F)
        assert sample == 8 * (value if octet & 0x80 else -value)


@pytest.mark.parametrize(
    ("law", "positive", "loudest", "negative", "lowest"),
    [(PCMU, 0xFF, 0x80, 0x7F, 0x00), (PCMA, 0xD5, 0xAA, 0x55, 0x2A)],
)
@pytest.mark.rule("rtp.g711")
def test_polarity(law: Law, positive: int, loudest: int, negative: int, lowest: int):
    """A-law with its sign bit upside down sounds the same to an ear, and is wrong all the same."""
    assert law.encode(pack("<4h", 0, 32767, -1, -32768)) == bytes([positive, loudest, negative, lowest])
    assert law.silence == positive
    for octet, sample in zip(OCTETS, law.samples, strict=True):
        assert sample >= 0 if octet & 0x80 else sample <= 0


@pytest.mark.parametrize("law", [PCMU, PCMA])
def test_an_octet_decoded_and_encoded_is_itself(law: Law):
    again = law.encode(law.decode(OCTETS))
    different = [octet for octet in OCTETS if again[octet] != octet]
    # µ-law has two zeros; the positive one is ours.
    assert different == ([0x7F] if law is PCMU else [])


def test_loudness_rises_with_the_sample():
    for law in (PCMU, PCMA):
        heard = unpack("<65536h", law.decode(law.encode(ALL)))
        assert list(heard) == sorted(heard)
        near = zip(SAMPLES[700:-700], heard[700:-700], strict=True)
        assert all(abs(sample - got) <= max(8, abs(sample) // 16) for sample, got in near)


def test_transcoding_stays_within_an_interval_and_keeps_the_sign():
    for table, law, other in ((MU_TO_A, PCMU, PCMA), (A_TO_MU, PCMA, PCMU)):
        for octet in OCTETS:
            exact, got = law.samples[octet], other.samples[table[octet]]
            assert abs(got - exact) <= max(8, abs(exact) // 16)
            assert (octet ^ table[octet]) & 0x80 == 0
        heard = unpack("<65536h", other.decode(law.encode(ALL).translate(table)))
        assert list(heard) == sorted(heard)


def test_transcoding_by_the_numbers_of_tables_3_and_4():
    mu_to_a = (
        (0, 0),
        (1, 0),
        (15, 7),
        (32, 24),
        (35, 30),
        (48, 45),
        (64, 63),
        (80, 79),
        (81, 81),
        (127, 127),
    )
    for mu, a in mu_to_a:
        assert MU_TO_A[0xFF - mu] == (0x80 | a) ^ 0x55
        assert MU_TO_A[0x7F - mu] == a ^ 0x55
    for a, mu in ((0, 1), (7, 15), (25, 32), (45, 48), (63, 64), (79, 80), (80, 80), (81, 81), (127, 127)):
        assert A_TO_MU[(0x80 | a) ^ 0x55] == 0xFF - mu
        assert A_TO_MU[a ^ 0x55] == 0x7F - mu


def test_transcoding_there_and_back_changes_nothing_more():
    once = OCTETS.translate(MU_TO_A).translate(A_TO_MU)
    assert once.translate(MU_TO_A).translate(A_TO_MU) == once
    # Only steps of µ-law that A-law does not have, near silence.
    assert {0x7F - (octet & 0x7F) for octet in OCTETS if once[octet] != octet} <= set(range(16))


def test_half_a_sample_is_refused():
    with pytest.raises(ValueError):
        PCMU.encode(b"\0\0\0")


if sys.version_info < (3, 13):

    def test_the_standard_library_says_the_same():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            import audioop
        assert PCMA.encode(ALL) == audioop.lin2alaw(ALL, 2)
        assert PCMA.decode(OCTETS) == audioop.alaw2lin(OCTETS, 2)
        assert PCMU.decode(OCTETS) == audioop.ulaw2lin(OCTETS, 2)
        # It takes the two's complement after dropping two bits: on the negative side, what lies on a border
        # or up to 0.75 before it falls into the next interval.
        borders = {-4 * value + below for value in MU_DECISIONS[1:-1] for below in range(4)}
        theirs = audioop.lin2ulaw(ALL, 2)
        pairs = zip(SAMPLES, PCMU.encode(ALL), theirs, strict=True)
        assert {sample for sample, ours, other in pairs if ours != other} == borders
