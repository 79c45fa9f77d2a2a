"""A scripted callee on real loopback sockets: our user agent as UAS, and media that can press keys."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any

from connector.voice.audio import Audio
from connector.voice.media.clock import MediaClock
from connector.voice.media.session import MediaSession, PortRange
from protocols.sip import events as sip
from protocols.sip.agent import UserAgent
from protocols.sip.message import Request, parse
from protocols.sip.sdp import KEY_LENGTH, Crypto, LocalMedia
from protocols.sip.timers import Timers

FAST = Timers(t1=0.03, t2=0.24, t4=0.3)
HASTY = Timers(t1=0.01, t2=0.08, t4=0.1)
"""For those who wait until a transaction gives up (0.64 s)."""
PORTS = PortRange(40000, 49999)


class Answerer:
    """One call as its callee sees it: `call` of SIP, `media`, the keys and the audio that came."""

    listening = True

    def __init__(self, uas: Uas, invited: sip.Invited) -> None:
        self.uas = uas
        self.call = invited.call
        self.request: Request = invited.request
        self.heard = bytearray()
        self.keys = ""
        self.agreed: Any = None
        self.ended: list[Any] = []
        self.changed = asyncio.Event()
        self.media = MediaSession(
            uas.clock, "127.0.0.1", PORTS, rng=secrets.token_bytes, listener=self, timeout_s=60.0
        )
        crypto = b"RTP/SAVP" in invited.offer
        self.local = LocalMedia(
            "127.0.0.1",
            self.media.local[1],
            crypto=(Crypto(1, "AES_CM_128_HMAC_SHA1_80", secrets.token_bytes(KEY_LENGTH)),) if crypto else (),
        )

    def ring(self, status: int = 180, reliable: bool = False) -> None:
        self.call.ring(status, self.uas.now(), reliable=reliable)
        self.uas.turn()

    def accept(self) -> None:
        if self.call.ended:  # the caller was quicker
            return
        self.call.accept(self.local, self.uas.now())
        self.uas.turn()

    def reject(self, status: int, *headers: tuple[str, str]) -> None:
        self.call.reject(status, self.uas.now(), headers)
        self.uas.turn()

    def challenge(self, realm: str) -> None:
        self.call.challenge(realm, self.uas.now())
        self.uas.turn()

    def hang_up(self) -> None:
        self.call.hang_up(self.uas.now())
        self.uas.turn()

    def press_info(self, digit: str) -> None:
        self.call.info_digit(digit, self.uas.now())
        self.uas.turn()

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def until_spoken_to(self) -> None:
        """A prompt has begun: keys mean something from now on."""
        await self.until(lambda: TONE.pcma[:400] in self.heard)

    # SIP

    def sip(self, event: Any, now: float) -> None:
        match event:
            case sip.Answered(_, agreed):
                self.agreed = agreed
                self.media.connect(agreed, time.monotonic())
            case sip.Digit(_, digit):
                self.keys += digit
            case sip.Ended() | sip.Cancelled() | sip.Rejected():
                self.ended.append(event)
                self.media.close()
            case sip.TransferAsked(call, to):
                self.uas.transfers.append((call, to))
        self.changed.set()

    # Listener

    def first_packet(self, now: float) -> None:
        self.changed.set()

    def digit(self, digit: str, now: float) -> None:
        self.keys += digit
        self.changed.set()

    def played(self, now: float) -> None: ...

    def audio(self, frame: bytes, codec: str, now: float) -> None:
        self.heard += frame
        self.changed.set()

    def timed_out(self, now: float) -> None: ...


Plan = Callable[[Answerer], Awaitable[None]]


class Uas(asyncio.DatagramProtocol):
    """`plan` says what to do with each INVITE. `seen` has every request that came, `calls` every Answerer.

    `mute` withholds all that comes, or with octets what has these in it, until `wake`.
    """

    def __init__(self, plan: Plan | None = None) -> None:
        self.plan = plan
        self.agent = UserAgent(rng=secrets.token_bytes, product="", timers=FAST, accepts_calls=True)
        self.seen: list[Request] = []
        self.calls: list[Answerer] = []
        self.transfers: list[Any] = []
        self.mute: bool | bytes = False
        self.withheld: list[tuple[bytes, sip.Flow]] = []
        self.came = asyncio.Event()
        self.registrar: Callable[[Request], tuple[int, list[tuple[str, str]]]] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: dict[sip.Flow, asyncio.StreamWriter] = {}
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        return time.monotonic()

    async def open(self) -> Uas:
        loop = asyncio.get_running_loop()
        self.clock = MediaClock(loop)
        self.clock.start()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.port = self.transport.get_extra_info("sockname")[1]
        return self

    async def listen(self, context: ssl.SSLContext | None = None) -> int:
        """Take TCP, or TLS, as well; the port."""
        kind = "tcp" if context is None else "tls"

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            flow = sip.Flow(
                kind, writer.get_extra_info("sockname")[:2], writer.get_extra_info("peername")[:2]
            )
            self._writers[flow] = writer
            try:
                while data := await reader.read(65536):
                    self.reached(data, flow)
            except OSError:
                pass
            del self._writers[flow]
            writer.close()

        self.listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        return int(self.listening.sockets[0].getsockname()[1])

    async def close(self) -> None:
        self.transport.close()
        if hasattr(self, "listening"):
            self.listening.close()
        for writer in list(self._writers.values()):
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        for answerer in self.calls:
            answerer.media.close()
        self.clock.stop()

    def connection_made(self, transport: Any) -> None: ...

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.reached(data, sip.Flow("udp", ("127.0.0.1", self.port), addr))

    def reached(self, data: bytes, flow: sip.Flow) -> None:
        if self.mute is True or (self.mute and self.mute in data):
            self.withheld.append((data, flow))
            self.came.set()
        else:
            self.took(data, flow)

    def wake(self) -> None:
        self.mute = False
        withheld, self.withheld = self.withheld, []
        for data, flow in withheld:
            self.took(data, flow)

    def took(self, data: bytes, flow: sip.Flow) -> None:
        if b"SIP/2.0\r\n" in data and not data.startswith(b"SIP/2.0"):
            request = parse(data) if flow.transport == "udp" else None
            if isinstance(request, Request):
                self.seen.append(request)
                if request.method == "REGISTER" and self.registrar is not None:
                    self.answer(request, flow, *self.registrar(request))
                    return
        self.agent.receive(data, flow, self.now())
        self.turn()
        self.came.set()

    def answer(self, request: Request, flow: sip.Flow, status: int, headers: list[tuple[str, str]]) -> None:
        """Without a transaction: REGISTER is not the user agent's business."""
        copied = [(name, request.headers.get(name) or "") for name in ("Via", "From", "Call-ID", "CSeq")]
        to = request.headers.get("To") or ""
        lines = [*copied, ("To", f"{to};tag=r"), *headers, ("Content-Length", "0")]
        text = f"SIP/2.0 {status} x\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines)
        self.transport.sendto((text + "\r\n").encode(), flow.remote)

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self.came.clear()
                await self.came.wait()

    def methods(self, method: str) -> list[Request]:
        return [request for request in self.seen if request.method == method]

    def turn(self) -> None:
        now = self.now()
        while True:
            events = self.agent.events()
            for event in events:
                match event:
                    case sip.Invited(call):
                        answerer = call.context = Answerer(self, event)
                        self.calls.append(answerer)
                        if self.plan is not None:
                            task = asyncio.get_running_loop().create_task(self.plan(answerer))
                            self._tasks.add(task)
                            task.add_done_callback(self._tasks.discard)
                    case sip.Refused() | sip.RemoteProtocolError() | sip.OptionsAnswered():
                        pass
                    case _ if event.call.context is not None:
                        event.call.context.sip(event, now)
            out = self.agent.data_to_send()
            for flow, data in out:
                if flow.transport == "udp":
                    self.transport.sendto(data, flow.remote)
                elif flow in self._writers:
                    self._writers[flow].write(data)
            if not events and not out:
                break
        if self._timer is not None:
            self._timer.cancel()
        at = self.agent.next_timer()
        if at is not None and not self.transport.is_closing():
            self._timer = asyncio.get_running_loop().call_later(max(0.0, at - now), self._fire)

    def _fire(self) -> None:
        self.agent.handle_timer(self.now())
        self.turn()


async def answers(answerer: Answerer) -> None:
    """Rings, answers, presses 1 when asked to, and stays until the caller leaves."""
    answerer.ring()
    answerer.accept()
    await answerer.until_spoken_to()
    answerer.media.send_digit("1")


TONE = Audio.from_pcm(
    b"".join((8000 if n % 16 < 8 else -8000).to_bytes(2, "little", signed=True) for n in range(800))
)
