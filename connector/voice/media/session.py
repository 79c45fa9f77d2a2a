"""The media of one call: its sockets, what it says, hears and reports."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from connector.voice.audio import CodecName, Sound
from connector.voice.media.clock import MediaClock
from connector.voice.media.listener import Listener, MediaStatistics
from connector.voice.media.peer import Peer, numeric
from connector.voice.media.playing import SLOT_SAMPLES, Playback
from connector.voice.media.ports import PortRange, PortsExhausted
from connector.voice.media.reporting import Reporting
from protocols.rtp.dtmf import DIGITS, DigitReceiver, Press
from protocols.rtp.errors import PacketError
from protocols.rtp.g711 import A_TO_MU, MU_TO_A
from protocols.rtp.packet import Packet, parse
from protocols.rtp.receiver import Arrival
from protocols.rtp.relay import Relay
from protocols.rtp.sender import Stream
from protocols.rtp.sources import Sources

if TYPE_CHECKING:
    from connector.voice.media.srtp import Srtp
    from protocols.sip.sdp import Agreed

__all__ = ["Listener", "MediaSession", "MediaStatistics", "PortRange", "PortsExhausted"]

_DATAGRAM_OCTETS = 1500
_CHECK_SLOTS = 25
_DIGIT_SAMPLES = 5 * SLOT_SAMPLES
_DIGIT_GAP_SLOTS = 3
_MAX_DIGITS = 32
_QUIET_SLOTS = 5
"""A bridge whose far side is silent this long has its silence filled, so that nobody takes it for dead."""

_COMFORT_NOISE = 13
_STATIC: dict[int, CodecName] = {0: "PCMU", 8: "PCMA"}
_TRANSCODE: dict[CodecName, bytes] = {"PCMU": A_TO_MU, "PCMA": MU_TO_A}
"""By the codec that is to come out."""
_MAX_DISCARDED = 1024
_UNUSABLE = (Arrival.PROBATION, Arrival.STRAY, Arrival.DUPLICATE)


class MediaSession:
    """RTP and RTCP of one call leg, paced by `clock`.

    While connected it sends in every slot of 20 ms: what is to be played, a digit, what a bridge brings, or
    silence. It hears only the negotiated peer. `now` is in monotonic seconds everywhere.
    """

    __slots__ = (
        "_agreed", "_clock", "_codecs", "_control", "_digit_receiver", "_digits", "_event_type",
        "_event_types", "_far", "_first_received_at", "_first_sent_at", "_gap", "_heard_at", "_listener",
        "_malformed", "_own_event_type", "_peer", "_playback", "_ports", "_press", "_quiet", "_relay",
        "_reporting", "_rng", "_rtcp", "_rtp", "_sends", "_sources", "_spoofed", "_srtp", "_stream",
        "_timed_out", "_timeout_s", "_unsent", "_until_check", "local",
    )  # fmt: skip

    def __init__(
        self, clock: MediaClock, host: str, ports: PortRange, *,
        rng: Callable[[int], bytes], listener: Listener, timeout_s: float = 20.0,
        telephone_event: int = 101,
    ) -> None:  # fmt: skip
        """Opens the sockets on `host`; raises PortsExhausted, and OSError for an address that is not ours.

        rng              so many random octets: for ports, SSRC, sequence and timestamp, CNAME, report times
        timeout_s        `Listener.timed_out` after so long without RTP
        telephone_event  payload type of our own description, which the peer may send with
        """
        self._rtp, self._rtcp = ports.open(host, int.from_bytes(rng(4), "big"))
        self.local: tuple[str, int] = (host, self._rtp.getsockname()[1])
        self._clock = clock
        self._ports = ports
        self._rng = rng
        self._listener = listener
        self._timeout_s = timeout_s
        self._stream = Stream(rng(10))
        self._sources = Sources()
        self._playback = Playback("PCMU")
        self._digit_receiver = DigitReceiver()
        self._digits: deque[str] = deque()
        self._press: Press | None = None
        self._gap = 0
        self._far: MediaSession | None = None
        self._relay: Relay | None = None
        self._quiet = 0
        self._agreed: Agreed | None = None
        self._srtp: Srtp | None = None
        self._reporting: Reporting | None = None
        self._codecs: dict[int, CodecName] = {}
        self._event_type: int | None = None
        self._own_event_type = telephone_event
        self._event_types: tuple[int, ...] = ()
        self._peer = self._control = Peer("", 0)
        self._sends = False
        self._timed_out = False
        self._heard_at = 0.0
        self._until_check = _CHECK_SLOTS
        self._spoofed = self._malformed = self._unsent = 0
        self._first_sent_at: float | None = None
        self._first_received_at: float | None = None

    def connect(self, agreed: Agreed, now: float) -> None:
        """Begin to send and receive as `agreed`; again for each later agreement.

        What came before the first is discarded: ringing and announcements are not whom the call reaches.
        SSRC, sequence numbers and what is being played go on. Raises ValueError for a host that is a name,
        for keys of one direction only, and for an unknown crypto suite; nothing has changed then.
        """
        host = numeric(agreed.host)
        srtp = self._agree_on_keys(agreed)
        before, self._agreed, self._srtp = self._agreed, agreed, srtp
        if before is None or (before.host, before.port) != (agreed.host, agreed.port):
            self._peer, self._control = Peer(host, agreed.port), Peer(host, agreed.port + 1)
        self._codecs = _STATIC | {agreed.payload_type: agreed.codec}
        self._event_type = agreed.telephone_event
        self._event_types = () if self._event_type is None else (self._event_type, self._own_event_type)
        if self._event_type is None:
            self._digits.clear()
            self._press = None
        self._playback.use(agreed.codec)
        self._sends = agreed.send and self._reachable
        self._heard_at, self._timed_out = now, False
        if before is None:
            self._reporting = Reporting(self._stream, self._sources, self._rng, self._clock.unix_offset, now)
            _discard(self._rtp)
            _discard(self._rtcp)
            self._clock.watch(self._rtp.fileno(), self._receive)
            self._clock.watch(self._rtcp.fileno(), self._receive_control)
            self._clock.join(self, now)

    def _agree_on_keys(self, agreed: Agreed) -> Srtp | None:
        if agreed.local_key is None and agreed.remote_key is None:
            return None
        if agreed.local_key is None or agreed.remote_key is None:
            raise ValueError("keys: either both directions have one, or none")
        if self._srtp is not None and self._srtp.keys == (agreed.local_key, agreed.remote_key):
            return self._srtp
        from connector.voice.media.srtp import Srtp

        return Srtp(agreed.local_key, agreed.remote_key)

    @property
    def _reachable(self) -> bool:
        """Whether there is an address to send to: 0.0.0.0 is the old way to hold a call (RFC 3264 §8.4)."""
        agreed = self._agreed
        return agreed is not None and agreed.port != 0 and agreed.host not in ("0.0.0.0", "::")

    # ------------------------------------------------------------ what the call asks for

    def play(self, sound: Sound) -> None:
        """After what is being played; `Listener.played` when it is over. ValueError when 64 wait already."""
        self._playback.add(sound)

    def stop_playing(self) -> None:
        """Silence from the next slot on; nothing of the queue is left."""
        self._playback.clear()

    def send_digit(self, digit: str) -> bool:
        """Press a key for 100 ms, after those that wait; what is being played pauses meanwhile.

        False when the peer takes no telephone-events, or 32 wait already. ValueError for what is no key.
        """
        if len(digit) != 1 or digit not in DIGITS:
            raise ValueError("a key: one of 0-9 * # A-D is expected")
        if self._event_type is None or len(self._digits) == _MAX_DIGITS:
            return False
        self._digits.append(digit)
        return True

    def bridge(self, other: MediaSession) -> None:
        """Let both peers hear each other, instead of whomever they were bridged to before.

        What is played to one of them is heard by that one instead of the other. Digits pass, and are told to
        the listeners as before.
        """
        if other is self:
            raise ValueError("a session cannot be bridged to itself")
        for session, far in ((self, other), (other, self)):
            session.unbridge()
            session._far, session._relay = far, Relay(session._stream)
            session._quiet = _QUIET_SLOTS + 1

    def unbridge(self) -> None:
        """Silence from the next slot on, for both."""
        far, self._far, self._relay = self._far, None, None
        if far is not None and far._far is self:
            far.unbridge()

    def statistics(self) -> MediaStatistics:
        """What happened so far; after `close` too."""
        sources, reporting = self._sources, self._reporting
        return MediaStatistics(
            sent=self._stream.packets - self._unsent,
            received=sources.received,
            lost=sources.lost,
            duplicates=sources.duplicates,
            reordered=sources.reordered,
            spoofed=self._spoofed,
            jitter_ms=sources.jitter_s * 1000,
            first_sent_at=self._first_sent_at,
            first_received_at=self._first_received_at,
            remote_lost_fraction=reporting.remote_lost_fraction if reporting else None,
            round_trip_s=reporting.round_trip_s if reporting else None,
            malformed=self._malformed,
            unsent=self._unsent,
            last_received_at=self._heard_at if self._first_received_at is not None else None,
        )

    def close(self, now: float | None = None) -> None:
        """Say goodbye (RTCP BYE), close the sockets, give the ports back. Once; later calls do nothing."""
        if self._rtp.fileno() < 0:
            return
        self.unbridge()
        self.stop_playing()
        self._sends = False
        self._digits.clear()
        if self._reporting is not None:
            self._report(self._clock.now() if now is None else now, goodbye=True)
            self._clock.leave(self)
            self._clock.unwatch(self._rtp.fileno())
            self._clock.unwatch(self._rtcp.fileno())
        self._rtp.close()
        self._rtcp.close()
        self._ports.give_back(self.local[1])

    # ------------------------------------------------------------ what the clock asks for

    def slot(self, now: float) -> None:
        """Send what belongs into this slot."""
        self._until_check -= 1
        if self._until_check <= 0:
            self._check(now)
        playback, stream = self._playback, self._stream
        if playback.over:
            playback.over = False
            self._listener.played(now)
        if not self._sends:
            stream.silent(SLOT_SAMPLES)
            return
        if (self._digits or self._press is not None) and self._send_event(now):
            return
        if self._far is not None and not playback.busy and self._leave_to_bridge():
            return
        agreed = self._agreed
        assert agreed is not None
        self._send(stream.audio(agreed.payload_type, playback.frame()), now)

    def skip(self, slots: int) -> None:
        """So many slots went by; what is being played goes on after the gap, whole."""
        self._stream.silent(slots * SLOT_SAMPLES)
        self._until_check -= slots

    def _send(self, packet: bytes, now: float) -> None:
        if self._srtp is not None:
            protected = self._srtp.protect(packet)
            if protected is None:
                self._unsent += 1
                return
            packet = protected
        try:
            self._rtp.sendto(packet, self._peer.address)
        except BlockingIOError:
            self._clock.blocked += 1
            self._unsent += 1
        except OSError:
            self._unsent += 1
        else:
            if self._first_sent_at is None:
                self._first_sent_at = now

    def _send_event(self, now: float) -> bool:
        """The slot's packet of a key that is pressed; False between two keys."""
        if self._gap:
            self._gap -= 1
            return False
        stream = self._stream
        if self._press is None:
            self._press = Press(self._digits.popleft(), stream.timestamp, _DIGIT_SAMPLES, SLOT_SAMPLES)
        timestamp, marker, payload = self._press.packet()
        assert self._event_type is not None
        packet = stream.event(self._event_type, payload, timestamp, marker)
        stream.passed(SLOT_SAMPLES)
        if self._press.over:
            self._press, self._gap = None, _DIGIT_GAP_SLOTS
        self._send(packet, now)
        return True

    def _leave_to_bridge(self) -> bool:
        """Whether the far side still sends, so that this slot is not ours."""
        self._quiet += 1
        if self._quiet <= _QUIET_SLOTS:
            return True
        if self._quiet == _QUIET_SLOTS + 1:
            self._stream.silent(_QUIET_SLOTS * SLOT_SAMPLES)
        return False

    def _check(self, now: float) -> None:
        """What is not worth a look in every slot: reports and the media time-out."""
        self._until_check = _CHECK_SLOTS
        agreed, reporting = self._agreed, self._reporting
        assert agreed is not None and reporting is not None
        if now >= reporting.due_at:
            self._report(now)
        if agreed.receive and not self._timed_out and now - self._heard_at >= self._timeout_s:
            self._timed_out = True
            self._listener.timed_out(now)

    def _report(self, now: float, goodbye: bool = False) -> None:
        assert self._reporting is not None
        packet = self._reporting.compose(now, goodbye)
        if not self._reachable:
            return
        if self._srtp is not None:
            packet = self._srtp.protect_rtcp(packet)
        # A report that cannot leave is no loss: the next one says the same.
        with suppress(OSError):
            self._rtcp.sendto(packet, self._control.address)

    # ------------------------------------------------------------ what the peer sends

    def _receive(self, now: float) -> None:
        try:
            datagram, address = self._rtp.recvfrom(_DATAGRAM_OCTETS)
        except OSError:
            return
        peer = self._peer
        if address != peer.address and not peer.accepts(address):
            self._spoofed += 1
            return
        if self._srtp is not None:
            opened = self._srtp.unprotect(datagram)
            if opened is None:
                self._spoofed += 1
                return
            datagram = opened
        try:
            packet = parse(datagram)
        except PacketError:
            self._malformed += 1
            return
        codec = self._codecs.get(packet.payload_type)
        if codec is None and packet.payload_type not in (*self._event_types, _COMFORT_NOISE):
            self._malformed += 1
            return
        if packet.ssrc == self._stream.ssrc or (self._far and packet.ssrc == self._far._stream.ssrc):
            self._spoofed += 1  # our own come back (RFC 3550 §8.2): a bridge would send them for ever
            return
        arrival = self._sources.receive(packet.ssrc, packet.sequence, packet.timestamp, now)
        if arrival is not Arrival.IN_ORDER:
            if arrival in _UNUSABLE:
                return
            if arrival is Arrival.RESTARTED:
                self._digit_receiver = DigitReceiver()
        if address != peer.address or not peer.latched:
            peer.latch(address)
        self._heard_at, self._timed_out = now, False
        if self._first_received_at is None:
            self._first_received_at = now
            self._listener.first_packet(now)
        if codec is None or self._far is not None or self._listener.listening:
            self._deliver(packet, codec, now)

    def _deliver(self, packet: Packet, codec: CodecName | None, now: float) -> None:
        listener = self._listener
        if codec is not None:
            if listener.listening:
                listener.audio(packet.payload, codec, now)
        elif packet.payload_type in self._event_types:
            try:
                digits = self._digit_receiver.receive(packet.timestamp, packet.payload)
            except PacketError:
                self._malformed += 1
                return
            for digit in digits:
                listener.digit(digit, now)
        else:
            return
        if self._far is not None:
            self._far._pass_on(packet, codec, now)

    def _pass_on(self, packet: Packet, codec: CodecName | None, now: float) -> None:
        """Send what the other leg of the bridge received; `codec` is None for a telephone-event."""
        agreed, relay = self._agreed, self._relay
        if not self._sends or agreed is None or relay is None:
            return
        if self._playback.busy or self._press is not None:
            return
        payload, payload_type, samples = packet.payload, agreed.payload_type, len(packet.payload)
        if codec is None:
            if self._event_type is None:
                return
            payload_type, samples = self._event_type, 0
        elif codec != agreed.codec:
            payload = payload.translate(_TRANSCODE[agreed.codec])
        passed = relay.packet(packet, payload_type, payload, samples)
        if passed is not None:
            self._quiet = 0
            self._send(passed, now)

    def _receive_control(self, now: float) -> None:
        try:
            datagram, address = self._rtcp.recvfrom(_DATAGRAM_OCTETS)
        except OSError:
            return
        control = self._control
        if not control.accepts(address):
            self._spoofed += 1
            return
        opened = self._srtp.unprotect_rtcp(datagram) if self._srtp is not None else datagram
        if opened is None:
            self._spoofed += 1
        elif self._reporting is None or not self._reporting.receive(opened, now):
            self._malformed += 1
        elif address != control.address or not control.latched:
            control.latch(address)


def _discard(opened: socket.socket) -> None:
    """What waits in the socket, as far as a flood allows."""
    with suppress(OSError):
        for _ in range(_MAX_DISCARDED):
            opened.recv(1)
