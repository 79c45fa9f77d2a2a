"""One call as a callee takes it: it rings, is answered or not, speaks, presses keys, hangs up."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from protocols.sip.errors import LocalProtocolError, SdpError
from protocols.sip.headers import parse_reason

from . import sounds
from .hold import hold
from .media import Media
from .presses import Press, presses
from .recording import Recording

if TYPE_CHECKING:
    from connector.simulator.delay import Delay
    from protocols.sip.sdp import Agreed
    from protocols.sip.uas import IncomingCall

    from .callee import Callee
    from .options import CalleeOptions
    from .records import CallRecord

_BETWEEN_KEYS_S = 0.25
_TRANSFER_S = 0.3
_BUSY_HERE, _UNAVAILABLE, _NOT_ACCEPTABLE, _NO_ROOM = 486, 480, 488, 503


class Line:
    """Plays the options of one dialled number; `over` is called once, when the call has ended."""

    def __init__(
        self,
        callee: Callee,
        call: IncomingCall,
        options: CalleeOptions,
        record: CallRecord,
        over: Callable[[Line], None],
    ) -> None:
        self.call = call
        self.answered = False
        self.options = options
        self.record = record
        self._callee = callee
        self._over = over
        self._rng = callee.stream(f"call-{record.id}")
        self._began_at = callee.now()
        self._timers: list[asyncio.TimerHandle] = []
        limit_s = options.recording_s if options.recording_limit else 0.0
        self._recording = Recording(limit_s) if limit_s else None
        self._media: Media | None = None
        self._waiting: deque[Press] = deque()
        self._speaks_late = False
        self._ended = False

    # ------------------------------------------------------------ until the answer

    def begin(self, *, busy: bool) -> None:
        """The INVITE has come and is let in; `busy` when no line is free."""
        options = self.options
        if busy:
            self._reject(_BUSY_HERE)
            return
        rejected = bool(options.reject_status)
        if not rejected or options.reject_rings:
            self._after(self._drawn(options.ring_after), self._ring)
        if rejected:
            delay = self._drawn(options.reject_after)
            self._after(delay, lambda: self._reject(options.reject_status))
        elif options.answers:
            self._after(self._drawn(options.answer_after), self.answer)
        elif options.no_answer_after_s:
            self._after(options.no_answer_after_s, lambda: self._reject(_UNAVAILABLE))

    def _ring(self) -> None:
        options = self.options
        early = options.early_media != "none"
        if options.ring_status == "none" and not early:
            return
        media = self._opened() if early else None
        status = 183 if early else int(options.ring_status)
        local = media.local if media is not None else None
        self.call.ring(status, self._callee.now(), media=local, reliable=options.reliable)
        self._mark("early_media" if early else "ring")
        if media is not None and self.call.agreed is not None:
            media.connect(self.call.agreed)
            media.play(self._sound(options.early_media), repeats=options.early_media == "ringback")

    def answer(self) -> None:
        """Take the call now, if it still rings."""
        if self.answered or self._ended:
            return
        media = self._opened()
        if media is None:
            self._reject(_NO_ROOM)
            return
        try:
            self.call.accept(media.local, self._callee.now())
        except SdpError:
            self._reject(_NOT_ACCEPTABLE)
            return
        self.answered = True
        self.record.status = 200
        self._callee.records.counters.answered += 1
        self._mark("answer")
        if self.call.agreed is not None:
            self.connect(self.call.agreed)
            media.play(b"")
        self._plan()

    def _plan(self) -> None:
        """What is to come after the answer."""
        options = self.options
        if options.says != "none":
            self._after(options.says_after_s, self._speak)
        for press in presses(options.press):
            if press.after_s is None:
                self._waiting.append(press)
            else:
                self._after(press.after_s, lambda keys=press.keys: self.press(keys))  # type: ignore[misc]
        for seconds in (options.hang_up_after_s, options.max_call_s):
            if seconds:
                self._after(seconds, self.hang_up)
        if options.hold_after_s:
            self._after(options.hold_after_s, lambda: self.hold(True))
            self._after(options.hold_after_s + options.hold_s, lambda: self.hold(False))

    def _reject(self, status: int) -> None:
        options = self.options
        headers: list[tuple[str, str]] = []
        if options.retry_after_s:
            headers.append(("Retry-After", str(options.retry_after_s)))
        if options.reason:
            headers.append(("Reason", options.reason))
        if options.moved_to and 300 <= status <= 399:
            headers.append(("Contact", f"<{options.moved_to}>"))
        self.refuse(status, tuple(headers))

    def refuse(self, status: int, headers: tuple[tuple[str, str], ...]) -> None:
        """Answer the INVITE with an error."""
        if self.answered or self._ended:
            return
        self.call.reject(status, self._callee.now(), headers=headers)
        self.record.status = status
        self._callee.records.counters.rejected += 1
        self.ended("rejected", None)

    # ------------------------------------------------------------ in the call

    def connect(self, agreed: Agreed) -> None:
        """The session is agreed upon, or has changed."""
        self.record.codec = agreed.codec
        if self._media is not None:
            self._media.connect(agreed)

    def acknowledged(self, agreed: Agreed) -> None:
        """The ACK of our 200 has come."""
        self._mark("ack")
        self.connect(agreed)
        if self._speaks_late:
            self._speak()

    def press(self, keys: str) -> None:
        """Press keys now, one after the other."""
        if self._media is None or not self.answered:
            return
        at = round(self._callee.now() - self._began_at, 3)
        self.record.pressed.append({"keys": keys, "at": at})
        self._media.ear.forget()
        if self.options.digits_by == "info":
            for place, key in enumerate(keys):
                self._after(place * _BETWEEN_KEYS_S, lambda key=key: self._inform(key))  # type: ignore[misc]
        else:
            self._media.press(keys)

    def _inform(self, key: str) -> None:
        with contextlib.suppress(LocalProtocolError):  # the ACK has not come yet
            self.call.info_digit(key, self._callee.now())

    def hold(self, on: bool) -> None:
        """Put the caller on hold by re-INVITE, or take the call up again."""
        if self.answered and not self._ended and hold(self.call, on, self._callee.now()):
            self.record.held += on

    def hang_up(self) -> None:
        """End the call as this side: BYE once it is answered, else a refusal."""
        if not self.answered:
            self._reject(_UNAVAILABLE)
        elif not self._ended:
            self.call.hang_up(self._callee.now(), parse_reason(self.options.reason))

    def ended(self, by: str, cause: int | None) -> None:
        """The call is over; only the first one counts."""
        if self._ended:
            return
        self._ended = True
        self.record.ended_by, self.record.cause = by, cause
        self._mark("end")
        for timer in self._timers:
            timer.cancel()
        if self._media is not None:
            self._callee.pace.remove(self._tick)
            self.record.received = self._media.statistics()
            self.record.sent = self._media.sent
            self._media.close()
        self._callee.records.ended(self.record, self._recording, self.options.recording_limit)
        self._over(self)

    def transfer(self) -> None:
        """A REFER has been answered 202: tell what becomes of it (RFC 3515 §2.4.4)."""
        self.record.referred = True
        final = {"transferred": 200, "failed": 503}.get(self.options.refer)
        if final is not None:
            self._tell_transfer(100)
            self._after(_TRANSFER_S, lambda: self._tell_transfer(final))

    def _tell_transfer(self, status: int) -> None:
        with contextlib.suppress(LocalProtocolError):  # the call is being ended
            self.call.transfer_status(status, self._callee.now())

    # ------------------------------------------------------------ what is heard

    def first_packet(self, now: float) -> None:
        self._mark("first_rtp")

    def digit(self, digit: str) -> None:
        self.record.heard += digit

    def _tick(self, now: float) -> None:
        media = self._media
        assert media is not None
        media.tick(now)
        quiet_s = media.ear.quiet_s(now)
        if quiet_s is None or not self.answered:
            return
        if self._waiting and quiet_s >= (self._waiting[0].quiet_s or 0):
            self._do(lambda: self.press(self._waiting.popleft().keys))
        elif self.options.hang_up_when_quiet_s and quiet_s >= self.options.hang_up_when_quiet_s:
            self._do(self.hang_up)

    def _speak(self) -> None:
        if self._media is None:
            return
        self._speaks_late = not self._media.connected  # the ACK was lost, or is slow
        if not self._speaks_late:
            self._media.play(self._sound(self.options.says))

    def _sound(self, name: str) -> bytes:
        options = self.options
        return sounds.greeting(name, options.voicemail_s, options.beep_hz, options.beep_s)

    def _opened(self) -> Media | None:
        """The media of this call, opened when they are first needed; None when no port is free."""
        if self._media is None:
            try:
                self._media = Media(self._callee.host, self.options, self._rng, self, self._recording)
            except OSError:
                return None
            self._callee.pace.add(self._tick)
        return self._media

    def _drawn(self, delay: Delay) -> float:
        return delay.sampler(random.Random(self._rng.getrandbits(64)))()

    def _mark(self, what: str) -> None:
        self.record.at.setdefault(what, round(self._callee.now() - self._began_at, 4))
        if what != "end":
            self._callee.traced(what, self.record)

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        if seconds > 0:
            self._timers.append(self._callee.loop.call_later(seconds, self._do, action))
        else:
            action()

    def _do(self, action: Callable[[], None]) -> None:
        if not self._ended:
            action()
            self._callee.flush()
