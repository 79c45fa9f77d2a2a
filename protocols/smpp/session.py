"""An ESME's side of one SMPP connection, sans-IO: octets and times in, events and octets out.

The owner's loop: ``receive`` what was read, handle ``events()``, ``submit`` and ``acknowledge``, write
``data_to_send()``, and wake up at ``next_timer()`` for ``handle_timer``. Times are monotonic seconds.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal

import msgspec

from protocols.smpp import events, tlv
from protocols.smpp.constants import RESPONSE_BIT, CommandId, Status, Tag, command_name
from protocols.smpp.errors import LocalProtocolError, PduError
from protocols.smpp.fields import Tlvs
from protocols.smpp.framing import HEADER_LENGTH, FrameReader
from protocols.smpp.pdu import (
    BindReceiver,
    BindResp,
    BindTransceiver,
    BindTransmitter,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Message,
    Pdu,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    decode,
    encode,
    header,
)
from protocols.smpp.state import TABLE, Input, State
from protocols.smpp.timers import Due, LinkTimer
from protocols.smpp.window import Window

Mode = Literal["transmitter", "receiver", "transceiver"]

_BINDS: dict[Mode, tuple[type[BindTransmitter | BindReceiver | BindTransceiver], Input]] = {
    "transmitter": (BindTransmitter, Input.BIND_TX_ACCEPTED),
    "receiver": (BindReceiver, Input.BIND_RX_ACCEPTED),
    "transceiver": (BindTransceiver, Input.BIND_TRX_ACCEPTED),
}

MAX_SEQUENCE = 0x7FFFFFFF
"""§5.1.4: sequence_number runs from 1 to this."""

_SUBMIT_SM_RESP = CommandId.SUBMIT_SM_RESP.to_bytes(4, "big")
_GENERIC_NACK = CommandId.GENERIC_NACK.to_bytes(4, "big")
_DELIVER_SM_RESP_BODY = encode(DeliverSmResp(), sequence=1)[HEADER_LENGTH:]


class SessionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a carrier account says of its sessions. ``tombstones`` bounds the late answers waited for."""

    system_id: bytes
    password: bytes
    mode: Mode = "transceiver"
    system_type: bytes = b""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: bytes = b""
    window: int = 10
    bind_timeout_s: float = 10.0
    response_timeout_s: float = 10.0
    enquire_link_s: float = 30.0
    max_pdu: int = 70_000
    tombstones: int = 10_000

    def __repr__(self) -> str:
        return f"SessionConfig({self.mode} {self.system_id!r}, window {self.window})"


class Session:
    """One connection from its opening to its end; make a new one for the next connection.

    Nothing a peer sends raises: it becomes an event. A verb at the wrong time raises LocalProtocolError and
    changes nothing. ``unmatched`` counts responses that answer nothing we know of.
    """

    def __init__(self, config: SessionConfig, *, first_sequence: int = 1) -> None:
        _check(config)
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
        self._link = LinkTimer(config.enquire_link_s)
        self._events: list[events.Event] = []
        self._out: list[bytes] = []
        self._takers: dict[int, Callable[[Message, float], None]] = {
            CommandId.SUBMIT_SM_RESP: self._take_submit_answer,
            CommandId.GENERIC_NACK: self._take_nack,
            CommandId.DELIVER_SM: self._take_deliver,
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
        return self._window.limit - len(self._window) if Input.SUBMIT in self._row else 0

    def outstanding_contexts(self) -> list[Any]:
        """The contexts of the submits that await their answer, oldest first."""
        return self._window.contexts()

    def events(self) -> list[events.Event]:
        """What happened since the last call."""
        taken, self._events = self._events, []
        return taken

    def data_to_send(self) -> list[bytes]:
        """The frames to write since the last call."""
        taken, self._out = self._out, []
        return taken

    # What we do

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

    def acknowledge(self, sequence: int, now: float, status: int = 0) -> None:
        """Answer a deliver_sm (§4.6.2). After the end of the session it is dropped: the peer will repeat."""
        if Input.ACKNOWLEDGE not in self._row:
            self._step_ours(Input.ACKNOWLEDGE)
        if self._state is not State.UNBOUND and self._state is not State.CLOSED:
            self._out.append(_deliver_answer(sequence, status))

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
        if Input.ENQUIRE in self._row:
            times.append(self._link.next())
        return min((time for time in times if time is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Do what is due at ``now``; nothing when called early."""
        for sequence, context in self._window.expire(now):
            self._events.append(events.SubmitTimedOut(context, sequence))
        if self._request is not None and self._request[1] <= now:
            binding = self._state is State.BINDING
            waited_for = "bind_resp" if binding else "unbind_resp"
            waited_s = self._bind_timeout_s if binding else self._response_timeout_s
            self._die(f"no {waited_for} within {waited_s:g} s")
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

    def _die(self, reason: str) -> None:
        self._events.append(events.LinkDead(reason))
        self._end(Input.SILENT)

    def _next_sequence(self) -> int:
        """§5.1.4, leaving out the numbers that an answer may still come for."""
        sequence = self._sequence
        while sequence in self._window:
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
            self._events.append(events.SubmitAnswered(sent[0], status, message_id, tlvs, sequence))
        elif (late := self._window.take_late(sequence)) is not None:
            self._events.append(events.LateAnswer(late[0], status, message_id, sequence))
        else:
            self.unmatched += 1

    def _take_nack(self, message: Message, now: float) -> None:
        """§4.3.1: the peer could not read a request; sequence_number 0 when it could not even read that."""
        # A generic_nack must never pass for a success, whatever its command_status is.
        status = message.status or Status.ESME_RUNKNOWNERR
        sequence = message.sequence
        if self._request is None or sequence not in (self._request[0], 0):
            self._answer_submit(sequence, status, b"", ())
        elif self._step(Input.BIND_REFUSED):
            self._events.append(events.BindRefused(status))
        else:
            self._step(Input.UNBIND_ANSWER)
            self._events.append(events.Unbound())

    def _take_deliver(self, message: Message, now: float) -> None:
        if isinstance(message.pdu, DeliverSm) and self._step(Input.DELIVER):
            self._events.append(events.DeliverReceived(message.sequence, message.pdu))
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
        """Answer with the error and stay bound; an unknown command_id has only generic_nack (§4.3)."""
        status, sequence = error.status, error.sequence
        if status == Status.ESME_RINVCMDID:
            answer = encode(GenericNack(), sequence=sequence, status=status)
        elif error.command_id == CommandId.DELIVER_SM:
            answer = _deliver_answer(sequence, status)
        else:
            answer = header(HEADER_LENGTH, error.command_id | RESPONSE_BIT, status, sequence)
        self._out.append(answer)
        self._events.append(events.MalformedPdu(error.command_id, sequence, str(error)))


def _deliver_answer(sequence: int, status: int) -> bytes:
    length = HEADER_LENGTH + len(_DELIVER_SM_RESP_BODY)
    return header(length, CommandId.DELIVER_SM_RESP, status, sequence) + _DELIVER_SM_RESP_BODY


def _check(config: SessionConfig) -> None:
    rules = (
        ("window", config.window >= 1, "at least 1"),
        ("bind_timeout_s", config.bind_timeout_s > 0, "more than 0"),
        ("response_timeout_s", config.response_timeout_s > 0, "more than 0"),
        ("enquire_link_s", config.enquire_link_s > 0, "more than 0"),
        ("max_pdu", config.max_pdu >= HEADER_LENGTH, f"at least {HEADER_LENGTH}"),
        ("tombstones", config.tombstones >= 0, "at least 0"),
    )
    for field, holds, expected in rules:
        if not holds:
            raise LocalProtocolError(field, expected)
