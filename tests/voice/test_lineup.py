"""A reload changes trunks: who leaves and who comes, and in which order the carrier hears of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from connector.config import load
from connector.metrics import Metrics
from connector.voice.lineup import TrunkLineup
from tests.config.trunk_folder import calling_lane
from tests.voice.trunk_rig import guarded

pytestmark = pytest.mark.asyncio


class NotedTrunk:
    """Writes down what is asked of it."""

    def __init__(self, name: str, number: int, noted: list[str]) -> None:
        self.name = name
        self._shown = f"{name} {number}"
        self._noted = noted
        self.quiet = asyncio.Event()
        self.quiet.set()

    def start(self) -> None:
        self._noted.append(f"{self._shown} starts")

    async def unregister(self) -> None:
        await asyncio.sleep(0)
        self._noted.append(f"{self._shown} un-registers")

    async def drain(self) -> None:
        await self.quiet.wait()
        self._noted.append(f"{self._shown} is empty")

    async def stop(self) -> None:
        self._noted.append(f"{self._shown} stops")


class Scene:
    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = calling_lane(path)
        self.noted: list[str] = []
        self.made: list[NotedTrunk] = []

        def made(lineup: TrunkLineup, trunk: Any, accounts: Any) -> NotedTrunk:
            self.made.append(NotedTrunk(trunk.name, len(self.made) + 1, self.noted))
            return self.made[-1]

        monkeypatch.setattr(TrunkLineup, "_made", made)
        config = load(self.folder.path)
        self.lineup = TrunkLineup(
            config,
            {"west": 1},
            outcomes=None,  # type: ignore[arg-type]
            metrics=Metrics(),
            guards=guarded(),
            now=lambda: 0.0,
        )

    async def reload(self) -> None:
        self.lineup.change(load(self.folder.path), {"west": 1})
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)


async def test_an_account_is_un_registered_before_its_next_trunk_registers_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, monkeypatch)
    scene.folder.edit("trunks/west.toml", "per_s = 5", "per_s = 6")
    await scene.reload()
    assert sorted(scene.noted) == ["west 1 is empty", "west 1 stops", "west 1 un-registers", "west 2 starts"]
    assert scene.noted.index("west 1 un-registers") < scene.noted.index("west 2 starts")
    assert scene.lineup.trunks == scene.made[1:]


async def test_a_trunk_that_did_not_change_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(tmp_path, monkeypatch)
    await scene.reload()
    assert (scene.noted, scene.lineup.trunks) == ([], scene.made)


async def test_a_removed_trunk_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(tmp_path, monkeypatch)
    main = scene.folder.path / "connector.toml"
    text = main.read_text().replace('channel = "voice"', 'channel = "sms"')
    main.write_text(text.replace('script = "warn"\n', ""))
    (scene.folder.path / "trunks/west.toml").unlink()
    await scene.reload()
    assert sorted(scene.noted) == ["west 1 is empty", "west 1 stops", "west 1 un-registers"]
    assert scene.lineup.trunks == []


async def test_calls_of_a_trunk_that_leaves_end_by_themselves_or_when_the_daemon_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, monkeypatch)
    scene.made[0].quiet.clear()
    scene.folder.edit("trunks/west.toml", "per_s = 5", "per_s = 6")
    scene.lineup.change(load(scene.folder.path), {"west": 1})
    await scene.lineup.drain(0.05)
    assert scene.noted == ["west 1 un-registers", "west 2 starts"]
    await scene.lineup.close()
    assert scene.noted[2:] == ["west 1 stops"]
