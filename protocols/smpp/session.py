"""An ESME's side of one SMPP connection, sans-IO: octets and times in, events and octets out.

The owner's loop: ``receive`` what was read, handle ``events()``, ``submit`` and ``acknowledge``, write
``data_to_send()``, and wake up at ``next_timer()`` for ``handle_timer``. Times are monotonic seconds.
"""

from collections.abc import Callable, Iterable
from typing import Any

from protocols.smpp import events, tlv
from protocols.smpp.constants import RESPONSE_BIT, CommandId, Status, Tag, command_name
from protocols.smpp.enquiries import LIMIT as ENQUIRY_LIMIT
from protocols.smpp.enquiries import Enquiries
from protocols.smpp.errors import LocalProtocolError, PduError
from protocols.smpp.fields import Tlvs
from protocols.smpp.framing import HEADER_LENGTH, FrameReader
from protocols.smpp.pdu import (
    AlertNotification,
    BindReceiver,
    BindResp,
    BindTransceiver,
    BindTransmitter,
    CancelSm,
    DataSm,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Message,
    Outbind,
    Pdu,
    QuerySm,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    decode,
    encode,
    header,
)
from protocols.smpp.session_config import Mode as Mode
from protocols.smpp.session_config import SessionConfig as SessionConfig
from protocols.smpp.state import TABLE, Input, State
from protocols.smpp.timers import Due, LinkTimer
from protocols.smpp.window import Window

_BINDS: dict[Mode, tuple[type[BindTransmitter | BindReceiver | BindTransceiver], Input]] = {
    "transmitter": (BindTransmitter, Input.BIND_TX_ACCEPTED),
    "receiver": (BindReceiver, Input.BIND_RX_ACCEPTED),
    "transceiver": (BindTransceiver, Input.BIND_TRX_ACCEPTED),
}

MAX_SEQUENCE = 0x7FFFFFFF
"""§5.1.4: sequence_number runs from 1 to this."""

_NO_SEQUENCE = -1
_SUBMIT_SM_RESP = CommandId.SUBMIT_SM_RESP.to_bytes(4, "big")
_GENERIC_NACK = CommandId.GENERIC_NACK.to_bytes(4, "big")
_NO_MESSAGE_ID = encode(DeliverSmResp(), sequence=1)[HEADER_LENGTH:]
_AWAITED = {State.AWAITING_OUTBIND: "outbind", State.BINDING: "bind_resp", State.UNBINDING: "unbind_resp"}


class Session:
    """One connection from its opening to its end; make a new one for the next connection.

    Nothing a peer sends raises: it becomes an event. A verb at the wrong time raises LocalProtocolError and
    changes nothing. ``unmatched`` counts responses that answer nothing we know of.
    """

    def __init__(self, config: SessionConfig, *, first_sequence: int = 1) -> None:
        config.check()
        bind, self._bind_accepted = _BINDS[config.mode]
        self._bind_pdu = bind(
            system_id=config.system_id,
            password=config.password,
            system_type=config.system_type,
            interface_version=config.interface_version,
            addr_ton=config.addr_ton,
            addr_npi=config.addr_npi,
            address_range=config.address_range,
        )
        encode(self._bind_pdu, sequence=first_sequence)
        self.unmatched = 0
        self._bind_timeout_s = config.bind_timeout_s
        self._response_timeout_s = config.response_timeout_s
        self._state = State.OPEN
        self._row = TABLE[State.OPEN]
        self._sequence = first_sequence
        self._request: tuple[int, float] | None = None
        self._reader = FrameReader(config.max_pdu)
        self._window = Window(config.window, config.response_timeout_s, config.tombstones)
        self._enquiries = Enquiries(config.response_timeout_s)
        self._asked = self._enquiries.asked
        self._data_sms: set[int] = set()  # to be answered by data_sm_resp
        self._link = LinkTimer(config.enquire_link_s)
        self._events: list[events.Event] = []
        self._out: list[bytes] = []
        self._takers: dict[int, Callable[[Message, float], None]] = {
            CommandId.SUBMIT_SM_RESP: self._take_submit_answer,
            CommandId.GENERIC_NACK: self._take_nack,
            CommandId.QUERY_SM_RESP: self._take_enquiry_answer,
            CommandId.CANCEL_SM_RESP: self._take_enquiry_answer,
            CommandId.DELIVER_SM: self._take_deliver,
            CommandId.DATA_SM: self._take_data,
            CommandId.ALERT_NOTIFICATION: self._take_alert,
            CommandId.OUTBIND: self._take_outbind,
            CommandId.ENQUIRE_LINK: self._take_enquiry,
            CommandId.ENQUIRE_LINK_RESP: self._take_sign_of_life,
            CommandId.BIND_TRANSMITTER_RESP: self._take_bind_answer,
            CommandId.BIND_RECEIVER_RESP: self._take_bind_answer,
            CommandId.BIND_TRANSCEIVER_RESP: self._take_bind_answer,
            CommandId.UNBIND: self._take_unbind,
            CommandId.UNBIND_RESP: self._take_unbind_answer,
        }

    @property
    def state(self) -> State:
        return self._state

    @property
    def in_flight(self) -> int:
        """Submits that await their answer."""
        return len(self._window)

    @property
    def window_free(self) -> int:
        """How many submits would be taken now; 0 while not bound for sending."""
        return max(0, self._window.limit - len(self._window)) if Input.SUBMIT in self._row else 0

    @property
    def enquiries_free(self) -> int:
        """How many queries and cancels would be taken now; 0 while not bound for sending."""
        return self._enquiries.free if Input.QUERY in self._row else 0

    def events(self) -> list[events.Event]:
        """What happened since the last call."""
        taken, self._events = self._events, []
        return taken

    def data_to_send(self) -> list[bytes]:
        """The frames to write since the last call."""
        taken, self._out = self._out, []
        return taken

    def set_window(self, limit: int) -> None:
        """How many submits may be outstanding from now on; with more than that, none leave for a while."""
        if limit < 1:
            raise LocalProtocolError("window", "at least 1")
        self._window.limit = limit

    # What we do

    def await_outbind(self, now: float) -> None:
        """The peer has connected to us: ``OutbindReceived`` comes within ``bind_timeout_s``, or the end."""
        self._step_ours(Input.AWAIT_OUTBIND)
        self._request = (_NO_SEQUENCE, now + self._bind_timeout_s)

    def bind(self, now: float) -> int:
        """Ask for the session of the configured mode (§4.1); the sequence_number used."""
        self._step_ours(Input.BIND)
        return self._ask(self._bind_pdu, now, self._bind_timeout_s)

    def unbind(self, now: float) -> int:
        """End the session (§4.2). What is outstanding may still be answered until ``eof``."""
        self._step_ours(Input.UNBIND)
        return self._ask(Unbind(), now, self._response_timeout_s)

    def enquire_link(self, now: float) -> int:
        """Ask for a sign of life (§4.11) before the timer would."""
        self._step_ours(Input.ENQUIRE)
        sequence = self._next_sequence()
        self._out.append(encode(EnquireLink(), sequence=sequence))
        self._link.asked(now)
        return sequence

    def submit(self, pdu: SubmitSm, context: Any, now: float) -> int:
        """Send a message (§4.4); its answer comes back with ``context``. Returns the sequence_number.

        LocalProtocolError: not bound for sending, window full, or a parameter that does not fit.
        """
        if Input.SUBMIT not in self._row:
            self._step_ours(Input.SUBMIT)
        window = self._window
        if len(window) >= window.limit:
            raise LocalProtocolError("window", f"fewer than {window.limit} submits outstanding")
        sequence = self._next_sequence()
        self._out.append(encode(pdu, sequence=sequence))
        window.add(sequence, context, now)
        return sequence

    def query(self, pdu: QuerySm, context: Any, now: float) -> int:
        """Ask for a message's state (§4.8); ``QueryAnswered`` brings ``context`` back, in any case.

        LocalProtocolError: not bound for sending, too many outstanding, or a parameter that does not fit.
        """
        return self._enquire(Input.QUERY, pdu, context, now)

    def cancel(self, pdu: CancelSm, context: Any, now: float) -> int:
        """Take a message back (§4.9); ``CancelAnswered`` brings ``context`` back, in any case.

        LocalProtocolError: not bound for sending, too many outstanding, or a parameter that does not fit.
        """
        return self._enquire(Input.CANCEL, pdu, context, now)

    def _enquire(self, cause: Input, pdu: QuerySm | CancelSm, context: Any, now: float) -> int:
        self._step_ours(cause)
        if not self._enquiries.free:
            raise LocalProtocolError(cause.value, f"fewer than {ENQUIRY_LIMIT} enquiries outstanding")
        sequence = self._next_sequence()
        self._out.append(encode(pdu, sequence=sequence))
        self._enquiries.add(sequence, pdu, context, now)
        return sequence

    def acknowledge(self, sequence: int, now: float, status: int = 0) -> None:
        """Answer a deliver_sm (§4.6.2) or data_sm (§4.7.2). After the end of the session it is dropped: the
        peer will repeat.
        """
        if Input.ACKNOWLEDGE not in self._row:
            self._step_ours(Input.ACKNOWLEDGE)
        if self._state is not State.UNBOUND and self._state is not State.CLOSED:
            answer = CommandId.DELIVER_SM_RESP
            if sequence in self._data_sms:
                self._data_sms.remove(sequence)
                answer = CommandId.DATA_SM_RESP
            length = HEADER_LENGTH + len(_NO_MESSAGE_ID)
            self._out.append(header(length, answer, status, sequence) + _NO_MESSAGE_ID)

    def eof(self, now: float) -> None:
        """The connection has ended, whoever ended it."""
        self._end(Input.EOF)

    # What happens to us

    def receive(self, data: bytes, now: float) -> None:
        """Take what was read. Answers to submits come first: under load they must not seem late."""
        if self._state is State.CLOSED:
            return
        frames = self._reader.feed(data)
        if frames:
            self._link.heard(now)
            for frame in self._answers_first(frames, now) if len(self._window) else frames:
                self._take(frame, now)
        error = self._reader.error
        if error is not None:
            self._out.append(encode(GenericNack(), sequence=error.sequence, status=Status.ESME_RINVCMDLEN))
            self._events.append(events.ProtocolViolation(error))
            self._end(Input.BROKEN)

    def next_timer(self) -> float | None:
        """When to call ``handle_timer``."""
        times = [self._window.next_deadline(), self._request[1] if self._request else None]
        if self._asked:
            times.append(self._enquiries.next_deadline())
        if Input.ENQUIRE in self._row:
            times.append(self._link.next())
        return min((time for time in times if time is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Do what is due at ``now``; nothing when called early."""
        for sequence, context in self._window.expire(now):
            self._events.append(events.SubmitTimedOut(context, sequence))
        self._events += self._enquiries.expire(now)
        if self._request is not None and self._request[1] <= now:
            unbinding = self._state is State.UNBINDING
            waited_s = self._response_timeout_s if unbinding else self._bind_timeout_s
            self._die(f"no {_AWAITED[self._state]} within {waited_s:g} s")
        elif Input.ENQUIRE in self._row:
            due = self._link.due(now)
            if due is Due.ENQUIRE:
                self.enquire_link(now)
            elif due is Due.DEAD:
                self._die("two silent periods, enquire_link unanswered")

    # Steps of the table

    def _step(self, cause: Input) -> bool:
        """Make the step of the table; False when there is none."""
        target = self._row.get(cause)
        if target is None:
            return False
        if target is not self._state:
            self._state = target
            self._row = TABLE[target]
            self._request = None
        return True

    def _step_ours(self, cause: Input) -> None:
        if not self._step(cause):
            legal = ", ".join(state for state, row in TABLE.items() if cause in row)
            raise LocalProtocolError(cause.value, f"state {legal}, not {self._state}")

    def _end(self, cause: Input) -> None:
        self._step(cause)
        if lost := self._window.contexts():
            self._events.append(events.SubmitsLost(lost))
        self._window.clear()
        self._events += self._enquiries.end()
        self._data_sms.clear()

    def _die(self, reason: str) -> None:
        self._events.append(events.LinkDead(reason))
        self._end(Input.SILENT)

    def _next_sequence(self) -> int:
        """§5.1.4, leaving out the numbers that an answer may still come for."""
        sequence = self._sequence
        while sequence in self._window or sequence in self._asked:
            sequence = sequence + 1 if sequence < MAX_SEQUENCE else 1
        self._sequence = sequence + 1 if sequence < MAX_SEQUENCE else 1
        return sequence

    def _ask(self, pdu: Pdu, now: float, timeout_s: float) -> int:
        sequence = self._next_sequence()
        self._out.append(encode(pdu, sequence=sequence))
        self._request = (sequence, now + timeout_s)
        return sequence

    # PDUs of the peer

    def _answers_first(self, frames: list[bytes], now: float) -> Iterable[bytes]:
        """Take the answers to submits, and leave the others."""
        others = []
        for frame in frames:
            command_id = frame[4:8]
            if command_id == _SUBMIT_SM_RESP or (
                command_id == _GENERIC_NACK and int.from_bytes(frame[12:16], "big") in self._window
            ):
                self._take(frame, now)
            else:
                others.append(frame)
        return others

    def _take(self, frame: bytes, now: float) -> None:
        try:
            message = decode(frame)
        except PduError as error:
            if error.command_id & RESPONSE_BIT and error.status != Status.ESME_RINVCMDID:
                self._take_unreadable_answer(error, int.from_bytes(frame[8:12], "big"), now)
            else:
                self._refuse(error)
            return
        self._takers.get(message.command_id, self._take_out_of_place)(message, now)

    def _take_submit_answer(self, message: Message, now: float) -> None:
        pdu = message.pdu
        if isinstance(pdu, SubmitSmResp):
            self._answer_submit(message.sequence, message.status, pdu.message_id, pdu.tlvs)
        else:
            self._answer_submit(message.sequence, message.status, b"", ())

    def _answer_submit(self, sequence: int, status: int, message_id: bytes, tlvs: Tlvs) -> None:
        sent = self._window.take(sequence)
        if sent is not None:
            context, sent_at = sent
            load = _congestion(tlvs) if tlvs else None
            answered = events.SubmitAnswered(context, status, message_id, tlvs, sequence, sent_at, load)
            self._events.append(answered)
        elif (late := self._window.take_late(sequence)) is not None:
            self._events.append(events.LateAnswer(late[0], status, message_id, sequence))
        else:
            self.unmatched += 1

    def _take_nack(self, message: Message, now: float) -> None:
        """§4.3.1: the peer could not read a request; sequence_number 0 when it could not even read that."""
        # A generic_nack must never pass for a success, whatever its command_status is.
        status = message.status or Status.ESME_RUNKNOWNERR
        sequence = message.sequence
        if self._request is not None and sequence in (self._request[0], 0):
            if self._step(Input.BIND_REFUSED):
                self._events.append(events.BindRefused(status))
            elif self._step(Input.UNBIND_ANSWER):
                self._events.append(events.Unbound())
            else:
                self.unmatched += 1
        elif ended := self._enquiries.answer(sequence, None, status, None):
            self._events.append(ended)
        else:
            self._answer_submit(sequence, status, b"", ())

    def _take_enquiry_answer(self, message: Message, now: float) -> None:
        ended = self._enquiries.answer(message.sequence, message.command_id, message.status, message.pdu)
        if ended is not None:
            self._events.append(ended)
        else:
            self.unmatched += 1

    def _take_unreadable_answer(self, error: PduError, status: int, now: float) -> None:
        """Nothing answers an answer. What had asked for it will get no other one."""
        unread = Message(error.command_id, status or Status.ESME_RUNKNOWNERR, error.sequence, None)
        self._takers.get(error.command_id, self._take_out_of_place)(unread, now)
        self._events.append(events.MalformedPdu(error.command_id, error.sequence, str(error)))

    def _take_deliver(self, message: Message, now: float) -> None:
        if isinstance(message.pdu, DeliverSm) and self._step(Input.DELIVER):
            self._events.append(events.DeliverReceived(message.sequence, message.pdu))
        else:
            self._take_out_of_place(message, now)

    def _take_data(self, message: Message, now: float) -> None:
        if isinstance(message.pdu, DataSm) and self._step(Input.DELIVER):
            self._data_sms.add(message.sequence)
            self._events.append(events.DeliverReceived(message.sequence, message.pdu))
        else:
            self._take_out_of_place(message, now)

    def _take_alert(self, message: Message, now: float) -> None:
        if isinstance(message.pdu, AlertNotification) and self._step(Input.ALERT):
            self._events.append(events.AlertReceived(message.pdu))
        else:
            self._take_out_of_place(message, now)

    def _take_outbind(self, message: Message, now: float) -> None:
        pdu = message.pdu
        if isinstance(pdu, Outbind) and self._step(Input.OUTBIND):
            self._events.append(events.OutbindReceived(pdu.system_id, pdu.password))
        else:
            self._take_out_of_place(message, now)

    def _take_enquiry(self, message: Message, now: float) -> None:
        self._step(Input.ENQUIRED)
        self._out.append(encode(EnquireLinkResp(), sequence=message.sequence))

    def _take_sign_of_life(self, message: Message, now: float) -> None:
        """``receive`` has noted it already, as it does for any PDU."""

    def _is_asked(self, message: Message) -> bool:
        return self._request is not None and self._request[0] == message.sequence

    def _take_bind_answer(self, message: Message, now: float) -> None:
        asked, pdu = self._is_asked(message), message.pdu
        if asked and message.status and self._step(Input.BIND_REFUSED):
            self._events.append(events.BindRefused(message.status))
        elif asked and isinstance(pdu, BindResp) and not message.status and self._step(self._bind_accepted):
            version = tlv.uint(pdu.tlvs, Tag.SC_INTERFACE_VERSION)
            self._events.append(events.Bound(version, pdu.system_id))
        else:
            self.unmatched += 1

    def _take_unbind(self, message: Message, now: float) -> None:
        self._out.append(encode(UnbindResp(), sequence=message.sequence))
        repeated = self._state is State.UNBOUND
        if self._step(Input.PEER_UNBIND) and not repeated:
            self._events.append(events.PeerUnbound())

    def _take_unbind_answer(self, message: Message, now: float) -> None:
        if self._is_asked(message) and self._step(Input.UNBIND_ANSWER):
            self._events.append(events.Unbound())
        else:
            self.unmatched += 1

    def _take_out_of_place(self, message: Message, now: float) -> None:
        if message.command_id & RESPONSE_BIT:
            self.unmatched += 1
            return
        reason = f"{command_name(message.command_id)} is out of place in state {self._state}"
        self._refuse(PduError(Status.ESME_RINVBNDSTS, message.command_id, message.sequence, "", reason))

    def _refuse(self, error: PduError) -> None:
        """Answer with the error and stay bound. An unknown command_id has only generic_nack (§4.3), as has an
        outbind; an alert_notification has no answer at all (§4.12.1).
        """
        command_id, status, sequence = error.command_id, error.status, error.sequence
        if status == Status.ESME_RINVCMDID or command_id == CommandId.OUTBIND:
            self._out.append(encode(GenericNack(), sequence=sequence, status=status))
        elif command_id != CommandId.ALERT_NOTIFICATION:
            body = _NO_MESSAGE_ID if command_id in (CommandId.DELIVER_SM, CommandId.DATA_SM) else b""
            answer = header(HEADER_LENGTH + len(body), command_id | RESPONSE_BIT, status, sequence)
            self._out.append(answer + body)
        self._events.append(events.MalformedPdu(command_id, sequence, str(error)))


def _congestion(tlvs: Tlvs) -> int | None:
    """5.0 §4.8.4.18: above 100 the numbers are reserved."""
    load = tlv.uint(tlvs, Tag.CONGESTION_STATE)
    return None if load is None or load > 100 else load
