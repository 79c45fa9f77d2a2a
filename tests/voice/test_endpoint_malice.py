"""Datagrams that would deafen or break a socket which all trunks share."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from connector.voice import datagrams
from connector.voice.datagrams import Datagrams
from connector.voice.endpoint import Endpoint
from protocols.sip.events import Flow
from protocols.sip.message import parse
from tests.protocols.sip.playbook import answer

pytestmark = pytest.mark.asyncio

BYE = (
    b"BYE sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKbye;rport\r\n"
    b"From: <sip:a@b>;tag=1\r\nTo: <sip:x@127.0.0.1>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 BYE\r\n"
    b"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


async def test_a_source_that_nothing_leads_to_does_not_end_the_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A forged one, where the host has no way to it."""
    route = datagrams._route
    tried = asyncio.Event()

    def no_way(family: int, remote: str) -> str:
        if not tried.is_set():
            tried.set()
            raise OSError(101, "Network is unreachable")
        return route(family, remote)

    monkeypatch.setattr(datagrams, "_route", no_way)
    endpoint = Endpoint(("0.0.0.0", 0), "", now=time.monotonic)
    await endpoint.open()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.setblocking(False)
            here = ("127.0.0.1", endpoint._datagrams._port)
            stranger.sendto(BYE, here)
            await asyncio.wait_for(tried.wait(), 10)
            stranger.sendto(BYE, here)
            reply = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(stranger, 4096), 10)
            assert reply.startswith(b"SIP/2.0 481")
    finally:
        await endpoint.close()


async def test_a_datagram_that_is_too_large_says_nothing_of_the_way() -> None:
    """A request under the forged address of a carrier can make our answer to it so large; the carrier's own
    calls go on.
    """
    endpoint = Endpoint(("127.0.0.1", 0), "", now=time.monotonic)
    await endpoint.open()
    answered: list[int | None] = []
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as carrier:
            carrier.bind(("127.0.0.1", 0))
            carrier.setblocking(False)
            flow = Flow("udp", endpoint._datagrams.local("127.0.0.1"), carrier.getsockname())
            endpoint.agent.options(
                "sip:127.0.0.1", flow, time.monotonic(), lambda status, now: answered.append(status)
            )
            endpoint.touch()
            loop = asyncio.get_running_loop()
            question = parse(await asyncio.wait_for(loop.sock_recv(carrier, 4096), 10))
            vias = b"Via: SIP/2.0/UDP 127.0.0.1;x=" + b"y" * 7_000 + b"\r\n"
            largest = BYE.replace(b"From", vias * 9 + b"From")
            largest = largest.replace(b"tag=1", b"tag=" + b"z" * (65_480 - len(largest)))
            assert 65_400 < len(largest) < 65_507
            carrier.sendto(largest, flow.local)
            carrier.sendto(BYE, flow.local)
            reply = await asyncio.wait_for(loop.sock_recv(carrier, 65_535), 10)
            assert reply.startswith(b"SIP/2.0 481") and len(reply) < 1_000
            assert answered == []
            carrier.sendto(answer(question, 200).encode(), flow.local)  # type: ignore[arg-type]
            async with asyncio.timeout(10):
                while not answered:
                    await asyncio.sleep(0.01)
            assert answered == [200]
    finally:
        await endpoint.close()


async def test_too_large_is_no_broken_way() -> None:
    opened = Datagrams(("127.0.0.1", 0), "", lambda batch: None)
    await opened.open()
    try:
        assert opened.send(b"x" * 65_535, ("127.0.0.1", 9))
        assert not opened.send(b"x", ("::1", 9)) and opened.unsent == 2
    finally:
        await opened.close()
