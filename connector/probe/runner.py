"""Carries the steps out: binds, sends at a pace the carrier bears, waits, and hands back what came."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from connector.probe.finding import Finding, unknown
from connector.probe.follow import belongs, is_complete
from connector.probe.known import Known
from connector.probe.reading import Delivery, is_receipt
from connector.probe.saturation import Lane
from connector.probe.trial import (
    Answer,
    Ask,
    Asked,
    BudgetSpent,
    Burst,
    CarrierGone,
    Close,
    Exchange,
    Flow,
    Open,
    Opened,
    Pause,
    Request,
    Send,
    Step,
    Trial,
)
from connector.probe.wire import Bind, Slot
from protocols.smpp.constants import Status, command_name
from protocols.smpp.session import Mode
from protocols.smpp.session_config import SessionConfig

__all__ = ["Limits", "Progress", "Runner"]

_WINDOW = 1_000
_TRIES_WHEN_THROTTLED = 10
_LEAST_PATIENCE_S = 0.6
_LATENCIES = 4.0
_PARTS_APART_S = 0.15
_REBINDS = 3
"""In a row, without an answer in between."""

_LEAST_ENQUIRE_S = 3.0
_PASSING = frozenset((Status.ESME_RSYSERR, Status.ESME_RX_T_APPN, Status.ESME_RSUBMITFAIL))


class Limits(Struct, frozen=True, kw_only=True):
    """budget     messages that may be accepted, all steps together
    patience_s  longest wait for a receipt or for what comes back
    """

    budget: int = 600
    patience_s: float = 20.0


class Progress:
    """What the runner tells while it works; the default says nothing."""

    def begins(self, step: Step) -> None: ...
    def tries(self, step: Step, what: str, accepted: int) -> None: ...
    def ends(self, step: Step, findings: list[Finding]) -> None: ...


class Runner:
    """`run` carries the steps out. `accepted` and `refused` count messages.

    Raises CarrierGone when there is no bind, or no message is accepted.
    """

    def __init__(
        self,
        known: Known,
        password: bytes,
        limits: Limits,
        *,
        tls: ssl.SSLContext | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.known = known
        self.accepted = self.refused = 0
        self._password = password
        self._limits = limits
        self._tls = tls
        self._progress = progress or Progress()
        self._now = asyncio.get_running_loop().time
        self._binds: list[Bind] = []
        self._mode = known.profile.binds.mode
        self._changed = asyncio.Event()
        self._inbox: list[Delivery] = []
        self._ids: list[bytes] = []
        self._patience_s = limits.patience_s
        self._slowest_s = 0.0
        self._next_at = 0.0
        self._rebinds = 0
        known.messages_left = lambda: limits.budget - self.accepted
        self._takers: dict[type[Any], Callable[[Any], Any]] = {
            Send: self._send, Burst: self._burst, Flow: self._flow, Open: self._open, Close: self._close,
            Pause: self._pause, Ask: self._ask,
        }  # fmt: skip

    async def run(self, steps: Iterable[Step]) -> None:
        """One after another; the findings are in `known` as soon as a step has ended."""
        try:
            for step in steps:
                self._step = step
                self._progress.begins(step)
                findings = await self._run(step)
                # A step that ran out of messages may have left some.
                while len(self._binds) > 1:
                    await self._binds.pop().close()
                self.known.note(findings)
                self._progress.ends(step, findings)
        finally:
            for bind in reversed(self._binds):
                await bind.close()

    async def _run(self, step: Step) -> list[Finding]:
        talk = step.talk(self.known)
        came: Any = None
        try:
            while True:
                request = talk.send(came)
                came = await self._carried_out(request)
        except StopIteration as end:
            findings: list[Finding] = end.value
            return findings
        except BudgetSpent:
            how = f"the {self._limits.budget} messages allowed were used up"
            return [unknown(key, how) for key in step.keys]
        finally:
            talk.close()

    async def _carried_out(self, request: Request) -> Any:
        return await self._takers[type(request)](request)

    # Binds

    def _config(self, mode: Mode, version: int | None) -> SessionConfig:
        account, binds = self.known.profile.account, self.known.profile.binds
        return SessionConfig(
            system_id=account.system_id.encode(),
            password=self._password,
            mode=mode,
            system_type=account.system_type.encode(),
            interface_version=account.interface_octet if version is None else version,
            address_range=account.address_range.encode(),
            window=_WINDOW,
            bind_timeout_s=binds.bind_timeout_s,
            response_timeout_s=min(binds.response_timeout_s, self._limits.patience_s),
            enquire_link_s=min(binds.enquire_link_s, max(_LEAST_ENQUIRE_S, self._limits.patience_s)),
        )

    async def _open(self, request: Open) -> Opened:
        account, tls = self.known.profile.account, self.known.profile.tls
        mode = request.mode or self._mode
        bind = Bind(
            lambda each: self._config(each, request.version), mode, self._now, self._changed.set,
            self._inbox.append,
        )  # fmt: skip
        name = (tls.server_name if tls else None) or account.host
        opened = await bind.open(account.host, account.port, self._tls, name)
        if opened.status == Status.ESME_ROK:
            self._binds.append(bind)
            self._mode = mode
        return opened

    async def _close(self, request: Close) -> None:
        bind = self._binds.pop()
        if request.abruptly:
            bind.abort()
        await bind.close()

    async def _first_bind(self) -> Bind:
        """The one that everything goes over; bound anew when the carrier has ended it."""
        if self._binds and self._binds[0].alive:
            return self._binds[0]
        while self._rebinds < _REBINDS:
            self._rebinds += 1
            if self._binds:
                await self._binds.pop(0).close()
            await asyncio.sleep(self.known.profile.binds.spacing_s or self._rebinds - 1)
            opened = await self._open(Open())
            if opened.status == Status.ESME_ROK:
                self._binds.insert(0, self._binds.pop())
                return self._binds[0]
        raise CarrierGone("the carrier ended the bind again and again")

    # Messages

    async def _send(self, request: Send) -> list[Exchange]:
        return [await self._exchange(trial, request.settle) for trial in request.trials]

    async def _exchange(self, trial: Trial, settle: bool) -> Exchange:
        self._progress.tries(self._step, trial.name, self.accepted)
        exchange = await self._followed(trial, settle)
        if self.known.loop and exchange.accepted and not any(not is_receipt(d) for d in exchange.deliveries):
            # It may be lost on its way to the handset, or back.
            exchange = await self._followed(trial, settle)
        return exchange

    async def _followed(self, trial: Trial, settle: bool) -> Exchange:
        """A refusal is asked for twice: a passing trouble must not look like a habit."""
        earlier, confirmed = list(self._ids), False
        self._inbox.clear()
        exchange = await self._submitted(trial)
        for _ in range(_TRIES_WHEN_THROTTLED):
            status = exchange.status
            if exchange.accepted or (status is None and (confirmed or self._binds[0].alive)):
                break
            if status is None:
                confirmed = True
            elif status in self.known.throttled_statuses:
                self._next_at = self._now() + 2 / self.known.use_rate
            elif confirmed:
                break
            else:
                confirmed = True
                passing = status in _PASSING or status >= 0x400
                self._next_at = self._now() + (1.0 if passing else 0.0)
            exchange = await self._submitted(trial)
        if exchange.accepted or exchange.status is None:
            await self._follow(exchange, earlier, settle)
        return exchange

    async def _submitted(self, trial: Trial) -> Exchange:
        bind = await self._first_bind()
        slots = []
        for pdu in trial.pdus:
            self._spend(1)
            await asyncio.sleep(max(0.0, self._next_at - self._now()))
            self._next_at = self._now() + 1 / self.known.use_rate
            slots.append(bind.submit(pdu))
            bind.flush()
        return Exchange(trial, await self._answers(slots))

    async def _answers(self, slots: list[Slot]) -> list[Answer]:
        await self._until(lambda: all(slot.answer is not None for slot in slots))
        answers = []
        for slot in slots:
            assert slot.answer is not None
            answers.append(slot.answer)
            if slot.answer.message_id:
                self._ids.append(slot.answer.message_id)
        self._count(answers)
        return answers

    def _count(self, answers: list[Answer]) -> None:
        refused = sum(bool(answer.status) for answer in answers)
        self.refused += refused
        self.accepted += len(answers) - refused
        if any(answer.status is not None for answer in answers):
            self._rebinds = 0

    def _spend(self, messages: int) -> None:
        if self.accepted + messages > self._limits.budget:
            raise BudgetSpent

    async def _follow(self, exchange: Exchange, earlier: list[bytes], settle: bool) -> None:
        """Wait for receipts and for the loop, no longer than either has ever taken, times four."""
        began = self._now()
        end = began + self._patience_s
        quiet_s = _PARTS_APART_S if len(exchange.trial.pdus) > 1 else 0.0
        while True:
            for deliver in self._taken():
                if belongs(deliver, exchange, earlier):
                    exchange.deliveries.append(deliver)
                    self._slowest_s = max(self._slowest_s, self._now() - began)
            whole = not settle and is_complete(
                exchange, receipts=bool(self.known.receipts), loop=bool(self.known.loop)
            )
            if whole:
                end = min(end, self._now() + quiet_s)
                quiet_s = 0.0
            if not await self._until(lambda: bool(self._inbox), end - self._now()):
                break
        if self._slowest_s:
            self._patience_s = min(
                self._limits.patience_s, max(_LEAST_PATIENCE_S, _LATENCIES * self._slowest_s)
            )

    def _taken(self) -> list[Delivery]:
        taken = list(self._inbox)
        self._inbox.clear()
        return taken

    async def _burst(self, request: Burst) -> list[Answer]:
        bind = await self._first_bind()
        self._spend(len(request.pdus))
        self._progress.tries(self._step, f"{len(request.pdus)} at once", self.accepted)
        slots, began = [], self._now()
        for number, pdu in enumerate(request.pdus):
            if request.apart_s:
                await asyncio.sleep(max(0.0, began + number * request.apart_s - self._now()))
            slots.append(bind.submit(pdu))
            if request.apart_s:
                bind.flush()
        bind.flush()
        return await self._answers(slots)

    async def _flow(self, request: Flow) -> list[list[Answer]]:
        await self._first_bind()
        self._spend(1)
        self._progress.tries(self._step, "as fast as it goes", self.accepted)
        lanes = [Lane(self._binds[0], request, self._now)]
        end, before = self._now() + request.seconds, None
        while self._now() < end and all(lane.alive for lane in lanes):
            if sum(lane.taken() for lane in lanes) >= request.limit:
                break
            if all(lane.refused for lane in lanes):
                after = sum(lane.taken_after_refusal for lane in lanes)
                before = after if before is None else before
                if after - before >= request.accepted:
                    if len(lanes) == len(self._binds[:2]):
                        break
                    lanes.append(Lane(self._binds[1], request, self._now))
                    end, before = self._now() + request.seconds, None
            for lane in lanes:
                lane.send()
            self._changed.clear()
            wait_s = min(*(lane.next_at for lane in lanes), end) - self._now()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, wait_s)):
                    await self._changed.wait()
        answers = [await self._answers(lane.slots) for lane in lanes]
        await self._drained(sum(answer.status == 0 for each in answers for answer in each))
        return answers

    async def _drained(self, messages: int) -> None:
        """Let what the loop sends back of a crowd of messages pass by."""
        if not self.known.loop:
            return
        count = 0
        while count < messages:
            came = await self._until(lambda: bool(self._inbox), self._patience_s)
            if not came:
                break
            count += sum(not is_receipt(deliver) for deliver in self._taken())

    async def _pause(self, request: Pause) -> None:
        await asyncio.sleep(request.seconds)

    async def _ask(self, request: Ask) -> Asked:
        bind = await self._first_bind()
        self._progress.tries(self._step, command_name(request.pdu.command_id), self.accepted)
        slot = bind.ask(request.pdu)  # type: ignore[arg-type]
        await self._until(lambda: slot.asked is not None)
        return slot.asked or Asked(None, None)

    async def _until(self, holds: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until it holds; False when the time is over first."""
        try:
            async with asyncio.timeout(None if seconds is None else max(0.0, seconds)):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return holds()
        return True
