"""Packets of one stream going on under the SSRC of another: gaps and order of the original are kept."""

from __future__ import annotations

from protocols.rtp.packet import Packet
from protocols.rtp.sender import Stream

__all__ = ["Relay"]

_FAR = 3000
"""Sequence numbers: a jump that A.1 takes for a new beginning."""
_MAX_DRIFT = 8000
"""Samples that a relayed timestamp may be away from where the stream stands."""


class Relay:
    """Maps sequence numbers and timestamps onto those of `stream`: a receiver sees the original's losses.

    The mapping is made anew, with the marker set, whenever the stream has sent something else in between, or
    the original has begun anew.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._ssrc: int | None = None
        self._sequence_offset = 0
        self._timestamp_offset = 0
        self._anchor = 0
        self._next = -1

    def packet(self, original: Packet, payload_type: int, payload: bytes, samples: int) -> bytes | None:
        """The packet to send, `samples` long; None for one that is older than the mapping."""
        stream = self._stream
        marker = original.marker
        if original.ssrc != self._ssrc or stream.sequence != self._next or self._is_far(original):
            self._ssrc = original.ssrc
            self._sequence_offset = stream.sequence - original.sequence
            self._timestamp_offset = stream.timestamp - original.timestamp
            self._anchor = stream.sequence
            marker = True
        sequence = original.sequence + self._sequence_offset & 0xFFFF
        if sequence - self._anchor & 0x8000:
            return None
        timestamp = original.timestamp + self._timestamp_offset & 0xFFFFFFFF
        encoded = stream.relayed(payload_type, payload, sequence, timestamp, marker)
        after = timestamp + samples - stream.timestamp & 0xFFFFFFFF
        if not after & 0x80000000:
            stream.passed(after)
        self._next = stream.sequence
        if sequence - self._anchor & 0xFFFF > _FAR:
            # Kept close behind, so that comparing by halves of the number space stays right.
            self._anchor = sequence - _FAR // 2 & 0xFFFF
        return encoded

    def _is_far(self, original: Packet) -> bool:
        ahead: int = original.sequence + self._sequence_offset - self._stream.sequence & 0xFFFF
        drift: int = original.timestamp + self._timestamp_offset - self._stream.timestamp & 0xFFFFFFFF
        return _FAR < ahead < 0x10000 - _FAR or _MAX_DRIFT < drift < (1 << 32) - _MAX_DRIFT
