"""The trunk against every story of the simulated callee, all at the same time."""

import asyncio
from contextlib import asynccontextmanager
from random import Random
from typing import NamedTuple

import pytest

from connector.simulator.callee.callee import Callee
from connector.simulator.callee.options import CalleeOptions
from tests.voice.trunk_rig import rig, trunk_config

pytestmark = pytest.mark.asyncio


class Told(NamedTuple):
    """What an application is told at the end, and the last step before it."""

    result: str
    reason: str
    last: str | None


STORIES = {
    1: Told("delivered", "heard", "digit 1"),
    2: Told("delivered", "put through to an agent", "transferred"),
    3: Told("undelivered", "no key was pressed", None),
    4: Told("undelivered", "no key was pressed", "digit 2"),
    5: Told("undelivered", "the listener refused", "answered"),
    6: Told("undelivered", "hung up early", "answered"),
    7: Told("delivered", "heard", "digit 1"),
    8: Told("unknown", "lost after it may have rung", "answered"),
    20: Told("undelivered", "busy", "ringing"),
    21: Told("undelivered", "no answer", "ringing"),
    22: Told("undelivered", "not reachable", "ringing"),
    23: Told("undelivered", "an answering machine", "answered"),
    25: Told("undelivered", "no answer", "ringing"),
    26: Told("undelivered", "no answer", "ringing"),
    27: Told("undelivered", "no key was pressed", "answered"),
    28: Told("refused", "the carrier did not respond", None),
    29: Told("undelivered", "no key was pressed", "answered"),
    41: Told("refused", "no route to the number", None),
    45: Told("refused", "no such number", None),
    58: Told("undelivered", "no answer", None),
    64: Told("refused", "no free line", None),
    66: Told("undelivered", "busy", None),
    67: Told("undelivered", "does not want calls", None),
    68: Told("refused", "no such number", None),
}
"""By the last digits of the number."""


@asynccontextmanager
async def simulated(options: CalleeOptions | None = None, seed: int = 0):
    callee = Callee(options, seed=seed)
    port = await callee.start()
    try:
        yield callee, port
    finally:
        await callee.stop()


@pytest.mark.rule("sip.provisional-no-answer", "rtp.machine-no-code", "rtp.timeout", "sip.cancel-race")
async def test_every_story_ends_as_it_should() -> None:
    script = {"input_timeout_s": 2.0, "agent": "+447700900005"}
    calls = {"max": 100, "per_s": 1000, "ring_s": 4.5, "max_s": 25}
    async with (
        simulated() as (_, port),
        rig(trunk_config(port, calls=calls, media={"timeout_s": 2}), script) as trunk,
    ):
        await trunk.up()
        attempts = {n: trunk.send(to=f"+447700900{n:03}", deadline_s=60.0) for n in STORIES}
        for number, attempt in attempts.items():
            end, told = await trunk.ended(attempt), STORIES[number]
            assert (end.result, end.reason) == (told.result, told.reason), f"story {number}"
            if told.last is not None or not trunk.steps(attempt):
                assert (trunk.steps(attempt) or [None])[-1] == told.last, f"story {number}"
            if end.result != "delivered":
                assert end.detail is not None and '"code"' not in end.detail, (
                    f"story {number}: the code was said"
                )


async def test_a_call_that_is_held_goes_on_afterwards() -> None:
    options = CalleeOptions().changed({"press": "1@quiet:400", "hold_after_s": "0.3", "hold_s": "0.3"})
    async with (
        simulated(options) as (callee, port),
        rig(trunk_config(port), {"input_timeout_s": 3.0}) as trunk,
    ):
        await trunk.up()
        end = await trunk.call(to="+4915112345678")
        assert end.result == "delivered" and callee.records.calls[0].held == 1


async def test_calls_over_a_line_that_loses_a_tenth_of_all_datagrams(random: Random) -> None:
    options = CalleeOptions(sip_drop=0.1, sip_duplicate=0.05, sip_reorder=0.05)
    calls = {"max": 100, "per_s": 1000, "ring_s": 5, "max_s": 25}
    async with (
        simulated(options, seed=random.getrandbits(32)) as (callee, port),
        rig(trunk_config(port, calls=calls), {"input_timeout_s": 1.0}) as trunk,
    ):
        await trunk.up()
        attempts = [trunk.send(to="+447700900001", deadline_s=60.0) for _ in range(40)]
        ends = [await trunk.ended(attempt) for attempt in attempts]
        assert {end.result for end in ends} <= {"delivered", "refused", "undelivered", "unknown"}
        assert sum(end.result == "delivered" for end in ends) >= 30
        async with asyncio.timeout(20):
            while callee.stats()["lines_open"]:
                await asyncio.sleep(0.1)
