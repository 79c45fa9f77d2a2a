"""Cutting the byte stream into PDUs by command_length (SMPP 3.4 §3.2.1, §5.1.1)."""

from struct import Struct

from protocols.smpp.errors import FrameError

HEADER_LENGTH = 16
_LENGTH = Struct(">I")
_HEADER = Struct(">IIII")


class FrameReader:
    """Collects whole PDUs; holds at most ``max_length`` octets of an unfinished one.

    ``error`` is set, and everything after it ignored, as soon as a header declares a length that cannot be:
    the check comes before the body is collected. The header is awaited whole, for its sequence_number.
    """

    def __init__(self, max_length: int = 70_000) -> None:
        self.error: FrameError | None = None
        self._max_length = max_length
        self._pending = bytearray()
        self._needed = HEADER_LENGTH

    def feed(self, data: bytes) -> list[bytes]:
        """The PDUs that ``data`` completes, headers included, in order."""
        if self._pending:
            self._pending += data
            if len(self._pending) < self._needed:
                return []
            data = bytes(self._pending)
            self._pending.clear()
        if self.error is not None:
            return []
        return self._cut(data)

    def _cut(self, data: bytes) -> list[bytes]:
        frames: list[bytes] = []
        start, end = 0, len(data)
        needed = HEADER_LENGTH
        while end - start >= HEADER_LENGTH:
            (length,) = _LENGTH.unpack_from(data, start)
            if not HEADER_LENGTH <= length <= self._max_length:
                self.error = self._refusal(data, start)
                return frames
            if end - start < length:
                needed = length
                break
            frames.append(data[start : start + length])
            start += length
        self._pending += data[start:]
        self._needed = needed
        return frames

    def _refusal(self, data: bytes, start: int) -> FrameError:
        length, command_id, _, sequence = _HEADER.unpack_from(data, start)
        reason = f"command_length is {length}, not between {HEADER_LENGTH} and {self._max_length}"
        return FrameError(length, command_id, sequence, reason)
