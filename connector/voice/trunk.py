"""A SIP trunk as a Carrier: so many calls at a time, so many a second, over addresses that answer."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from typing import Final, Literal

from connector.carriers.contract import Attempt, CallEnd, CallStep, Carrier, Outcomes, SentPart, Unsendable
from connector.carriers.throttle import TokenBucket
from connector.config.trunk import Trunk as TrunkConfig
from connector.config.voice import ScriptSettings
from connector.journal.ops import Inbound, Query, Receipt
from connector.log import event as log_event
from connector.metrics import TrunkLive, TrunkMetrics
from connector.model import Channel, LiveJob, Voice
from connector.routing.destination import analyse
from connector.routing.guards import Guards
from connector.voice.call import VoiceCall
from connector.voice.keepalive import KeepAlive
from connector.voice.lane import VoiceLane
from connector.voice.outcomes import POLICIES, CallClass, CallOutcomes
from connector.voice.registrar import Registrar
from connector.voice.script import Script
from connector.voice.speech import match
from connector.voice.uplink import Uplink

__all__ = ["Trunk"]

TrunkState = Literal["up", "down", "registering", "refused"]

_log = logging.getLogger(__name__)

_LEAVE_S: Final = 5.0
"""For the answers to BYE and CANCEL when the trunk stops."""


class TrunkAttempt(Attempt):
    """An attempt with the call that is to be made."""

    __slots__ = ("call",)

    call: VoiceCall


class Trunk(Carrier):
    """Keeps the Carrier contract over one trunk. `account` is its row in the journal.

    active  calls under way, agents' legs among them
    """

    def __init__(
        self,
        config: TrunkConfig,
        *,
        account: int,
        lane: VoiceLane,
        scripts: Mapping[str, ScriptSettings],
        outcomes: Outcomes,
        metrics: TrunkMetrics,
        guards: Guards,
        now: Callable[[], float],
    ) -> None:
        self.name = config.name
        self.account = account
        self.priority = config.priority
        self.channel: Channel = "voice"
        self.lane = lane
        self.uplink = Uplink(config, lane.endpoint, lane.resolver)
        self.endings = CallOutcomes(config.outcomes)
        self.active = 0
        self._config = config
        self._scripts = scripts
        self._outcomes = outcomes
        self._metrics = metrics
        self._guards = guards
        self._now = now
        self._rate = TokenBucket(config.calls.per_s, now())
        self._calls: set[VoiceCall] = set()
        self._keepalive = KeepAlive(self.uplink, now, outcomes.room)
        self._registrar = Registrar(self.uplink, now, outcomes.room) if config.trunk.register else None
        self._draining = False
        self._settled = asyncio.Event()

    # Carrier

    def start(self) -> None:
        self.uplink.read_credentials()
        self._keepalive.start()
        if self._registrar is not None:
            self._registrar.start()

    @property
    def bound(self) -> bool:
        """It can take calls, if not at this moment."""
        return self.state(self._now()) == "up"

    def room(self, now: float) -> int:
        if self._draining or self.state(now) != "up":
            return 0
        return max(0, min(self._config.calls.max - self.active, math.floor(self._rate.tokens(now) + 1e-6)))

    def room_at(self, now: float) -> float | None:
        if self._draining or self.active >= self._config.calls.max:
            return None
        state = self.state(now)
        if state == "down" and self.uplink.targets:
            return self.uplink.health.usable_at(self.uplink.targets, now)
        return self._rate.next_at(now) if state == "up" else None

    def rate(self, now: float) -> float:
        return self._config.calls.per_s

    def limits(self, job: LiveJob) -> tuple[int, ...]:
        return ()

    def limited_until(self, limits: tuple[int, ...], now: float) -> float:
        return now

    def prepare(self, job: LiveJob, now: float) -> TrunkAttempt:
        voice = job.content.voice
        if voice is None:
            raise Unsendable("this is a trunk for calls, and the job is a message")
        if not self._config.destination.takes(job.recipient):
            raise Unsendable("the trunk does not serve this destination", "to")
        if voice.message and match(voice.lang) is None:
            # Prompts can be in another language, and a code is a code; a message cannot.
            raise Unsendable("messages cannot be spoken in this language", "template")
        script, caller_id = self._script(voice, now), self._caller_id(job.content.sender)
        # The guards last: they count what they are asked.
        country = analyse(job.recipient).country
        refusal = self._guards.call_may_start(job.recipient, country, now)
        if refusal is not None:
            raise Unsendable(f"guard {refusal.guard}: {refusal.message}", refusal.field, everywhere=True)
        self._guards.call_started(country, now)
        attempt = TrunkAttempt(job, self, 1)
        attempt.call = VoiceCall(attempt, script, self, lang=voice.lang, caller_id=caller_id)
        self._rate.spend(1, now)
        self._calls.add(attempt.call)
        self.active += 1
        return attempt

    def _script(self, voice: Voice, now: float) -> Script:
        settings = self._scripts.get(voice.script)
        if settings is None:
            if voice.script:
                raise Unsendable("the script is not in the configuration", "journey")
            settings = ScriptSettings(kind="code" if voice.code else "message")
        try:
            return Script(settings, voice, now)
        except ValueError as error:
            raise Unsendable(str(error), "template") from None

    def _caller_id(self, sender: str) -> str:
        """The job's own, which the trunk must have, or the trunk's first."""
        caller_ids = self._config.calls.caller_ids
        if sender and sender not in caller_ids:
            raise Unsendable("the trunk does not have this caller id", "sender")
        return sender or caller_ids[0]

    def send(self, attempt: Attempt, now: float) -> None:
        assert isinstance(attempt, TrunkAttempt)
        if attempt.refused:  # taken back while its intent was committed
            attempt.call.discard("cancelled")
        else:
            attempt.call.start()

    def pump(self, now: float) -> None:
        """Calls leave as they are handed over."""

    def query(self, queries: list[Query], now: float) -> None:
        """There is nobody to ask."""

    async def recall(self, sent: SentPart) -> bool:
        return False

    def hang_up(self, attempt: Attempt, now: float) -> bool:
        assert isinstance(attempt, TrunkAttempt)
        if attempt.settled or attempt.call.said:
            return False
        attempt.call.hang_up(CallClass.CANCELLED, now)
        return True

    def receipts_committed(self, receipts: list[Receipt], now: float) -> None: ...
    def receipts_found(self, receipts: list[Receipt], now: float) -> None: ...
    def remember_forms(self, forms: Mapping[str, int]) -> None: ...
    def inbound_committed(self, arrived: list[Inbound], now: float) -> None: ...

    def live(self, now: float) -> TrunkLive:
        return TrunkLive(
            self.name,
            self.state(now),
            self.active,
            self._config.calls.max,
            tokens=max(0.0, self._rate.tokens(now)),
            rate=self._config.calls.per_s,
        )

    async def drain(self) -> None:
        self._draining = True
        while self._calls:
            self._settled.clear()
            await self._settled.wait()

    async def unregister(self) -> None:
        """Calls under way go on; new ones are another trunk's."""
        if self._registrar is not None:
            await self._registrar.stop()

    async def stop(self) -> None:
        """BYE or CANCEL to every call; who does not answer that in time is left behind."""
        self._draining = True
        now = self._now()
        for call in list(self._calls):
            call.hang_up(CallClass.CANCELLED, now)
        try:
            await asyncio.wait_for(self.drain(), _LEAVE_S)
        except TimeoutError:
            for call in list(self._calls):
                call.give_up_waiting(self._now())
        await self._keepalive.stop()
        await self.uplink.stop()
        await self.unregister()

    def state(self, now: float) -> TrunkState:
        """up: it takes calls. down: no address is known, or all of them rest. registering, refused: the
        carrier does not know us yet, or does not want to.
        """
        registrar, uplink = self._registrar, self.uplink
        if registrar is not None and not registrar.registered:
            return "registering" if registrar.refused is None else "refused"
        return "up" if uplink.health.usable(uplink.targets, now) else "down"

    # Desk: what calls tell

    def placed(self) -> None:
        self._metrics.placed += 1

    def progress(self, attempt: Attempt, step: CallStep, now: float, digit: str | None = None) -> None:
        metrics = self._metrics
        if step == "ringing":
            metrics.to_ringing.observe(now - attempt.left_at)
        elif step == "answered":
            metrics.to_answer.observe(now - attempt.left_at)
        self._outcomes.call_progress(attempt, step, now, digit)

    def ended(self, call: VoiceCall, kind: CallClass | None, end: CallEnd, now: float) -> None:
        attempt, metrics, detail = call.attempt, self._metrics, call.record.detail
        attempt.settled = True
        self._calls.discard(call)
        self._guards.call_ended(analyse(attempt.job.recipient).country, now)
        metrics.ended["not made" if kind is None else kind] += 1
        metrics.talk_s += detail.seconds
        if (media := detail.media) is not None:
            metrics.packets_lost += media.lost
            metrics.packets_spoofed += media.spoofed
        if kind is not None and POLICIES[kind].alarm:
            log_event(
                _log, "the carrier does not permit a call", level=logging.ERROR,
                trunk=self.name, status=end.status,
            )  # fmt: skip
        self._outcomes.call_ended(attempt, end, now)
        self.give_line(now)
        if not self._calls:
            self._settled.set()

    def longest_s(self, attempt: Attempt) -> float:
        guarded = self._guards.longest_call_s(analyse(attempt.job.recipient).country)
        longest = self._config.calls.max_s
        return longest if guarded is None else min(guarded, longest)

    def take_line(self) -> bool:
        if self.active >= self._config.calls.max:
            return False
        self.active += 1
        return True

    def give_line(self, now: float) -> None:
        self.active -= 1
        self._outcomes.room()
