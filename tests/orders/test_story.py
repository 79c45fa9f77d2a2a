"""Two parcels in two languages, by the real daemon, a simulated carrier and a simulated telephone."""

from __future__ import annotations

import asyncio
import shutil
import tomllib

import pytest

from connector.client import OrderEvent, OrderTold, RpcError
from protocols.rpc.job import ParamValue
from tests.cli.conftest import connector
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
    site.write(Lane((CarrierFile(carrier.port, "east"),), other=other))
    (site.config / "trunks").mkdir()
    (site.config / "trunks/west.toml").write_text(TRUNK.format(port=callee.port, most=10))
    shutil.copytree(CONFIG / "notification/templates", site.config / "templates")
    locker = site.config / "templates/order-in-locker.toml"
    before, _, after = locker.read_text().partition("[voice.say]\n")
    said = (line.partition(" = ") for line in after.splitlines())
    # A few seconds of speech are enough to be heard.
    short = "".join(f'{lang} = ["Acme."]\n' for lang, equals, _ in said if equals)
    locker.write_text(f"{before}[voice.say]\n{short}")


def written(template: str, lang: str, **values: str) -> str:
    """The text as it stands in the template's file, with these values as people write them."""
    file = tomllib.loads((CONFIG / "notification/templates" / f"{template}.toml").read_text())
    text: str = file["text"][lang]
    return text.format(**file["values"], **values)


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
    carrier.set(stories=False, receipt_delay="fixed:0.05")
    lane(site, carrier, callee)
    site.start()
    async with Application(site.socket_path) as shop:
        anna, john = Customer(shop, "2001", GERMAN, "de-AT"), Customer(shop, "2002", ENGLISH, "en")
        for each in (anna, john):
            await each.delivered("shipped", day="2026-11-26")
            await each.delivered("in_transit", "hub-7", place="Leeds", hub=7)
        again = await anna.tell("in_transit", "hub-7", place="Leeds", hub=7)
        assert (again.id, again.state, again.duplicate) == ("o:in_transit:2001:hub-7", "final", True)
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
        assert call["kind"] == "heard"
        with pytest.raises(RpcError) as refused:
            await anna.tell("stolen")
        assert (refused.value.code, refused.value.field) == ("invalid_job", "node")
    assert [(record["to"], record["ended_by"]) for record in callee.calls()] == [(GERMAN[1:], "caller")]
    assert carrier.inbox(GERMAN) == [
        written("order-shipped", "de", order="2001", day="26.11.2026"),
        written("order-in-transit", "de", order="2001", place="Leeds"),
        written(
            "order-in-locker", "de", order="2001", until="27.11.2026", locker="Bahnhof 12", code="482917"
        ),
        written("order-delivered", "de", order="2001", day="24.11.2026", at="14:20"),
    ]
    assert carrier.inbox(ENGLISH) == [
        written("order-shipped", "en", order="2002", day="Nov 26, 2026"),
        written("order-in-transit", "en", order="2002", place="Leeds"),
        written(
            "order-in-locker", "en", order="2002", until="Nov 27, 2026", locker="Bahnhof 12", code="482917"
        ),
        written("order-delivered", "en", order="2002", day="Nov 24, 2026", at="2:20 PM"),
    ]
    await asyncio.to_thread(_the_exchange_of_the_page_is_a_real_one, site)
    verified = await asyncio.to_thread(connector, "evidence", "verify", "--state", str(site.state))
    assert verified.returncode == 0, verified.stdout


def _the_exchange_of_the_page_is_a_real_one(site: Site) -> None:
    page = (CONFIG.parent / "docs/orders.md").read_text()
    found = list(carry_out(site.socket_path, page))
    assert [real for _, real in found] == [told for told, _ in found]
    assert len(found) == 2
