"""A caller on loopback: the user agent of protocols.sip as UAC, with RTP, and everything that came of it."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from connector.simulator.callee.callee import Callee
from connector.simulator.callee.options import CalleeOptions
from protocols.rtp import dtmf, packet
from protocols.rtp.g711 import PCMA, PCMU
from protocols.rtp.sender import Stream
from protocols.sip import events
from protocols.sip.agent import UserAgent
from protocols.sip.call import Call
from protocols.sip.digest import Credentials
from protocols.sip.events import Flow, Invitation
from protocols.sip.sdp import Agreed, LocalMedia
from protocols.sip.timers import Timers

PATIENCE_S = 40.0
NUMBER = "+441632960101"
LAWS = {"PCMU": PCMU, "PCMA": PCMA}
T = TypeVar("T")


class Sound:
    """RTP of one caller: sends what it is told to in frames of 20 ms, keeps what comes."""

    def __init__(self, codecs: tuple[str, ...] = ("PCMA", "PCMU")) -> None:
        self.socket, self.above = port_pair()
        host, port = self.socket.getsockname()
        self.local = LocalMedia(host, port, codecs)  # type: ignore[arg-type]
        self.packets: list[tuple[packet.Packet, tuple[str, int]]] = []
        self.digits = ""
        self._receiver = dtmf.DigitReceiver()
        self._stream = Stream(random.Random(11).randbytes(10))
        asyncio.get_running_loop().add_reader(self.socket, self._readable)

    def _readable(self) -> None:
        with suppress(BlockingIOError):
            while True:
                datagram, source = self.socket.recvfrom(2048)
                came = packet.parse(datagram)
                self.packets.append((came, source[:2]))
                if came.payload_type == 101:
                    self.digits += self._receiver.receive(came.timestamp, came.payload)

    @property
    def heard(self) -> list[packet.Packet]:
        """Packets with audio."""
        return [came for came, _ in self.packets if came.payload_type in (0, 8)]

    @property
    def loud(self) -> list[packet.Packet]:
        """Packets with audio that is no silence."""
        return [came for came in self.heard if len(set(came.payload)) > 8]

    async def say(self, pcm: bytes, agreed: Agreed, pace_s: float = 0.02) -> None:
        octets = LAWS[agreed.codec].encode(pcm)
        for at in range(0, len(octets), 160):
            frame = self._stream.audio(agreed.payload_type, octets[at : at + 160])
            self.socket.sendto(frame, (agreed.host, agreed.port))
            await asyncio.sleep(pace_s)

    async def press(self, digit: str, agreed: Agreed) -> None:
        press = dtmf.Press(digit, self._stream.timestamp, 960, 160)
        while not press.over:
            event = press.packet()
            octets = self._stream.event(
                agreed.telephone_event or 101, event.payload, event.timestamp, event.marker
            )
            self.socket.sendto(octets, (agreed.host, agreed.port))
        self._stream.passed(960)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.socket)
        self.socket.close()
        self.above.close()


def port_pair() -> tuple[socket.socket, socket.socket]:
    """For RTP, and for RTCP the one above it."""
    while True:
        pair = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in "12"]
        for one in pair:
            one.setblocking(False)
        pair[0].bind(("127.0.0.1", 0))
        with suppress(OSError):
            pair[1].bind(("127.0.0.1", pair[0].getsockname()[1] + 1))
            return pair[0], pair[1]
        for one in pair:
            one.close()


class Caller(asyncio.DatagramProtocol):
    """Use `calling`."""

    def __init__(self, port: int, seed: int = 5) -> None:
        self.port = port
        self.loop = asyncio.get_running_loop()
        self.agent = UserAgent(rng=random.Random(seed).randbytes, product="caller")
        self.events: list[events.Event] = []
        self.wire: list[bytes] = []
        self.changed = asyncio.Event()
        self.sounds: list[Sound] = []
        self._timer: asyncio.TimerHandle | None = None
        self._writers: dict[Flow, asyncio.StreamWriter] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        transport, _ = await self.loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))
        self.transport = transport
        local = transport.get_extra_info("sockname")[:2]
        self.flow = Flow("udp", local, ("127.0.0.1", self.port))

    async def tcp(self) -> Flow:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        flow = Flow("tcp", writer.get_extra_info("sockname")[:2], ("127.0.0.1", self.port))
        self._writers[flow] = writer

        async def read() -> None:
            while data := await reader.read(65536):
                self.agent.receive(data, flow, self.loop.time())
                self.flush()

        self._tasks.append(asyncio.create_task(read()))
        return flow

    def restarted(self, timers: Timers) -> None:
        """Another user agent, for a caller with less patience."""
        self.agent = UserAgent(rng=random.Random(8).randbytes, product="caller", timers=timers)

    def saw(self, octets: bytes) -> bool:
        """Whether a message with these octets came or went."""
        return any(octets in data for data in self.wire)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.wire.append(data)
        self.agent.receive(data, self.flow, self.loop.time())
        self.flush()

    def flush(self) -> None:
        self.events += self.agent.events()
        for flow, data in self.agent.data_to_send():
            self.wire.append(data)
            if flow in self._writers:
                self._writers[flow].write(data)
            else:
                self.transport.sendto(data, flow.remote)
        if self._timer is not None:
            self._timer.cancel()
        due = self.agent.next_timer()
        self._timer = None if due is None else self.loop.call_at(due, self._alarm)
        self.changed.set()

    def _alarm(self) -> None:
        self.agent.handle_timer(self.loop.time())
        self.flush()

    def invite(
        self,
        number: str = NUMBER,
        *,
        flow: Flow | None = None,
        codecs: tuple[str, ...] = ("PCMA", "PCMU"),
        password: str | None = None,
        **more: Any,
    ) -> tuple[Call, Sound]:
        sound = Sound(codecs)
        self.sounds.append(sound)
        uri = f"sip:{number}@127.0.0.1:{self.port}"
        invitation = Invitation(
            request_uri=uri,
            from_="<sip:+441632960000@127.0.0.1>",
            to=f"<{uri}>",
            contact_user="caller",
            offer=sound.local,
            credentials=None if password is None else Credentials("trunk", password, "callee.invalid"),
            **more,
        )
        call = self.agent.invite(invitation, flow or self.flow, self.loop.time())
        self.flush()
        return call, sound

    def hang_up(self, call: Call) -> None:
        call.hang_up(self.loop.time())
        self.flush()

    async def until(self, condition: Callable[[], T]) -> T:
        """What `condition` returns once it is true."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := condition()):
                self.changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.02):
                        await self.changed.wait()
        return found

    async def next(self, kind: type[T], call: Call | None = None) -> T:
        """The first event of this kind, of this call."""

        def found() -> Any:
            wanted = [event for event in self.events if isinstance(event, kind)]
            return next((one for one in wanted if call is None or one.call is call), None)  # type: ignore[attr-defined]

        result: T = await self.until(found)
        return result

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for writer in self._writers.values():
            writer.close()
        for sound in self.sounds:
            sound.close()
        if self._timer is not None:
            self._timer.cancel()
        self.transport.close()


@asynccontextmanager
async def calling(seed: int = 1, **options: Any) -> AsyncIterator[tuple[Caller, Callee]]:
    """A caller, and a callee with these options."""
    callee = Callee(CalleeOptions().changed({"answer_after": 0.05, **options}), seed)
    port = await callee.start()
    caller = Caller(port)
    await caller.open()
    try:
        yield caller, callee
    finally:
        await callee.stop()
        caller.close()
