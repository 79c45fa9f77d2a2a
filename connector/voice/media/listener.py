"""What a session tells its call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from connector.voice.audio import CodecName

__all__ = ["Listener", "MediaStatistics"]


class Listener(Protocol):
    """Called on the event loop between two packets: each call returns at once. `now` is in monotonic seconds.

    It may call anything of its session, `close` included.
    """

    listening: bool
    """Whether `audio` is wanted."""

    def first_packet(self, now: float) -> None:
        """The peer sends: a second packet in sequence has come. Once in a session's life."""

    def digit(self, digit: str, now: float) -> None:
        """The peer pressed one of 0–9 * # A–D: once for each press, when its first packet comes."""

    def played(self, now: float) -> None:
        """One Audio has been sent and its last 20 ms are over. Not called for what `stop_playing` removed."""

    def audio(self, frame: bytes, codec: CodecName, now: float) -> None:
        """The octets of one packet, as they came, in the order of their coming."""

    def timed_out(self, now: float) -> None:
        """Nothing has come for as long as the session allows. Again only after a packet has come."""


@dataclass(frozen=True, slots=True)
class MediaStatistics:
    """Of one session since it was opened; times in monotonic seconds.

    sent, received    RTP packets
    lost              packets that should have come by their sequence numbers (RFC 3550 A.3), never negative
    reordered         packets that came after one with a higher sequence number
    spoofed           datagrams from elsewhere than the negotiated peer, or that SRTP could not authenticate
    malformed         datagrams of the peer that are no RTP or RTCP, or of a payload type that was not agreed
    unsent            packets that the socket did not take
    jitter_ms         RFC 3550 §6.4.1
    remote_lost_fraction  of our packets, by the peer's last report; None before it
    round_trip_s      by the peer's last report about our reports; None before it
    """

    sent: int
    received: int
    lost: int
    duplicates: int
    reordered: int
    spoofed: int
    jitter_ms: float
    first_sent_at: float | None
    first_received_at: float | None
    remote_lost_fraction: float | None
    round_trip_s: float | None
    malformed: int = 0
    unsent: int = 0
    last_received_at: float | None = None
