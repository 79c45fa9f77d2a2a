"""Our side of a stream: one SSRC, and a sequence number and a timestamp that go on whatever is sent."""

from __future__ import annotations

from protocols.rtp.packet import HEADER

__all__ = ["Stream"]


class Stream:
    """Encodes packets of one SSRC.

    SSRC and the first sequence number and timestamp are random (§5.1): `randomness` is ten octets.

    sequence   of the next packet
    timestamp  of the next audio, in samples
    packets    sent so far; `octets` of payload in them (§6.4.1)
    """

    __slots__ = ("_marker", "octets", "packets", "sequence", "ssrc", "timestamp")

    def __init__(self, randomness: bytes) -> None:
        _, _, self.sequence, self.timestamp, self.ssrc = HEADER.unpack(bytes(2) + randomness)
        self.packets = 0
        self.octets = 0
        self._marker = 0x80

    def audio(self, payload_type: int, payload: bytes) -> bytes:
        """The next samples, one an octet; the first packet of a talkspurt is marked (RFC 3551 §4.1)."""
        sequence, timestamp, size = self.sequence, self.timestamp, len(payload)
        header = HEADER.pack(0x80, payload_type | self._marker, sequence, timestamp, self.ssrc)
        self._marker = 0
        self.sequence = sequence + 1 & 0xFFFF
        self.timestamp = timestamp + size & 0xFFFFFFFF
        self.packets += 1
        self.octets += size
        return header + payload

    def event(self, payload_type: int, payload: bytes, timestamp: int, marker: bool) -> bytes:
        """A telephone-event that began at `timestamp`; the samples it stands for are to be `passed`."""
        return self.relayed(payload_type, payload, self.sequence, timestamp, marker)

    def relayed(
        self, payload_type: int, payload: bytes, sequence: int, timestamp: int, marker: bool
    ) -> bytes:
        """A packet of another stream under our SSRC; `sequence` becomes the last one when it is ahead."""
        header = HEADER.pack(0x80, payload_type | (0x80 if marker else 0), sequence, timestamp, self.ssrc)
        if sequence - self.sequence & 0x8000 == 0:
            self.sequence = sequence + 1 & 0xFFFF
        self._marker = 0
        self.packets += 1
        self.octets += len(payload)
        return header + payload

    def passed(self, samples: int) -> None:
        """So much time went by under something else than audio."""
        self.timestamp = self.timestamp + samples & 0xFFFFFFFF

    def silent(self, samples: int) -> None:
        """So much time went by with nothing sent: the next audio is the start of a talkspurt."""
        self.passed(samples)
        self._marker = 0x80
