"""Rates below a carrier's own: who has used his up must not stand in anybody's way."""

import asyncio

from connector.carriers.contract import SentPart
from connector.journal.ops import Query
from connector.model import LiveJob
from tests.dispatch.conftest import Play
from tests.dispatch.stage import FakeCarrier, Stage
from tests.journal.book import HANDSET

INDIA = (0,)


def limits(job: LiveJob) -> tuple[int, ...]:
    return INDIA if job.id.startswith("in") else ()


def test_jobs_of_a_limit_that_is_used_up_wait_and_others_pass(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier()
        stage.start()
        north.limited = limits
        north.limits_end[INDIA] = stage.now() + 5.0
        await stage.submit("in1", deadline_s=10.0)
        await stage.submit("de1", deadline_s=50.0)
        assert [attempt.job.id for attempt in north.attempts] == ["de1"]
        assert len(stage.dispatcher.queue) == 1
        await asyncio.sleep(4.9)
        assert len(north.attempts) == 1
        await asyncio.sleep(0.2)
        assert [attempt.job.id for attempt in north.attempts] == ["de1", "in1"], "woken by the limit"

    play(act)


def test_another_carrier_takes_what_one_has_no_rate_for(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north, south = stage.carrier("north"), stage.carrier("south", priority=1)
        stage.start()
        north.limited = limits
        north.limits_end[INDIA] = stage.now() + 5.0
        await stage.submit("in1")
        await stage.submit("de1")
        assert [attempt.job.id for attempt in north.attempts] == ["de1"]
        assert [attempt.job.id for attempt in south.attempts] == ["in1"]

    play(act)


def test_the_most_urgent_of_those_that_wait_for_a_limit_goes_first(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier()
        stage.start()
        north.limited = limits
        north.limits_end[INDIA] = stage.now() + 1.0
        for name, deadline_s in (("in1", 50.0), ("in2", 10.0), ("in3", 30.0)):
            await stage.submit(name, deadline_s=deadline_s)
        await asyncio.sleep(1.1)
        assert [attempt.job.id for attempt in north.attempts] == ["in2", "in3", "in1"]

    play(act)


def test_other_carriers_from_now_on(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier("north", window=0)
        stage.start()
        await stage.submit("j1")
        south = stage.carrier("south")
        stage.dispatcher.use([south])
        await stage.settle()
        assert (north.attempts, [attempt.job.id for attempt in south.attempts]) == ([], ["j1"])

    play(act)


def test_a_status_that_may_mean_either_is_believed_the_second_time(play: Play) -> None:
    async def act(stage: Stage) -> None:
        north = stage.carrier()
        stage.start()
        job = await stage.submit("j1", deadline_s=60.0)
        north.refuse(north.attempts.pop(), 0x45)
        await asyncio.sleep(1.5)
        assert north.sends["j1"] == 2
        north.refuse(north.attempts.pop(), 0x45)
        await stage.settle()
        assert stage.book.rows("SELECT outcome FROM job WHERE id = ?", job.key) == [("rejected",)]

    play(act)


def test_nobody_is_asked_about_another_accounts_messages(play: Play) -> None:
    """After a reload a carrier's name may stand for another account: there the ids are somebody else's."""

    async def act(stage: Stage) -> None:
        north = Asked(stage, "north")
        stage.carriers.append(north)
        stage.start()
        own, other = north.account, north.account + 1
        queries = [Query(account, "north", "a1", b"A1", "Acme", HANDSET) for account in (other, own)]
        stage.dispatcher.enquiries.inquire(queries, stage.now())
        assert north.queries == [queries[1]]
        parts = [("north", SentPart(account, b"A1", "Acme", HANDSET)) for account in (other, own)]
        assert await stage.dispatcher.enquiries.recall(parts[:1]) is False
        assert await stage.dispatcher.enquiries.recall(parts) is False
        assert north.recalled == []
        assert await stage.dispatcher.enquiries.recall(parts[1:]) is True

    play(act)


class Asked(FakeCarrier):
    def __init__(self, stage: Stage, name: str) -> None:
        super().__init__(stage, name)
        self.queries: list[Query] = []
        self.recalled: list[SentPart] = []

    def query(self, queries: list[Query], now: float) -> None:
        self.queries += queries

    async def recall(self, sent: SentPart) -> bool:
        self.recalled.append(sent)
        return True
