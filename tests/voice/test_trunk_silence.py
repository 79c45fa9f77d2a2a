"""Who says nothing at all to an INVITE is left soon, and what he says later reaches nobody."""

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connector.carriers.statuses import StatusClass
from connector.simulator.callee.callee import Callee
from protocols.sip.timers import Timers
from tests.voice.trunk_rig import Rig, callee, detail, rig, trunk_config
from tests.voice.uas import HASTY, Answerer, Uas, answers

pytestmark = pytest.mark.asyncio

OTHER = "+4915199999999"
UNHURRIED = Timers()
"""Nobody is given up by timer B (32 s) before a test ends."""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("leg", "call"):
        monkeypatch.setattr(f"connector.voice.{module}.SILENCE_S", 0.3)


@contextmanager
def hole(transport: str) -> Iterator[socket.socket]:
    """A port that takes everything and says nothing."""
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if transport == "tcp":
            taken.listen()
        yield taken


def rests(trunk: Rig, number: int) -> bool:
    uplink = trunk.trunk.uplink
    return uplink.health.rests(uplink.targets[number], trunk.clock.now())


async def rings(answerer: Answerer) -> None:
    answerer.ring()


@pytest.mark.rule("sip.timer-b")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_the_standby_takes_the_call_of_an_address_that_is_silent(transport: str) -> None:
    async with callee(answers) as standby:
        with hole(transport) as silent:
            port = standby.port if transport == "udp" else await standby.listen()
            account = {"transport": transport, "standby": [f"127.0.0.1:{port}"]}
            # Less than the silence: it counts from the first answer.
            calls = {"ring_s": 0.25}
            config = trunk_config(silent.getsockname()[1], trunk=account, calls=calls)
            async with rig(config, timers=HASTY) as trunk:
                await trunk.up()
                attempt = trunk.send()
                end = await trunk.ended(attempt)
                assert end.result == "delivered" and rests(trunk, 0) and not rests(trunk, 1)
                assert trunk.steps(attempt) == ["ringing", "answered", "digit 1"]
                told = detail(end)
                assert told["call_id"] == standby.calls[0].request.call_id
                assert 0 <= told["trying"] <= told["ringing"]
                assert (await trunk.call()).result == "delivered"  # and is not silent again


@pytest.mark.parametrize("late", ["rings", "answers", "rings and answers"])
async def test_late_answers_are_ended_and_reach_nobody(late: str) -> None:
    async def wakes_up(answerer: Answerer) -> None:
        if "rings" in late:
            answerer.ring()
        if "answers" in late:
            answerer.accept()

    async def plan(answerer: Answerer) -> None:
        first.wake()
        await first.until(lambda: first.calls)
        await first.calls[0].until(lambda: first.calls[0].ended)
        await answers(answerer)

    async with callee(wakes_up) as first, callee(plan) as second:
        first.mute = True
        config = trunk_config(first.port, trunk={"standby": [f"127.0.0.1:{second.port}"]})
        async with rig(config, timers=UNHURRIED) as trunk:
            await trunk.up()
            attempt = trunk.send()
            end = await trunk.ended(attempt)
            assert end.result == "delivered"
            assert trunk.steps(attempt) == ["ringing", "answered", "digit 1"]
            told, (old,), (new,) = detail(end), first.calls, second.calls
            assert told["call_id"] == new.request.call_id != old.request.call_id
            assert not told["media"].get("spoofed") and not old.heard
            assert port_of(old) != port_of(new)
            if late == "rings":
                assert first.methods("CANCEL") and type(old.ended[0]).__name__ == "Cancelled"
            else:
                assert first.methods("ACK") and len(first.methods("BYE")) == 1
            assert first.agent.calls == 0


def port_of(answerer: Answerer) -> int:
    (port,) = re.findall(rb"m=audio (\d+) ", answerer.request.body)
    return int(port)


@pytest.mark.parametrize("limit", ["silence", "ring_s", "deadline"])
async def test_silence_is_never_an_unanswered_telephone(limit: str) -> None:
    async with callee(rings) as uas:
        uas.mute = True
        calls = {"ring_s": 0.05} if limit == "ring_s" else {}
        async with rig(trunk_config(uas.port, calls=calls), timers=UNHURRIED) as trunk:
            await trunk.up()
            end = await trunk.call(deadline_s=0.2 if limit == "deadline" else 30.0)
            assert (end.result, end.reason) == ("refused", "the carrier did not respond")
            assert end.kind is StatusClass.TRANSIENT and detail(end)["kind"] == "no_response"
            assert trunk.trunk.state(trunk.clock.now()) == "down"
            await ends(uas)


async def test_a_call_into_silence_can_be_taken_back() -> None:
    async with callee(rings) as uas:
        uas.mute = True
        async with rig(trunk_config(uas.port), timers=UNHURRIED) as trunk:
            await trunk.up()
            attempt = trunk.send()
            await uas.until(lambda: uas.withheld)
            assert trunk.trunk.hang_up(attempt, trunk.clock.now())
            end = await trunk.ended(attempt)
            assert (end.result, end.reason) == ("undelivered", "cancelled")
            assert detail(end)["ended_by"] == "us" and rests(trunk, 0)
            await ends(uas)


async def ends(uas: Uas) -> None:
    """The INVITE that was given up is cancelled as soon as somebody hears it."""
    uas.wake()
    await uas.until(lambda: uas.calls and uas.calls[0].ended)
    assert type(uas.calls[0].ended[0]).__name__ == "Cancelled" and len(uas.calls) == 1


async def test_an_address_that_answers_others_does_not_rest_for_one_number() -> None:
    async with callee(answers) as uas:
        uas.mute = OTHER.encode()
        async with rig(trunk_config(uas.port), timers=HASTY) as trunk:
            await trunk.up()
            attempt = trunk.send(to=OTHER)
            await uas.until(lambda: uas.withheld)
            heard = trunk.send()
            end = await trunk.ended(attempt)
            assert end.reason == "the carrier did not respond" and not rests(trunk, 0)
            assert (await trunk.ended(heard)).result == "delivered"


async def test_a_number_that_never_answers_anything() -> None:
    callee = Callee(None, seed=1)
    port = await callee.start()
    try:
        async with rig(trunk_config(port, calls={"ring_s": 0.5}), timers=HASTY) as trunk:
            await trunk.up()
            attempt = trunk.send(to="+447700900028")
            end = await trunk.ended(attempt)
            assert end.reason == "the carrier did not respond" and not trunk.steps(attempt)
    finally:
        await callee.stop()


async def test_an_answered_call_whose_connection_breaks_is_ended_over_another() -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.accept()
        await answerer.until(lambda: answerer.heard)
        for writer in list(answerer.uas._writers.values()):
            writer.transport.abort()

    async with callee(plan) as uas:
        port = await uas.listen()
        async with rig(trunk_config(port, trunk={"transport": "tcp"})) as trunk:
            await trunk.up()
            end = await trunk.call()
            assert (end.result, detail(end)["ended_by"]) == ("unknown", "transport")
            (answerer,) = uas.calls
            await answerer.until(lambda: answerer.ended)
            assert answerer.ended[0].by == "peer" and uas.agent.calls == 0


async def test_nobody_can_be_told_after_a_lost_connection(caplog: pytest.LogCaptureFixture) -> None:
    async def plan(answerer: Answerer) -> None:
        answerer.accept()
        await answerer.until(lambda: answerer.heard)
        answerer.uas.listening.close()
        for writer in list(answerer.uas._writers.values()):
            writer.transport.abort()

    async with callee(plan) as uas:
        port = await uas.listen()
        async with rig(trunk_config(port, trunk={"transport": "tcp"})) as trunk:
            await trunk.up()
            assert (await trunk.call()).result == "unknown"
            async with asyncio.timeout(20):
                while "no BYE after a lost connection" not in caplog.text:
                    await asyncio.sleep(0.01)
