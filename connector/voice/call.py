"""One call of a job: its leg, its script, what it says and hears, its end, and the record of all that."""

from __future__ import annotations

import asyncio
import logging
import math
from typing import Any, Final, Literal, Protocol

from connector.carriers.contract import Attempt, CallEnd, CallStep
from connector.carriers.statuses import StatusClass
from connector.log import event as log_event
from connector.voice.agent_call import AgentCall
from connector.voice.audio import CodecName, Sound
from connector.voice.detail import EndedBy
from connector.voice.keys import Keys, Source
from connector.voice.lane import VoiceLane
from connector.voice.leg import SILENCE_S, Leg, LegOwner, NoWay
from connector.voice.machine import Detector
from connector.voice.media.session import MediaStatistics, PortsExhausted
from connector.voice.outcomes import POLICIES, RESULTS, CallClass, CallOutcomes, end_of
from connector.voice.prompts import (
    Action,
    CallAgent,
    HangUp,
    Listen,
    Play,
    Prompt,
    StopPlaying,
    name_of,
)
from connector.voice.record import Record
from connector.voice.rendering import keep, render
from connector.voice.resolve import Unresolvable
from connector.voice.script import Script
from connector.voice.speech import SpeechError
from connector.voice.uplink import Uplink
from protocols.sip import events as sip
from protocols.sip.sdp import Agreed

__all__ = ["Desk", "VoiceCall"]

_log = logging.getLogger(__name__)

_TEMPORARY_FAILURE: Final = 41
"""Q.850, for a call whose media stopped."""
_AGAIN_S: Final = 5.0
"""Where nothing left: addresses and prompts may be there then."""
_ENDED_BY: Final[dict[str, EndedBy]] = {
    "peer": "listener",
    "us": "us",
    "session_timer": "session_timer",
    "transport": "transport",
}
_ANSWER_OF_OURS: Final = (408, 503)


class Desk(Protocol):
    """The trunk, as far as its calls need it."""

    lane: VoiceLane
    uplink: Uplink
    endings: CallOutcomes

    def placed(self) -> None:
        """An INVITE left for the first time in a call."""

    def progress(self, attempt: Attempt, step: CallStep, now: float, digit: str | None = None) -> None: ...
    def ended(self, call: VoiceCall, kind: CallClass | None, end: CallEnd, now: float) -> None:
        """Once for each call, and last."""

    def longest_s(self, attempt: Attempt) -> float:
        """When a call that was answered is hung up."""

    def take_line(self) -> bool:
        """Whether an agent's leg may use one more of the trunk's calls; it has it then."""

    def give_line(self, now: float) -> None: ...


class VoiceCall(LegOwner):
    """`start` it once; it ends by itself, at the latest when the trunk's limits say so.

    Until the INVITE has left there is a task, which waits for prompts, names and connections. From then on
    everything is an event or the one timer.
    """

    def __init__(self, attempt: Attempt, script: Script, desk: Desk, *, lang: str, caller_id: str) -> None:
        now = desk.lane.now()
        self.attempt = attempt
        self.listening = False
        self.record = Record(desk.uplink.config.name, now)
        self._desk = desk
        self._script = script
        self._lang = lang
        self._caller_id = caller_id
        self._leg = Leg(desk.lane, desk.uplink, self)
        self._detector = Detector()
        self._keys = Keys()
        self._audio: dict[Prompt, Sound] = {}
        self._agent: AgentCall | None = None
        self._limit_at = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._setup: asyncio.Task[None] | None = None
        self._why: EndedBy | None = None
        self._given_up: CallClass | None = None
        self._over = False

    @property
    def said(self) -> bool:
        """Something of the code or the message was said."""
        return any(said.name in ("code", "message") for said in self.record.detail.prompts)

    def start(self) -> None:
        if self._over:
            return
        if self._given_up is not None:  # while its intent was committed
            self._not_made("unsent", "cancelled")
            return
        self._setup = asyncio.create_task(self._set_up())
        self._setup.add_done_callback(self._was_set_up)

    async def _set_up(self) -> None:
        job, lane = self.attempt.job, self._desk.lane
        try:
            async with asyncio.timeout(max(0.0, job.deadline_at - lane.now())):
                self._audio = await render(lane.speech, self._lang, self._script.prompts)
                await self._leg.dial(job.recipient, self._caller_id, job.deadline_at)
        except TimeoutError:
            self._not_made("unsent", "deadline")
        except SpeechError:
            self._not_made("refused", "it could not be put into speech")
        except (NoWay, Unresolvable) as error:
            self._not_made("refused", str(error))
        except PortsExhausted:
            self._not_made("refused", "all RTP ports are in use")
        except OSError as error:
            self._not_made("refused", f"media: {type(error).__name__}")
        except Exception as error:  # an error of ours must not lose the job
            log_event(_log, "a call could not be set up", level=logging.ERROR, error=error)
            if self._leg.call is None:
                self._not_made("refused", "internal error")

    def _was_set_up(self, task: asyncio.Task[None]) -> None:
        # Cancelled before its first step, the coroutine knows nothing of it.
        if task.cancelled() and not self._over:
            self._not_made("unsent", "cancelled")

    def discard(self, reason: str) -> None:
        """In place of `start`: it is not to leave."""
        self._not_made("unsent", reason)

    def hang_up(self, kind: CallClass, now: float) -> None:
        """End it, whatever it is doing; `kind` is told where nothing was answered."""
        if self._over or self._given_up is not None:
            return
        self._given_up = kind
        if self._leg.call is None:
            if self._setup is not None:
                self._setup.cancel()
            return
        self._leg.hang_up(now)
        self._arm(now)

    def give_up_waiting(self, now: float) -> None:
        """The peer does not answer our BYE or CANCEL, and the process ends."""
        if not self._over:
            self._finish(CallClass.LOST, None, None, "us", now)

    # LegOwner

    def leg_left(self, leg: Leg, now: float) -> None:
        assert leg.call is not None
        if not self.attempt.written:
            self._desk.placed()
        self.attempt.written = 1
        self.attempt.left_at = now
        self.record.left(leg.call.call_id, now)
        self._may_ring(now + SILENCE_S + self._desk.uplink.config.calls.ring_s, now)
        self._arm(now)

    def _may_ring(self, until: float, now: float) -> None:
        self._limit_at = min(until, max(now, self.attempt.job.deadline_at))

    def _rings(self, now: float) -> None:
        """Maybe not yet, but from the first provisional answer on it counts as ringing."""
        detail = self.record.detail
        if detail.trying is None and detail.ringing is None and self._given_up is None:
            self._may_ring(now + self._desk.uplink.config.calls.ring_s, now)

    def leg_event(self, leg: Leg, event: Any, now: float) -> None:
        if self._over:
            return
        match event:
            case sip.Trying():
                self._rings(now)
                self.record.trying(now)
            case sip.Progress(_, status):
                self._rings(now)
                if self.record.ringing(status, now):
                    self._desk.progress(self.attempt, "ringing", now)
            case sip.Answered(_, agreed):
                self._answered(agreed, now)
            case sip.MediaChanged(_, agreed):
                self.record.agreed(agreed)
            case sip.Digit(_, digit):
                self._pressed(digit, "info", now)
            case sip.Transferred(_, ok, status):
                if self._agent is not None:
                    self._agent.referred(ok, status, now)
            case sip.Rejected():
                self._rejected(event, now)
                return
            case sip.Ended(_, by, cause):
                self._ended(self._why or _ENDED_BY[by], cause, now)
                return
        self._go_on(now)

    def _answered(self, agreed: Agreed, now: float) -> None:
        self.record.answered(now)
        self.record.agreed(agreed)
        keep(self._audio, agreed.codec)
        self._limit_at = now + self._desk.longest_s(self.attempt)
        self._desk.progress(self.attempt, "answered", now)
        self._script.answered(now)

    def _rejected(self, event: sip.Rejected, now: float) -> None:
        leg = self._leg
        seen = leg.call is not None and leg.call.provisional_seen
        local = event.local and event.status in _ANSWER_OF_OURS
        kind = self._desk.endings.classify(event.status, event.cause, provisional=seen, local=local)
        if self._given_up is not None and not (local and seen):
            kind = self._given_up
        by: EndedBy = "transport" if local else "carrier"
        self._finish(kind, None if local else event.status, event.cause, by, now)

    def _ended(self, by: EndedBy, cause: int | None, now: float) -> None:
        if self.record.detail.answered is None:
            self._finish(self._given_up or CallClass.NO_ANSWER, None, cause, by, now)
            return
        self._script.peer_hung_up(now)
        result = self._script.result
        self.record.detail.result = result
        lost = by in ("media_timeout", "transport") and not self._script.delivered
        kind = CallClass.LOST if lost or result is None else RESULTS[result]
        self._finish(kind, 200, cause, by, now)

    # Listener: times of the media are monotonic seconds, those of everything else the process's

    def first_packet(self, now: float) -> None:
        at = self._desk.lane.now()
        self._script.first_audio(at)
        self._go_on(at)

    def digit(self, digit: str, now: float) -> None:
        at = self._desk.lane.now()
        self._pressed(digit, "rfc4733", at)
        self._go_on(at)

    def played(self, now: float) -> None:
        at = self._desk.lane.now()
        self.record.detail.prompt_ended(self.record.since(at), whole=True)
        self._script.played(at)
        self._go_on(at)

    def audio(self, frame: bytes, codec: CodecName, now: float) -> None:
        verdict = self._detector.feed(frame, codec, now)
        if verdict is not None:
            at = self._desk.lane.now()
            self.record.judged(verdict, at)
            self._script.verdict(verdict, at)
            self._go_on(at)

    def timed_out(self, now: float) -> None:
        self._why = "media_timeout"
        self._leg.hang_up(self._desk.lane.now(), _TEMPORARY_FAILURE)

    def _pressed(self, digit: str, source: Source, now: float) -> None:
        if not self._keys.press(source) or self.record.detail.answered is None:
            return
        self.record.detail.key_pressed(digit, self.record.since(now))
        self._desk.progress(self.attempt, "digit", now, digit)
        if self._agent is not None:
            self._agent.press(digit, now)
        self._script.digit(digit, now)

    # What the script wants

    def _go_on(self, now: float) -> None:
        while not self._over and (actions := self._script.actions()):
            for action in actions:
                self._do(action, now)
        if not self._over:
            self._arm(now)

    def _do(self, action: Action, now: float) -> None:
        media, detail = self._leg.media, self.record.detail
        if media is None or self._over:
            return
        match action:
            case Play(prompt):
                detail.prompt_began(name_of(prompt), self.record.since(now))
                media.play(self._audio[prompt])
            case StopPlaying():
                detail.prompt_ended(self.record.since(now))
                media.stop_playing()
            case Listen(on):
                self.listening = on
            case CallAgent(uri, mode):
                self._agent = AgentCall(self._desk, self._leg, self.record, self._agent_told)
                self._agent.start(uri, mode, self._caller_id, now)
            case HangUp(cause):
                self._leg.hang_up(now, cause)

    def _agent_told(self, ok: bool, now: float) -> None:
        if self._over:
            return
        if ok:
            self._desk.progress(self.attempt, "transferred", now)
        self._script.agent(ok, now)
        self._go_on(now)

    # Time

    def _arm(self, now: float) -> None:
        due = [self._limit_at]
        if self._given_up is None and self.record.detail.answered is not None:
            due.append(self._script.next_timer() or math.inf)
        if self._agent is not None:
            due.append(self._agent.next_timer())
        at = min(due)
        if at == self._timer_at and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_at = at
        if at < math.inf:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, at - now), self._fire)

    def _fire(self) -> None:
        self._timer = None
        now = self._desk.lane.now()
        if now >= self._limit_at:
            # Who rings is cancelled; who speaks has spoken for as long as the trunk allows.
            self._limit_at = math.inf
            self.hang_up(CallClass.NO_RESPONSE if self._leg.silent else CallClass.NO_ANSWER, now)
            return
        if self._agent is not None:
            self._agent.handle_timer(now)
        due = self._script.next_timer()
        if due is not None and now >= due and self.record.detail.answered is not None:
            self._script.handle_timer(now)
        self._go_on(now)

    # The end

    def _not_made(self, result: Literal["refused", "unsent"], reason: str) -> None:
        """Nothing has left."""
        now = self._desk.lane.now()
        self._close()
        end = CallEnd(result, reason, kind=StatusClass.TRANSIENT, redial_s=_AGAIN_S)
        self._desk.ended(self, None, end, now)

    def _finish(
        self, kind: CallClass, status: int | None, cause: int | None, by: EndedBy, now: float
    ) -> None:
        record, detail = self.record, self.record.detail
        if self._agent is not None:
            self._agent.hang_up(now)
        record.ended(by, status, cause, now)
        detail.kind, detail.delivered = kind, self._script.delivered
        if (media := self._close()) is not None:
            record.media(media, self._desk.lane.moment)
        policy = POLICIES[kind]
        seen = self._leg.call is not None and self._leg.call.provisional_seen
        again = policy.redial_after_s if self.attempt.number <= policy.redials and not seen else None
        result = end_of(kind, delivered=detail.delivered)
        if seen and result == "refused" and policy.next_trunk:
            result = "undelivered"  # it may have rung: no other trunk lets it ring again
        end = CallEnd(
            result,
            policy.reason,
            status=detail.status,
            kind=policy.refusal or StatusClass.TRANSIENT,
            redial_s=again,
            detail=record.json(),
        )
        self._desk.ended(self, kind, end, now)

    def _close(self) -> MediaStatistics | None:
        self._over = True
        self.listening = False
        self._audio.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return self._leg.close()
