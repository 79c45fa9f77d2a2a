"""Two parcels in two languages, by the real daemon, a simulated carrier and a simulated telephone."""

from __future__ import annotations

import shutil

import pytest

from connector.client import OrderEvent, OrderTold, RpcError
from protocols.rpc.job import ParamValue
from tests.daemon.callee import TRUNK, SimulatedCallee
from tests.daemon.harness import Application, CarrierFile, Lane, SimulatedCarrier, Site, until
from tests.docs.exchange import carry_out
from tests.orders.shop import CONFIG

pytestmark = pytest.mark.asyncio

AFTER_S = 1.5
GERMAN, ENGLISH = "+4915112345678", "+447700900123"
NODES: list[dict[str, object]] = [
    {"node": "shipped", "rank": 20, "template": "order-shipped"},
    {"node": "in_transit", "rank": 30, "template": "order-in-transit", "repeats": True},
    {"node": "in_locker", "rank": 50, "template": "order-in-locker", "journey": "dont-miss"},
    {"node": "delivered", "rank": 80, "template": "order-delivered"},
]
JOURNEY = {
    "stop": ["converted"],
    "steps": [
        {"channel": "sms"},
        {"channel": "voice", "start": "after", "after_s": AFTER_S, "script": "parcel"},
    ],
}
LOCKER: dict[str, ParamValue] = {"locker": "Bahnhof 12", "code": "482917", "until": "2026-11-27"}


def lane(site: Site, carrier: SimulatedCarrier, callee: SimulatedCallee) -> None:
    """The notification lane with a little less patience."""
    other = {
        "lane": "notification",
        "voice": {"listen": "127.0.0.1:0", "rtp_ports": [46_000, 46_999], "languages": ["en", "de"]},
        "scripts": {"parcel": {"kind": "message", "gate": False, "repeats": 0}},
        "journeys": {"dont-miss": JOURNEY},
        "orders": {"nodes": NODES},
    }
    site.write(Lane((CarrierFile(carrier.port),), other=other))
    (site.config / "trunks").mkdir()
    (site.config / "trunks/sim.toml").write_text(TRUNK.format(port=callee.port, most=10))
    shutil.copytree(CONFIG / "notification/templates", site.config / "templates")


class Customer:
    """Somebody who waits for a parcel."""

    def __init__(self, shop: Application, order: str, to: str, lang: str) -> None:
        self.shop, self.order, self.to, self.lang = shop, order, to, lang

    async def tell(self, node: str, event: str | None = None, **data: ParamValue) -> OrderTold:
        return await self.shop.client.order_event(
            OrderEvent(order=self.order, node=node, to=self.to, lang=self.lang, data=data, event=event)
        )

    async def delivered(self, node: str, event: str | None = None, **data: ParamValue) -> None:
        told = await self.tell(node, event, **data)
        assert told.id is not None
        assert (await self.shop.final(told.id)).outcome == "delivered"


@pytest.mark.timeout(120)
async def test_two_parcels_and_a_missed_locker(site: Site) -> None:
    carrier, callee = site.carrier(), SimulatedCallee(site, answer_after="fixed:0.1")
    carrier.set(stories=False)
    lane(site, carrier, callee)
    site.start()
    async with Application(site.socket_path) as shop:
        anna, john = Customer(shop, "1001", GERMAN, "de-AT"), Customer(shop, "1002", ENGLISH, "en")
        for each in (anna, john):
            await each.delivered("shipped", day="2026-11-26")
            await each.delivered("in_transit", "hub-7", place="Leeds", hub=7)
        again = await anna.tell("in_transit", "hub-7", place="Leeds", hub=7)
        assert (again.id, again.state, again.duplicate) == ("o:in_transit:1001:hub-7", "final", True)
        missed, seen = await anna.tell("in_locker", **LOCKER), await john.tell("in_locker", **LOCKER)
        assert missed.id is not None
        assert seen.id is not None
        await shop.event(seen.id, "delivered")
        await shop.client.feedback(seen.id, converted=True)
        assert (await shop.final(seen.id)).type == "converted"
        await shop.event(missed.id, "answered", timeout_s=60.0)
        late = await anna.tell("in_transit", "hub-8", place="Hull")
        assert (late.id, late.state, late.dropped, late.after) == (None, "dropped", "late_event", "in_locker")
        await until(lambda: any("end" in call["at"] for call in callee.calls()), "the call is over", 60.0)
        for each in (anna, john):
            await each.delivered("delivered", day="2026-11-24", at="14:20")
        call = (await shop.client.status(missed.id))["attempts"][1]["call"]
        assert (call["kind"], call["lang"] if "lang" in call else "de") == ("heard", "de")
        with pytest.raises(RpcError) as refused:
            await anna.tell("stolen")
        assert (refused.value.code, refused.value.field) == ("invalid_job", "node")
    assert [(record["to"], record["ended_by"]) for record in callee.calls()] == [(GERMAN[1:], "caller")]
    assert carrier.inbox(GERMAN) == [
        "Ihre Acme-Bestellung 1001 wurde versandt und kommt voraussichtlich am 26.11.2026.",
        "Ihre Acme-Bestellung 1001 ist unterwegs. Sie hat Leeds erreicht.",
        "Ihre Acme-Bestellung 1001 liegt in der Paketstation Bahnhof 12. Code 482917. Abholung bis 27.11.2026.",
        "Ihre Acme-Bestellung 1001 wurde am 24.11.2026 um 14:20 zugestellt.",
    ]
    assert len(carrier.inbox(ENGLISH)) == 4
    assert "locker Bahnhof 12. Code 482917" in carrier.inbox(ENGLISH)[2]


async def test_the_exchange_of_the_page_is_a_real_one(site: Site) -> None:
    carrier, callee = site.carrier(), SimulatedCallee(site)
    lane(site, carrier, callee)
    site.start()
    page = (CONFIG.parent / "docs/orders.md").read_text()
    found = list(carry_out(site.socket_path, page))
    assert [real for _, real in found] == [told for told, _ in found]
    assert len(found) == 2
