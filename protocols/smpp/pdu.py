"""The PDUs of SMPP 3.4 that an ESME needs, each one declaration; a further PDU is one more class here.

``encode`` and ``decode`` work for everything declared. All strings are octets as on the wire: SMPP does not
say in which character set they are.
"""

from collections.abc import Callable
from struct import Struct
from struct import error as struct_error
from typing import Annotated, ClassVar, TypeVar

import msgspec

from protocols.smpp.codec import BodyDecoder, BodyEncoder, body_decoder, body_encoder
from protocols.smpp.constants import RESPONSE_BIT, CommandId, Status, command_name, status_name
from protocols.smpp.errors import LocalProtocolError, PduError
from protocols.smpp.fields import (
    Address,
    COctets,
    Counted,
    Layout,
    Octet,
    ServiceType,
    ShortMessage,
    Shown,
    Time,
    Tlvs,
    UInt8,
    layout_of,
)

HEADER = Struct(">IIII")
"""command_length, command_id, command_status, sequence_number (§3.2)."""


class Pdu(msgspec.Struct, frozen=True, gc=False):
    """The mandatory and optional parameters of one PDU, without its header."""

    command_id: ClassVar[int]


class Message(msgspec.Struct, frozen=True, gc=False):
    """A PDU with its header. ``pdu`` is None for an error response that lacks its body (§4.4.2)."""

    command_id: int
    status: int
    sequence: int
    pdu: Pdu | None


AnyPdu = TypeVar("AnyPdu", bound=type[Pdu])

_LAYOUTS: dict[int, Layout] = {}
_ENCODERS: dict[int, BodyEncoder] = {}
_DECODERS: dict[int, BodyDecoder] = {}
_BODY_MAY_BE_MISSING: set[int] = set()


def declare(pdu_class: AnyPdu) -> AnyPdu:
    """Class decorator: derive the codec of a PDU from its annotations and register it by command_id."""
    layout = layout_of(pdu_class)
    command_id = pdu_class.command_id
    _LAYOUTS[command_id] = layout
    _ENCODERS[command_id] = body_encoder(layout)
    _DECODERS[command_id] = body_decoder(layout, command_id, pdu_class)
    if command_id & RESPONSE_BIT and layout.fields:
        _BODY_MAY_BE_MISSING.add(command_id)
    return pdu_class


class Bind(Pdu, frozen=True, gc=False):
    """§4.1.1, §4.1.3, §4.1.5: the three binds carry the same parameters."""

    system_id: Annotated[bytes, COctets(16)] = b""
    password: Annotated[bytes, COctets(9, shown=Shown.SECRET)] = b""
    system_type: Annotated[bytes, COctets(13)] = b""
    interface_version: UInt8 = 0x34
    addr_ton: UInt8 = 0
    addr_npi: UInt8 = 0
    address_range: Annotated[bytes, COctets(41)] = b""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(system_id={self.system_id!r}, password=[redacted])"


class BindResp(Pdu, frozen=True, gc=False):
    """§4.1.2, §4.1.4, §4.1.6; may carry sc_interface_version."""

    system_id: Annotated[bytes, COctets(16)] = b""
    tlvs: Tlvs = ()


@declare
class BindTransmitter(Bind, frozen=True, gc=False):
    """§4.1.1."""

    command_id: ClassVar[int] = CommandId.BIND_TRANSMITTER


@declare
class BindTransmitterResp(BindResp, frozen=True, gc=False):
    """§4.1.2."""

    command_id: ClassVar[int] = CommandId.BIND_TRANSMITTER_RESP


@declare
class BindReceiver(Bind, frozen=True, gc=False):
    """§4.1.3."""

    command_id: ClassVar[int] = CommandId.BIND_RECEIVER


@declare
class BindReceiverResp(BindResp, frozen=True, gc=False):
    """§4.1.4."""

    command_id: ClassVar[int] = CommandId.BIND_RECEIVER_RESP


@declare
class BindTransceiver(Bind, frozen=True, gc=False):
    """§4.1.5."""

    command_id: ClassVar[int] = CommandId.BIND_TRANSCEIVER


@declare
class BindTransceiverResp(BindResp, frozen=True, gc=False):
    """§4.1.6."""

    command_id: ClassVar[int] = CommandId.BIND_TRANSCEIVER_RESP


@declare
class Unbind(Pdu, frozen=True, gc=False):
    """§4.2.1."""

    command_id: ClassVar[int] = CommandId.UNBIND


@declare
class UnbindResp(Pdu, frozen=True, gc=False):
    """§4.2.2."""

    command_id: ClassVar[int] = CommandId.UNBIND_RESP


@declare
class GenericNack(Pdu, frozen=True, gc=False):
    """§4.3.1."""

    command_id: ClassVar[int] = CommandId.GENERIC_NACK


@declare
class EnquireLink(Pdu, frozen=True, gc=False):
    """§4.11.1."""

    command_id: ClassVar[int] = CommandId.ENQUIRE_LINK


@declare
class EnquireLinkResp(Pdu, frozen=True, gc=False):
    """§4.11.2."""

    command_id: ClassVar[int] = CommandId.ENQUIRE_LINK_RESP


class _Sm(Pdu, frozen=True, gc=False):
    """§4.4.1, §4.6.1: a short message travels with the same parameters both ways. sm_length is derived."""

    service_type: ServiceType = b""
    source_addr_ton: UInt8 = 0
    source_addr_npi: UInt8 = 0
    source_addr: Address = b""
    dest_addr_ton: UInt8 = 0
    dest_addr_npi: UInt8 = 0
    destination_addr: Address = b""
    esm_class: UInt8 = 0
    protocol_id: UInt8 = 0
    priority_flag: UInt8 = 0
    schedule_delivery_time: Time = b""
    validity_period: Time = b""
    registered_delivery: UInt8 = 0
    replace_if_present_flag: UInt8 = 0
    data_coding: UInt8 = 0
    sm_default_msg_id: UInt8 = 0
    short_message: ShortMessage = b""
    tlvs: Tlvs = ()


class _SmResp(Pdu, frozen=True, gc=False):
    """§4.4.2, §4.6.2. TLVs are not foreseen by 3.4 and sent all the same."""

    message_id: Annotated[bytes, COctets(65)] = b""
    tlvs: Tlvs = ()


@declare
class SubmitSm(_Sm, frozen=True, gc=False):
    """§4.4.1."""

    command_id: ClassVar[int] = CommandId.SUBMIT_SM


@declare
class SubmitSmResp(_SmResp, frozen=True, gc=False):
    """§4.4.2."""

    command_id: ClassVar[int] = CommandId.SUBMIT_SM_RESP


@declare
class DeliverSm(_Sm, frozen=True, gc=False):
    """§4.6.1."""

    command_id: ClassVar[int] = CommandId.DELIVER_SM


@declare
class DeliverSmResp(_SmResp, frozen=True, gc=False):
    """§4.6.2: message_id is unused and stays empty."""

    command_id: ClassVar[int] = CommandId.DELIVER_SM_RESP


def encode(pdu: Pdu, *, sequence: int, status: int = 0) -> bytes:
    """One frame. LocalProtocolError names a parameter that does not fit; nothing is ever truncated."""
    body = _ENCODERS[pdu.command_id](pdu)
    return header(16 + len(body), pdu.command_id, status, sequence) + body


def header(length: int, command_id: int, status: int, sequence: int) -> bytes:
    """The 16 octets before a body (§3.2); any 32-bit sequence is right where a peer's is answered."""
    try:
        return HEADER.pack(length, command_id, status, sequence)
    except struct_error:
        field = "sequence" if 0 <= status <= 0xFFFFFFFF else "status"
        raise LocalProtocolError(field, "an integer of 32 bits") from None


def decode(frame: bytes) -> Message:
    """Read one whole frame. PduError carries the command_status to answer with."""
    if len(frame) < HEADER.size:
        reason = f"{len(frame)} octets are no header"
        raise PduError(Status.ESME_RINVCMDLEN, 0, 0, "command_length", reason)
    length, command_id, status, sequence = HEADER.unpack_from(frame)
    if length != len(frame):
        reason = f"{length} declared, {len(frame)} octets there"
        raise PduError(Status.ESME_RINVCMDLEN, command_id, sequence, "command_length", reason)
    body_of = _DECODERS.get(command_id)
    if body_of is None:
        reason = f"command_id 0x{command_id:08X} is not known"
        raise PduError(Status.ESME_RINVCMDID, command_id, sequence, "command_id", reason)
    if status and length == HEADER.size and command_id in _BODY_MAY_BE_MISSING:
        return Message(command_id, status, sequence, None)
    return Message(command_id, status, sequence, body_of(frame))


def describe(message: Message) -> str:
    """One line for people. Passwords and text are left out, addresses show their last two characters."""
    parts = [command_name(message.command_id), f"seq={message.sequence}"]
    if message.status or message.command_id & RESPONSE_BIT:
        parts.append(f"status={status_name(message.status)}")
    pdu = message.pdu
    if pdu is None:
        return " ".join([*parts, "(no body)"])
    layout = _LAYOUTS[message.command_id]
    for name, kind in layout.fields:
        value = getattr(pdu, name)
        if value:
            parts.append(f"{name}={_SHOW[type(kind)](value, kind)}")
    parts += [f"tlv_0x{tag:04X}=[{len(value)} octets]" for tag, value in getattr(pdu, "tlvs", ())]
    return " ".join(parts)


def _show_text(value: bytes, kind: COctets) -> str:
    if kind.shown is Shown.SECRET:
        return "[redacted]"
    if kind.shown is Shown.TAIL:
        value = value[-2:] if len(value) > 4 else b""
    text = value.decode("ascii", "backslashreplace")
    text = text if text.isprintable() else ascii(text)[1:-1]
    return "…" + text if kind.shown is Shown.TAIL else text


_SHOW: dict[type, Callable[..., str]] = {
    COctets: _show_text,
    Octet: lambda value, _: str(value),
    Counted: lambda value, _: f"[{len(value)} octets]",
}
