"""Keys pressed, as telephone-events (RFC 4733 §2), sent and received.

One press is one event: all its packets carry the timestamp of its beginning and a duration that grows; the
last one has the end bit and is sent three times. Any of them may be lost, repeated or late.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from protocols.rtp.errors import LocalProtocolError, PacketError

__all__ = ["DIGITS", "DigitReceiver", "Event", "EventPacket", "Press", "encode", "parse"]

DIGITS: Final = "0123456789*#ABCD"
"""Each at its event code (§3.2)."""

MAX_DURATION: Final = 0xFFFF
"""Longer events come in segments, each with a timestamp of its own (§2.5.1.3)."""

_BLOCK = struct.Struct(">BBH")
_END = 0x80
_VOLUME = 0x3F
_REPEATS_OF_END = 3
_LATEST_S = 10
_RATE = 8000


class Event(NamedTuple):
    """One block of the payload: `volume` in -dBm0 (0–63), `duration` in samples."""

    code: int
    end: bool
    volume: int
    duration: int


def parse(payload: bytes) -> tuple[Event, ...]:
    """The events of a payload, each beginning where the one before it ends (§2.5.1.5); or PacketError."""
    if not payload or len(payload) % _BLOCK.size:
        raise PacketError("no whole telephone-event")
    return tuple(
        Event(code, bool(flags & _END), flags & _VOLUME, duration)
        for code, flags, duration in _BLOCK.iter_unpack(payload)
    )


def encode(event: Event) -> bytes:
    return _BLOCK.pack(event.code, (_END if event.end else 0) | event.volume & _VOLUME, event.duration)


class EventPacket(NamedTuple):
    """What one packet of a press needs besides the stream's own fields."""

    timestamp: int
    marker: bool
    payload: bytes


class Press:
    """One key that we press for `duration` samples from `timestamp` on; a packet for each `step` samples.

    Raises LocalProtocolError for what is no key.
    """

    def __init__(self, digit: str, timestamp: int, duration: int, step: int, volume: int = 10) -> None:
        if len(digit) != 1 or digit not in DIGITS:
            raise LocalProtocolError("digit", "one of 0-9 * # A-D is expected")
        self._code = DIGITS.index(digit)
        self._volume = volume
        self._timestamp = timestamp
        self._left = duration
        self._step = step
        self._elapsed = 0
        self._marker = True
        self._ends = 0

    @property
    def sounding(self) -> bool:
        """Whether the key is still down: the next packet stands for time of its own."""
        return self._left > 0

    @property
    def over(self) -> bool:
        return self._ends == _REPEATS_OF_END

    def packet(self) -> EventPacket:
        """The next packet; not to be asked for once `over`."""
        self._elapsed += min(self._step, self._left)
        self._left -= min(self._step, self._left)
        end = not self._left and self._elapsed <= MAX_DURATION
        duration = min(self._elapsed, MAX_DURATION)
        payload = encode(Event(self._code, end, self._volume, duration))
        packet = EventPacket(self._timestamp, self._marker, payload)
        self._marker = False
        self._ends += end
        if self._elapsed > MAX_DURATION:
            self._timestamp = self._timestamp + MAX_DURATION & 0xFFFFFFFF
            self._elapsed -= MAX_DURATION
        return packet


class DigitReceiver:
    """Tells presses apart by what RFC 4733 guarantees and lossy networks leave of it.

    A press is told when its first packet comes, whichever that is. The marker is not needed.
    """

    def __init__(self) -> None:
        self._timestamp: int | None = None
        self._code = -1
        self._ended = False
        self._duration = 0

    def receive(self, timestamp: int, payload: bytes) -> str:
        """The keys whose presses this packet is the first sign of, mostly none; PacketError for no event."""
        pressed = ""
        for event in parse(payload):
            if self._is_new(timestamp, event) and event.code < len(DIGITS):
                pressed += DIGITS[event.code]
            timestamp = timestamp + event.duration & 0xFFFFFFFF
        return pressed

    def _is_new(self, timestamp: int, event: Event) -> bool:
        if self._timestamp is not None:
            later = timestamp - self._timestamp & 0xFFFFFFFF
            if later & 0x80000000:
                # No packet is under way that long: the peer's timestamps have begun anew.
                if (1 << 32) - later < _LATEST_S * _RATE:
                    return False
            elif self._goes_on(later, event):
                self._keep(timestamp, event, self._ended and later == 0)
                return False
        self._keep(timestamp, event, False)
        return True

    def _goes_on(self, later: int, event: Event) -> bool:
        """Whether the key that was down is the one, and cannot have been let go in between."""
        if event.code != self._code:
            return False
        if later == 0 or later < self._duration:
            return True
        return not self._ended and later in (self._duration, MAX_DURATION)

    def _keep(self, timestamp: int, event: Event, ended: bool) -> None:
        longest = max(self._duration, event.duration) if timestamp == self._timestamp else event.duration
        self._timestamp, self._code, self._duration = timestamp, event.code, longest
        self._ended = ended or event.end
