"""User data headers, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.gsm import alphabet
from protocols.gsm.errors import UdhError
from protocols.gsm.segmentation import plan
from protocols.gsm.udh import Concatenation, concatenation, join, parse_udh

VECTORS = [
    (b"\x05\x00\x03\xa7\x03\x02", Concatenation(0xA7, 3, 2, 8)),
    (b"\x06\x08\x04\xbe\xef\xff\x01", Concatenation(0xBEEF, 255, 1, 16)),
]


@pytest.mark.parametrize(("octets", "meaning"), VECTORS)
def test_octets_both_ways(octets, meaning):
    assert concatenation(meaning.reference, meaning.total, meaning.index, meaning.bits) == octets
    header, rest = parse_udh(octets + b"text")
    assert header.concatenation == meaning
    assert rest == b"text"


@pytest.mark.parametrize(
    ("reference", "total", "index", "bits"),
    [
        (0, 2, 0, 8),
        (0, 2, 3, 8),
        (0, 256, 1, 8),
        (256, 2, 1, 8),
        (-1, 2, 1, 8),
        (65536, 2, 1, 16),
        (0, 2, 1, 12),
    ],
)
def test_impossible_headers_are_not_written(reference, total, index, bits):
    with pytest.raises(ValueError, match=r"expected|bits"):
        concatenation(reference, total, index, bits)


def test_other_elements_are_kept():
    header, rest = parse_udh(b"\x0b\x24\x01\x06\x00\x03\x01\x02\x01\x70\x01\xff" + b"x")
    assert header.elements == ((0x24, b"\x06"), (0x00, b"\x01\x02\x01"), (0x70, b"\xff"))
    assert header.concatenation == Concatenation(1, 2, 1, 8)
    assert rest == b"x"


@pytest.mark.parametrize(
    "octets",
    [
        b"\x05\x00\x03\x01\x00\x00",  # total 0
        b"\x05\x00\x03\x01\x02\x00",  # index 0
        b"\x05\x00\x03\x01\x02\x03",  # index over total
        b"\x04\x00\x02\x01\x02",  # too short
        b"\x00",
    ],
)
def test_an_invalid_concatenation_is_ignored(octets):
    assert parse_udh(octets)[0].concatenation is None


def test_the_last_of_repeated_elements_counts():
    header, _ = parse_udh(b"\x0a\x00\x03\x01\x02\x01\x00\x03\x09\x03\x02")
    assert header.concatenation == Concatenation(9, 3, 2, 8)


@pytest.mark.parametrize(
    "octets", [b"", b"\x05\x00\x03\x01", b"\x03\x00\x03\x01", b"\x01\x00", b"\x04\x00\x00\x00\x01"]
)
def test_lengths_that_contradict_each_other(octets):
    with pytest.raises(UdhError):
        parse_udh(octets)


@given(st.binary(max_size=150))
def test_any_octets_are_a_header_or_an_error(octets):
    try:
        header, rest = parse_udh(octets)
    except UdhError:
        return
    rebuilt = b"".join(bytes((identifier, len(data))) + data for identifier, data in header.elements)
    assert bytes((len(rebuilt),)) + rebuilt + rest == octets


@given(
    st.text(min_size=1, max_size=400)
    | st.text(alphabet.BASIC.replace("\x1b", "") + "€{", min_size=1, max_size=600),
    st.sampled_from([8, 16]),
    st.randoms(),
)
def test_what_is_cut_is_joined_in_any_order(text, bits, random):
    segments = plan(text, reference_bits=bits)
    total = len(segments.parts)
    sent = [concatenation(7, total, i, bits) + part for i, part in enumerate(segments.parts, 1)]
    assert (
        all(len(part) * (7 if segments.encoding == "gsm7" else 8) <= 140 * 8 + 7 * 7 for part in sent)
        or total == 1
    )
    random.shuffle(sent)
    assert join([*sent, sent[0]], segments.data_coding) == text


def test_what_does_not_belong_together_is_not_joined():
    first, second = concatenation(7, 2, 1) + b"a", concatenation(7, 2, 2) + b"b"
    assert join([first, second], 0) == "ab"
    assert join([first], 0) is None
    assert join([], 0) is None
    assert join([first, concatenation(8, 2, 2) + b"b"], 0) is None
    assert join([first, concatenation(7, 2, 2, 16) + b"b"], 0) is None
    assert join([first, b"\x00b"], 0) is None


def test_an_escape_that_a_careless_sender_cut_is_joined():
    assert join([concatenation(7, 2, 1) + b"5 \x1b", concatenation(7, 2, 2) + b"e"], 0) == "5 €"
