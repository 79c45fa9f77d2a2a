"""One SMPP account as a Carrier: its binds, its rate, its receipts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Literal

from connector.carriers import statuses
from connector.carriers.backoff import Backoff
from connector.carriers.bind import Bind, BindState, Part
from connector.carriers.contract import Attempt, Carrier, Outcomes, PartAnswer, Unsendable
from connector.carriers.encoding import SubmitEncoder
from connector.carriers.throttle import TokenBucket
from connector.config import Carrier as CarrierConfig
from connector.config import read_password
from connector.journal.ops import Receipt
from connector.metrics import CarrierLive, CarrierMetrics
from connector.model import LiveJob
from protocols.smpp import events as smpp
from protocols.smpp.id_keys import lookup_keys, stored_key
from protocols.smpp.receipt import FINAL, ReceiptState, parse
from protocols.smpp.session import Mode, SessionConfig

__all__ = ["SmppCarrier", "kept_text"]

_WORDS: Mapping[str, ReceiptState] = {
    "ENROUTE": ReceiptState.ENROUTE,
    "DELIVRD": ReceiptState.DELIVERED,
    "EXPIRED": ReceiptState.EXPIRED,
    "DELETED": ReceiptState.DELETED,
    "UNDELIV": ReceiptState.UNDELIVERABLE,
    "ACCEPTD": ReceiptState.ACCEPTED,
    "UNKNOWN": ReceiptState.UNKNOWN,
    "REJECTD": ReceiptState.REJECTED,
    "FAILED": ReceiptState.FAILED,
}
_MESSAGE = re.compile(rb"text:", re.IGNORECASE)
_KNOWN = re.compile(rb"\b(?:id|sub|dlvrd|(?:submit|done) ?date|stat|err):\S*", re.IGNORECASE)
# SMPP 3.4 has 64 and 20 octets; a PDU has room for 65,535, with which a peer could fill the disk.
_LONGEST_ID = 256
_LONGEST_ADDRESS = 64
_LONGEST_TEXT = 1_000
_UNBIND_GRACE_S = 2.0
Result = Literal["delivered", "failed"]


class SmppAttempt(Attempt):
    """An attempt with its PDUs and the bind that keeps room for them."""

    __slots__ = ("bind", "pdus")

    pdus: list[Part]
    bind: Bind


class SmppCarrier(Carrier):
    """Keeps the Carrier contract over one SMPP account. `account` is its row in the journal."""

    def __init__(
        self,
        config: CarrierConfig,
        *,
        account: int,
        max_parts: int,
        outcomes: Outcomes,
        metrics: CarrierMetrics,
        now: Callable[[], float],
        rng: Random,
    ) -> None:
        self.name = config.name
        self.account = account
        self.priority = config.priority
        self._config = config
        self._outcomes = outcomes
        self._metrics = metrics
        self._bucket = TokenBucket(config.binds.tps, now())
        self._encoder = SubmitEncoder(config, max_parts, rng.randrange(1 << 16))
        self._results = {**{state: _usual(state) for state in ReceiptState}, **_overridden(config)}
        self._final = {state: result is not None for state, result in self._results.items()}
        self._open = 0
        self._draining = False
        self._settled = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        modes: tuple[Mode, ...] = (
            ("transceiver",) if config.binds.mode == "transceiver" else ("transmitter", "receiver")
        )
        self._binds = [
            Bind(
                f"{self.name}/{mode}-{number}",
                address=(config.account.host, config.account.port),
                session_config=lambda mode=mode: self._session_config(mode),  # type: ignore[misc]
                connect_timeout_s=config.binds.bind_timeout_s,
                backoff=Backoff(config.backoff.initial_s, config.backoff.max_s, config.backoff.ghost_s, rng),
                bucket=self._bucket,
                owner=self,
                metrics=metrics,
                now=now,
            )
            for number in range(1, config.binds.count + 1)
            for mode in modes
        ]
        # Receivers never have room: their window stays shut.
        self._senders = [bind for bind in self._binds if "/receiver-" not in bind.name]

    def _session_config(self, mode: Mode) -> SessionConfig:
        account, binds = self._config.account, self._config.binds
        return SessionConfig(
            mode=mode,
            system_id=account.system_id.encode(),
            password=read_password(self._config.password_path),
            system_type=account.system_type.encode(),
            interface_version=account.interface_octet,
            window=binds.window,
            bind_timeout_s=binds.bind_timeout_s,
            response_timeout_s=binds.response_timeout_s,
            enquire_link_s=binds.enquire_link_s,
        )

    # Carrier

    def start(self) -> None:
        self._tasks = [asyncio.create_task(bind.run(), name=bind.name) for bind in self._binds]

    @property
    def bound(self) -> bool:
        return any(bind.state is BindState.BOUND for bind in self._senders)

    def room(self, now: float) -> int:
        if self._draining:
            return 0
        pending = window = 0
        for bind in self._senders:
            pending += bind.pending
            window += max(0, bind.room())
        return min(window, int(self._bucket.tokens(now) + 1e-6) - pending)

    def room_at(self, now: float) -> float | None:
        if self._draining or not any(bind.room() > 0 for bind in self._senders):
            return None
        return self._bucket.next_at(now)

    def prepare(self, job: LiveJob, now: float) -> SmppAttempt:
        pdus = self._encoder.encode(job, now)
        bind = max(self._senders, key=Bind.room)
        if bind.room() <= 0:
            raise Unsendable("no bind has room")
        attempt = SmppAttempt(job, self, len(pdus))
        attempt.bind = bind
        attempt.pdus = [Part(attempt, number, pdu) for number, pdu in enumerate(pdus, 1)]
        bind.announce(len(pdus))
        self._open += 1
        return attempt

    def send(self, attempt: Attempt, now: float) -> None:
        assert isinstance(attempt, SmppAttempt)
        # The parts refer to the attempt: letting go of them here leaves no cycle to the garbage collector.
        pdus, attempt.pdus = attempt.pdus, []
        attempt.bind.send(pdus, now)

    def pump(self, now: float) -> None:
        for bind in self._binds:
            bind.pump(now)

    def receipts_committed(self, receipts: list[Receipt], now: float) -> None:
        metrics = self._metrics
        handset: list[float] = []
        for receipt in receipts:
            if receipt.match == "parked":
                metrics.receipts_parked += 1
            else:
                metrics.receipts_matched += 1
                metrics.receipts_late += receipt.match == "late"
                if receipt.result == "delivered":
                    handset.append(receipt.at - receipt.accepted_at)
            bind, session, sequence = receipt.context
            if bind.session is session:
                bind.acknowledge(sequence, now)
        metrics.to_handset.observe_many(handset)
        self.pump(now)

    def live(self, now: float) -> CarrierLive:
        tokens = self._bucket.tokens(now)
        return CarrierLive(self.name, tuple(bind.live() for bind in self._binds), tokens, self._bucket.pace)

    async def drain(self) -> None:
        self._draining = True
        while self._open:
            self._settled.clear()
            await self._settled.wait()

    async def stop(self) -> None:
        self._draining = True
        await asyncio.gather(*(bind.stop(_UNBIND_GRACE_S) for bind in self._binds))
        for task in self._tasks:
            task.cancel()  # one that still tries to connect
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # BindOwner

    def answered(self, part: Part, event: smpp.SubmitAnswered | smpp.LateAnswer, now: float) -> None:
        attempt, metrics = part.attempt, self._metrics
        late = attempt.settled
        metrics.to_answer.observe(now - attempt.left_at)
        if event.status == 0:
            metrics.accepted += 1
            attempt.answered += 1
            message_id = event.message_id[:_LONGEST_ID]
            answer = PartAnswer(part.number, stored_key(message_id), message_id.hex(), late)
            if attempt.answered == attempt.parts:
                self._settle(attempt)
            self._outcomes.sent(attempt, answer, now)
            return
        metrics.refused[event.status] += 1
        verdict = statuses.classify(event.status)
        if verdict is statuses.Verdict.HERE_LATER and not late:
            metrics.throttled += 1
            self._bucket.hold(now)
            attempt.written -= 1
            assert isinstance(attempt, SmppAttempt)
            attempt.bind.resend(part, now)
        elif not attempt.refused:
            attempt.refused = True
            self._settle(attempt)
            self._outcomes.refused(attempt, event.status, now)

    def timed_out(self, part: Part, now: float) -> None:
        self._unknown([part], f"no submit_sm_resp within {self._config.binds.response_timeout_s:g} s", now)

    def lost(self, parts: list[Part], now: float) -> None:
        self._unknown(parts, "the connection ended before the submit_sm_resp", now)

    def returned(self, parts: list[Part], now: float) -> None:
        for part in parts:
            attempt = part.attempt
            if attempt.settled:
                continue
            if attempt.written:
                # Other parts have left: that must not be called unsent.
                self._unknown([part], "the rest of the message could not be sent in time", now)
            elif self._settle(attempt):
                late = attempt.job.deadline_at <= now
                self._outcomes.unsent(attempt, "deadline" if late else "the bind went down", now)

    def delivered(self, bind: Bind, event: smpp.DeliverReceived, now: float) -> None:
        pdu = event.pdu
        receipt = parse(pdu, self._final)
        context = (bind, bind.session, event.sequence)
        address = pdu.source_addr[:_LONGEST_ADDRESS].decode("ascii", "replace").lstrip("+")
        if receipt is None:
            # Not a receipt: kept, and counted by `connector status`; the carrier is told after that.
            kept = Receipt(
                self.account, self.name, (), address, "MO", None, pdu.short_message.hex(), now, context
            )
        else:
            result = self._results[receipt.state] if receipt.final else None
            kept = Receipt(
                self.account, self.name, lookup_keys(receipt.message_id[:_LONGEST_ID]), address,
                receipt.state.value, result, kept_text(receipt.raw).hex(), now, context,
            )  # fmt: skip
        self._outcomes.receipt(kept)

    def after_read(self, bind: Bind, now: float) -> None:
        bind.pump(now)
        self._outcomes.room()

    def _unknown(self, parts: list[Part], reason: str, now: float) -> None:
        for part in parts:
            if self._settle(part.attempt):
                self._metrics.unknown += 1
                self._outcomes.unknown(part.attempt, reason, now)

    def _settle(self, attempt: Attempt) -> bool:
        """True the first time: an attempt ends once."""
        if attempt.settled:
            return False
        attempt.settled = True
        self._open -= 1
        if not self._open:
            self._settled.set()
        return True


def kept_text(raw: bytes) -> bytes:
    """A receipt's text without the beginning of the message, its code included.

    That follows `text:`, or at some carriers the last of the usual fields.
    """
    cut = _MESSAGE.search(raw)
    end = cut.start() if cut else max((known.end() for known in _KNOWN.finditer(raw)), default=0)
    return raw[: min(end, _LONGEST_TEXT)]


def _usual(state: ReceiptState) -> Result | None:
    if not FINAL[state]:
        return None
    return "delivered" if state is ReceiptState.DELIVERED else "failed"


def _overridden(config: CarrierConfig) -> dict[ReceiptState, Result | None]:
    meanings: dict[str, Result | None] = {
        "final_delivered": "delivered",
        "final_undelivered": "failed",
        "non_final": None,
    }
    return {_WORDS[word]: meanings[meaning] for word, meaning in config.receipts.states.items()}
