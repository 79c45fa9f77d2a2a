"""Bringing an agent into a call, by a bridged leg of our own or by REFER."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from connector.voice.bridge import AgentLeg
from connector.voice.detail import Transfer
from connector.voice.leg import Leg, NoWay
from connector.voice.media.session import PortsExhausted
from connector.voice.record import Record
from connector.voice.resolve import Unresolvable
from connector.voice.uplink import is_uri
from protocols.sip.errors import SipError

if TYPE_CHECKING:
    from connector.voice.call import Desk

__all__ = ["AgentCall"]


class AgentCall:
    """One try; `told(ok, now)` with True when the agent is there, with False when he is not, or goes."""

    def __init__(
        self, desk: Desk, listener: Leg, record: Record, told: Callable[[bool, float], None]
    ) -> None:
        self._desk = desk
        self._listener = listener
        self._record = record
        self._told = told
        self._leg: AgentLeg | None = None
        self._transfer: Transfer | None = None
        self._task: asyncio.Task[None] | None = None
        self._refer_until = math.inf

    def start(self, called: str, mode: Literal["bridge", "refer"], caller_id: str, now: float) -> None:
        """`called` is a number in E.164 with +, or a SIP URI."""
        transfer = self._transfer = self._record.transfer(mode, now)
        if mode == "refer":
            self._refer(called, now)
            return
        media = self._listener.media
        if media is None or not self._desk.take_line():
            self._failed(now)
            return
        self._leg = AgentLeg(
            self._desk.lane, self._desk.uplink, media, transfer, since=self._record.since, told=self._heard
        )
        self._task = asyncio.create_task(self._dial(self._leg, called, caller_id))

    def referred(self, ok: bool, status: int, now: float) -> None:
        """What became of our REFER."""
        transfer, self._refer_until = self._transfer, math.inf
        if transfer is None or transfer.ended is not None:
            return
        transfer.status = status
        if ok:
            transfer.answered = self._record.since(now)
        transfer.ended = self._record.since(now)
        self._told(ok, now)

    def press(self, digit: str, now: float) -> None:
        """A key of the listener that the agent is to hear."""
        if self._leg is not None and self._desk.uplink.config.media.digits == "info":
            self._leg.press(digit, now)

    def next_timer(self) -> float:
        ringing = self._leg is not None and not self._leg.bridged
        return self._leg.ring_until if ringing and self._leg is not None else self._refer_until

    def handle_timer(self, now: float) -> None:
        if now >= self.next_timer():
            self.hang_up(now)
            self._failed(now)

    def hang_up(self, now: float) -> None:
        """Nothing more is told."""
        self._refer_until = math.inf
        if self._task is not None:
            self._task.cancel()
        if self._leg is not None:
            leg, self._leg = self._leg, None
            leg.hang_up(now)
            self._desk.give_line(now)

    def _refer(self, called: str, now: float) -> None:
        call, config = self._listener.call, self._desk.uplink.config
        assert call is not None
        self._refer_until = now + config.calls.ring_s
        try:
            call.refer(called if is_uri(called) else self._desk.uplink.uri_of(called), now)
        except SipError:  # an earlier one was never answered
            self.hang_up(now)
            self._failed(now)
            return
        self._desk.lane.endpoint.touch()

    async def _dial(self, leg: AgentLeg, called: str, caller_id: str) -> None:
        try:
            await leg.dial(called, caller_id)
        except (NoWay, Unresolvable, PortsExhausted, OSError, SipError):
            now = self._desk.lane.now()
            self._task = None
            self.hang_up(now)
            self._failed(now)

    def _heard(self, ok: bool, now: float) -> None:
        if not ok:
            self.hang_up(now)
        self._told(ok, now)

    def _failed(self, now: float) -> None:
        if self._transfer is not None and self._transfer.ended is None:
            self._transfer.ended = self._record.since(now)
        self._told(False, now)
