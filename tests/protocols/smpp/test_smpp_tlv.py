"""Optional parameters: raw, and read as what the caller knows them to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.smpp import tlv
from protocols.smpp.constants import Tag
from protocols.smpp.errors import LocalProtocolError

TLVS = (
    (Tag.MESSAGE_STATE, b"\x02"),
    (Tag.RECEIPTED_MESSAGE_ID, b"4711\0"),
    (0x1400, b"1101"),
    (Tag.MESSAGE_STATE, b"\x05"),
    (Tag.USER_MESSAGE_REFERENCE, b""),
)


def test_typed_reading():
    assert tlv.get(TLVS, 0x1400) == b"1101"
    assert tlv.get(TLVS, 0x1401) is None
    assert tlv.uint(TLVS, Tag.MESSAGE_STATE) == 2
    assert tlv.uint(TLVS, Tag.SC_INTERFACE_VERSION) is None
    assert tlv.c_octet(TLVS, Tag.RECEIPTED_MESSAGE_ID) == b"4711"
    assert tlv.c_octet(TLVS, 0x1400) == b"1101"
    assert tlv.c_octet(TLVS, 0x1401) is None


@pytest.mark.rule("smpp.odd-integers")
@pytest.mark.parametrize("size", [1, 2, 3, 4, 8])
def test_integers_of_odd_lengths(size):
    assert tlv.uint(((7, (200).to_bytes(size, "big")),), 7) == 200


def test_an_integer_of_no_length_is_none():
    assert tlv.uint(TLVS, Tag.USER_MESSAGE_REFERENCE) is None


def test_making_them():
    assert tlv.of_uint(Tag.SAR_MSG_REF_NUM, 258, 2) == (Tag.SAR_MSG_REF_NUM, b"\x01\x02")
    with pytest.raises(LocalProtocolError, match="TLV 0x020E: an integer of 1 octets, not 256"):
        tlv.of_uint(Tag.SAR_TOTAL_SEGMENTS, 256, 1)


@pytest.mark.rule("smpp.raw-tlvs")
@given(
    st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=400)), max_size=5), st.binary(max_size=9)
)
def test_round_trip_behind_anything(tlvs, before):
    octets = before + tlv.encode_all(tuple(tlvs))
    assert tlv.decode_all(octets, len(before)) == (tuple(tlvs), len(octets))


@given(st.binary(max_size=60))
def test_reading_stops_before_what_is_not_whole(octets):
    found, stop = tlv.decode_all(octets, 0)
    assert tlv.encode_all(found) == octets[:stop]
    rest = octets[stop:]
    assert len(rest) < 4 or len(rest) - 4 < int.from_bytes(rest[2:4], "big")
