"""The course of a parcel by the shipped rules: what leaves, when, and what does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from connector.carriers.contract import CallEnd
from connector.errors import ConnectorError
from tests.orders.shop import GERMAN, Shop, run

HOUR = 3600.0
BRITISH = "+447700900123"
MORNING = 1_700_031_600.0  # 15 November 2023, 08:00 in Germany
HEARD = CallEnd("delivered", "heard", 200, detail='{"kind":"delivered"}')


async def until(shop: Shop, at: float) -> None:
    """Pass time as the daemon does: with its ticks and sweeps."""
    while shop.stage.now() < at:
        await asyncio.sleep(min(60.0, at - shop.stage.now()))
        shop.stage.dispatcher.tick(shop.stage.now())
        shop.stage.sweep()
    await shop.stage.settle()


def arrive(shop: Shop) -> None:
    """Every text that has left is accepted and delivered."""
    for carrier in shop.carriers.values():
        for attempt in carrier.attempts:
            if not attempt.answered:
                carrier.report(carrier.accept(attempt), to=attempt.job.recipient[1:])


def test_at_night_it_waits_for_the_morning_where_the_recipient_is(tmp_path: Path) -> None:
    async def act(shop: Shop) -> None:
        german = await shop.tell("shipped", lang="de")
        british = await shop.tell("shipped", order="1002", to=BRITISH, lang="en")
        assert (german.id, german.state, british.state) == ("o:shipped:1001", "queued", "queued")
        await until(shop, MORNING - 1.0)
        assert shop.texts == []
        await until(shop, MORNING + 1.0)
        (text,) = shop.texts
        assert ("Bestellung 1001" in text, "16.11.2023" in text) == (True, True)
        await until(shop, MORNING + HOUR + 1.0)
        assert len(shop.texts) == 2
        rows = shop.stage.book.rows("SELECT deadline_at FROM job ORDER BY id")
        assert rows == [(MORNING + 6 * HOUR,), (MORNING + 7 * HOUR,)], "counted from their morning"

    run(tmp_path, act)


def test_what_came_in_the_evening_and_is_told_at_night_waits_too(tmp_path: Path) -> None:
    async def act(shop: Shop) -> None:
        told = await shop.tell("shipped", at=shop.stage.now() - 3 * HOUR)
        assert told.state == "queued"
        assert shop.stage.book.rows("SELECT deadline_at FROM job") == [(MORNING + 6 * HOUR,)]

    run(tmp_path, act)


def test_a_rule_may_disregard_quiet_hours_and_other_jobs_do(tmp_path: Path) -> None:
    async def act(shop: Shop) -> None:
        await shop.tell("rider", lang="en")
        (text,) = shop.texts
        assert text.startswith("Noor is on the way")
        ((accepted_at, deadline_at),) = shop.stage.book.rows("SELECT accepted_at, deadline_at FROM job")
        assert deadline_at == accepted_at + 600.0
        await shop.ask("submit", id="alarm", to=GERMAN, text="disk full")
        assert shop.texts[-1] == "disk full"

    run(tmp_path, act)


def test_what_is_out_of_date_in_the_morning_is_not_told(tmp_path: Path) -> None:
    async def act(shop: Shop) -> None:
        for node, event in (("shipped", None), ("in_transit", "hub-1"), ("in_transit", "hub-2")):
            await shop.tell(node, lang="en", event=event)
        await until(shop, MORNING + 1.0)
        (text,) = shop.texts
        assert "Leeds" in text
        assert shop.outcome("o:shipped:1001") == ("cancelled", "the order has gone on to in_transit")
        assert shop.outcome("o:in_transit:1001:hub-1")[0] == "cancelled"
        assert shop.stage.metrics.jobs_superseded == 2
        late = await shop.tell("shipped", order="1001", lang="fr")
        assert (late.id, late.duplicate, late.dropped) == ("o:shipped:1001", True, "conflict")

    run(tmp_path, act)


@pytest.mark.parametrize("confirmed_by", ["nobody", "feedback", "the next event", "a silent event"])
def test_a_text_that_nobody_confirms_is_followed_by_a_call(tmp_path: Path, confirmed_by: str) -> None:
    async def act(shop: Shop) -> None:
        await until(shop, MORNING + HOUR)
        told = await shop.tell("in_locker", lang="de")
        assert told.id is not None
        arrive(shop)
        await until(shop, MORNING + 2 * HOUR)
        assert shop.outcome(told.id) == (None, None), "a receipt is no confirmation"
        if confirmed_by == "feedback":
            await shop.ask("feedback", id=told.id, converted=True)
        elif confirmed_by == "the next event":
            await shop.tell("delivered", lang="de")
        elif confirmed_by == "a silent event":
            noted = await shop.tell("collected")
            assert (noted.id, noted.state, noted.dropped) == (None, "noted", None)
        await until(shop, MORNING + 3 * HOUR - 1.0)
        assert shop.west.attempts == []
        await until(shop, MORNING + 3 * HOUR + 1.0)
        if confirmed_by != "nobody":
            assert shop.west.attempts == []
            assert shop.outcome(told.id)[0] == "delivered"
            return
        (call,) = shop.west.attempts
        voice = call.job.content.voice
        assert voice is not None
        assert (voice.script, voice.lang, voice.code) == ("parcel", "de", "")
        shop.west.finish(call, HEARD)
        await until(shop, shop.stage.now() + 10 * HOUR)
        assert shop.outcome(told.id)[0] == "delivered"
        assert len(shop.west.attempts) == 1

    run(tmp_path, act)


def test_a_ringing_telephone_is_silenced_by_the_next_event(tmp_path: Path) -> None:
    async def act(shop: Shop) -> None:
        await until(shop, MORNING + HOUR)
        await shop.tell("in_locker", lang="en", to=GERMAN)
        arrive(shop)
        await until(shop, MORNING + 3 * HOUR + 1.0)
        (call,) = shop.west.attempts
        told = await shop.tell("collected")
        assert (told.id, shop.west.hung_up) == (None, [call])

    run(tmp_path, act)


def test_late_stale_and_repeated_events_are_answered_as_data(tmp_path: Path) -> None:
    async def act(shop: Shop) -> None:
        await until(shop, MORNING + 4 * HOUR)
        now = shop.stage.now()
        stale = await shop.tell("shipped", at=now - 20 * HOUR)
        assert (stale.id, stale.state, stale.dropped) == (None, "dropped", "stale_event")
        again = await shop.tell("shipped")
        assert (again.id, again.state, again.duplicate, again.dropped) == (None, "noted", True, None)
        first = await shop.tell("delivered", at=now - HOUR)
        assert first.state == "queued"
        (deadline_at,) = shop.stage.book.row("SELECT deadline_at FROM job")
        assert deadline_at == now + 2 * HOUR, "three hours from the event"
        late = await shop.tell("out_for_delivery")
        assert (late.id, late.dropped, late.after) == (None, "late_event", "delivered")
        for lang in ("en", "en", "it"):
            await shop.tell("delivered", lang=lang)
        metrics = shop.stage.metrics
        assert (metrics.order_events_dropped, metrics.jobs_duplicate, metrics.jobs_accepted) == (2, 1, 1)
        assert {code: n for code, n in metrics.jobs_refused.items() if n} == {
            "stale_event": 1, "late_event": 1, "conflict": 3,
        }  # fmt: skip

    run(tmp_path, act)


def test_a_job_whose_order_is_forgotten_is_still_known(tmp_path: Path) -> None:
    async def act(shop: Shop) -> None:
        await shop.tell("shipped")
        shop.stage.book.store.connection.execute("DELETE FROM order_node")
        await asyncio.sleep(HOUR)
        again, other = await shop.tell("shipped"), await shop.tell("shipped", lang="de")
        assert (again.id, again.duplicate, again.dropped) == ("o:shipped:1001", True, None)
        assert (other.id, other.duplicate, other.dropped) == ("o:shipped:1001", True, "conflict")

    run(tmp_path, act)


def test_what_a_job_would_be_refused_for_refuses_the_event_unless_it_is_known(tmp_path: Path) -> None:
    async def act(shop: Shop) -> None:
        with pytest.raises(ConnectorError) as refused:
            await shop.ask("order_event", order="1", node="shipped", to=GERMAN, data={"dya": "2023-11-16"})
        assert (refused.value.code, refused.value.field) == ("invalid_job", "data.day")
        with pytest.raises(ConnectorError) as refused:
            await shop.ask("order_event", order="1", node="shiped", to=GERMAN)
        assert (refused.value.field, refused.value.hint) == ("node", "did you mean 'shipped'?")
        with pytest.raises(ConnectorError) as refused:
            await shop.tell("in_transit")
        assert (refused.value.code, refused.value.field) == ("invalid_job", "event")
        assert shop.stage.book.rows("SELECT * FROM order_node") == []
        await shop.tell("collected", order="1")
        late = await shop.ask("order_event", order="1", node="shipped", to=GERMAN)
        assert late.dropped == "late_event", "out of date, whatever else is wrong with it"

    run(tmp_path, act)


def test_other_rules_from_now_on(tmp_path: Path) -> None:
    async def act(shop: Shop) -> None:
        await until(shop, MORNING + HOUR)
        await shop.tell("shipped")
        shop.methods.configure(replace(shop.config, orders=None))
        with pytest.raises(ConnectorError) as refused:
            await shop.tell("delivered")
        assert (refused.value.field, refused.value.hint) == ("node", "the lane has no [orders]")
        shop.methods.configure(shop.config)
        await shop.tell("delivered")
        assert (await shop.tell("shipped")).duplicate

    run(tmp_path, act)


def test_the_process_dies_between_the_text_and_the_call(tmp_path: Path) -> None:
    """What was to follow still does, or is stopped for good."""

    async def act(shop: Shop) -> None:
        await until(shop, MORNING + HOUR)
        told, other = await shop.tell("in_locker"), await shop.tell("in_locker", order="1002")
        arrive(shop)
        await shop.stage.settle()
        shop.die()
        again = await shop.tell("in_locker")
        assert (again.id, again.duplicate, len(shop.texts)) == (told.id, True, 2)
        await shop.tell("collected", order="1002")
        shop.die()
        await until(shop, MORNING + 4 * HOUR)
        assert [call.job.id for call in shop.west.attempts] == [told.id]
        assert other.id is not None
        assert shop.outcome(other.id) == ("delivered", "receipt DELIVERED")

    run(tmp_path, act)
