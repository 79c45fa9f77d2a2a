"""Packed septets: TS 23.038 §6.1.2 and the end of a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.gsm.packing import fill_after, pack, unpack

septets = st.binary(max_size=200).map(lambda octets: bytes(octet & 0x7F for octet in octets))
fills = st.integers(0, 6)


def bits_of(packed: bytes) -> str:
    """The bits in the order in which they are filled: the lowest of the first octet first."""
    return "".join(format(octet, "08b")[::-1] for octet in packed)


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        (b"", ""),
        (b"1", "31"),
        (b"12", "3119"),
        (b"hello", "e8329bfd06"),
        (b"hellohello", "e8329bfd4697d9ec37"),
        (b"12345678", "31d98c56b3dd70"),
        # §6.1.2.3.1: seven characters leave seven spare bits, which are a CR and not an @.
        (b"1234567", "31d98c56b3dd1a"),
        # Its own CR at the end of an octet gets a second one.
        (b"1234567\r", "31d98c56b3dd1a0d"),
    ],
)
def test_octets(text, packed):
    assert pack(text).hex() == packed


@pytest.mark.rule("text.at-sign")
def test_an_at_sign_is_told_from_padding():
    assert unpack(pack(b"1234567")) == b"1234567"
    assert unpack(pack(b"1234567\0")) == b"1234567\0"
    assert unpack(pack(b"1234567\r")) == b"1234567\r\r"
    # Zeros from a sender who does not pad: the count alone tells.
    assert unpack(bytes.fromhex("31d98c56b3dd00"), 7) == b"1234567"


@pytest.mark.rule("text.packed-fill")
@pytest.mark.parametrize(
    ("header", "fill"), [(0, 0), (4, 3), (6, 1), (7, 0), (9, 5), (10, 4), (12, 2), (13, 1)]
)
def test_text_begins_at_a_septet_after_a_header(header, fill):
    assert fill_after(header) == fill
    assert (8 * header + fill) % 7 == 0


@given(septets, fills)
def test_bits_are_where_the_standard_puts_them(text, fill):
    bits = bits_of(pack(text, fill))
    assert bits[:fill] == "0" * fill
    for index, septet in enumerate(text):
        assert int(bits[fill + 7 * index :][:7][::-1], 2) == septet
    rest = bits[fill + 7 * len(text) :]
    assert set(rest) <= {"0"} or int(rest[:7][::-1], 2) == 0x0D


@given(septets, fills)
def test_packed_septets_come_back(text, fill):
    packed = pack(text, fill)
    assert unpack(packed, len(text), fill) == text
    assert unpack(packed, fill_bits=fill) in (text, text + b"\r" if text.endswith(b"\r") else text)


@given(st.binary(max_size=60), st.integers(0, 100) | st.none(), fills)
def test_any_octets_unpack(octets, count, fill):
    found = unpack(octets, count, fill)
    assert len(found) <= (len(octets) * 8 // 7 if count is None else count)
    assert all(septet < 0x80 for septet in found)
