"""The way of one submit_sm: refused or accepted, answered now, later or never, its receipts planned."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from protocols.smpp import validity
from protocols.smpp.constants import CommandId, EsmClass, Npi, RegisteredDelivery, Status, Tag, Ton
from protocols.smpp.errors import PduError
from protocols.smpp.pdu import HEADER, SubmitSm, decode

from . import mobile
from .account import Account
from .admission import checks
from .fates import Answer, Fate, FateSchedule, Report, State
from .handsets import Arrival, Loop, content_of
from .latency import stamp_of
from .ledger import Entry
from .message_ids import MessageId, MessageIds
from .numbers import Numbers
from .options import DEFAULTS, SmscOptions
from .options.addresses import LOOP_SELF
from .receipts import Dates, FromHandset, Message, Receipt
from .records import Records
from .stories import ACCEPTED, ENROUTE, EXPIRED, STORIES, Story
from .throttle import Limits, TokenBucket

if TYPE_CHECKING:
    from .connection import Connection
    from .wheel import Wheel

BLOCK_HOLD_S = 0.2
"""A block of receipts to shuffle that does not fill up leaves after so many seconds all the same."""

_EXCERPT = 20  # octets of the text that a receipt repeats (Appendix B)
_BUSY = 100  # unanswered submits that count as a full load where there is no limit
_FINAL_MASK = 0x03  # §5.2.17
_RECEIPT_MASK = _FINAL_MASK | RegisteredDelivery.INTERMEDIATE


class Intake:
    """Decides what becomes of submits, in the order in which they arrive."""

    def __init__(
        self, options: SmscOptions, records: Records, fates: FateSchedule, wheel: Wheel, dates: Dates
    ) -> None:
        self._records = records
        self._handsets = records.handsets
        self._ledger = records.ledger
        self._counters = records.counters
        self._fates = fates
        self._wheel = wheel
        self._ids = MessageIds(fates.stream("message_ids"))
        self._garbage = fates.stream("garbage_bytes")
        self._dates = dates
        self._refusals: dict[bytes, int] = {}
        self.configure(options)

    def configure(self, options: SmscOptions) -> None:
        """Go by `options` from the next submit on."""
        self.options = options
        usual = options.destination_forms == DEFAULTS.destination_forms
        self._numbers = None if usual else Numbers(options)
        self._checks = checks(options, self._handsets.reading)
        if self._numbers is not None:
            self._checks += (self._destination_form,)
        self._limits = Limits(options.limits) if options.limits else None
        self._loops = frozenset(number.lstrip("+").encode("latin-1", "replace") for number in options.mo_loop)
        self._arrives = bool(options.handset_limit or options.mo_loop)
        intermediate = options.receipt_intermediate != "never"
        self._told_before = intermediate or options.receipt_buffered

    def forget_refusals(self) -> None:
        """Let the stories that refuse a few times begin again."""
        self._refusals.clear()

    def submit(self, bind: Connection, account: Account, frame: bytes, sequence: int, now: float) -> None:
        """Take one submit_sm frame that arrived on `bind` at `now` (loop time, seconds)."""
        try:
            pdu = decode(frame).pdu
        except PduError as error:
            self._counters.submits += 1
            self._counters.unreadable += 1
            bind.send(HEADER.pack(16, CommandId.SUBMIT_SM_RESP, error.status, sequence))
            return
        assert isinstance(pdu, SubmitSm)
        self.take(bind, account, pdu, sequence, now, CommandId.SUBMIT_SM_RESP)

    def take(
        self, bind: Connection, account: Account, pdu: SubmitSm, sequence: int, now: float, response: int
    ) -> None:
        """Take a message, and answer it by the PDU whose command_id is `response`."""
        self.count(bind)
        fate, status = self.judge(bind, account, pdu, now)
        if status:
            refusal = HEADER.pack(16, response, status, sequence)
            self.respond(bind, refusal, now + fate.response_delay_s, now)
            return
        ids = self._ids.next(self.options.id_form)
        self.follow(bind, account, pdu, ids, fate, now)
        body = ids.response + b"\0"
        if self.options.congestion:
            body += self._congestion(bind, account)
        self.answer(bind, fate, HEADER.pack(16 + len(body), response, 0, sequence) + body, now)

    def count(self, bind: Connection) -> None:
        """Count one request that awaits its response."""
        counters = self._counters
        counters.submits += 1
        bind.submits += 1
        bind.unanswered += 1
        if bind.unanswered > counters.window_peak:
            counters.window_peak = bind.unanswered

    def judge(self, bind: Connection, account: Account, pdu: SubmitSm, now: float) -> tuple[Fate, int]:
        """The fate of a message, and the status it is refused with (0: it is accepted)."""
        fate = self._fates.next()
        address = pdu.destination_addr
        digits = address.lstrip(b"+") if self._numbers is None else self.digits(address)
        story = STORIES.get(digits) if self.options.stories else None
        if story is not None:
            fate = story.fate
        status = self._refusal(bind, account, pdu, digits, now) or self._status(pdu, story, fate)
        if status:
            self._trace("refused", pdu, status=f"0x{status:08X}")
        elif self.options.validity_honoured and pdu.validity_period:
            fate = _within_validity(fate, pdu.validity_period)
        return fate, status

    def digits(self, address: bytes) -> bytes:
        """The international digits of a destination; empty when it has another form than the carrier's."""
        if self._numbers is None:
            return address.lstrip(b"+")
        return self._numbers.digits(address) or b""

    def new_id(self) -> MessageId:
        """The id of the next message."""
        return self._ids.next(self.options.id_form)

    def follow(
        self, bind: Connection, account: Account, pdu: SubmitSm, ids: MessageId, fate: Fate, now: float
    ) -> None:
        """Record an accepted message and plan all that comes of it, but for its response."""
        records, options = self._records, self.options
        records.counters.accepted += 1
        content = content_of(pdu)
        if b"T=" in content and (stamp := stamp_of(content)) is not None:
            records.latencies.add(time.monotonic_ns() - stamp)
        known = pdu if self._numbers is None else self._known(pdu)
        if options.submission_limit:
            records.submissions.add(known.destination_addr, content)
        if options.message_limit:
            self._ledger.add(ids.response, Entry(known, fate, ids.receipt, now))
        if records.trace is not None:
            self._trace("accepted", pdu, message_id=ids.response.decode())
        if fate.arrival_s is not None and self._arrives:
            loop = self._loop(bind, account, pdu) if self._loops else None
            self._at(now + fate.arrival_s, now, self._arrive, Arrival(known, ids.response, loop))
        if pdu.registered_delivery & _RECEIPT_MASK:
            self._plan_receipts(bind, account, pdu, content, ids.receipt, fate, now)

    def message(
        self, bind: Connection, account: Account, pdu: SubmitSm, content: bytes, receipt_id: bytes
    ) -> Message:
        """What the receipts of a message need to know of it."""
        readable = not pdu.data_coding and not pdu.esm_class & EsmClass.UDHI
        handset = b"%c%c%b\0" % (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr)
        sender = b"%c%c%b\0" % (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr)
        return Message(
            account,
            bind,
            handset + sender if self.options.receipt_handset == "source" else sender + handset,
            receipt_id,
            self._dates.now(),
            content[:_EXCERPT] if readable else b"",
            False,
        )

    def respond(self, bind: Connection, response: bytes, due: float, now: float) -> None:
        """Settle one counted request at `due`; an empty response settles it in silence."""
        if due <= now:
            bind.answer(response)
        else:
            self._wheel.push(due, bind.answer, response)

    def answer(self, bind: Connection, fate: Fate, response: bytes, now: float) -> None:
        """Answer an accepted request as its fate says."""
        options, answer = self.options, fate.answer
        if bind.submits == options.cut_after:
            answer = Answer.CUT
        elif bind.submits == options.silence_after:
            answer = Answer.SILENCE
        if options.beside_response:
            bind.attack(options.beside_response)
        due = now + fate.response_delay_s
        if answer is Answer.RESPONSE:
            self.respond(bind, response, due, now)
        elif answer is Answer.TWICE:
            self.respond(bind, response + response, due, now)
        elif answer is Answer.MISSING:
            self._counters.responses_missing += 1
            self.respond(bind, b"", due, now)
        elif answer is Answer.GARBAGE:
            self._counters.garbage += 1
            self.respond(bind, self._garbage.randbytes(self._garbage.randint(16, 64)), due, now)
        elif answer is Answer.CUT:
            bind.cut()
        else:
            bind.fall_silent()

    def _refusal(self, bind: Connection, account: Account, pdu: SubmitSm, digits: bytes, now: float) -> int:
        """The status of a submit that goes over a limit of the bind, else 0."""
        options = self.options
        if options.window_limit and bind.unanswered > options.window_limit:
            self._counters.above_window += 1
            return options.window_status
        if options.throttle_tps and not self._bucket(bind, account, now).take(now):
            self._counters.throttled += 1
            return options.throttle_status
        if self._limits is not None and not self._limits.take(pdu.source_addr, digits, now):
            self._counters.throttled += 1
            return options.throttle_status
        return 0

    def _bucket(self, bind: Connection, account: Account, now: float) -> TokenBucket:
        options = self.options
        metered = bind if options.throttle_scope == "bind" else account
        bucket = metered.bucket
        burst = options.throttle_burst or max(1.0, options.throttle_tps / 10)
        if bucket is None or (bucket.tps, bucket.burst) != (options.throttle_tps, burst):
            bucket = metered.bucket = TokenBucket(options.throttle_tps, burst, now)
        return bucket

    def _congestion(self, bind: Connection, account: Account) -> bytes:
        """congestion_state (SMPP 5.0 §4.8.4.18): the window or the rate, whichever is used more."""
        options = self.options
        shares = [bind.unanswered / options.window_limit] if options.window_limit else []
        bucket = (bind if options.throttle_scope == "bind" else account).bucket
        if options.throttle_tps and bucket is not None:
            shares.append(bucket.used)
        load = max(shares, default=bind.unanswered / _BUSY)
        return b"%c%c\0\x01%c" % (*divmod(Tag.CONGESTION_STATE, 256), round(100 * min(load, 1.0)))

    def _status(self, pdu: SubmitSm, story: Story | None, fate: Fate) -> int:
        """The status of a submit that is wrong in itself or whose story refuses it, else 0."""
        status = _bad_field(pdu) or (self._unwelcome(pdu) if self._checks else 0) or fate.status
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

    def _unwelcome(self, pdu: SubmitSm) -> int:
        """The status of the first habit of the carrier that the submit goes against, else 0."""
        for check in self._checks:
            status = check(pdu)
            if status:
                return status
        return 0

    def _destination_form(self, pdu: SubmitSm) -> int:
        return 0 if self.digits(pdu.destination_addr) else Status.ESME_RINVDSTADR

    def _known(self, pdu: SubmitSm) -> SubmitSm:
        """The same message with its destination in international digits."""
        return msgspec.structs.replace(
            pdu,
            dest_addr_ton=Ton.INTERNATIONAL,
            dest_addr_npi=Npi.ISDN,
            destination_addr=self.digits(pdu.destination_addr),
        )

    def _loop(self, bind: Connection, account: Account, pdu: SubmitSm) -> Loop | None:
        """The way back of a message to one of the loop's numbers."""
        digits, sender = self.digits(pdu.destination_addr), pdu.source_addr.lstrip(b"+")
        to_self = LOOP_SELF.encode() in self._loops and sender in (digits, pdu.destination_addr.lstrip(b"+"))
        if not to_self and digits not in self._loops:
            return None
        handset = (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr)
        return Loop(account, bind, handset, (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr))

    def _arrive(self, arrival: Arrival) -> None:
        if self._ledger.touched:
            if not self._ledger.arrives(arrival.message_id):
                return
            replacement = self._ledger.replacement(arrival.message_id)
            if replacement is not None:
                arrival = arrival._replace(submit=replacement)
        whole = self._handsets.arrive(arrival)
        if whole is not None and arrival.loop is not None:
            loop = arrival.loop
            pdu = mobile.echo(loop.handset, loop.sender, whole.text)
            message = Message(loop.account, loop.origin, b"", b"", b"", b"", False)
            loop.account.offer(FromHandset(message, pdu))

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
        message = self.message(bind, account, pdu, content, receipt_id)
        message.other_bind = fate.other_bind
        reports = fate.reports
        if self._told_before and reports:
            reports = self._with_forerunners(pdu, reports)
        for report in reports:
            if _wanted(pdu.registered_delivery, report.state):
                self._at(now + report.after_s, now, self._offer, Receipt(message, report))

    def _with_forerunners(self, pdu: SubmitSm, reports: tuple[Report, ...]) -> tuple[Report, ...]:
        """The receipts that this carrier sends before the final one, and those."""
        first = reports[0].after_s
        before: list[Report] = []
        if self.options.receipt_buffered:
            before.append(Report(0.0, ACCEPTED))
        when = self.options.receipt_intermediate
        asked = pdu.registered_delivery & RegisteredDelivery.INTERMEDIATE
        if when == "always" or (asked and when == "asked"):
            before.append(Report(first / 2, ENROUTE))
        return (*before, *reports)

    def _offer(self, receipt: Receipt) -> None:
        message, size = receipt.message, self.options.receipt_shuffle
        if self._ledger.touched and not self._ledger.reports(message.id):
            return
        account = message.account
        if size < 2:
            account.offer(receipt)
        elif (begun := account.offer_in_block(receipt, size)) is not None:
            self._wheel.push_in(BLOCK_HOLD_S, account.end_block, begun)

    def _at(self, due: float, now: float, call: Callable[..., object], argument: object) -> None:
        if due <= now:
            call(argument)
        else:
            self._wheel.push(due, call, argument)

    def _trace(self, event: str, pdu: SubmitSm, **fields: object) -> None:
        if self._records.trace is not None:
            self._records.trace(event, {"to": pdu.destination_addr.decode("latin-1"), **fields})


def _wanted(registered_delivery: int, state: State) -> bool:
    final = registered_delivery & _FINAL_MASK
    if not final:
        return state.intermediate
    only_failures = final == RegisteredDelivery.FAILURE_ONLY
    return not only_failures or not (state.delivered or state.passing)


def _within_validity(fate: Fate, validity_period: bytes) -> Fate:
    """The fate of a message that is dropped when its time is over (§5.2.16)."""
    now = time.time()
    until = validity.expires_at(validity_period, now)
    left_s = float("inf") if until is None else max(0.0, until - now)
    if fate.arrival_s is None:
        in_time = any(report.after_s <= left_s and not report.state.passing for report in fate.reports)
    else:
        in_time = fate.arrival_s <= left_s
    if in_time or left_s == float("inf"):
        return fate
    reports = tuple(report for report in fate.reports if report.after_s <= left_s and report.state.passing)
    if fate.reports:
        reports += (Report(left_s, EXPIRED),)
    return fate._replace(arrival_s=None, reports=reports)


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
