import asyncio
from random import Random

import pytest

from connector.simulator.throttle import TokenBucket
from connector.simulator.wheel import Wheel

pytestmark = pytest.mark.asyncio


async def test_everything_is_called_in_time_and_order(random: Random) -> None:
    loop = asyncio.get_running_loop()
    done, called, ticks = asyncio.Event(), list[tuple[float, float]](), list[int]()
    wheel = Wheel(loop, lambda: ticks.append(len(called)))
    begun = loop.time()
    dues = [begun + random.uniform(0, 0.1) for _ in range(500)]

    def call(due: float) -> None:
        called.append((due, loop.time()))
        if len(called) == len(dues):
            done.set()

    for due in dues:
        wheel.push(due, call, due)
    assert len(wheel) == 500
    await asyncio.wait_for(done.wait(), 10)
    assert all(at >= due - 0.001 for due, at in called)
    in_ticks = [int(due * 1000) for due, _ in called]
    assert in_ticks == sorted(in_ticks)
    assert len(ticks) <= 102
    assert len(wheel) == 0


async def test_a_call_may_push_another() -> None:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    wheel = Wheel(loop, lambda: None)
    wheel.push_in(0.001, lambda _: wheel.push_in(0.001, lambda _: done.set(), None), None)
    await asyncio.wait_for(done.wait(), 10)


async def test_what_is_due_sooner_overtakes() -> None:
    done = asyncio.Event()
    wheel = Wheel(asyncio.get_running_loop(), lambda: None)
    wheel.push_in(600, lambda _: None, None)
    wheel.push_in(0.001, lambda _: done.set(), None)
    await asyncio.wait_for(done.wait(), 10)
    assert len(wheel) == 1
    wheel.stop()


async def test_a_stopped_wheel_calls_nothing() -> None:
    called: list[object] = []
    wheel = Wheel(asyncio.get_running_loop(), lambda: None)
    wheel.push_in(0, called.append, 1)
    wheel.stop()
    await asyncio.sleep(0.005)
    assert (called, len(wheel)) == ([], 0)


async def test_the_bucket_gives_its_rate_and_its_burst() -> None:
    bucket = TokenBucket(100, 5, now=0.0)
    assert [bucket.take(0.0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert [bucket.take(0.0101), bucket.take(0.0102)] == [True, False]
    taken = sum(bucket.take(1 + millisecond / 1000) for millisecond in range(1000))
    assert taken == pytest.approx(105, abs=1)
