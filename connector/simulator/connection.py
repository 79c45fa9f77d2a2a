"""One TCP connection of an ESME: frames in, PDUs answered, one write a turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, cast

from protocols.smpp import tlv
from protocols.smpp.constants import RESPONSE_BIT, CommandId, Status, Tag
from protocols.smpp.errors import PduError
from protocols.smpp.framing import FrameReader
from protocols.smpp.pdu import (
    HEADER,
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    Pdu,
    Unbind,
    UnbindResp,
    decode,
    encode,
)

from .attacks import ATTACKS
from .drip import Drip
from .receipts import Delivery, Outbox
from .services import SERVICES, unknown

if TYPE_CHECKING:
    from .account import Account
    from .smsc import Smsc
    from .throttle import TokenBucket

SYSTEM_ID = b"simulator"

Bind = BindReceiver | BindTransmitter | BindTransceiver

_BIND_RESPONSES = {
    CommandId.BIND_RECEIVER: BindReceiverResp,
    CommandId.BIND_TRANSMITTER: BindTransmitterResp,
    CommandId.BIND_TRANSCEIVER: BindTransceiverResp,
}


# TLVs, and with them sc_interface_version, are new in 3.4 (§5.3.2.25).
_VERSIONS = {"3.3": None, "3.4": 0x34, "5.0": 0x50}


class Connection(asyncio.Protocol):
    """A connection and, once bound, one bind of an account.

    `unanswered` counts the submits whose response has not been written; `submits` all of them. `port` is
    the carrier's own that the ESME connected to, None where the carrier connected, with `outbind`.
    """

    def __init__(self, smsc: Smsc, port: int | None = None, outbind: Outbind | None = None) -> None:
        self.port = port
        self.account: Account | None = None
        self.bucket: TokenBucket | None = None
        self.receiving = False
        self.submits = 0
        self.unanswered = 0
        self._smsc = smsc
        self._transmitting = False
        self._silent = False
        self._over = False
        self._reader = FrameReader()
        self._outbox = Outbox()
        self._out: list[bytes] = []
        self._answers_out = 0
        self._marked = False
        self._heard_at = 0.0
        self._drip: Drip | None = None
        self._outbind = outbind
        self._flooded = 0
        self._unread = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._heard_at = self._smsc.now()
        self._smsc.joined(self)
        if self._outbind is not None:
            self.tell(self._outbind)
        self.attack(self._smsc.options.greeting)
        self._smsc.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._over = True
        if self._drip is not None:
            self._drip.stop()
        self._leave(ghost=True)
        self._smsc.left(self)

    def pause_writing(self) -> None:
        """The ESME does not read: stop reading from it, or its responses would pile up here."""
        self._unread = True
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._unread = False
        if not self._transport.is_closing():
            self._transport.resume_reading()

    @property
    def receipts_ready(self) -> int:
        """Receipts that wait for room in the window."""
        return len(self._outbox.ready)

    @property
    def receipts_in_flight(self) -> int:
        """Receipts sent and not answered."""
        return len(self._outbox)

    def _deaf(self) -> bool:
        return self._silent or self._over

    def data_received(self, data: bytes) -> None:
        if self._deaf():
            return
        smsc = self._smsc
        now = self._heard_at = smsc.now()
        for frame in self._reader.feed(data):
            self._receive(frame, now)
            if self._deaf():
                break
        error = self._reader.error
        if error is not None and not self._deaf():
            self.send(encode(GenericNack(), sequence=error.sequence, status=Status.ESME_RINVCMDLEN))
            self.close()
        smsc.flush()

    def send(self, frame: bytes) -> None:
        """Put a frame into the next write."""
        self._out.append(frame)
        self._mark()

    def answer(self, response: bytes) -> None:
        """Settle one submit with its response; an empty one settles it in silence."""
        self._answers_out += 1
        if response and not self._silent:
            self._smsc.records.counters.responses += 1
            self._out.append(response)
        self._mark()

    def offer(self, receipt: Delivery) -> None:
        """Take a receipt over, to be sent when the window has room."""
        self._outbox.ready.append(receipt)
        self._mark()

    def flush(self) -> None:
        """Write everything that has come together, receipts after responses, in one go."""
        self._marked = False
        self.unanswered -= self._answers_out
        self._answers_out = 0
        smsc = self._smsc
        if self.receiving and self._outbox.ready:
            frames = self._outbox.frames(
                smsc.options.deliver_window, smsc.now(), smsc.dates.now(), smsc.write_receipt
            )
            smsc.records.counters.receipts_sent += len(frames)
            self._out += frames
        if self._out:
            data = b"".join(self._out)
            self._out.clear()
            self._write(data)

    def cut(self) -> None:
        """End the connection without unbind, after what was answered so far has been written."""
        self._smsc.records.counters.cuts += 1
        self._smsc.traced("cut", self.account)
        self._leave(ghost=True)
        self.close()

    def fall_silent(self) -> None:
        """Answer nothing from now on and keep the socket: half-open, as the peer sees it."""
        self._smsc.records.counters.silences += 1
        self._smsc.traced("silence", self.account)
        self.flush()
        self._silent = True
        self._hand_back()

    def unbind(self) -> None:
        """Ask the ESME to leave (§4.2); the connection closes when it has answered."""
        if self.account is not None and not self._silent:
            self.tell(Unbind())

    def tell(self, pdu: Pdu) -> None:
        """Send a request of ours that needs no care afterwards."""
        self.send(encode(pdu, sequence=self._outbox.next_sequence()))

    def attack(self, names: Iterable[str], times: int = 1) -> None:
        """Send what no honest SMSC sends: keys of ATTACKS, all of them so many times."""
        if self._deaf():
            return
        for _ in range(times):
            for name in names:
                self._smsc.records.counters.attacks += 1
                self.send(ATTACKS[name](self._outbox.next_sequence()))

    def flood(self, share_s: float) -> None:
        """Send what `flood_per_s` asks for in `share_s` seconds, when bound."""
        options = self._smsc.options
        if self.account is None or not options.flood or self._unread:
            return
        for _ in range(max(1, round(options.flood_per_s * share_s))):
            self.attack((options.flood[self._flooded % len(options.flood)],))
            self._flooded += 1

    def close(self) -> None:
        """Write what is left, then close."""
        self.flush()
        self._over = True
        if self._drip is None:
            self._transport.close()
        else:
            self._drip.finish(self._transport.close)

    def abort(self) -> None:
        """Close at once; what has not been written is lost."""
        self._transport.abort()

    def keep_house(self, now: float) -> None:
        """Once a second: offer overdue receipts again, ask whether the ESME is alive."""
        if self._deaf() or self.account is None:
            return
        options = self._smsc.options
        overdue = self._outbox.overdue(now - options.receipt_retry_s)
        self._smsc.records.counters.receipts_again += len(overdue)
        self.account.offer_all(overdue)
        if options.enquire_link_s and now - self._heard_at >= options.enquire_link_s:
            self.tell(EnquireLink())

    def _receive(self, frame: bytes, now: float) -> None:
        _, command_id, status, sequence = HEADER.unpack_from(frame)
        smsc = self._smsc
        if command_id == CommandId.DELIVER_SM_RESP:
            self._receipt_answered(sequence, status)
        elif smsc.ignored and command_id in smsc.ignored:
            return
        elif command_id == CommandId.SUBMIT_SM and self.account is not None and self._transmitting:
            smsc.intake.submit(self, self.account, frame, sequence, now)
        else:
            _COMMANDS.get(command_id, Connection._unknown)(self, frame, command_id, sequence)

    def _receipt_answered(self, sequence: int, status: int) -> None:
        receipt = self._outbox.answered(sequence)
        if receipt is None:
            return
        counters = self._smsc.records.counters
        if status:
            counters.receipts_refused += 1
            counters.receipts_again += 1
            self._smsc.offer_again(receipt)
        else:
            counters.receipts_answered += 1
        self._mark()

    def _bind(self, frame: bytes, command_id: int, sequence: int) -> None:
        smsc, response = self._smsc, command_id | RESPONSE_BIT
        try:
            request = cast(Bind, decode(frame).pdu)
        except PduError as error:
            self.send(HEADER.pack(16, response, error.status, sequence))
            return
        bound = self.account is not None
        status = Status.ESME_RALYBND if bound else smsc.bind_status(request, command_id)
        if status:
            smsc.records.counters.binds_refused += 1
            smsc.traced("bind_refused", self.account, status=f"0x{status:08X}")
            self.send(HEADER.pack(16, response, status, sequence))
            return
        smsc.records.counters.binds += 1
        self.account = smsc.account(request.system_id)
        self.account.binds += 1
        self.account.bound_at = smsc.now()
        self._transmitting = command_id != CommandId.BIND_RECEIVER
        version = _VERSIONS[smsc.options.interface_version]
        tlvs = () if version is None else (tlv.of_uint(Tag.SC_INTERFACE_VERSION, version, 1),)
        self.send(encode(_BIND_RESPONSES[command_id](SYSTEM_ID, tlvs), sequence=sequence))
        self.attack(smsc.options.after_bind)
        smsc.traced("bind", self.account, command_id=f"0x{command_id:08X}")
        if command_id != CommandId.BIND_TRANSMITTER:
            self.receiving = True
            self.account.attach(self)

    def _unbind(self, frame: bytes, command_id: int, sequence: int) -> None:
        self.send(encode(UnbindResp(), sequence=sequence))
        self._unbound(frame, command_id, sequence)

    def _unbound(self, frame: bytes, command_id: int, sequence: int) -> None:
        self._smsc.traced("unbind", self.account)
        self._leave(ghost=False)
        self.close()

    def _enquire_link(self, frame: bytes, command_id: int, sequence: int) -> None:
        self.send(encode(EnquireLinkResp(), sequence=sequence))

    def _data_answered(self, frame: bytes, command_id: int, sequence: int) -> None:
        self._receipt_answered(sequence, HEADER.unpack_from(frame)[2])

    def _refused(self, frame: bytes, command_id: int, sequence: int) -> None:
        self._receipt_answered(sequence, Status.ESME_RSYSERR)

    def _not_bound(self, frame: bytes, command_id: int, sequence: int) -> None:
        self.send(HEADER.pack(16, command_id | RESPONSE_BIT, Status.ESME_RINVBNDSTS, sequence))

    def _serve(self, frame: bytes, command_id: int, sequence: int) -> None:
        smsc = self._smsc
        if not smsc.services.offers(command_id, smsc.options):
            self.send(unknown(sequence))
        elif self.account is None or not self._transmitting:
            self._not_bound(frame, command_id, sequence)
        else:
            smsc.services.answer(self, self.account, frame, smsc.now())

    def _unknown(self, frame: bytes, command_id: int, sequence: int) -> None:
        if not command_id & RESPONSE_BIT:
            self.send(unknown(sequence))

    def _leave(self, *, ghost: bool) -> None:
        """Give up the bind, with or without a ghost session that stays behind."""
        account, self.account = self.account, None
        self._transmitting = False
        self._hand_back(account)
        if account is not None:
            account.binds -= 1
            if ghost:
                account.ghost_until = self._smsc.now() + self._smsc.options.ghost_s

    def _hand_back(self, account: Account | None = None) -> None:
        """Return the receipts nobody has answered to the account."""
        account = account or self.account
        if account is None or not self.receiving:
            return
        self.receiving = False
        account.detach(self)
        sent, waiting = self._outbox.drain()
        self._smsc.records.counters.receipts_again += len(sent)
        account.offer_all(sent + waiting)

    def _mark(self) -> None:
        if not self._marked:
            self._marked = True
            self._smsc.marked.append(self)

    def _write(self, data: bytes) -> None:
        pause_s = self._smsc.options.slow_byte_s
        if self._deaf():
            return
        if not pause_s:
            self._transport.write(data)
            return
        if self._drip is None:
            self._drip = Drip(self._smsc.loop, self._transport.write, pause_s)
        self._drip.feed(data)


_COMMANDS: dict[int, Callable[[Connection, bytes, int, int], None]] = {
    CommandId.BIND_RECEIVER: Connection._bind,
    CommandId.BIND_TRANSMITTER: Connection._bind,
    CommandId.BIND_TRANSCEIVER: Connection._bind,
    CommandId.UNBIND: Connection._unbind,
    CommandId.UNBIND_RESP: Connection._unbound,
    CommandId.ENQUIRE_LINK: Connection._enquire_link,
    CommandId.SUBMIT_SM: Connection._not_bound,
    CommandId.DATA_SM_RESP: Connection._data_answered,
    CommandId.GENERIC_NACK: Connection._refused,
    **dict.fromkeys(SERVICES, Connection._serve),
}
