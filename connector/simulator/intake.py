"""The way of one submit_sm: refused or accepted, answered now, later or never, its receipts planned."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from protocols.smpp.constants import CommandId, EsmClass, RegisteredDelivery, Status
from protocols.smpp.errors import PduError
from protocols.smpp.pdu import HEADER, SubmitSm, decode

from .account import Account
from .fates import Answer, Fate, FateSchedule, State
from .handsets import Arrival, content_of
from .latency import stamp_of
from .message_ids import MessageIds
from .options import SmscOptions
from .receipts import Dates, Message, Receipt
from .records import Records
from .stories import STORIES, Story
from .throttle import TokenBucket

if TYPE_CHECKING:
    from .connection import Connection
    from .wheel import Wheel

BLOCK_HOLD_S = 0.2
"""A block of receipts to shuffle that does not fill up leaves after so many seconds all the same."""

_EXCERPT = 20  # octets of the text that a receipt repeats (Appendix B)
_RECEIPT_MASK = 0x03  # §5.2.17


class Intake:
    """Decides what becomes of submits, in the order in which they arrive."""

    def __init__(
        self, options: SmscOptions, records: Records, fates: FateSchedule, wheel: Wheel, dates: Dates
    ) -> None:
        self.options = options
        self._records = records
        self._counters = records.counters
        self._fates = fates
        self._wheel = wheel
        self._ids = MessageIds(fates.stream("message_ids"))
        self._garbage = fates.stream("garbage_bytes")
        self._dates = dates
        self._refusals: dict[bytes, int] = {}

    def forget_refusals(self) -> None:
        """Let the stories that refuse a few times begin again."""
        self._refusals.clear()

    def submit(self, bind: Connection, account: Account, frame: bytes, sequence: int, now: float) -> None:
        """Take one submit_sm frame that arrived on `bind` at `now` (loop time, seconds)."""
        counters = self._counters
        counters.submits += 1
        try:
            pdu = decode(frame).pdu
        except PduError as error:
            counters.unreadable += 1
            bind.send(_header_only(sequence, error.status))
            return
        assert isinstance(pdu, SubmitSm)
        bind.submits += 1
        bind.unanswered += 1
        if bind.unanswered > counters.window_peak:
            counters.window_peak = bind.unanswered
        fate = self._fates.next()
        story = STORIES.get(pdu.destination_addr.lstrip(b"+")) if self.options.stories else None
        if story is not None:
            fate = story.fate
        status = self._refusal(bind, account, pdu, now) or self._status(pdu, story, fate)
        if status:
            self._trace("refused", pdu, status=f"0x{status:08X}")
            self._respond(bind, _header_only(sequence, status), now + fate.response_delay_s, now)
        else:
            self._accept(bind, account, pdu, sequence, fate, now)

    def _refusal(self, bind: Connection, account: Account, pdu: SubmitSm, now: float) -> int:
        """The status of a submit that goes over a limit of the bind, else 0."""
        options = self.options
        if options.window_limit and bind.unanswered > options.window_limit:
            self._counters.above_window += 1
            return options.window_status
        if not options.throttle_tps:
            return 0
        metered = bind if options.throttle_scope == "bind" else account
        bucket = metered.bucket
        burst = options.throttle_burst or max(1.0, options.throttle_tps / 10)
        if bucket is None or (bucket.tps, bucket.burst) != (options.throttle_tps, burst):
            bucket = metered.bucket = TokenBucket(options.throttle_tps, burst, now)
        if bucket.take(now):
            return 0
        self._counters.throttled += 1
        return options.throttle_status

    def _status(self, pdu: SubmitSm, story: Story | None, fate: Fate) -> int:
        """The status of a submit that is wrong in itself or whose story refuses it, else 0."""
        status = _bad_field(pdu) or fate.status
        if status:
            self._counters.rejected += 1
        elif story is not None and story.refusals:
            refused = self._refusals.get(pdu.destination_addr, 0)
            if refused < story.refusals:
                self._refusals[pdu.destination_addr] = refused + 1
                self._counters.throttled += 1
                return story.refusal_status
            del self._refusals[pdu.destination_addr]
        return status

    def _accept(
        self, bind: Connection, account: Account, pdu: SubmitSm, sequence: int, fate: Fate, now: float
    ) -> None:
        records, options = self._records, self.options
        records.counters.accepted += 1
        destination, content = pdu.destination_addr, content_of(pdu)
        response_id, receipt_id = self._ids.next(options.id_form)
        if b"T=" in content and (stamp := stamp_of(content)) is not None:
            records.latencies.add(time.monotonic_ns() - stamp)
        if options.submission_limit:
            records.submissions.add(destination, content)
        if records.trace is not None:
            self._trace("accepted", pdu, message_id=response_id.decode())
        if fate.arrival_s is not None and options.handset_limit:
            self._at(now + fate.arrival_s, now, records.handsets.arrive, Arrival(pdu, response_id))
        if pdu.registered_delivery & _RECEIPT_MASK:
            self._plan_receipts(bind, account, pdu, content, receipt_id, fate, now)
        response = HEADER.pack(17 + len(response_id), CommandId.SUBMIT_SM_RESP, 0, sequence)
        self._answer(bind, fate, response + response_id + b"\0", now)

    def _plan_receipts(
        self,
        bind: Connection,
        account: Account,
        pdu: SubmitSm,
        content: bytes,
        receipt_id: bytes,
        fate: Fate,
        now: float,
    ) -> None:
        readable = not pdu.data_coding and not pdu.esm_class & EsmClass.UDHI
        message = Message(
            account,
            bind,
            b"%c%c%b\0%c%c%b\0"
            % (
                pdu.dest_addr_ton,
                pdu.dest_addr_npi,
                pdu.destination_addr,
                pdu.source_addr_ton,
                pdu.source_addr_npi,
                pdu.source_addr,
            ),
            receipt_id,
            self._dates.now(),
            content[:_EXCERPT] if readable else b"",
            fate.other_bind,
        )
        for report in fate.reports:
            if _wanted(pdu.registered_delivery, report.state):
                self._at(now + report.after_s, now, self._offer, Receipt(message, report))

    def _offer(self, receipt: Receipt) -> None:
        account, size = receipt.message.account, self.options.receipt_shuffle
        if size < 2:
            account.offer(receipt)
        elif (begun := account.offer_in_block(receipt, size)) is not None:
            self._wheel.push_in(BLOCK_HOLD_S, account.end_block, begun)

    def _answer(self, bind: Connection, fate: Fate, response: bytes, now: float) -> None:
        options, answer = self.options, fate.answer
        if bind.submits == options.cut_after:
            answer = Answer.CUT
        elif bind.submits == options.silence_after:
            answer = Answer.SILENCE
        due = now + fate.response_delay_s
        if answer is Answer.RESPONSE:
            self._respond(bind, response, due, now)
        elif answer is Answer.MISSING:
            self._counters.responses_missing += 1
            self._respond(bind, b"", due, now)
        elif answer is Answer.GARBAGE:
            self._counters.garbage += 1
            self._respond(bind, self._garbage.randbytes(self._garbage.randint(16, 64)), due, now)
        elif answer is Answer.CUT:
            bind.cut()
        else:
            bind.fall_silent()

    def _respond(self, bind: Connection, response: bytes, due: float, now: float) -> None:
        if due <= now:
            bind.answer(response)
        else:
            self._wheel.push(due, bind.answer, response)

    def _at(self, due: float, now: float, call: Callable[..., object], argument: object) -> None:
        if due <= now:
            call(argument)
        else:
            self._wheel.push(due, call, argument)

    def _trace(self, event: str, pdu: SubmitSm, **fields: object) -> None:
        if self._records.trace is not None:
            self._records.trace(event, {"to": pdu.destination_addr.decode("latin-1"), **fields})


def _header_only(sequence: int, status: int) -> bytes:
    """A submit_sm_resp that refuses: no body follows the header (§4.4.2)."""
    return HEADER.pack(16, CommandId.SUBMIT_SM_RESP, status, sequence)


def _wanted(registered_delivery: int, state: State) -> bool:
    only_failures = registered_delivery & _RECEIPT_MASK == RegisteredDelivery.FAILURE_ONLY
    return not only_failures or not (state.delivered or state.intermediate)


def _bad_field(pdu: SubmitSm) -> int:
    """The status of the first parameter that no carrier would take (§4.4.1), else 0."""
    if len(pdu.destination_addr) > 20 or not pdu.destination_addr.lstrip(b"+").isdigit():
        return Status.ESME_RINVDSTADR
    if len(pdu.source_addr) > 20:
        return Status.ESME_RINVSRCADR
    if len(pdu.validity_period) not in (0, 16):
        return Status.ESME_RINVEXPIRY
    if len(pdu.schedule_delivery_time) not in (0, 16):
        return Status.ESME_RINVSCHED
    if len(pdu.short_message) > 254:
        return Status.ESME_RINVMSGLEN
    return 0
