"""How many calls, how fast, and how a trunk comes to rest."""

import asyncio
from random import Random

import pytest

from tests.voice.trunk_rig import callee, detail, rig, trunk_config
from tests.voice.uas import HASTY, Answerer, answers

pytestmark = pytest.mark.asyncio


async def rings(answerer: Answerer) -> None:
    answerer.ring()


async def test_so_many_calls_at_a_time() -> None:
    async with callee(rings) as uas, rig(trunk_config(uas.port, calls={"max": 2})) as trunk:
        await trunk.up()
        now = trunk.clock.now
        assert trunk.trunk.room(now()) == 2
        first, second = trunk.send(), trunk.send()
        assert trunk.trunk.room(now()) == 0 and trunk.trunk.room_at(now()) is None
        await trunk.book.until(lambda: trunk.steps(first) and trunk.steps(second))
        rooms = trunk.book.rooms
        trunk.trunk.hang_up(first, now())
        await trunk.ended(first)
        assert trunk.trunk.room(now()) == 1 and trunk.book.rooms > rooms


async def test_so_many_calls_a_second() -> None:
    async with callee(rings) as uas, rig(trunk_config(uas.port, calls={"per_s": 0.5})) as trunk:
        await trunk.up()
        now = trunk.clock.now
        assert trunk.trunk.room(now()) == 1
        trunk.send()
        assert trunk.trunk.room(now()) == 0
        at = trunk.trunk.room_at(now())
        assert at is not None and now() < at <= now() + 2.1


async def test_live() -> None:
    async with callee(rings) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        attempt = trunk.send()
        await trunk.book.until(lambda: trunk.steps(attempt))
        live = trunk.trunk.live(trunk.clock.now())
        assert (live.name, live.state, live.calls, live.most) == ("north", "up", 1, 10)


async def test_drain_lets_calls_end_and_takes_none() -> None:
    async with callee(answers) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        attempt = trunk.send()
        await trunk.book.until(lambda: "answered" in trunk.steps(attempt))
        draining = asyncio.create_task(trunk.trunk.drain())
        await asyncio.sleep(0)
        assert trunk.trunk.room(trunk.clock.now()) == 0 and not draining.done()
        async with asyncio.timeout(20):
            await draining
        assert (await trunk.ended(attempt)).result == "delivered"


async def test_stop_ends_every_call_whatever_it_is_doing() -> None:
    async def plan(answerer: Answerer) -> None:
        if len(answerer.uas.calls) % 2:
            answerer.accept()
        else:
            answerer.ring()

    async with callee(plan) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        attempts = [trunk.send() for _ in range(6)]
        await trunk.book.until(lambda: all(trunk.steps(attempt) for attempt in attempts))
        waiting = trunk.send()
        await trunk.trunk.stop()
        ends = [await trunk.ended(attempt) for attempt in attempts]
        assert {end.result for end in ends} == {"undelivered"}
        assert (await trunk.ended(waiting)).result in ("unsent", "undelivered")
        assert trunk.lane.endpoint.agent.calls == 0
        await uas.until(lambda: all(answerer.ended for answerer in uas.calls))


async def test_stop_does_not_wait_for_the_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.voice.trunk._LEAVE_S", 0.2)

    async def plan(answerer: Answerer) -> None:
        answerer.accept()
        await answerer.until(lambda: answerer.heard)
        answerer.uas.mute = True

    async with callee(plan) as uas, rig(trunk_config(uas.port), timers=HASTY) as trunk:
        await trunk.up()
        attempt = trunk.send()
        await trunk.book.until(lambda: "answered" in trunk.steps(attempt))
        await uas.calls[0].until(lambda: uas.mute)
        await trunk.trunk.stop()
        assert (await trunk.ended(attempt)).result in ("undelivered", "unknown")
        # The user agent goes on saying BYE until its patience ends.
        while trunk.lane.endpoint.agent.calls:
            await asyncio.sleep(0.05)


async def test_what_was_taken_back_before_it_left() -> None:
    async with callee(answers) as uas, rig(trunk_config(uas.port)) as trunk:
        await trunk.up()
        attempt = trunk.attempt()
        attempt.refused = True
        trunk.trunk.send(attempt, trunk.clock.now())
        assert (await trunk.ended(attempt)).result == "unsent" and not uas.calls


async def test_fifty_calls_at_once_all_end_and_leave_nothing() -> None:
    async with callee(answers) as uas, rig(trunk_config(uas.port, calls={"max": 50, "per_s": 1000})) as trunk:
        await trunk.up()
        attempts = [trunk.send() for _ in range(50)]
        ends = [await trunk.ended(attempt) for attempt in attempts]
        assert [end.result for end in ends] == ["delivered"] * 50
        assert not any(detail(end)["media"].get("lost") for end in ends)


async def test_calls_taken_back_at_any_moment_end_once_and_nobody_is_left_ringing(random: Random) -> None:
    async def plan(answerer: Answerer) -> None:
        match random.randrange(6):
            case 0:
                answerer.reject(random.choice((404, 486, 503, 603)))
            case 1:
                answerer.ring()
            case 2:
                await asyncio.sleep(random.random() / 2)
                answerer.accept()
            case 3:
                answerer.accept()
                await asyncio.sleep(random.random() / 2)
                answerer.hang_up()
            case 4:
                await answers(answerer)
            case 5:
                answerer.ring(183, reliable=True)

    limits = {"max": 60, "per_s": 1000, "ring_s": 0.8, "max_s": 1.5}
    async with callee(plan) as uas, rig(trunk_config(uas.port, calls=limits)) as trunk:
        await trunk.up()
        attempts = []
        for _ in range(60):
            attempts.append(trunk.send())
            if random.random() < 0.5:
                asyncio.get_running_loop().call_later(
                    random.random() * 0.6, lambda a=attempts[-1]: trunk.trunk.hang_up(a, trunk.clock.now())
                )
            await asyncio.sleep(random.random() * 0.01)
        ends = [await trunk.ended(attempt) for attempt in attempts]
        assert {end.result for end in ends} <= {"delivered", "undelivered", "refused", "unsent"}
        async with asyncio.timeout(20):
            while uas.agent.calls:
                await asyncio.sleep(0.05)
        assert all(answerer.call.ended and len(answerer.ended) <= 1 for answerer in uas.calls)
