"""The daemon killed with SIGKILL at random moments while its jobs may be sent again: no job is lost, each has
one end, and that end is the truth, however many of its attempts are under way at two carriers.
"""

import asyncio
from collections import Counter
from random import Random

import pytest

from tests.daemon.harness import CarrierFile, Lane, SimulatedCarrier, Site
from tests.daemon.test_kill import (
    DEADLINE_S,
    RECEIPT_WAIT_S,
    Job,
    Shop,
    all_receipts_taken,
    nothing_is_left_open,
    raise_from,
)

KILLS = 25
LEAST_LOAD_S, MOST_LOAD_S = 0.1, 0.6
SUPERSEDED = 0.1
STEPS: list[dict[str, object]] = [
    {"channel": "sms"},
    {"channel": "sms", "start": "after", "after_s": 0.2, "attempts": 2},
]
JOURNEYS: dict[str, object] = {
    "twice": {"steps": STEPS, "max_attempts": 3},
    "used": {"steps": STEPS, "stop": ["converted"]},
}
FAULTS: tuple[dict[str, object], ...] = (
    {"receipt_delay": "uniform:0,0.6"},
    {"receipt_delay": "uniform:0,0.3", "receipt_undelivered": 0.4},
    {"receipt_early": 0.5, "receipt_undelivered": 0.5},
    {"response_delay": "uniform:0,0.2", "receipt_undelivered": 0.2},
    {"response_missing": 0.05, "cut_share": 0.01, "refused_share": 0.2},
)


class FollowedShop(Shop):
    """Its jobs go a second time after a while, and some are superseded by the next."""

    def __init__(self, socket_path: str, random: Random) -> None:
        super().__init__(socket_path, random)
        self.superseded: set[str] = set()

    def new_job(self) -> Job:
        before = self.jobs.get(f"job-{len(self.jobs) - 1}", {})
        job = super().new_job()
        job["text"], job["deadline_s"] = str(job["text"])[:100], DEADLINE_S / 2
        job["journey"] = self._random.choice(["twice", "twice", "used"])
        job["on_unknown"] = "report"
        job["supersedes"] = "login"
        if before and self._random.random() < SUPERSEDED:
            job["to"] = before["to"]
            self.superseded.add(str(before["id"]))
        return job


@pytest.mark.asyncio
@pytest.mark.kill
@pytest.mark.slow
@pytest.mark.timeout(280)
async def test_a_killed_daemon_ends_each_followed_job_once(site: Site, random: Random) -> None:
    carriers = [site.carrier(), site.carrier()]
    plain = carriers[0].ask("set", options={})
    binds = {"count": 2, "window": 30, "response_timeout_s": 1.0}
    files = tuple(
        CarrierFile(carrier.port, name, account={"system_id": name}, binds=binds)
        for carrier, name in zip(carriers, ("north", "south"), strict=True)
    )
    site.write(Lane(files, jobs={"receipt_wait_s": RECEIPT_WAIT_S}, other={"journeys": JOURNEYS}))
    shop = FollowedShop(site.socket_path, random)
    tasks = [asyncio.create_task(shop.submit()), asyncio.create_task(shop.follow())]
    try:
        for _ in range(KILLS):
            for carrier in carriers:
                carrier.set(**plain | random.choice(FAULTS))
            daemon = await asyncio.to_thread(site.start)
            await asyncio.wait(
                tasks, timeout=random.uniform(LEAST_LOAD_S, MOST_LOAD_S), return_when=asyncio.FIRST_EXCEPTION
            )
            raise_from(tasks)
            daemon.kill()
            site.processes.remove(daemon)
            daemon.close()
        for carrier in carriers:
            carrier.set(**plain)
        await asyncio.to_thread(site.start)
        await shop.stop()
        await tasks[0]
        await shop.all_final(DEADLINE_S + RECEIPT_WAIT_S + 20)
        for carrier in carriers:
            await all_receipts_taken(carrier)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    jobs_of = Counter(str(job["to"]) for job in shop.jobs.values())
    shared = {number for number, jobs in jobs_of.items() if jobs > 1}
    _check(shop, carriers, shared)
    await nothing_is_left_open(site, shared)


def _check(shop: FollowedShop, carriers: list[SimulatedCarrier], shared: set[str]) -> None:
    assert shop.acknowledged == shop.jobs.keys()
    assert sorted(shop.events) == list(range(1, len(shop.events) + 1)), "an event's number is missing"
    arrived: Counter[tuple[str, str]] = Counter()
    for carrier in carriers:
        assert carrier.ask("submissions")["overflowed"] == 0
        arrived.update((received["to"], received["text"]) for received in carrier.ask("handsets"))
    attempts: dict[str, set[int]] = {job_id: set() for job_id in shop.jobs}
    ended: set[str] = set()
    for seq in sorted(shop.events):
        event = shop.events[seq]
        assert event.id not in ended, f"{event} after the end"
        attempts[event.id].add(event.attempt or 0)
        if event.final:
            ended.add(event.id)
    outcomes: Counter[str] = Counter()
    for job_id, job in shop.jobs.items():
        (end,) = shop.final[job_id]
        times = arrived[str(job["to"]), str(job["text"])]
        outcomes[f"{end.outcome} of {max(attempts[job_id])}"] += 1
        assert times <= 3, (job_id, times)
        if end.outcome == "cancelled":
            assert job_id in shop.superseded, end
        elif end.outcome != "unknown" or job["to"] not in shared:
            # Every accepted message has its receipt in time, so the outcome must be the truth; only of two
            # messages to one number that both got no id, a receipt does not tell which was its.
            assert (end.outcome == "delivered") == (times > 0), (job_id, end, times)
    print(outcomes)
    assert outcomes["cancelled of 0"], "no job was superseded before it left"
    assert outcomes["delivered of 2"], "no job was sent twice"
