"""The RTP data packet (§5.1, §5.3.1), with the validity checks of A.1 that need no state."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from protocols.rtp.errors import LocalProtocolError, PacketError

__all__ = ["HEADER", "HEADER_OCTETS", "Packet", "parse"]

HEADER: Final = struct.Struct(">BBHII")
HEADER_OCTETS: Final = HEADER.size

_VERSION = 0x80
_VERSION_BITS = 0xC0
_PADDING = 0x20
_EXTENSION = 0x10
_CSRC_COUNT = 0x0F
_MARKER = 0x80
_PAYLOAD_TYPE = 0x7F
_MAX_CSRC = 15
_RTCP_TYPES = range(192, 224)
"""Second octets that are RTCP's (RFC 5761 §4): no payload type of RTP may look like them."""


class Packet(NamedTuple):
    """One RTP packet.

    sequence   16 bits
    timestamp  32 bits, in samples
    csrc       contributing sources, at most 15
    extension  (what the profile defines, 16 bits; whole words), or None
    padding    octets at the end that are no payload, their count in the last; 0 without
    """

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrc: tuple[int, ...] = ()
    extension: tuple[int, bytes] | None = None
    padding: int = 0

    def __str__(self) -> str:
        marker = " marker" if self.marker else ""
        return (
            f"RTP pt={self.payload_type} seq={self.sequence} ts={self.timestamp} ssrc={self.ssrc:#010x}"
            f"{marker} {len(self.payload)} octets"
        )

    def encode(self) -> bytes:
        """Raises LocalProtocolError when a field does not fit."""
        _check(self)
        first = _VERSION | len(self.csrc)
        after = b"".join(source.to_bytes(4, "big") for source in self.csrc)
        if self.extension is not None:
            first |= _EXTENSION
            profile, words = self.extension
            after += struct.pack(">HH", profile, len(words) // 4) + words
        end = b""
        if self.padding:
            first |= _PADDING
            end = bytes(self.padding - 1) + bytes([self.padding])
        second = (_MARKER if self.marker else 0) | self.payload_type
        header = HEADER.pack(first, second, self.sequence, self.timestamp, self.ssrc)
        return header + after + self.payload + end


def _check(packet: Packet) -> None:
    for field, value, bits in (
        ("payload_type", packet.payload_type, 7), ("sequence", packet.sequence, 16),
        ("timestamp", packet.timestamp, 32), ("ssrc", packet.ssrc, 32), ("padding", packet.padding, 8),
        *(("csrc", source, 32) for source in packet.csrc),
    ):  # fmt: skip
        if not 0 <= value < 1 << bits:
            raise LocalProtocolError(field, f"a number of {bits} bits is expected")
    if packet.marker and packet.payload_type | _MARKER in _RTCP_TYPES:
        raise LocalProtocolError("payload_type", "with the marker it would be taken for RTCP")
    if len(packet.csrc) > _MAX_CSRC:
        raise LocalProtocolError("csrc", "15 at most")
    if packet.extension is not None:
        profile, words = packet.extension
        if not 0 <= profile <= 0xFFFF or len(words) % 4 or len(words) // 4 > 0xFFFF:
            raise LocalProtocolError("extension", "16 bits, and whole words of 32 bits, are expected")


def parse(datagram: bytes) -> Packet:
    """Raises PacketError for what is no RTP packet."""
    if len(datagram) < HEADER_OCTETS:
        raise PacketError("shorter than a header")
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(datagram)
    if first == _VERSION and second not in _RTCP_TYPES:
        return Packet(
            second & _PAYLOAD_TYPE, sequence, timestamp, ssrc, datagram[HEADER_OCTETS:], second >= _MARKER
        )
    if first & _VERSION_BITS != _VERSION:
        raise PacketError("not version 2")
    if second in _RTCP_TYPES:
        raise PacketError("RTCP, not RTP")
    csrc, extension, at = _after_header(datagram, first)
    padding = datagram[-1] if first & _PADDING else 0
    if first & _PADDING and not 0 < padding <= len(datagram) - at:
        raise PacketError("padding longer than the packet, or none")
    return Packet(
        second & _PAYLOAD_TYPE, sequence, timestamp, ssrc, datagram[at : len(datagram) - padding],
        second >= _MARKER, csrc, extension, padding,
    )  # fmt: skip


def _after_header(datagram: bytes, first: int) -> tuple[tuple[int, ...], tuple[int, bytes] | None, int]:
    """CSRC list, extension, and where the payload begins."""
    count = first & _CSRC_COUNT
    at = HEADER_OCTETS + 4 * count
    if len(datagram) < at:
        raise PacketError("ends within its CSRC list")
    csrc: tuple[int, ...] = struct.unpack_from(f">{count}I", datagram, HEADER_OCTETS)
    if not first & _EXTENSION:
        return csrc, None, at
    if len(datagram) < at + 4:
        raise PacketError("ends within its extension")
    profile, words = struct.unpack_from(">HH", datagram, at)
    begin, at = at + 4, at + 4 + 4 * words
    if len(datagram) < at:
        raise PacketError("ends within its extension")
    return csrc, (profile, datagram[begin:at]), at
