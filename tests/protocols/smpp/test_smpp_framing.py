"""Cutting a stream into PDUs, however it arrives, and never holding more than one of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.smpp.framing import FrameReader
from protocols.smpp.pdu import HEADER


def frame(size: int, sequence: int = 1) -> bytes:
    return HEADER.pack(size, 4, 0, sequence) + bytes(size - 16)


def test_several_in_one_read_and_one_in_several():
    reader = FrameReader()
    assert reader.feed(frame(16) + frame(30) + frame(20)[:18]) == [frame(16), frame(30)]
    assert reader.feed(frame(20)[18:]) == [frame(20)]
    assert reader.feed(b"") == []
    assert reader.error is None


@pytest.mark.rule("smpp.length-bound")
def test_the_bounds_are_allowed():
    reader = FrameReader(max_length=100)
    assert reader.feed(frame(16) + frame(100)) == [frame(16), frame(100)]


@pytest.mark.rule("smpp.length-bound")
def test_a_bad_length_is_found_before_its_body_comes_and_after_what_is_good():
    for length in (0, 15, 101, 0xFFFFFFFF):
        reader = FrameReader(max_length=100)
        assert reader.feed(frame(20) + HEADER.pack(length, 0x15, 0, 77)) == [frame(20)]
        error = reader.error
        assert (error.length, error.command_id, error.sequence) == (length, 0x15, 77)
        assert str(error) == f"command_length is {length}, not between 16 and 100"
        assert reader.feed(frame(20) * 3) == []


def test_the_header_is_awaited_for_its_number():
    reader = FrameReader()
    bad = HEADER.pack(3, 0x15, 0, 77)
    assert reader.feed(bad[:15]) == []
    assert reader.error is None
    reader.feed(bad[15:])
    assert reader.error.sequence == 77


STREAMS = st.lists(
    st.integers(16, 64).map(frame)
    | st.binary(max_size=30)
    | st.integers(0, 80).map(lambda n: HEADER.pack(n, 1, 0, n)),
    max_size=6,
).map(b"".join)


@pytest.mark.rule("smpp.length-bound")
@given(STREAMS, st.data())
def test_any_chunking_gives_the_same_frames_and_holds_one_at_most(stream, data):
    whole = FrameReader(max_length=64)
    expected = whole.feed(stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    for edges in ([0, *cuts, len(stream)], range(len(stream) + 1)):
        reader = FrameReader(max_length=64)
        frames = []
        for start, end in zip(edges, list(edges)[1:], strict=False):
            frames += reader.feed(stream[start:end])
            assert len(reader._pending) < 64
        assert frames == expected
        assert str(reader.error) == str(whole.error)
        assert getattr(reader.error, "sequence", None) == getattr(whole.error, "sequence", None)


def test_a_trickle_is_not_read_again_with_every_octet(monkeypatch):
    reader, cuts = FrameReader(), []
    cut = reader._cut
    monkeypatch.setattr(reader, "_cut", lambda data: cuts.append(len(data)) or cut(data))
    stream = frame(5000)
    assert [whole for at in range(5000) for whole in reader.feed(stream[at : at + 1])] == [stream]
    assert cuts == [1, 16, 5000]
