"""What guards forbid a trunk: calls beyond a country's cap, to dear ranges, and longer than they may last."""

import pytest

from connector.carriers.contract import Unsendable
from tests.voice.trunk_rig import callee, detail, guarded, rig, trunk_config
from tests.voice.uas import Answerer

pytestmark = pytest.mark.asyncio


async def rings(answerer: Answerer) -> None:
    answerer.ring()


async def listens_for_ever(answerer: Answerer) -> None:
    answerer.accept()


async def test_no_more_calls_to_a_country_at_once_than_its_cap() -> None:
    guards = guarded(voice_concurrent={"most": 1})
    async with callee(rings) as uas, rig(trunk_config(uas.port), guards=guards) as trunk:
        await trunk.up()
        first = trunk.send()
        with pytest.raises(Unsendable, match="guard voice_concurrent: ") as refused:
            trunk.send()
        assert refused.value.field == "to"
        assert trunk.trunk.active == 1
        trunk.trunk.hang_up(first, trunk.clock.now())
        await trunk.ended(first)
        second = trunk.send()  # there is room again
        trunk.trunk.hang_up(second, trunk.clock.now())
        await trunk.ended(second)
        assert guards.hits["voice_concurrent", "refused"] == 1


async def test_no_more_calls_to_a_country_in_a_day_than_its_cap() -> None:
    guards = guarded(voice_daily={"most": 1})
    async with callee(rings) as uas, rig(trunk_config(uas.port), guards=guards) as trunk:
        await trunk.up()
        first = trunk.send()
        trunk.trunk.hang_up(first, trunk.clock.now())
        await trunk.ended(first)
        with pytest.raises(Unsendable, match="guard voice_daily: "):
            trunk.send()


async def test_a_dry_run_only_counts() -> None:
    guards = guarded(voice_concurrent={"most": 1, "dry_run": True})
    async with callee(rings) as uas, rig(trunk_config(uas.port), guards=guards) as trunk:
        await trunk.up()
        attempts = [trunk.send(), trunk.send()]
        assert guards.hits["voice_concurrent", "dry_run"] == 1
        for attempt in attempts:
            trunk.trunk.hang_up(attempt, trunk.clock.now())
            await trunk.ended(attempt)


async def test_a_call_is_hung_up_when_it_has_lasted_so_long() -> None:
    guards = guarded(voice_length={"most_s": 1.0})
    patient = {"input_timeout_s": 30.0, "repeats": 1}
    async with callee(listens_for_ever) as uas, rig(trunk_config(uas.port), patient, guards) as trunk:
        await trunk.up()
        attempt = trunk.send()
        end = await trunk.ended(attempt)
        assert detail(end)["ended_by"] == "us"
        assert detail(end)["ended"] - detail(end)["answered"] < 20.0
