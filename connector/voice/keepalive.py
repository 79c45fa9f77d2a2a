"""OPTIONS to every address of a trunk, again and again: who does not answer gets no calls (RFC 3261 §11)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from connector.log import event as log_event
from connector.voice.resolve import Target, Unresolvable
from connector.voice.uplink import Uplink
from protocols.sip.errors import SipError

__all__ = ["KeepAlive"]

_log = logging.getLogger(__name__)

_UNRESOLVED_S: Final = 5.0
_OVERLOADED: Final = 503
_TIMED_OUT: Final = 408


class KeepAlive:
    """Finds the trunk's addresses, and asks each whether it is there, every `options_s` of its file.

    Whoever answers anything but 503 is there: a carrier that does not know OPTIONS says so, and lives.
    `changed` is called when an address comes or goes.
    """

    def __init__(self, uplink: Uplink, now: Callable[[], float], changed: Callable[[], None]) -> None:
        self._uplink = uplink
        self._now = now
        self._changed = changed
        self._asked: set[Target] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        every_s = self._uplink.config.trunk.options_s
        while True:
            try:
                found = await self._uplink.find()
            except Unresolvable as error:
                log_event(
                    _log, "trunk not found", level=logging.WARNING,
                    trunk=self._uplink.config.name, reason=str(error),
                )  # fmt: skip
                await asyncio.sleep(_UNRESOLVED_S)
                continue
            self._changed()
            if not every_s:
                return
            await asyncio.gather(*(self._ask(target) for target in found if target not in self._asked))
            await asyncio.sleep(every_s)

    async def _ask(self, target: Target) -> None:
        try:
            flow = await self._uplink.flow(target)
        except (OSError, TimeoutError) as error:
            self._tell(target, type(error).__name__)
            return
        try:
            self._uplink.options(flow, partial(self._answered, target), self._now())
        except SipError:  # so much is under way that there is no room for a question
            return
        self._asked.add(target)

    def _answered(self, target: Target, status: int | None, now: float) -> None:
        self._asked.discard(target)
        if status is None or status in (_OVERLOADED, _TIMED_OUT):
            self._tell(target, "no answer to OPTIONS" if status is None else f"OPTIONS answered {status}")
            return
        rested = self._uplink.health.rests(target, now)
        self._uplink.health.worked(target, now)
        if rested and not self._uplink.health.rests(target, now):
            address = f"{target.address}:{target.port}"
            log_event(_log, "trunk address answers again", trunk=self._uplink.config.name, address=address)
            self._changed()

    def _tell(self, target: Target, reason: str) -> None:
        self._uplink.failed(target, reason, self._now())
        self._changed()
