"""The trunks in use with what they share, and how one takes the place of another while calls go on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from connector.carriers.contract import Outcomes
from connector.config import Config
from connector.config import Trunk as TrunkConfig
from connector.log import event as log_event
from connector.metrics import Metrics, TrunkLive, VoiceLive
from connector.routing.guards import Guards
from connector.voice.lane import VoiceLane
from connector.voice.speech import Speech
from connector.voice.speech.service import Progress
from connector.voice.trunk import Trunk

__all__ = ["TrunkLineup", "account_of"]

_log = logging.getLogger(__name__)


def account_of(trunk: TrunkConfig) -> str:
    """The account's name in the journal."""
    return f"sip|{trunk.trunk.host}|{trunk.trunk.username or ''}"


class TrunkLineup:
    """`open` before the dispatcher starts the trunks, `close` after it has stopped them."""

    def __init__(
        self,
        config: Config,
        accounts: Mapping[str, int],
        *,
        outcomes: Outcomes,
        metrics: Metrics,
        guards: Guards,
        now: Callable[[], float],
    ) -> None:
        self._config = config
        self._guards = guards
        self._outcomes = outcomes
        self._metrics = metrics
        self._now = now
        self.speech = Speech(config.voice.speech, Path(config.state_folder))
        self.lane = VoiceLane(config.voice, speech=self.speech, now=now)
        self._trunks = {trunk.name: self._made(trunk, accounts) for trunk in _enabled(config)}
        self._farewells: set[asyncio.Task[None]] = set()

    @property
    def trunks(self) -> list[Trunk]:
        """Those in use."""
        return list(self._trunks.values())

    @property
    def bound(self) -> bool:
        """Some trunk takes calls."""
        return any(trunk.bound for trunk in self._trunks.values())

    async def open(self, progress: Progress) -> None:
        """Make the prompts ready and take the sockets. Raises SpeechError and OSError."""
        await self.speech.start(self._config.voice.languages, progress)
        try:
            await self.lane.open()
        except BaseException:
            await self.speech.stop()
            raise
        assert self.lane.clock is not None
        self._metrics.rtp_pacing = self.lane.clock.pacing

    def change(self, config: Config, accounts: Mapping[str, int]) -> None:
        """Go over to the trunks of `config`, all that changed with new ones. The calls of the others go on to
        their end, at the latest after `calls.max_s`.
        """
        before = {trunk.name: _made_of(trunk, self._config) for trunk in _enabled(self._config)}
        self._config = config
        kept, present, fresh = dict[str, Trunk](), self._trunks, list[Trunk]()
        for trunk in _enabled(config):
            old = present.get(trunk.name)
            if old is not None and before[trunk.name] == _made_of(trunk, config):
                kept[trunk.name] = old
            else:
                kept[trunk.name] = self._made(trunk, accounts)
                fresh.append(kept[trunk.name])
        self._trunks = kept
        left = [old for name, old in present.items() if kept.get(name) is not old]
        self._begin(_hand_over(left, fresh), "trunks hand over")
        for old in left:
            self._begin(_leave(old), f"farewell of {old.name}")

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)

    async def drain(self, timeout_s: float) -> None:
        """Let the calls of trunks that are no longer in use end."""
        if self._farewells:
            await asyncio.wait(self._farewells, timeout=timeout_s)

    async def close(self) -> None:
        """End what is left, the trunks in use excepted: they are somebody else's to stop."""
        for task in self._farewells:
            task.cancel()
        await asyncio.gather(*self._farewells, return_exceptions=True)
        await self.lane.close()
        await self.speech.stop()

    def live(self, now: float) -> tuple[tuple[TrunkLive, ...], VoiceLive]:
        """Each trunk, and what they share."""
        clock = self.lane.clock
        shared = VoiceLive(
            prompts_ready=self.speech.hits,
            prompts_rendered=self.speech.misses,
            speech_restarts=self.speech.restarts,
            rtp_skipped=clock.skipped if clock else 0,
            rtp_blocked=clock.blocked if clock else 0,
        )
        return tuple(trunk.live(now) for trunk in self._trunks.values()), shared

    def _made(self, trunk: TrunkConfig, accounts: Mapping[str, int]) -> Trunk:
        return Trunk(
            trunk,
            account=accounts[trunk.name],
            lane=self.lane,
            scripts=self._config.scripts,
            outcomes=self._outcomes,
            metrics=self._metrics.trunk(trunk.name),
            guards=self._guards,
            now=self._now,
        )


def _enabled(config: Config) -> Sequence[TrunkConfig]:
    return [trunk for trunk in config.trunks if trunk.enabled]


def _made_of(trunk: TrunkConfig, config: Config) -> object:
    """A password is read when a trunk starts: who changes one restarts the daemon."""
    return trunk, config.scripts


async def _hand_over(left: Sequence[Trunk], fresh: Sequence[Trunk]) -> None:
    """An account's contact is the same for both: whoever leaves un-registers it before the next registers."""
    await asyncio.gather(*(trunk.unregister() for trunk in left))
    for trunk in fresh:
        try:
            trunk.start()
        except OSError as error:
            log_event(_log, "a trunk cannot start", level=logging.ERROR, trunk=trunk.name, error=error)


async def _leave(trunk: Trunk) -> None:
    try:
        await trunk.drain()
    finally:
        await trunk.stop()
