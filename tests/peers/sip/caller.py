"""Our side of a call without a script: the endpoint over real sockets, and what it was told of each call."""

import asyncio
import time
from random import Random
from typing import Any, Self, TypeVar

from benchmarks.ports import free_port
from connector.voice.endpoint import Endpoint
from connector.voice.resolve import Target, Transport
from protocols.sip.call import Call
from protocols.sip.digest import Credentials
from protocols.sip.events import Invitation, RegistrationTarget
from protocols.sip.registration import Registration
from protocols.sip.sdp import LocalMedia
from protocols.sip.timers import Timers
from tests.peers.sip.process import LOOPBACK
from tests.peers.sip.sipp import Sipp
from tests.peers.sip.steps import PASSWORD, REALM, USER

PATIENCE_S = 40.0
CALLED, CALLER_ID = "+447700900001", "+447700900999"
TRUNK = Credentials(USER, PASSWORD, None)

Told = TypeVar("Told")


class Line:
    """The context of a call or a registration: everything that it was told, in order."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.told: list[Any] = []
        self.call: Call
        self.registration: Registration
        self._endpoint = endpoint
        self._news = asyncio.Event()

    def sip(self, event: Any, now: float) -> None:
        self.told.append(event)
        self._news.set()

    async def until(self, kind: type[Told], count: int = 1) -> Told:
        """The event of a kind, or the last of the first `count`."""
        async with asyncio.timeout(PATIENCE_S):
            while len(found := [event for event in self.told if isinstance(event, kind)]) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.told]

    def hang_up(self, cause: int | None = None) -> None:
        self.call.hang_up(time.monotonic(), cause)
        self._endpoint.touch()

    def refer(self, to: str) -> None:
        self.call.refer(to, time.monotonic())
        self._endpoint.touch()

    def unregister(self) -> None:
        self.registration.end(time.monotonic())
        self._endpoint.touch()


class Caller:
    """A user agent of ours on a port of loopback, for the length of the block."""

    def __init__(self, random: Random, timers: Timers | None = None) -> None:
        self.media_port = free_port()
        self.port = self.media_port + 2
        self.endpoint = Endpoint(
            (LOOPBACK, self.port), "", now=time.monotonic, rng=random.randbytes, timers=timers
        )

    async def __aenter__(self) -> Self:
        await self.endpoint.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.endpoint.close()

    async def call(
        self, port: int, transport: Transport = "udp", credentials: Credentials | None = TRUNK, **more: Any
    ) -> Line:
        """An INVITE to a port of loopback, for a number in the domain of the carrier."""
        flow = await self.endpoint.flow(Target(transport, LOOPBACK, port, LOOPBACK))
        invitation = Invitation(
            request_uri=f"sip:{CALLED}@{REALM}",
            from_=f"<sip:{CALLER_ID}@{REALM}>",
            to=f"<sip:{CALLED}@{REALM}>",
            contact_user=CALLER_ID,
            offer=LocalMedia(LOOPBACK, self.media_port),
            credentials=credentials,
            **more,
        )
        line = Line(self.endpoint)
        line.call = self.endpoint.agent.invite(invitation, flow, time.monotonic())
        line.call.context = line
        self.endpoint.touch()
        return line

    async def register(self, port: int, expires_s: int) -> Line:
        flow = await self.endpoint.flow(Target("udp", LOOPBACK, port, LOOPBACK))
        target = RegistrationTarget(
            registrar=f"sip:{REALM}",
            address_of_record=f"sip:account@{REALM}",
            contact_user="account",
            expires_s=expires_s,
            credentials=TRUNK,
        )
        line = Line(self.endpoint)
        line.registration = self.endpoint.agent.register(target, flow, time.monotonic())
        line.registration.context = line
        self.endpoint.touch()
        return line


async def finished(sipp: Sipp, *, noted: bool = False) -> None:
    """SIPp's scenario is through, and went as it says."""
    await asyncio.to_thread(sipp.finish, noted=noted)
