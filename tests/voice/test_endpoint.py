"""The shell of the user agent: what goes wrong in one call touches no other."""

import asyncio
import logging
from typing import Any

import pytest

from connector.clock import Clock
from connector.voice.endpoint import Endpoint
from connector.voice.resolve import Target
from protocols.sip import events as sip
from protocols.sip.sdp import LocalMedia
from tests.voice.trunk_rig import callee
from tests.voice.uas import FAST, Answerer

pytestmark = pytest.mark.asyncio


class Caller:
    """The context of a call; `fails` at every event."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.events: list[Any] = []
        self.came = asyncio.Event()

    def sip(self, event: Any, now: float) -> None:
        self.events.append(event)
        self.came.set()
        if self.fails:
            raise RuntimeError("a mistake of ours")

    async def until_over(self) -> Any:
        async with asyncio.timeout(20):
            while not self.events or not isinstance(self.events[-1], sip.Rejected | sip.Ended):
                self.came.clear()
                await self.came.wait()
        return self.events[-1]


def invitation(port: int) -> sip.Invitation:
    return sip.Invitation(
        request_uri=f"sip:1@127.0.0.1:{port}", from_="<sip:2@x>", to="<sip:1@x>", contact_user="2",
        offer=LocalMedia("127.0.0.1", 40_000),
    )  # fmt: skip


async def busy(answerer: Answerer) -> None:
    answerer.reject(486)


async def test_a_mistake_in_one_call_touches_no_other(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    endpoint = Endpoint(("127.0.0.1", 0), "", now=clock.now, timers=FAST)
    await endpoint.open()
    async with callee(busy) as uas:
        flow = await endpoint.flow(Target("udp", "127.0.0.1", uas.port, "x"))
        callers = [Caller(fails=number % 2 == 0) for number in range(6)]
        with caplog.at_level(logging.ERROR):
            for caller in callers:
                endpoint.agent.invite(invitation(uas.port), flow, clock.now()).context = caller
            endpoint.touch()
            assert {(await caller.until_over()).status for caller in callers} == {486}
        assert "a SIP event was not taken" in caplog.text
    await endpoint.settle(5.0)
    assert endpoint.agent.calls == 0
    await endpoint.close()


async def test_options_tell_whether_somebody_is_there() -> None:
    clock = Clock()
    endpoint = Endpoint(("127.0.0.1", 0), "", now=clock.now, timers=FAST)
    await endpoint.open()
    told: asyncio.Queue[int | None] = asyncio.Queue()
    async with callee(busy) as uas:
        flow = await endpoint.flow(Target("udp", "127.0.0.1", uas.port, "x"))
        for mute in (False, True):
            uas.mute = mute
            endpoint.agent.options("sip:x", flow, clock.now(), lambda status, now: told.put_nowait(status))
            endpoint.touch()
            async with asyncio.timeout(20):
                assert (await told.get() is None) is mute
    await endpoint.close()


async def test_the_address_that_peers_are_told() -> None:
    clock = Clock()
    endpoint = Endpoint(("0.0.0.0", 0), "198.51.100.7", now=clock.now, timers=FAST)
    await endpoint.open()
    async with callee(busy) as uas:
        flow = await endpoint.flow(Target("udp", "127.0.0.1", uas.port, "x"))
        caller = Caller()
        endpoint.agent.invite(invitation(uas.port), flow, clock.now()).context = caller
        endpoint.touch()
        assert (await caller.until_over()).status == 486
        (invite,) = uas.methods("INVITE")
        assert "198.51.100.7" in (invite.headers.get("Via") or "")
        assert "198.51.100.7" in (invite.headers.get("Contact") or "")
    await endpoint.close()
