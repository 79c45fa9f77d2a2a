"""Keeps a trunk registered, where its carrier wants that before it takes calls (RFC 3261 §10)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from connector.log import event as log_event
from connector.voice.resolve import Target, Unresolvable
from connector.voice.uplink import Uplink
from protocols.sip import events as sip
from protocols.sip.errors import SipError
from protocols.sip.registration import Registration

__all__ = ["Registrar"]

_log = logging.getLogger(__name__)

_AGAIN_S: Final = 10.0
"""After no address could be reached."""
_NO_ANSWER: Final = (408, 503)
_LEAVE_S: Final = 2.0


class Registrar:
    """`registered` tells whether the carrier takes calls now; `changed` is called when that changes.

    The registration refreshes itself. One that gets no answer is begun anew at the next address. Refused
    credentials end it until the next start: carriers lock accounts that keep trying.
    """

    def __init__(self, uplink: Uplink, now: Callable[[], float], changed: Callable[[], None]) -> None:
        self.registered = False
        self.refused: int | None = None
        self._uplink = uplink
        self._now = now
        self._changed = changed
        self._registration: Registration | None = None
        self._target: Target | None = None
        self._task: asyncio.Task[None] | None = None
        self._gone: asyncio.Event = asyncio.Event()
        self._stopping = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._register(0.0))

    async def stop(self) -> None:
        """Un-register, and do not wait long for the answer."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._registration is not None and self.refused is None:
            self._registration.end(self._now())  # also one that is still being asked for
            self._uplink.endpoint.touch()
        if self._registration is not None and self.registered:
            try:
                await asyncio.wait_for(self._gone.wait(), _LEAVE_S)
            except TimeoutError:
                log_event(_log, "not un-registered", trunk=self._uplink.config.name)
        self.registered = False

    async def _register(self, wait_s: float) -> None:
        uplink = self._uplink
        while True:
            await asyncio.sleep(wait_s)
            wait_s = _AGAIN_S
            try:
                targets = await uplink.find()
            except Unresolvable:
                continue
            for target in uplink.health.usable(targets, self._now()) or targets:
                try:
                    flow = await uplink.flow(target)
                except (OSError, TimeoutError) as error:
                    uplink.failed(target, type(error).__name__, self._now())
                    continue
                self._target = target
                try:
                    self._registration = uplink.register(flow, self, self._now())
                except SipError as error:
                    log_event(_log, "no REGISTER can be sent", level=logging.ERROR, error=error)
                    break
                return

    # Owner

    def sip(self, event: Any, now: float) -> None:
        if event.registration is not self._registration:
            return
        match event:
            case sip.Registered(_, 0):
                self._set(False)
                self._gone.set()
            case sip.Registered():
                self._set(True)
            case sip.RegistrationFailed(_, status, retry_after):
                self._failed(status, retry_after, now)

    def _failed(self, status: int, retry_after: float | None, now: float) -> None:
        self._set(False)
        self._gone.set()
        if self._stopping:
            return
        log_event(
            _log, "registration failed", level=logging.WARNING, trunk=self._uplink.config.name, status=status
        )
        if retry_after is None:
            self.refused = status
            self._changed()
        elif status in _NO_ANSWER and self._target is not None and self._registration is not None:
            # Its way is broken: another one, instead of the same one again.
            self._uplink.failed(self._target, f"no answer to REGISTER ({status})", now)
            registration, self._registration = self._registration, None
            registration.end(now)
            self._uplink.endpoint.touch()
            self._task = asyncio.create_task(self._register(min(retry_after, _AGAIN_S)))

    def _set(self, registered: bool) -> None:
        if registered != self.registered:
            self.registered = registered
            self._gone.clear()
            log_event(_log, "registered" if registered else "not registered", trunk=self._uplink.config.name)
            self._changed()
