"""Cutting a stream into PDUs: any chunks give the same frames, and nothing is held that was not allowed."""

from protocols.smpp.framing import HEADER_LENGTH, FrameReader

MAX_LENGTH = 200


def one_input(data: bytes) -> None:
    """The first octet says how long the chunks are, the rest is the stream."""
    size, stream = data[0] % 40 + 1 if data else 1, data[1:]
    whole = FrameReader(MAX_LENGTH)
    frames = whole.feed(stream)
    assert stream.startswith(b"".join(frames))
    assert all(HEADER_LENGTH <= len(frame) <= MAX_LENGTH for frame in frames)
    assert all(int.from_bytes(frame[:4], "big") == len(frame) for frame in frames)

    reader = FrameReader(MAX_LENGTH)
    cut = [frame for at in range(0, len(stream), size) for frame in reader.feed(stream[at : at + size])]
    assert cut == frames
    assert str(reader.error) == str(whole.error)
    assert len(reader._pending) < MAX_LENGTH + size
