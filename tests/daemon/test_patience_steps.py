"""Journeys of single jobs in the real daemon: what stops them, which code goes where, and a killed daemon.

Every message of carrier alpha is lost, so that each job goes on to its next step; the steps are timed.
"""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from tests.daemon.harness import Application, Site
from tests.daemon.patience import Crowd, Person, World, judge

pytestmark = pytest.mark.asyncio

STEP_S = 1.5
STEPS = {
    "steps": [
        {"channel": "sms", "carriers": ["alpha"]},
        {"channel": "sms", "start": "after", "after_s": STEP_S, "carriers": ["beta"]},
        {"channel": "voice", "start": "after", "after_s": STEP_S, "script": "quick"},
    ]
}
CALL_FIRST = {
    "steps": [
        {"channel": "voice", "script": "quick"},
        {"channel": "sms", "start": "after", "after_s": STEP_S},
    ]
}
JOURNEYS = {"steps": STEPS, "call-first": CALL_FIRST}
LIVES_S = 20.0


class Stage:
    """One world for several conversations at a time."""

    def __init__(self, world: World, crowd: Crowd) -> None:
        self.world = world
        self.crowd = crowd
        self.shop = crowd.shop

    async def sent(self, person: Person, route: str) -> None:
        found = f"something for {person.job} by {route}"
        await self.world.until(lambda: route in self.world.went_by(person), found)

    async def ring(self, **fields: object) -> Person:
        """Somebody whose telephone rings, and nobody takes it."""
        person, job = self.crowd.new(deadline_s=LIVES_S, journey="call-first", **fields)
        self.world.rings_long(person.to)
        self.crowd.people.append(person)
        await self.shop.client.submit(job)
        person.accepted_at = (await self.shop.event(person.job, "accepted")).at
        await self.shop.event(person.job, "ringing")
        return person

    async def nothing_more(self, person: Person, *routes: str) -> None:
        """Neither the next step nor the one after it comes."""
        await asyncio.sleep(2 * STEP_S + 0.5)
        assert tuple(await asyncio.to_thread(self.world.went_by, person)) == routes

    def stopped_ringing(self, person: Person) -> bool:
        calls = [call for call in self.world.callee.calls() if f"+{call['to']}" == person.to]
        return [call["ended_by"] for call in calls] == ["cancelled"]


async def cancelled_between_steps(stage: Stage) -> None:
    person = await stage.crowd.ask(deadline_s=LIVES_S)
    await stage.shop.event(person.job, "sent")
    assert not await stage.shop.client.cancel(person.job)  # it may arrive: that was sent already
    await stage.nothing_more(person, "alpha")
    stage.crowd.people.remove(person)  # only a receipt could end it now


async def converted_between_steps(stage: Stage) -> None:
    person = await stage.crowd.ask(deadline_s=LIVES_S)
    await stage.shop.event(person.job, "sent")
    await stage.shop.client.feedback(person.job, converted=True)
    assert (await stage.shop.final(person.job)).outcome == "delivered"
    await stage.nothing_more(person, "alpha")


async def cancelled_while_it_rings(stage: Stage) -> None:
    person = await stage.ring()
    assert await stage.shop.client.cancel(person.job)
    assert (await stage.shop.final(person.job)).outcome == "cancelled"
    await stage.world.until(lambda: stage.stopped_ringing(person), "the telephone stops to ring")
    await stage.nothing_more(person, "west")


async def converted_while_it_rings(stage: Stage) -> None:
    person = await stage.ring()
    await stage.shop.client.feedback(person.job, converted=True)
    assert (await stage.shop.final(person.job)).outcome == "delivered"
    await stage.world.until(lambda: stage.stopped_ringing(person), "the telephone stops to ring")
    await stage.nothing_more(person, "west")


async def superseded_between_steps(stage: Stage) -> None:
    older = await stage.crowd.ask(deadline_s=LIVES_S, supersedes="sign-in:7")
    await stage.shop.event(older.job, "sent")
    newer = await stage.crowd.ask(to=older.to, deadline_s=LIVES_S, supersedes="sign-in:7")
    last = await stage.shop.final(older.job)
    assert (last.outcome, last.reason) == ("cancelled", "superseded by a newer job")
    await stage.sent(newer, "beta")
    left = [(seen.route, seen.code) for seen in stage.world.left_for(newer)]
    assert left == [("alpha", older.codes[0]), ("alpha", newer.codes[0]), ("beta", newer.codes[0])]


async def superseded_while_it_rings(stage: Stage) -> None:
    older = await stage.ring(supersedes="sign-in:8")
    newer = await stage.crowd.ask(to=older.to, deadline_s=LIVES_S, supersedes="sign-in:8")
    assert (await stage.shop.final(older.job)).outcome == "cancelled"
    await stage.world.until(lambda: stage.stopped_ringing(older), "the telephone stops to ring")
    await stage.sent(newer, "beta")
    left = [(seen.route, seen.code) for seen in stage.world.left_for(newer)]
    assert left == [("west", ""), ("alpha", newer.codes[0]), ("beta", newer.codes[0])]


async def the_same_code_on_every_step(stage: Stage) -> None:
    person = await stage.crowd.ask(deadline_s=LIVES_S)
    await stage.sent(person, "beta")
    codes = {(seen.route, seen.code) for seen in stage.world.left_for(person) if seen.route != "west"}
    assert codes == {("alpha", person.codes[0]), ("beta", person.codes[0])}


async def a_code_for_each_attempt(stage: Stage) -> None:
    person = await stage.crowd.ask(deadline_s=LIVES_S, codes=2)
    await stage.sent(person, "beta")
    codes = {(seen.route, seen.code) for seen in stage.world.left_for(person) if seen.route != "west"}
    assert codes == {("alpha", person.codes[0]), ("beta", person.codes[1])}
    await stage.shop.client.feedback(person.job, converted=True, attempt=2)
    assert (await stage.shop.final(person.job)).outcome == "delivered"


async def worthless_before_its_last_step(stage: Stage) -> None:
    person = await stage.crowd.ask(deadline_s=STEP_S + 0.7)
    await stage.shop.final(person.job)
    await stage.nothing_more(person, "alpha", "beta")


async def heard_at_last(stage: Stage) -> None:
    """Beta's message is delivered, which ends the job before its call."""
    person = await stage.crowd.ask(deadline_s=LIVES_S)
    last = await stage.shop.final(person.job)
    assert (last.outcome, last.carrier) == ("delivered", "beta")
    await stage.nothing_more(person, "alpha", "beta")


async def test_what_stops_a_journey_and_which_code_it_carries(site: Site, random: Random) -> None:
    world = World(site, receipts="fixed:0.3")
    world.alpha.set(message_lost=1)
    world.write(JOURNEYS)
    world.start()
    async with Application(site.socket_path) as shop:
        stage = Stage(world, Crowd(world, shop, random, feedback=False))
        conversations = (
            cancelled_between_steps, converted_between_steps, cancelled_while_it_rings,
            converted_while_it_rings, superseded_between_steps, superseded_while_it_rings,
            the_same_code_on_every_step, a_code_for_each_attempt, worthless_before_its_last_step,
            heard_at_last,
        )  # fmt: skip
        async with asyncio.TaskGroup() as group:
            for conversation in conversations:
                group.create_task(conversation(stage), name=conversation.__name__)
        await stage.crowd.settle(stage.crowd.people)
        assert judge(world, stage.crowd.people).late == []


@pytest.mark.kill
async def test_a_killed_daemon_goes_on_where_it_was(site: Site, random: Random) -> None:
    """Killed when the first messages are on their way; then and only then the second and third steps come."""
    world = World(site, receipts="fixed:0.3")
    for carrier in world.carriers.values():
        carrier.set(message_lost=1)
    world.write(JOURNEYS)
    daemon = world.start()
    async with Application(site.socket_path) as shop:
        crowd = Crowd(world, shop, random, feedback=False)
        people = [await crowd.ask(deadline_s=30.0) for _ in range(8)]
        for person in people:
            await shop.event(person.job, "sent")
        daemon.kill()
        await asyncio.to_thread(world.start)
        gone = people.pop()
        await shop.client.cancel(gone.job)

        def everyone() -> bool:
            return all(world.went_by(person) == ["alpha", "beta", "west"] for person in people)

        await world.until(everyone, "alpha, beta and a call for everybody", timeout_s=30.0)
        await crowd.settle(people)
        assert {crowd.ending(person).outcome for person in people} == {"delivered"}
        assert world.went_by(gone) in (["alpha"], ["alpha", "beta"])
        for person in people:
            assert [seen.code for seen in world.left_for(person)] == [*person.codes * 2, ""]
        assert await world.heard(people[0]) == people[0].codes[0]
        assert judge(world, people).late == []
        why = await asyncio.to_thread(world.why, people[0].job)
    assert why.index("alpha") < why.index("beta") < why.index("west")
