"""What a changed configuration asks for, and what happens to carriers that are no longer wanted."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.carriers.contract import Carrier
from connector.carriers.lineup import Lineup, Plan, plan
from connector.carriers.smpp import SmppCarrier
from connector.simulator.options import SmscOptions
from connector.simulator.smsc import Smsc
from tests.carriers.stage import PATIENCE_S, Stage, Told, now
from tests.carriers.test_binds import carrier_of

NAMES = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 2))


def test_the_plan() -> None:
    assert plan({"a": 1, "b": 1, "c": 1}, {"b": 2, "c": 1, "d": 1}) == Plan(("d",), ("b",), ("a",), ("c",))


@given(NAMES, NAMES)
def test_each_name_has_one_step_and_the_steps_lead_there(
    present: dict[str, int], wanted: dict[str, int]
) -> None:
    steps = plan(present, wanted)
    assert sorted(name for step in steps for name in step) == sorted({*present, *wanted})
    reached = {name: present[name] for name in present if name not in steps.removed}
    reached |= {name: wanted[name] for name in (*steps.added, *steps.changed)}
    assert reached == wanted


class Scene:
    """A carrier on the simulated one, and what the lineup has told to use."""

    def __init__(self, smsc: Smsc, port: int, folder: Path) -> None:
        self.smsc = smsc
        self.told = Told()
        self.uses: list[list[str]] = []
        self.made: list[SmppCarrier] = []
        self.using: Sequence[Any] = ()
        self._port, self._folder = port, folder
        self.lineup = Lineup(self._use)

    def _use(self, carriers: Sequence[Carrier]) -> None:
        self.using = carriers
        self.uses.append([carrier.name for carrier in carriers])

    def make(self, **binds: Any) -> SmppCarrier:
        self.made.append(carrier_of(self._port, self._folder, self.told, binds=binds))
        return self.made[-1]

    async def begin(self, **binds: Any) -> None:
        carrier = self.make(**binds)
        self.lineup.begin({"sim": (0, carrier)})
        self.using = [carrier]
        carrier.start()
        await self.until(lambda: carrier.binds.complete)

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.005)

    def open(self) -> int:
        return int(self.smsc.stats()["connections_open"])  # type: ignore[call-overload]

    async def close(self) -> None:
        await self.lineup.stop()
        for carrier in self.lineup.carriers:
            await carrier.stop()


async def enter(folder: Path, **faults: Any) -> Scene:
    smsc = Smsc(SmscOptions().changed(faults), seed=7)
    return Scene(smsc, await smsc.start(), folder)


@pytest.mark.asyncio
async def test_a_removed_carrier_finishes_what_is_under_way(tmp_path: Path) -> None:
    scene = await enter(tmp_path, response_delay="fixed:0.2")
    await scene.begin()
    stage = Stage(scene.made[0], scene.smsc, scene.told)
    (attempt,) = stage.send(stage.job())
    await scene.lineup.change({}, lambda name: scene.make(), 5.0)
    assert scene.uses == [[]]
    await scene.until(lambda: scene.told.of(attempt))
    assert scene.told.of(attempt) == ["sent"]
    await scene.until(lambda: scene.open() == 0)
    await scene.close()
    await scene.smsc.stop()


@pytest.mark.asyncio
async def test_a_change_back_before_the_new_one_was_in_use_keeps_the_old_one(tmp_path: Path) -> None:
    scene = await enter(tmp_path)
    await scene.begin()
    scene.smsc.set({"bind_status": 0x08})
    await scene.lineup.change({"sim": 1}, lambda name: scene.make(), 1.0)
    await scene.until(lambda: scene.smsc.records.counters.binds_refused > 0)
    await scene.lineup.change({"sim": 0}, lambda name: scene.make(), 1.0)
    assert scene.lineup.carriers == [scene.made[0]]
    assert (len(scene.made), scene.uses) == (2, [])
    assert scene.made[0].room(now()) > 0
    await scene.until(lambda: scene.open() == 1)
    await scene.close()
    await scene.smsc.stop()


@pytest.mark.asyncio
async def test_a_carrier_that_gave_up_a_bind_is_not_kept(tmp_path: Path) -> None:
    """It made room for a bind that then did not come about: only a new one is whole again."""
    scene = await enter(tmp_path, max_binds=1)
    await scene.begin()
    await scene.lineup.change({"sim": 1}, lambda name: scene.make(), 1.0)
    await scene.until(lambda: scene.made[0].binds.all[0].state != "bound")
    scene.smsc.set({"bind_status": 0x08})
    await scene.lineup.change({"sim": 0}, lambda name: scene.make(), 1.0)
    assert len(scene.made) == 3
    scene.smsc.set({"bind_status": 0})
    await scene.until(lambda: scene.lineup.carriers == [scene.made[2]])
    await scene.until(lambda: scene.made[2].room(now()) > 0)
    await scene.close()
    await scene.smsc.stop()


@pytest.mark.asyncio
async def test_what_was_learnt_of_the_pace_is_kept(tmp_path: Path) -> None:
    scene = await enter(tmp_path)
    await scene.begin(tps=1000.0)
    scene.made[0].binds.senders[0].pace.slow(now(), now())
    await scene.lineup.change({"sim": 1}, lambda name: scene.make(tps=1000.0, window=7), 1.0)
    await scene.until(lambda: scene.uses)
    assert scene.made[1].binds.senders[0].pace is scene.made[0].binds.senders[0].pace
    assert scene.made[1]._receipts.id_forms is scene.made[0]._receipts.id_forms
    await scene.lineup.change({"sim": 2}, lambda name: scene.make(tps=500.0), 1.0)
    await scene.until(lambda: len(scene.uses) == 2)
    assert scene.made[2].binds.senders[0].pace.free
    await scene.close()
    await scene.until(lambda: scene.open() == 0)
    await scene.smsc.stop()


@pytest.mark.asyncio
async def test_a_change_while_a_bind_makes_room_for_the_one_before(tmp_path: Path) -> None:
    """The bind that drains holds the only place: it must go on, and go, for the newest one."""
    scene = await enter(tmp_path, max_binds=1, response_delay="fixed:0.4")
    await scene.begin(response_timeout_s=2.0)
    stage = Stage(scene.made[0], scene.smsc, scene.told)
    (attempt,) = stage.send(stage.job())
    await scene.lineup.change({"sim": 1}, lambda name: scene.make(), 5.0)
    await scene.until(lambda: scene.made[0].binds.all[0].state == "draining")
    await scene.lineup.change({"sim": 2}, lambda name: scene.make(), 5.0)
    await scene.until(lambda: scene.lineup.carriers == [scene.made[2]])
    assert scene.told.of(attempt) == ["sent"]
    await scene.until(lambda: scene.made[2].room(now()) > 0)
    await scene.close()
    await scene.smsc.stop()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("before", "after", "shared"),
    [("bind", "account", True), ("account", "bind", False), ("account", "account", True)],
)
async def test_the_scope_of_the_pace_is_as_it_is_wanted_now(
    tmp_path: Path, before: str, after: str, shared: bool
) -> None:
    scene = await enter(tmp_path)
    await scene.begin(tps=1000.0, rate_scope=before)
    learnt = scene.made[0].binds.senders[0].pace
    new = {"tps": 1000.0, "count": 2, "rate_scope": after}
    await scene.lineup.change({"sim": 1}, lambda name: scene.make(**new), 1.0)
    await scene.until(lambda: scene.uses)
    one, other = (bind.pace for bind in scene.made[1].binds.senders)
    assert (one is other) is shared
    assert (one is learnt) is (before == after)
    await scene.close()
    await scene.smsc.stop()
