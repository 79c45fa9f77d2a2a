"""Events in any order and several times, to a daemon that is killed in between: what the handsets show."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from random import Random

import pytest

from connector.client import Client, Options, OrderEvent, OrderTold
from tests.daemon.harness import PATIENCE_S, CarrierFile, Daemon, Lane, SimulatedCarrier, Site

KILLS = 3
ORDERS = 25
RANKS = {"n10": 10, "n20": 20, "n30": 30, "n40": 40, "n50": 50}
AGAIN = "n30"
TEMPLATE = """\
lane = "verification"
purpose = "{node}"
default_lang = "en"
[text]
en = "{{order}} {node} {{event}}"
[params.order]
max_length = 10
[params.event]
max_length = 2
"""


class Warehouse:
    """Reports the events of all orders, each until it is answered, some of them again later."""

    def __init__(self, path: str, random: Random) -> None:
        self.client = Client(path, options=Options(backoff_cap_s=0.1, timeout_s=120.0))
        self.random = random
        self.told: dict[tuple[str, str, str], list[OrderTold]] = defaultdict(list)

    async def report(self) -> None:
        await self.client.connect()
        await asyncio.gather(*(self._order(number) for number in range(ORDERS)))

    async def _order(self, number: int) -> None:
        nodes = [(node, event) for node in RANKS for event in (("a", "b") if node == AGAIN else ("a",))]
        course = [*nodes, *self.random.choices(nodes, k=4)]
        # Nearly in order, as queues turn them round, so that not all but the first are late.
        course.sort(key=lambda each: RANKS[each[0]] + self.random.uniform(0, 25))
        while course:
            together = [course.pop(0) for _ in range(min(len(course), self.random.choice((1, 1, 2, 3))))]
            await asyncio.gather(*(self._event(number, *each) for each in together))
            await asyncio.sleep(self.random.uniform(0, 0.15))

    async def _event(self, number: int, node: str, event: str) -> None:
        told = await self.client.order_event(
            OrderEvent(
                order=f"order-{number}", node=node, to=_number(number), event=event, data={"event": event}
            )
        )
        self.told[f"order-{number}", node, event].append(told)


def _number(order: int) -> str:
    return f"+447700900{order + 200}"


@pytest.mark.asyncio
@pytest.mark.kill
@pytest.mark.timeout(120)
async def test_a_killed_daemon_tells_each_node_once_and_in_order(site: Site, random: Random) -> None:
    carrier = site.carrier()
    carrier.set(stories=False)
    _write(site, carrier)
    house = Warehouse(site.socket_path, random)
    daemon: Daemon = await asyncio.to_thread(site.start)
    reporting = asyncio.create_task(house.report())
    try:
        for _ in range(KILLS):
            await asyncio.wait([reporting], timeout=random.uniform(0.1, 0.5))
            daemon.kill()
            daemon = await asyncio.to_thread(site.start)
        await asyncio.wait_for(reporting, 60.0)
        await _nothing_waits(house.client)
    finally:
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)
        await house.client.close()
    _check(house, carrier)


def _write(site: Site, carrier: SimulatedCarrier) -> None:
    nodes = [
        {"node": node, "rank": rank, "template": node, "repeats": node == AGAIN}
        for node, rank in RANKS.items()
    ]
    site.write(Lane((CarrierFile(carrier.port),), other={"orders": {"nodes": nodes}}))
    templates = site.config / "templates"
    templates.mkdir()
    for node in RANKS:
        (templates / f"{node}.toml").write_text(TEMPLATE.format(node=node))


async def _nothing_waits(client: Client) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (await client.stats())["queue_depth"]:
            await asyncio.sleep(0.02)


def _check(house: Warehouse, carrier: SimulatedCarrier) -> None:
    reasons: Counter[str] = Counter()
    for key, answers in house.told.items():
        firsts = [each for each in answers if not each.duplicate and each.dropped is None]
        # The answer to the first report may have gone with the daemon: then the repetition has it.
        assert len(firsts) <= 1, (key, answers)
        known = {each.id is not None for each in answers}
        assert len(known) == 1, f"{key} was told and was not: {answers}"
        reasons.update(each.dropped or ("duplicate" if each.duplicate else "told") for each in answers)
    shown = 0
    for number in range(ORDERS):
        texts = carrier.inbox(_number(number))
        assert len(set(texts)) == len(texts), "something was told twice"
        ranks = [RANKS[text.split()[1]] for text in texts]
        assert ranks == sorted(ranks), texts
        shown += len(texts)
        assert shown <= sum(reasons.values())
    print(f"{dict(reasons)}, {shown} messages on the handsets")
    assert reasons["late_event"]
    assert reasons["duplicate"]
    assert shown > ORDERS
