"""Sessions on a clock that the test turns, and a far end that sends whatever the test likes."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from random import Random
from types import TracebackType
from typing import Any, Self

from connector.voice.audio import Audio, CodecName
from connector.voice.media.clock import MediaClock
from connector.voice.media.session import MediaSession, PortRange
from protocols.rtp.packet import Packet, parse
from protocols.sip.sdp import Agreed, Crypto

HOST = "127.0.0.1"
SLOT_MS = 20
_LIMIT_S = 10.0


class Loop:
    """What the clock needs of an event loop when nobody starts it."""

    def __init__(self) -> None:
        self.errors: list[dict[str, Any]] = []

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.errors.append(context)


class Ear:
    """A listener that keeps everything it is told, as (what, value); `then` acts on it at once."""

    def __init__(self, listening: bool = False) -> None:
        self.listening = listening
        self.told: list[tuple[str, Any]] = []
        self.frames: list[tuple[bytes, CodecName]] = []
        self.then: Callable[[str], None] = lambda what: None

    def _tell(self, what: str, value: Any) -> None:
        self.told.append((what, value))
        self.then(what)

    def first_packet(self, now: float) -> None:
        self._tell("first", now)

    def digit(self, digit: str, now: float) -> None:
        self._tell("digit", digit)

    def played(self, now: float) -> None:
        self._tell("played", now)

    def audio(self, frame: bytes, codec: CodecName, now: float) -> None:
        self.frames.append((frame, codec))
        self.then("audio")

    def timed_out(self, now: float) -> None:
        self._tell("timed out", now)

    def all(self, what: str) -> list[Any]:
        return [value for each, value in self.told if each == what]

    @property
    def digits(self) -> str:
        return "".join(self.all("digit"))

    def sound(self) -> bytes:
        return b"".join(frame for frame, _ in self.frames)


class Stage:
    """A clock at `now`, and everything that was opened on it; all of it is closed at the end."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.loop = Loop()
        self._milliseconds = 1_000_000
        self.clock = MediaClock(self.loop, monotonic=lambda: self.now)  # type: ignore[arg-type]
        self.ports = PortRange(20_000, 29_999)
        self._closers: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for close in self._closers:
            close()
        self.clock.stop()
        if error is None:
            assert self.loop.errors == []
            assert len(self.ports) == 0

    @property
    def now(self) -> float:
        """Half a millisecond off the clock's steps, so that no rounding decides anything."""
        return (self._milliseconds + 0.5) / 1000

    def session(self, ear: Ear | None = None, **options: Any) -> MediaSession:
        session = MediaSession(
            self.clock, HOST, self.ports, rng=self.random.randbytes, listener=ear or Ear(), **options
        )
        self._closers.append(session.close)
        return session

    def pair(self, one: Ear, other: Ear, **terms: Any) -> tuple[MediaSession, MediaSession]:
        """Two sessions connected to each other."""
        sessions = self.session(one), self.session(other)
        for session, peer in (sessions, sessions[::-1]):
            session.connect(agreed(peer.local[1], **terms), self.now)
        return sessions

    def far_end(self, port: int = 0, host: str = HOST) -> FarEnd:
        far = FarEnd(port, host)
        self._closers.append(far.close)
        return far

    def far_pair(self) -> tuple[FarEnd, FarEnd]:
        """RTP, and RTCP at the port above; another pair when somebody has that port."""
        while True:
            far = self.far_end()
            try:
                return far, self.far_end(far.port + 1)
            except OSError:
                continue

    def advance(self, milliseconds: int) -> None:
        """Millisecond by millisecond, as the clock itself would."""
        for _ in range(milliseconds):
            self._milliseconds += 1
            self.clock.turn(self.now)

    def stall(self, milliseconds: int) -> None:
        """The clock is turned once only, after so long."""
        self._milliseconds += milliseconds
        self.clock.turn(self.now)

    def slots(self, count: int) -> None:
        self.advance(count * SLOT_MS)

    def until(self, true: Callable[[], bool]) -> None:
        """Take in what is under way, without time going by on the clock."""
        end = time.monotonic() + _LIMIT_S
        while not true():
            assert time.monotonic() < end, "it did not come"
            self.clock.turn(self.now)
            time.sleep(0.0005)


class FarEnd:
    """A socket of the test's own."""

    def __init__(self, port: int = 0, host: str = HOST) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.bind((host, port))
        except OSError:
            self.socket.close()
            raise
        self.socket.settimeout(_LIMIT_S)
        self.port: int = self.socket.getsockname()[1]
        self.close = self.socket.close

    def send(self, session: MediaSession, number: int, payload: bytes = b"\xd5" * 160, **fields: Any) -> None:
        """Packet `number` of a stream in A-law."""
        fields = {"payload_type": 8, "timestamp": number * 160, "ssrc": 0xFA4, **fields}
        self.socket.sendto(
            Packet(sequence=number & 0xFFFF, payload=payload, **fields).encode(), session.local
        )

    def take(self, count: int) -> list[Packet]:
        """The next packets that come; fails when they do not."""
        return [parse(self.socket.recv(2048)) for _ in range(count)]

    def drain(self) -> list[Packet]:
        """What is there already."""
        self.socket.setblocking(False)
        packets = []
        try:
            while True:
                packets.append(parse(self.socket.recv(2048)))
        except BlockingIOError:
            return packets
        finally:
            self.socket.settimeout(_LIMIT_S)


def agreed(port: int, codec: CodecName = "PCMA", **fields: Any) -> Agreed:
    fields = {"telephone_event": 101, "ptime_ms": 20, "send": True, "receive": True, "host": HOST, **fields}
    return Agreed(port=port, codec=codec, payload_type=8 if codec == "PCMA" else 0, **fields)


def crypto(random: Random, suite: str = "AES_CM_128_HMAC_SHA1_80", octets: int = 30) -> Crypto:
    return Crypto(1, suite, random.randbytes(octets))


def tune(random: Random, samples: int) -> Audio:
    """Audio of which no slot is like another, nor like silence."""
    octets = bytes(random.choice(range(0x50)) for _ in range(samples))
    return Audio(pcmu=octets, pcma=octets[::-1])
