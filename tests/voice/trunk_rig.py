"""A trunk with everything around it but the journal: outcomes are written down, speech is a tone."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from connector.carriers.contract import Attempt, CallEnd
from connector.clock import Clock
from connector.config.guards import GuardRules
from connector.config.trunk import Trunk as TrunkConfig
from connector.config.voice import ScriptSettings
from connector.config.voice import Voice as VoiceConfig
from connector.metrics import TrunkMetrics
from connector.model import Content, LiveJob, Voice
from connector.routing.guards import Guards, guard_settings
from connector.voice.audio import Audio
from connector.voice.lane import VoiceLane
from connector.voice.trunk import Trunk
from tests.voice.uas import FAST, TONE, Uas

NUMBER = "+4915112345678"
CALLER_ID = "+493012345"


class Tones:
    """Speech without an engine: every prompt is 0.1 s of a tone; `slow` never gets ready."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.slow = False

    async def phrase(self, lang: str, name: str) -> Audio:
        if self.error is not None:
            raise self.error
        if self.slow:
            await asyncio.Event().wait()
        return TONE

    async def code(self, lang: str, digits: str) -> Audio:
        return await self.phrase(lang, "code")

    async def prompt(self, lang: str, segments: Any, pace: str = "normal") -> Audio:
        return await self.phrase(lang, "message")


class Book:
    """Outcomes: what the dispatcher would be told, in order."""

    def __init__(self) -> None:
        self.steps: dict[str, list[str]] = {}
        self.ends: dict[str, list[CallEnd]] = {}
        self.rooms = 0
        self.changed = asyncio.Event()

    def call_progress(self, attempt: Attempt, step: str, now: float, digit: str | None = None) -> None:
        self.steps.setdefault(attempt.job.id, []).append(step if digit is None else f"{step} {digit}")
        self.changed.set()

    def call_ended(self, attempt: Attempt, end: CallEnd, now: float) -> None:
        self.ends.setdefault(attempt.job.id, []).append(end)
        self.changed.set()

    def room(self) -> None:
        self.rooms += 1
        self.changed.set()

    async def until(self, condition) -> None:
        async with asyncio.timeout(45):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


class Rig:
    """One trunk towards `uas`; `call` places a call as the dispatcher would."""

    def __init__(self, trunk: Trunk, lane: VoiceLane, book: Book, speech: Tones, clock: Clock) -> None:
        self.trunk, self.lane, self.book, self.speech, self.clock = trunk, lane, book, speech, clock
        self._number = 0

    def attempt(
        self, deadline_s: float = 30.0, to: str = NUMBER, voice: Voice | None = None, sender: str = ""
    ) -> Attempt:
        self._number += 1
        now = self.clock.now()
        content = Content("", sender, voice=voice or Voice("test", "en", code="4829"))
        job = LiveJob(
            key=self._number, app=1, id=f"job {self._number}", recipient=to, content=content,
            accepted_at=now, deadline_at=now + deadline_s,
        )  # fmt: skip
        attempt = self.trunk.prepare(job, now)
        job.attempts = attempt.number
        return attempt

    def send(self, **options: Any) -> Attempt:
        attempt = self.attempt(**options)
        self.trunk.send(attempt, self.clock.now())
        self.trunk.pump(self.clock.now())
        return attempt

    async def ended(self, attempt: Attempt) -> CallEnd:
        await self.book.until(lambda: attempt.job.id in self.book.ends)
        (end,) = self.book.ends[attempt.job.id]
        return end

    async def call(self, **options: Any) -> CallEnd:
        return await self.ended(self.send(**options))

    def steps(self, attempt: Attempt) -> list[str]:
        return self.book.steps.get(attempt.job.id, [])

    async def said(self, attempt: Attempt, prompt: str) -> None:
        """Until that prompt has begun."""
        async with asyncio.timeout(45):
            while prompt not in [said.name for said in attempt.call.record.detail.prompts]:
                await asyncio.sleep(0.01)

    async def up(self) -> None:
        await self.book.until(lambda: self.trunk.state(self.clock.now()) == "up")


def detail(end: CallEnd) -> dict[str, Any]:
    assert end.detail is not None
    return msgspec.json.decode(end.detail)


def trunk_config(port: int, folder: Path | None = None, **tables: dict[str, Any]) -> TrunkConfig:
    account = {"host": "127.0.0.1", "port": port, "options_s": 0, **tables.pop("trunk", {})}
    calls = {"max": 10, "per_s": 100, "caller_ids": [CALLER_ID], **tables.pop("calls", {})}
    return msgspec.convert(
        {"name": "north", "trunk": account, "calls": calls, "folder": str(folder or "/"), **tables},
        TrunkConfig,
    )


def guarded(**rules: dict[str, Any]) -> Guards:
    """By these tables of [guards]."""
    return Guards(guard_settings(msgspec.convert(rules, GuardRules), ()), b"k" * 32, 0.0)


@asynccontextmanager
async def rig(
    config: TrunkConfig,
    script: dict[str, Any] | None = None,
    guards: Guards | None = None,
    **lane_options: Any,
):
    clock, book, speech = Clock(), Book(), Tones()
    voice = VoiceConfig(listen="127.0.0.1:0", rtp_ports=(30_000, 39_999))
    lane = VoiceLane(voice, speech=speech, now=clock.now, **{"timers": FAST, **lane_options})  # type: ignore[arg-type]
    settings = ScriptSettings(
        **{"kind": "code", "gate": True, "repeats": 0, "input_timeout_s": 1.5, **(script or {})}
    )
    await lane.open()
    trunk = Trunk(
        config, account=1, lane=lane, scripts={"test": settings}, outcomes=book,  # type: ignore[arg-type]
        metrics=TrunkMetrics(), guards=guards or guarded(), now=clock.now,
    )  # fmt: skip
    trunk.start()
    built = Rig(trunk, lane, book, speech, clock)
    try:
        yield built
    finally:
        await trunk.stop()
        await lane.close()
        # Whatever a test did, nothing is left.
        assert len(lane.ports) == 0, "RTP ports are left"
        assert trunk.active == 0 and lane.endpoint.agent.calls == 0, "calls are left"
        assert all(len(ends) == 1 for ends in book.ends.values()), "a call ended twice"


@asynccontextmanager
async def callee(plan):
    uas = await Uas(plan).open()
    try:
        yield uas
    finally:
        await uas.close()
