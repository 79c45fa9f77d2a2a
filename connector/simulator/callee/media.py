"""RTP of one call: what the callee says and presses, and what it hears."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import random
import socket
from collections import deque
from typing import TYPE_CHECKING, Protocol

from protocols.rtp import dtmf, packet
from protocols.rtp.errors import PacketError
from protocols.rtp.g711 import PCMA, PCMU
from protocols.rtp.receiver import Arrival, Reception
from protocols.rtp.sender import Stream
from protocols.sip.sdp import Agreed, LocalMedia

from .disorder import Disorder
from .ear import Ear
from .pace import FRAME_S
from .reports import Reports
from .sounds import RATE

if TYPE_CHECKING:
    from .options import CalleeOptions
    from .recording import Recording

_LAWS = {law.name: law for law in (PCMU, PCMA)}
_EVENTS = 101
_FRAME = round(RATE * FRAME_S)
_GAP_FRAMES = 5
_READS = 64
_TRIES = 100
_OCTETS = 2048
_BUFFER = 1 << 18
_SPOOFED_OCTET = b"\x2a"


class Listener(Protocol):
    """Is told what comes; times are monotonic seconds."""

    def first_packet(self, now: float) -> None: ...
    def digit(self, digit: str) -> None: ...


class Media:
    """Sockets, streams and sounds of one call; `tick` is to be called every 20 ms.

    Takes packets of the negotiated host only. Raises OSError when no port is free.
    """

    def __init__(
        self,
        host: str,
        options: CalleeOptions,
        rng: random.Random,
        listener: Listener,
        recording: Recording | None,
    ) -> None:
        self._options = options
        self._listener = listener
        self._recording = recording
        self._loop = asyncio.get_running_loop()
        self._socket, above = _bound_pair(host)
        self._stranger = _bound(host, 0) if options.spoofed_per_s else None
        self._loop.add_reader(self._socket, self._readable)
        self._agreed: Agreed | None = None
        self._stream = Stream(rng.randbytes(10))
        self._reports = Reports(above, self._stream, rng)
        self._spoofed = Stream(rng.randbytes(10))
        self._spoof_due = 0.0
        faults = (options.rtp_drop, options.rtp_duplicate, options.rtp_reorder)
        self._outgoing: Disorder[bytes] = Disorder(random.Random(rng.getrandbits(64)), *faults)
        self._incoming: Disorder[bytes] = Disorder(random.Random(rng.getrandbits(64)), *faults)
        self._sound = b""
        self._at = 0
        self._repeats = False
        self._keys: deque[str] = deque()
        self._press: dtmf.Press | None = None
        self._gap = 0
        self._digits = dtmf.DigitReceiver()
        self._reception: Reception | None = None
        self._received = _Received()
        self.ear = Ear()

    @property
    def local(self) -> LocalMedia:
        """What this side offers."""
        address, port = self._socket.getsockname()[:2]
        return LocalMedia(address, port, tuple(self._options.codecs), telephone_event=_EVENTS)  # type: ignore[arg-type]  # checked by its choices

    @property
    def sent(self) -> int:
        return self._stream.packets

    @property
    def connected(self) -> bool:
        return self._agreed is not None

    def connect(self, agreed: Agreed) -> None:
        """Send to what was negotiated, from the next tick on."""
        if self._agreed is not None and agreed.codec != self._agreed.codec:
            old, new = _LAWS[self._agreed.codec], _LAWS[agreed.codec]
            self._sound = new.encode(old.decode(self._sound))
        self._agreed = agreed
        self._reports.connect(agreed.host, agreed.port, self._loop.time())

    def play(self, pcm: bytes, *, repeats: bool = False) -> None:
        """Say this from now on, instead of what is being said. Only once connected."""
        assert self._agreed is not None
        self._sound, self._at, self._repeats = _LAWS[self._agreed.codec].encode(pcm), 0, repeats

    def press(self, keys: str) -> bool:
        """Press keys as telephone-events (RFC 4733); False when the peer has not agreed to them."""
        if self._agreed is None or self._agreed.telephone_event is None:
            return False
        self._keys.extend(keys)
        return True

    def tick(self, now: float) -> None:
        """20 ms have passed."""
        agreed = self._agreed
        if agreed is None:
            return
        if self._options.sends_rtp:
            self._reports.tick(now)
        if self._options.sends_rtp and agreed.send:
            self._send(self._pressed(agreed) or self._said(agreed))
        else:
            self._stream.silent(_FRAME)
        if self._stranger is not None and now >= self._spoof_due:
            self._spoof_due = max(now, self._spoof_due) + 1 / self._options.spoofed_per_s
            octets = self._spoofed.audio(agreed.payload_type, _SPOOFED_OCTET * _FRAME)
            with contextlib.suppress(OSError):
                self._stranger.sendto(octets, (agreed.host, agreed.port))

    def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._reports.close(self._loop.time())
        if self._stranger is not None:
            self._stranger.close()

    def statistics(self) -> dict[str, object]:
        """Of what came: counts of packets, and the jitter in milliseconds (RFC 3550 §6.4.1)."""
        told = self._received.as_json() | {"reports": self._reports.received}
        if self._reception is not None:
            told |= {
                "lost": self._reception.lost,
                "duplicates": self._reception.duplicates,
                "reordered": self._reception.reordered,
                "jitter_ms": round(self._reception.jitter_s * 1000, 3),
            }
        return told

    def _pressed(self, agreed: Agreed) -> bytes | None:
        """The next packet of the key that is down, or going down."""
        if agreed.telephone_event is None or not (self._press or (self._keys and not self._gap)):
            self._gap = max(0, self._gap - 1)
            return None
        if self._press is None:
            duration = self._options.key_ms * RATE // 1000
            self._press = dtmf.Press(self._keys.popleft(), self._stream.timestamp, duration, _FRAME)
        event = self._press.packet()
        octets = self._stream.event(agreed.telephone_event, event.payload, event.timestamp, event.marker)
        self._stream.passed(_FRAME)
        if self._press.over:
            self._press, self._gap = None, _GAP_FRAMES
        return octets

    def _said(self, agreed: Agreed) -> bytes:
        frame = self._sound[self._at : self._at + _FRAME]
        self._at += _FRAME
        if self._at >= len(self._sound) and self._repeats:
            self._at = 0
        silence = bytes([_LAWS[agreed.codec].silence])
        return self._stream.audio(agreed.payload_type, frame.ljust(_FRAME, silence))

    def _send(self, octets: bytes) -> None:
        assert self._agreed is not None
        for each in self._outgoing.passed(octets):
            with contextlib.suppress(OSError):
                self._socket.sendto(each, (self._agreed.host, self._agreed.port))

    def _readable(self) -> None:
        for _ in range(_READS):
            try:
                datagram, source = self._socket.recvfrom(_OCTETS)
            except OSError:  # no more, or an ICMP error of what was sent
                return
            if self._agreed is None or source[0] != self._agreed.host:
                self._received.strangers += 1
                continue
            for each in self._incoming.passed(datagram):
                self._take(each, self._loop.time())

    def _take(self, datagram: bytes, now: float) -> None:
        agreed, counts = self._agreed, self._received
        assert agreed is not None
        try:
            came = packet.parse(datagram)
            if came.payload_type in (agreed.telephone_event, _EVENTS):
                for digit in self._digits.receive(came.timestamp, came.payload):
                    self._listener.digit(digit)
            elif came.payload_type != agreed.payload_type:
                raise PacketError("a payload type that was not negotiated")
        except PacketError:
            counts.malformed += 1
            return
        counts.packets += 1
        if counts.packets == 1:
            self._listener.first_packet(now)
        if self._reception is None or self._reception.ssrc != came.ssrc:
            self._reception = self._reports.reception = Reception(came.ssrc)
            counts.sources += 1
        arrival = self._reception.receive(came.sequence, came.timestamp, now)
        if came.payload_type == agreed.payload_type and arrival is not Arrival.DUPLICATE:
            self.ear.hear(came.payload, agreed.codec, now)
            if self._recording is not None:
                pcm = _LAWS[agreed.codec].decode(came.payload)
                self._recording.place(came.ssrc, came.timestamp, pcm, now)


class _Received:
    """packets are RTP of what was agreed; strangers came from another host; sources are SSRCs."""

    def __init__(self) -> None:
        self.packets = self.malformed = self.strangers = self.sources = 0

    def as_json(self) -> dict[str, object]:
        return dict(vars(self))


def _bound_pair(host: str) -> tuple[socket.socket, socket.socket]:
    """Sockets of an even port and of the one above it (RFC 3550 §11)."""
    for _ in range(_TRIES):
        first = _bound(host, 0)
        port = first.getsockname()[1]
        try:
            if port % 2 == 0:
                return first, _bound(host, port + 1)
        except OSError:
            pass
        first.close()
    raise OSError(errno.EADDRINUSE, "no two free ports, an even one and the next")


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    endpoint = socket.socket(family, socket.SOCK_DGRAM)
    try:
        endpoint.setblocking(False)
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        endpoint.bind((host, port))
    except OSError:
        endpoint.close()
        raise
    return endpoint
