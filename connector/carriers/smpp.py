"""One SMPP account as a Carrier: its binds, its rate, its receipts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from weakref import WeakKeyDictionary

import msgspec

from connector.carriers.bind import Bind, Part
from connector.carriers.contract import Attempt, Carrier, Outcomes, PartAnswer, SentPart, Unsendable
from connector.carriers.encoding import SubmitEncoder
from connector.carriers.enquiries import Enquiries, Enquiry
from connector.carriers.inbound import InboundDecoder
from connector.carriers.limits import SubLimits
from connector.carriers.pool import BindPool
from connector.carriers.receipts import LONGEST_ID, ReceiptIntake
from connector.carriers.statuses import StatusClass, Statuses
from connector.config import Carrier as CarrierConfig
from connector.journal.ops import Inbound, Query, Receipt
from connector.metrics import CarrierLive, CarrierMetrics
from connector.model import Channel, LiveJob
from protocols.smpp import events as smpp
from protocols.smpp.id_keys import stored_key
from protocols.smpp.pdu import QuerySmResp
from protocols.smpp.session import Session

__all__ = ["SmppCarrier"]

_LONGEST_ADDRESS = 64
_QUERY_LIFE_S = 60.0  # then it is asked anew
_ENQUIRE_EVERY_S = 0.02


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
        self.channel: Channel = "sms"
        self._config = config
        self._outcomes = outcomes
        self._metrics = metrics
        self.binds = BindPool(config, owner=self, metrics=metrics, now=now, rng=rng)
        self._statuses = Statuses(config.statuses)
        self._encoder = SubmitEncoder(config, max_parts, rng)
        self._limits = SubLimits(config.limits, now())
        self._enquiries = Enquiries(self.binds.budget, now())
        self._enquiry_timer: asyncio.TimerHandle | None = None
        self._now = now
        self._receipts = ReceiptIntake(config, account, metrics)
        self._decoder = InboundDecoder(config)
        self._connections: WeakKeyDictionary[Session, int] = WeakKeyDictionary()
        self._rng = rng
        self._open = 0
        self._draining = False
        self._settled = asyncio.Event()

    # Carrier

    def start(self) -> None:
        self.binds.start()

    def learn_from(self, other: SmppCarrier) -> None:
        """Go on with what the carrier has taught the one whose place this one takes."""
        self.binds.learn_from(other.binds)
        if self.account == other.account:
            self._receipts.take_over(other._receipts)

    @property
    def bound(self) -> bool:
        return self.binds.bound

    def room(self, now: float) -> int:
        return 0 if self._draining else self.binds.room(now)

    def rate(self, now: float) -> float:
        return self.binds.rate(now)

    def room_at(self, now: float) -> float | None:
        return None if self._draining else self.binds.room_at(now)

    def prepare(self, job: LiveJob, now: float) -> SmppAttempt:
        pdus, substituted = self._encoder.encode(job, now)
        bind = self.binds.roomiest(now)
        if bind is None:
            raise Unsendable("no bind has room")
        attempt = SmppAttempt(job, self, len(pdus), substituted)
        attempt.bind = bind
        attempt.pdus = [Part(attempt, number, pdu) for number, pdu in enumerate(pdus, 1)]
        bind.announce(len(pdus))
        if job.limits:
            self._limits.take(self.limits(job), now, len(pdus))
        self._open += 1
        return attempt

    def send(self, attempt: Attempt, now: float) -> None:
        assert isinstance(attempt, SmppAttempt)
        # The parts refer to the attempt: letting go of them here leaves no cycle to the garbage collector.
        pdus, attempt.pdus = attempt.pdus, []
        attempt.bind.send(pdus, now)

    def pump(self, now: float) -> None:
        if self._enquiries:
            self._enquire(now)
        self.binds.pump(now)

    def limits(self, job: LiveJob) -> tuple[int, ...]:
        content = job.content
        sender = content.sender if content.by_carrier is None else content.guise(self.name).sender
        return self._limits.group(sender, job.recipient)

    def limited_until(self, limits: tuple[int, ...], now: float) -> float:
        return self._limits.tokens_at(limits, now)

    def query(self, queries: list[Query], now: float) -> None:
        if not self._config.supports.query_sm:
            return
        for query in queries:
            with contextlib.suppress(Unsendable):  # the sender id was permitted when it was sent
                pdu = self._encoder.query_of(query.message_id, query.sender)
                self._enquiries.ask(Enquiry(pdu, partial(self._query_answered, query), now + _QUERY_LIFE_S))
        self.pump(now)

    def _enquire(self, now: float) -> None:
        at = self._enquiries.pump(self.binds.senders, now)
        if self._enquiry_timer is not None:
            self._enquiry_timer.cancel()
            self._enquiry_timer = None
        if at is not None:
            loop = asyncio.get_running_loop()
            self._enquiry_timer = loop.call_later(max(_ENQUIRE_EVERY_S, at - now), self._enquire_again)

    def _enquire_again(self) -> None:
        self._enquiry_timer = None
        self.pump(self._now())

    def _query_answered(self, query: Query, status: int | None, answer: QuerySmResp | None) -> None:
        if status != 0 or answer is None:
            return
        self._outcomes.receipt(
            self._receipts.answer_to_query(
                query.key, query.recipient[1:], answer.message_state, answer.error_code, self._now()
            )
        )

    def hang_up(self, attempt: Attempt, now: float) -> bool:
        return False

    async def recall(self, sent: SentPart) -> bool:
        if not self._config.supports.cancel_sm:
            return False
        try:
            pdu = self._encoder.cancel_of(sent.message_id, sent.sender, sent.recipient)
        except Unsendable:
            return False
        taken_back: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def answered(status: int | None, _: QuerySmResp | None) -> None:
            if not taken_back.done():  # whoever waited may have gone
                taken_back.set_result(status == 0)

        now = self._now()
        self._enquiries.ask(Enquiry(pdu, answered, now + self._config.binds.response_timeout_s))
        self.pump(now)
        return await taken_back

    def receipts_committed(self, receipts: list[Receipt], now: float) -> None:
        self._receipts.committed(receipts, now)
        self._acknowledge([receipt.context for receipt in receipts if receipt.kind != "query"], now)

    def receipts_found(self, receipts: list[Receipt], now: float) -> None:
        self._receipts.found(receipts, now)

    def remember_forms(self, forms: Mapping[str, int]) -> None:
        self._receipts.remember(forms)

    def inbound_committed(self, arrived: list[Inbound], now: float) -> None:
        metrics = self._metrics
        for inbound in arrived:
            metrics.mo_received += inbound.fate == "told"
            metrics.mo_repeated += inbound.fate == "repeated"
            metrics.mo_unclaimed += inbound.fate == "parked"
        self._acknowledge([inbound.context for inbound in arrived], now)

    def _acknowledge(self, contexts: list[tuple[Bind, Session, int]], now: float) -> None:
        """On the connections they came on: also those of a carrier whose place this one has taken."""
        binds = set()
        for bind, session, sequence in contexts:
            if bind.session is session:
                bind.acknowledge(sequence, now)
                binds.add(bind)
        for bind in binds:
            bind.pump(now)

    def live(self, now: float) -> CarrierLive:
        id_forms = self._receipts.id_forms
        return msgspec.structs.replace(
            self.binds.live(now),
            id_form=id_forms.form, id_form_fixed=id_forms.fixed, receipt_match_ratio=id_forms.ratio,
        )  # fmt: skip

    async def drain(self) -> None:
        self._draining = True
        while self._open:
            self._settled.clear()
            await self._settled.wait()

    async def stop(self) -> None:
        self._draining = True
        self._enquiries.stop()
        if self._enquiry_timer is not None:
            self._enquiry_timer.cancel()
        await self.binds.stop()

    # BindOwner

    def answered(self, part: Part, event: smpp.SubmitAnswered | smpp.LateAnswer, now: float) -> None:
        attempt, metrics = part.attempt, self._metrics
        late = attempt.settled
        metrics.to_answer.observe(now - attempt.left_at)
        if event.status == 0:
            metrics.accepted += 1
            attempt.answered += 1
            message_id = event.message_id[:LONGEST_ID]
            answer = PartAnswer(part.number, stored_key(message_id), message_id.hex(), late)
            if attempt.answered == attempt.parts:
                self._settle(attempt)
            self._outcomes.sent(attempt, answer, now)
            return
        metrics.refused[event.status] += 1
        kind = self._statuses.classify(event.status)
        if kind is StatusClass.THROTTLED and not late and isinstance(event, smpp.SubmitAnswered):
            metrics.throttled += 1
            attempt.written -= 1
            assert isinstance(attempt, SmppAttempt)
            attempt.bind.resend(part, event.sent_at, now)
        elif not attempt.refused:
            attempt.refused = True
            self._settle(attempt)
            self._outcomes.refused(attempt, event.status, kind, now)

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
        context = (bind, bind.session, event.sequence)
        receipt = self._receipts.read(pdu, now, context)
        if receipt is None:
            part = self._decoder.part_of(pdu)
            if part is not None:
                connection = self._connection(bind)
                standing = frozenset(self._connection(each) for each in self.binds.all)
                self._outcomes.inbound(
                    Inbound(self.account, self.name, part, connection, standing, now, context)
                )
                return
            # An acknowledgement by a handset: kept, and counted by `connector status`.
            address = pdu.source_addr[:_LONGEST_ADDRESS].decode("ascii", "replace").lstrip("+")
            raw = pdu.short_message.hex()
            receipt = Receipt(self.account, self.name, (), address, "MO", None, raw, now, context)
        self._outcomes.receipt(receipt)

    def _connection(self, bind: Bind) -> int:
        """The number of a bind's connection; 0 when it has none."""
        session = bind.session
        if session is None:
            return 0
        number = self._connections.get(session)
        if number is None:
            number = self._connections[session] = self._rng.getrandbits(62) | 1
        return number

    def after_read(self, bind: Bind, now: float) -> None:
        if self._enquiries:
            self.pump(now)  # an answer may have made room for the next one
        else:
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
