"""The whole story in real time: a carrier fails in the middle of the run, and people get their codes in time.

What left and what arrived is read from the carriers' and the callee's own records.
"""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from tests.daemon.harness import Application, Site
from tests.daemon.patience import JOURNEY, NARROW, WIDE, Crowd, Person, World, judge

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

PER_S = 8.0
_BACK_S = 40.0


async def back_on(crowd: Crowd, route: str) -> list[Person]:
    """People keep coming until most of those of two seconds got their code by `route` again."""
    came: list[Person] = []
    loop = asyncio.get_running_loop()
    until = loop.time() + _BACK_S
    while loop.time() < until:
        latest = await crowd.come(2.0, PER_S)
        came += latest
        await crowd.settle(latest)
        if sum(person.arrived == route for person in latest) > len(latest) / 2:
            return came
    raise AssertionError(f"{route} does not return within {_BACK_S:g} s: {judge(crowd.world, came).by}")


def share(people: list[Person]) -> float:
    return sum(person.in_time for person in people) / len(people)


def of(prefix: str, people: list[Person]) -> list[Person]:
    return [person for person in people if person.to.startswith(prefix)]


def everyone_once(shop: Application, people: list[Person]) -> None:
    """Each job has one end, and it is the last thing told of it."""
    for person in people:
        events = shop.of(person.job)
        assert [event.final for event in events].count(True) == 1, events
        assert events[-1].final, events


@pytest.mark.timeout(150)
async def test_a_carrier_goes_silent_and_returns(
    site: Site, random: Random, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(site)
    world.write()
    world.start()
    async with Application(site.socket_path) as shop, Crowd(world, shop, random) as crowd:
        well = await crowd.come(4.0, PER_S)
        await crowd.settle(well)
        assert judge(world, well).by == {"alpha": len(well)}

        world.alpha.set(message_lost=1)
        began = world.now()
        dark = await crowd.come(3.0, PER_S, narrow=0.25)
        dark += await crowd.come(8.0, PER_S)
        ended = world.now()
        world.alpha.set(message_lost=0)
        returned = await back_on(crowd, "alpha")
        await crowd.settle(crowd.people)

        everyone_once(shop, crowd.people)
        told = judge(world, crowd.people)
        assert told.late == []
        assert share(well) == 1.0
        wide, narrow = of(WIDE, dark), of(NARROW, dark)
        assert share(wide) >= 0.9, judge(world, dark)
        assert share(narrow) >= 0.8, judge(world, narrow)
        assert {person.arrived for person in narrow if person.in_time} == {"west"}
        submits = [seen for seen in world.submits() if began <= seen.at <= ended]
        first = next(seen.at for seen in submits if seen.route == "beta") - began
        assert first < 6.0, f"the first code went by beta {first:.1f} s after alpha fell silent"
        latest = [seen.route for seen in submits if seen.at > ended - 3.0]
        assert latest.count("beta") > latest.count("alpha"), latest
        assert judge(world, dark).sends <= 2.0
        assert share(returned) >= 0.9

        saved = next(person for person in wide if person.arrived == "beta" and len(world.went_by(person)) > 1)
        why = await asyncio.to_thread(world.why, saved.job)
    with capsys.disabled():
        print(f"\n{why}")
    assert why.index("alpha") < why.index("beta")
    for words in ("attempt 1 by alpha", "attempt 2 by beta", "receipt DELIVERED from beta"):
        assert words in why


@pytest.mark.timeout(120)
async def test_a_carrier_stops_to_answer(site: Site, random: Random) -> None:
    world = World(site)
    world.write(binds={"response_timeout_s": 1.0, "window": 20})
    world.start()
    async with Application(site.socket_path) as shop, Crowd(world, shop, random) as crowd:
        well = await crowd.come(3.0, PER_S)
        world.alpha.set(response_missing=1, message_lost=1)
        dark = await crowd.come(8.0, PER_S)
        world.alpha.set(response_missing=0, message_lost=0)
        await back_on(crowd, "alpha")
        await crowd.settle(crowd.people)
        everyone_once(shop, crowd.people)
        assert judge(world, crowd.people).late == []
        assert share(well) >= 0.95
        assert share(dark) >= 0.9, judge(world, dark)
        assert judge(world, dark).sends <= 2.0


@pytest.mark.timeout(120)
async def test_fake_receipts_are_found_out_by_feedback(site: Site, random: Random) -> None:
    """The receipts say delivered, and nobody ever uses those codes."""
    world = World(site)
    world.write({"code": {**JOURNEY, "stop": ["converted"]}})
    world.start()
    async with Application(site.socket_path) as shop, Crowd(world, shop, random) as crowd:
        well = await crowd.come(5.0, PER_S)
        world.alpha.set(receipt_fake=1)
        dark = await crowd.come(14.0, PER_S)
        world.alpha.set(receipt_fake=0)
        await crowd.settle(crowd.people)
        everyone_once(shop, crowd.people)
        assert judge(world, crowd.people).late == []
        assert share(well) >= 0.95
        latest = dark[-int(3 * PER_S) :]
        assert judge(world, latest).by.get("beta", 0) > len(latest) / 2, judge(world, dark)
        assert share(latest) >= 0.8, judge(world, dark)
